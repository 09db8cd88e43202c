/* API keys. They belong to the account and the region; usage plans say what they open. */
#include "gateway/ops/apikey.h"

static gh_err check(struct call *call, const json_t *key);
static gh_err stage_keys(struct call *call, const struct apigw_ListOfStageKeys *given, json_t *key);
static gh_err patch_stage_key(struct patch *patch);

enum { NAME_MAX_CHARS = 1024, TEXT_MAX_CHARS = 1024, KEYS_AWS = 10000, KEYS_MAX = 100000 };

static const struct patch_row rows[] = {
    { "/name", PATCH_REPLACE, patch_text },
    { "/description", PATCH_REPLACE, patch_string },
    { "/enabled", PATCH_REPLACE, patch_flag },
    { "/customerId", PATCH_REPLACE, patch_text },
    { "/stages", PATCH_ADD | PATCH_REMOVE, patch_stage_key },
    { "/labels", PATCH_ADD | PATCH_REMOVE, patch_value_in_list },
    { "/x-gatehouse/value", PATCH_ADD, apikey_patch_add_value },
    { "/x-gatehouse/previousValue", PATCH_REMOVE, apikey_patch_previous },
    { "/x-gatehouse/previousValueEnds", PATCH_REPLACE, apikey_patch_previous_ends },
    { "/x-gatehouse/expires", PATCH_REPLACE | PATCH_REMOVE, apikey_patch_expires },
};
static const struct patch_rules rules = { rows, COUNT(rows), patch_refuse_listed,
                                          "[/description, /enabled, /name, /customerId]" };

/* "An empty value is generated"; ids are always distinct from it: a key's id stands in ARNs and logs. */
gh_err apigw_CreateApiKey(struct call *call, const struct apigw_CreateApiKey_in *in, struct apigw_CreateApiKey_out *out)
{
    static const char *const members[] = { "name", "customerId", "description", "tags" };
    struct gateway *gateway = call->module;
    struct str value = str_empty(in->value) ? apikey_generate(call) : in->value, owner = STR_NONE;
    struct str id = ops_id(call, 10);
    struct tx tx;
    json_t *key = json_own(call->arena, json_object());
    json_set_str(key, "id", id);
    json_object_update(key, ops_given(call, in, members, COUNT(members)));
    if (!json_str(key, "name").len)
        json_object_del(key, "name");
    json_set_flag(key, "enabled", in->enabled.set && in->enabled.value);
    json_set_i64(key, "createdDate", call->now_us / 1000000);
    json_set_i64(key, "lastUpdatedDate", call->now_us / 1000000);
    gh_err err = check(call, key);
    if (!err)
        err = apikey_check_value(call, value);
    if (!err)
        err = stage_keys(call, &in->stage_keys, key);
    if (err)
        return err;
    tx_begin(&tx, call->db, call->arena);
    err = apikey_by_mac(call->db, &tx, call->arena, apikey_mac(call, value), &owner);
    if (!err && owner.ptr)
        err = ops_conflict(call, "API Key already exists");
    if (!err)
        err = apikey_check_room(call, &tx, 0);
    if (!err) {
        apikey_save(&tx, ops_key(call, id), call->now_us, key);
        apikey_add_value(call, &tx, id, value, 1);
    }
    if (!(err = ops_finish(&tx, err)))
        err = usage_publish_keys(gateway, call, &id, 1);
    json_set_str(key, "value", value);
    return err ? err : ops_answer(call, key, out);
}

gh_err apigw_GetApiKey(struct call *call, const struct apigw_GetApiKey_in *in, struct apigw_GetApiKey_out *out)
{
    json_t *key;
    struct str value = STR_NONE;
    gh_err err = apikey_required(call, NULL, in->api_key, &key);
    if (!err && in->include_value.set && in->include_value.value)
        err = apikey_newest_value(call, NULL, in->api_key, &value);
    if (err)
        return err;
    json_set_str(key, "value", value);
    child_object(key, "tags");
    return ops_answer(call, key, out);
}

/* Newest first; nameQuery is a prefix [recorded]. */
gh_err apigw_GetApiKeys(struct call *call, const struct apigw_GetApiKeys_in *in, struct apigw_GetApiKeys_out *out)
{
    struct apikey_query query;
    struct apikey_page page;
    gh_err err = apikey_query_of(call, in->position, in->limit, &query);
    query.name_prefix = in->name_query;
    query.customer = in->customer_id;
    if (!err)
        err = apikey_list(call->db, call->arena, &query, &page);
    if (err)
        return err;
    json_t *answer = json_own(call->arena, json_object()), *items = json_array();
    json_object_set_new(answer, "item", items);
    for (size_t i = 0; i < page.docs.n; i++) {
        struct str value = STR_NONE;
        if (in->include_values.set && in->include_values.value)
            err = apikey_newest_value(call, NULL, json_str(page.docs.items[i], "id"), &value);
        if (err)
            return err;
        json_set_str(page.docs.items[i], "value", value);
        json_array_append(items, page.docs.items[i]);
    }
    apikey_set_position(call, &page, answer);
    return ops_answer(call, answer, out);
}

gh_err apigw_UpdateApiKey(struct call *call, const struct apigw_UpdateApiKey_in *in, struct apigw_UpdateApiKey_out *out)
{
    struct tx tx;
    json_t *key;
    struct apikey_update update = { .call = call, .tx = &tx, .key_id = in->api_key };
    tx_begin(&tx, call->db, call->arena);
    gh_err err = apikey_required(call, &tx, in->api_key, &key);
    if (!err)
        err = patch_apply(&rules, call->arena, key, &in->patch_operations, &update);
    if (!err)
        err = check(call, key);
    if (!err) {
        json_set_i64(key, "lastUpdatedDate", call->now_us / 1000000);
        apikey_save(&tx, ops_key(call, in->api_key), call->now_us, key);
    }
    if (!(err = ops_finish(&tx, err)))
        err = usage_publish_keys(call->module, call, &in->api_key, 1);
    if (err)
        return err;
    json_set_str(key, "value", update.fresh);
    child_object(key, "tags");
    return ops_answer(call, key, out);
}

gh_err apigw_DeleteApiKey(struct call *call, const struct apigw_DeleteApiKey_in *in, struct apigw_DeleteApiKey_out *out)
{
    (void)out;
    struct tx tx;
    json_t *key;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = apikey_required(call, &tx, in->api_key, &key);
    if (!err)
        apikey_delete(&tx, in->api_key);
    if ((err = ops_finish(&tx, err)))
        return err;
    return usage_publish_keys(call->module, call, &in->api_key, 1);
}

/* --- shared --- */

struct api_key ops_key(struct call *call, struct str id)
{
    return (struct api_key){ call->account, call->region, id };
}

gh_err apikey_required(struct call *call, struct tx *tx, struct str id, json_t **out)
{
    gh_err err = apikey_load(call->db, tx, call->arena, ops_key(call, id), out);
    return err || *out ? err : ops_not_found(call, "Invalid API Key identifier specified");
}

gh_err apikey_check_room(struct call *call, struct tx *tx, size_t counted)
{
    size_t have;
    gh_err err = apikey_count(call->db, tx, call->arena, call->account, call->region, &have);
    return err ? err : ops_limit(call, have - counted, KEYS_AWS, KEYS_MAX, "API Keys");
}

gh_err ops_finish(struct tx *tx, gh_err err)
{
    if (!err)
        return tx_commit(tx);
    tx_rollback(tx);
    return err;
}

gh_err apikey_query_of(struct call *call, struct str position, struct opt_i64 limit, struct apikey_query *out)
{
    struct str before, us;
    *out = (struct apikey_query){ .account = call->account, .region = call->region, .before_us = INT64_MAX,
                                  .limit = page_limit(limit) };
    bool good = position_key(call->arena, position, &before);
    if (good && before.len)
        good = str_split(&before, '/', &us) && str_i64(us, &out->before_us) && before.ptr;
    out->before_id = before;
    return good ? NULL : ops_bad_request(call, "Invalid position specified");
}

void apikey_set_position(struct call *call, const struct apikey_page *page, json_t *answer)
{
    if (!page->more)
        return;
    struct str id = json_str(page->docs.items[page->docs.n - 1], "id");
    json_set_str(answer, "position",
                 position_of(call->arena, str_printf(call->arena, "%lld/%.*s", (long long)page->last_us, STR_FMT(id))));
}

/* --- helpers --- */

static size_t characters(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return n;
}

static gh_err check(struct call *call, const json_t *key)
{
    if (characters(json_str(key, "name")) > NAME_MAX_CHARS)
        return ops_bad_request(call, "Invalid API Key name, can be at most 1024 characters.");
    if (characters(json_str(key, "description")) > TEXT_MAX_CHARS)
        return ops_bad_request(call, "Invalid API Key description specified.");
    if (characters(json_str(key, "customerId")) > TEXT_MAX_CHARS)
        return ops_bad_request(call, "Invalid API Key customerId specified.");
    if (json_array_size(json_object_get(key, "labels")) > 50 || json_array_size(json_object_get(key, "stageKeys")) > 50)
        return ops_bad_request(call, "An API key has at most 50 labels and 50 stages");
    return ops_check_tags(call, json_object_get(key, "tags"));
}

/* "DEPRECATED FOR USAGE PLANS - Specifies stages associated with the API key." In accounts with usage
 * plans, which all are, they open nothing: kept and shown as "api/stage". */
static gh_err stage_key(struct call *call, struct str api_id, struct str stage, json_t **out)
{
    json_t *api = NULL, *found = NULL;
    gh_err err = draft_read(call, api_id, &api);
    if (!err && api)
        err = stage_load(call->db, NULL, call->arena, api_id, stage, &found);
    if (!err && !found)
        err = ops_bad_request(call, "Invalid stage identifier specified");
    *out = err ? NULL : json_of(str_printf(call->arena, "%.*s/%.*s", STR_FMT(api_id), STR_FMT(stage)));
    return err;
}

static gh_err stage_keys(struct call *call, const struct apigw_ListOfStageKeys *given, json_t *key)
{
    json_t *list = json_array(), *text;
    gh_err err = NULL;
    json_object_set_new(key, "stageKeys", list);
    for (size_t i = 0; i < given->n && !err; i++) {
        const struct apigw_StageKey *one = given->items[i];
        if (!one || str_empty(one->rest_api_id) || str_empty(one->stage_name))
            return ops_bad_request(call, "Invalid stage identifier specified");
        err = stage_key(call, one->rest_api_id, one->stage_name, &text);
        if (!err)
            json_array_append_new(list, text);
    }
    return err;
}

static gh_err patch_stage_key(struct patch *patch)
{
    const struct apikey_update *update = patch->ctx;
    struct str rest = patch->value, api_id = STR("");
    json_t *list = json_object_get(patch->target, "stageKeys"), *one, *text = NULL;
    size_t i;
    if (!patch->value.ptr || !str_split(&rest, '/', &api_id) || str_empty(rest))
        return gh_fail(patch->arena, &apigw_BadRequestException, "Invalid stage identifier specified");
    if (!list)
        json_object_set_new(patch->target, "stageKeys", list = json_array());
    json_array_foreach(list, i, one) {
        if (!str_eq(json_value_str(one), patch->value))
            continue;
        if (patch->op == PATCH_REMOVE)
            json_array_remove(list, i);
        return NULL;
    }
    if (patch->op == PATCH_REMOVE)
        return gh_fail(patch->arena, &apigw_NotFoundException, "Invalid stage identifier specified");
    gh_err err = stage_key(update->call, api_id, rest, &text);
    if (!err)
        json_array_append_new(list, text);
    return err;
}
