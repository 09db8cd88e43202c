/* Signing in with a device: DEVICE_SRP_AUTH and DEVICE_PASSWORD_VERIFIER, "same maths as USER_SRP_AUTH with
 * the group key for the pool's name and the device key for the user's". */
#include "core/id.h"
#include "core/json.h"
#include "identity/signin/device.h"
#include "identity/signin/srp_exchange.h"

static const char PLACE[] = "pool-srp-device", VERIFIED[] = "DEVICE_PASSWORD_VERIFIER";

static struct str named(const struct sign_in *s)
{
    return json_str(s->state, "device");
}

/* A key that came with an earlier step and is nobody's is forgotten; one that comes now is an error, which
 * clients answer by trying the same step without it. */
gh_err device_due(struct sign_in *s, const char **due)
{
    struct device device;
    bool found;
    struct str given = sign_in_given(s, "DEVICE_KEY"), key = given.len ? given : named(s);
    if (!pool_devices(&s->client.pool) || !key.len || sign_in_has_passed(s, VERIFIED))
        return NULL;
    gh_err err =
        store_device_find(s->call->db, s->call->arena, s->client.pool.id, s->user.sub, key, &device, &found);
    if (err)
        return err;
    if (!found && given.len)
        return gh_fail(s->call->arena, &idp_ResourceNotFoundException, "Device does not exist.");
    if (!found) {
        json_object_del(s->state, "device");
        return NULL;
    }
    json_set_str(s->state, "device", key);
    if (device.remembered && json_object_get(s->state, "passed")) /* it proves nothing by itself */
        *due = "DEVICE_SRP_AUTH";
    return NULL;
}

gh_err device_srp_start(struct sign_in *s)
{
    sign_in_parameter(s, "DEVICE_KEY", named(s));
    sign_in_parameter(s, "USERNAME", s->user.username);
    return NULL;
}

gh_err device_srp_answer(struct sign_in *s)
{
    struct str key;
    gh_err err = sign_in_need(s, "DEVICE_KEY", &key);
    if (err)
        return err;
    if (!s->user.sub.ptr || !str_eq(key, named(s)))
        return sign_in_refused(s);
    return sign_in_ask(s, VERIFIED);
}

gh_err device_verifier_start(struct sign_in *s)
{
    struct str A, verifier;
    struct device device;
    struct srp_exchange exchange = { .at_us = 0 };
    gh_err err = srp_given(s, &A);
    if (!err)
        err = device_load(s->call, &s->client.pool, &s->user, named(s), &device);
    if (err)
        return err;
    verifier = device_open_verifier(s->call, &device);
    if (!verifier.ptr)
        return sign_in_refused(s);
    SRP_SET_TEXT(exchange.sub, s->user.sub);
    srp_question(s, PLACE, &exchange, A, device.salt, verifier);
    sign_in_parameter(s, "DEVICE_KEY", device.key);
    sign_in_parameter(s, "USERNAME", s->user.username);
    return NULL;
}

gh_err device_verifier_answer(struct sign_in *s)
{
    struct str key;
    struct srp_proof proof;
    struct srp_exchange exchange;
    struct device device;
    gh_err err = sign_in_need(s, "DEVICE_KEY", &key);
    if (!err)
        err = srp_need_proof(s, &proof);
    if (err)
        return err;
    if (!s->user.sub.ptr || !str_eq(key, named(s)))
        return sign_in_refused(s);
    err = device_load(s->call, &s->client.pool, &s->user, key, &device);
    if (err)
        return err;
    struct str verifier = device_open_verifier(s->call, &device);
    if (!verifier.ptr || !srp_open(s, PLACE, &proof, &exchange) ||
        !srp_proves(s->call->arena, &exchange, &proof, device.group, device.key, verifier))
        return sign_in_wrong(s, sign_in_refused(s));
    err = sign_in_check_user(s);
    return err ? err : sign_in_passed(s, VERIFIED);
}

void device_settle(struct sign_in *s)
{
    const struct pool *pool = &s->client.pool;
    if (!pool_devices(pool))
        return;
    s->session.device = named(s);
    if (s->session.device.ptr || s->admin)
        return;
    struct arena *arena = s->call->arena;
    s->session.device =
        str_printf(arena, "%.*s_%.*s", STR_FMT(pool->region), STR_FMT(id_uuid(s->call->env, arena)));
    s->new_device_used = true;
}

void device_used(const struct sign_in *s, struct tx *tx)
{
    if (s->session.device.ptr && !s->new_device_used)
        store_device_used(tx, s->client.pool.id, s->user.sub, s->session.device, s->whence.ip,
                          s->call->now_us);
}

struct idp_NewDeviceMetadataType *device_metadata(const struct sign_in *s)
{
    if (!s->new_device_used)
        return NULL;
    struct idp_NewDeviceMetadataType *metadata = ARENA_NEW(s->call->arena, struct idp_NewDeviceMetadataType);
    metadata->device_key = s->session.device;
    metadata->device_group_key = device_group(s->call, &s->client.pool, s->user.sub);
    return metadata;
}
