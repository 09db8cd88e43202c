/* The values of an API key: kept as a hash to look them up by, and sealed, as AWS tells them again.
 *
 * Ours: a key may have two values at once while its clients change over, and may end. AWS's model has
 * no place for that, and its clients must be able to say it with the permission they have for a key:
 * so these are patch paths of UpdateApiKey, under a name that is no property of AWS's:
 *   add     /x-gatehouse/value               another value (an empty one: generated); the answer tells it
 *   replace /x-gatehouse/previousValueEnds   until when the older one is good, ISO 8601
 *   remove  /x-gatehouse/previousValue       it is no good any more
 *   replace /x-gatehouse/expires, remove     until when the key is good, ISO 8601
 * GET /_gatehouse/apikeys/{id} shows them. */
#include "core/base64.h"
#include "core/id.h"
#include "core/time.h"
#include "gateway/ops/apikey.h"
#include "gateway/state.h"

enum { VALUE_MIN = 20, VALUE_MAX = 128, VALUE_GENERATED = 40 };

gh_err apikey_check_value(struct call *call, struct str value)
{
    if (value.len < VALUE_MIN)
        return ops_bad_request(call, "API Key value should be at least 20 characters");
    if (value.len > VALUE_MAX)
        return ops_bad_request(call, "API Key value exceeds maximum size of 128 characters");
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] <= ' ' || value.ptr[i] > '~') /* it must fit into a header */
            return ops_bad_request(call, "API Key value may only have visible ASCII characters");
    return NULL;
}

struct str apikey_generate(struct call *call)
{
    return id_random(call->env, call->arena, VALUE_GENERATED, ID_ALNUM);
}

struct str apikey_mac(struct call *call, struct str value)
{
    uint8_t mac[SHA256_BYTES];
    const struct gateway *gateway = call->module;
    usage_mac(gateway->usage, call->account, call->region, value, mac);
    return hex_encode(call->arena, digest_str(mac, sizeof mac));
}

gh_err apikey_newest_value(struct call *call, struct tx *tx, struct str key_id, struct str *out)
{
    struct apikey_value values[APIKEY_VALUES];
    size_t n;
    gh_err err = apikey_values(call->db, tx, call->arena, key_id, values, &n);
    *out = STR_NONE;
    if (err || !n || unseal(call->sealer, call->arena, apikey_place(call->arena, key_id), values[0].sealed, out))
        return err;
    return gh_fail(call->arena, &GH_INTERNAL, "the sealed value of API key %.*s does not open", STR_FMT(key_id));
}

void apikey_add_value(struct call *call, struct tx *tx, struct str key_id, struct str value, int64_t serial)
{
    const struct apikey_value row = { .mac = apikey_mac(call, value), .serial = serial,
                                      .sealed = seal(call->sealer, call->arena, apikey_place(call->arena, key_id), value) };
    apikey_value_save(tx, key_id, &row);
}

static void show_time(struct call *call, json_t *object, const char *name, int64_t us)
{
    if (us)
        json_set_str(object, name, time_iso8601(call->arena, us / 1000000));
}

gh_err apikey_lifetime(struct call *call, void *ctx, struct str *json)
{
    const struct str *id = ctx;
    struct apikey_value values[APIKEY_VALUES];
    size_t n = 0;
    json_t *key, *answer = json_own(call->arena, json_object()), *list, *one;
    gh_err err = apikey_required(call, NULL, *id, &key);
    if (!err)
        err = apikey_values(call->db, NULL, call->arena, *id, values, &n);
    if (err)
        return err;
    int64_t expires_us = json_i64(json_object_get(key, "x-gatehouse"), "expiresUs", 0);
    json_set_str(answer, "id", *id);
    json_set_flag(answer, "enabled", json_flag(key, "enabled", false));
    json_set_flag(answer, "expired", expires_us && expires_us <= call->now_us);
    show_time(call, answer, "expires", expires_us);
    json_object_set_new(answer, "values", list = json_array());
    for (size_t i = 0; i < n; i++) { /* newest first, which GetApiKey tells */
        json_array_append_new(list, one = json_object());
        json_set_flag(one, "live", !values[i].ends_us || values[i].ends_us > call->now_us);
        show_time(call, one, "ends", values[i].ends_us);
    }
    *json = json_print(call->arena, answer);
    return NULL;
}

static gh_err values_of(struct patch *patch, struct apikey_value values[APIKEY_VALUES], size_t *n)
{
    const struct apikey_update *update = patch->ctx;
    return apikey_values(update->call->db, update->tx, patch->arena, update->key_id, values, n);
}

gh_err apikey_patch_add_value(struct patch *patch)
{
    struct apikey_update *update = patch->ctx;
    struct call *call = update->call;
    struct apikey_value values[APIKEY_VALUES];
    struct str value = str_empty(patch->value) ? apikey_generate(call) : patch->value, owner;
    size_t n;
    gh_err err = apikey_check_value(call, value);
    if (!err)
        err = values_of(patch, values, &n);
    if (!err)
        err = apikey_by_mac(call->db, update->tx, call->arena, apikey_mac(call, value), &owner);
    if (err)
        return err;
    if (owner.ptr)
        return ops_conflict(call, "API Key already exists");
    bool ended = n == APIKEY_VALUES && values[1].ends_us && values[1].ends_us <= call->now_us;
    if (n == APIKEY_VALUES && !ended)
        return ops_conflict(call, "The API key has two values already: remove /x-gatehouse/previousValue first");
    if (ended)
        apikey_value_delete(update->tx, values[1].mac);
    apikey_add_value(call, update->tx, update->key_id, value, n ? values[0].serial + 1 : 1);
    update->fresh = value;
    return NULL;
}

static gh_err previous(struct patch *patch, struct apikey_value *out)
{
    struct apikey_value values[APIKEY_VALUES];
    size_t n;
    gh_err err = values_of(patch, values, &n);
    if (err)
        return err;
    if (n < APIKEY_VALUES)
        return gh_fail(patch->arena, &apigw_NotFoundException, "The API key has one value only");
    *out = values[1];
    return NULL;
}

static gh_err instant_of(struct patch *patch, int64_t *us)
{
    double seconds;
    if (!time_parse_iso8601(patch->value, &seconds) || seconds < 0 || seconds > 253402300800.0)
        return gh_fail(patch->arena, &apigw_BadRequestException, "%.*s must be a time such as 2027-01-31T18:00:00Z",
                       STR_FMT(patch->path));
    *us = (int64_t)(seconds * 1e6);
    return NULL;
}

gh_err apikey_patch_previous(struct patch *patch)
{
    const struct apikey_update *update = patch->ctx;
    struct apikey_value value;
    gh_err err = previous(patch, &value);
    if (!err)
        apikey_value_delete(update->tx, value.mac);
    return err;
}

gh_err apikey_patch_previous_ends(struct patch *patch)
{
    const struct apikey_update *update = patch->ctx;
    struct apikey_value value;
    gh_err err = previous(patch, &value);
    if (!err)
        err = instant_of(patch, &value.ends_us);
    if (!err)
        apikey_value_save(update->tx, update->key_id, &value);
    return err;
}

gh_err apikey_patch_expires(struct patch *patch)
{
    int64_t us;
    json_object_del(patch->target, "x-gatehouse");
    if (patch->op == PATCH_REMOVE)
        return NULL;
    gh_err err = instant_of(patch, &us);
    if (!err)
        json_set_i64(child_object(patch->target, "x-gatehouse"), "expiresUs", us);
    return err;
}
