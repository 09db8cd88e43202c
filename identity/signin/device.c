/* ConfirmDevice, GetDevice, ListDevices, UpdateDeviceStatus, ForgetDevice, and what administrators have of
 * them. */
#include "identity/signin/device.h"

#include "core/base64.h"
#include "core/digest.h"
#include "identity/signin/srp_exchange.h"
#include "identity/tokens/agent.h"

enum { SALT_MOST = 64, GROUP_CHARS = 8, PAGE = 60 };
static const char LIST[] = "devices";

gh_err device_load(struct call *call, const struct pool *pool, const struct user *user, struct str key,
                   struct device *out)
{
    bool found;
    gh_err err = store_device_find(call->db, call->arena, pool->id, user->sub, key, out, &found);
    return err || found ? err
                        : gh_fail(call->arena, &idp_ResourceNotFoundException, "Device does not exist.");
}

struct str device_group(struct call *call, const struct pool *pool, struct str sub)
{
    uint8_t mac[SHA256_BYTES];
    sealer_mac(call->sealer, STR("pool-device-group"),
               str_printf(call->arena, "%.*s/%.*s", STR_FMT(pool->id), STR_FMT(sub)), mac);
    return str_concat(call->arena, STR("-"),
                      str_sub(base64url_encode(call->arena, digest_str(mac, sizeof mac)), 0, GROUP_CHARS));
}

static struct str place(struct call *call, const struct device *device)
{
    return str_printf(call->arena, "pool-device/%.*s/%.*s/%.*s", STR_FMT(device->pool), STR_FMT(device->sub),
                      STR_FMT(device->key));
}

struct str device_seal_verifier(struct call *call, const struct device *device, struct str verifier)
{
    return seal(call->sealer, call->arena, place(call, device), verifier);
}

struct str device_open_verifier(struct call *call, const struct device *device)
{
    struct str verifier;
    return unseal(call->sealer, call->arena, place(call, device), device->verifier, &verifier) ? verifier
                                                                                               : STR_NONE;
}

/* ---- confirming ---- */

static gh_err invalid(struct call *call, const char *text)
{
    return gh_fail(call->arena, &idp_InvalidParameterException, "%s", text);
}

/* Base64 of the bytes that the client hashed: "pad(salt)", "pad(v)". */
static gh_err read_secret(struct call *call, const struct idp_DeviceSecretVerifierConfigType *config,
                          struct str *salt, struct str *verifier)
{
    if (!config || !config->salt.len || !config->password_verifier.len)
        return invalid(call, "Missing required parameter DeviceSecretVerifierConfig");
    if (!base64_decode(call->arena, config->salt, salt) || !salt->len || salt->len > SALT_MOST)
        return invalid(call, "Invalid salt given.");
    if (!base64_decode(call->arena, config->password_verifier, verifier))
        return invalid(call, "Invalid password verifier given.");
    while (verifier->len && verifier->ptr[0] == 0)
        *verifier = str_from(*verifier, 1);
    if (!verifier->len || verifier->len > SRP_NUMBER_BYTES)
        return invalid(call, "Invalid password verifier given.");
    return NULL;
}

gh_err idp_ConfirmDevice(struct call *call, const struct idp_ConfirmDevice_in *in,
                         struct idp_ConfirmDevice_out *out)
{
    struct access access;
    struct str salt, verifier;
    gh_err err = access_load(call, in->access_token, &access);
    if (err)
        return err;
    const struct pool *pool = &access.client.pool;
    const struct idp_DeviceConfigurationType *config = pool_devices(pool);
    if (!config || !access.device.ptr || !str_eq(access.device, in->device_key))
        return invalid(call, "Invalid device key given.");
    err = read_secret(call, in->device_secret_verifier_config, &salt, &verifier);
    if (err)
        return err;
    bool ask = config->device_only_remembered_on_user_prompt.value;
    struct device device = {
        .pool = pool->id,
        .sub = access.user.sub,
        .key = in->device_key,
        .group = device_group(call, pool, access.user.sub),
        .name = in->device_name,
        .salt = hex_encode(call->arena, salt),
        .remembered = !ask,
        .created_us = call->now_us,
        .modified_us = call->now_us,
        .used_us = call->now_us,
        .ip = call->source_ip,
        .sdk = agent_name(call->arena, call->user_agent),
    };
    device.verifier = device_seal_verifier(call, &device, verifier);
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_device_insert(&tx, &device);
    bool fresh = tx.changes == 1;
    err = tx_commit(&tx);
    if (!err && !fresh)
        err = gh_fail(call->arena, &idp_DeviceKeyExistsException, "Device already exists.");
    out->user_confirmation_necessary = some_bool(ask);
    return err;
}

/* ---- showing ---- */

static void show(struct call *call, struct idp_AttributeListType *list, const char *name, struct str value)
{
    if (!value.ptr)
        return;
    struct idp_AttributeType *attribute = ARENA_NEW(call->arena, struct idp_AttributeType);
    *attribute = (struct idp_AttributeType){ str_of(name), value };
    list->items[list->n++] = attribute;
}

static struct idp_DeviceType *shown(struct call *call, const struct pool *pool, const struct user *user,
                                    const struct device *device)
{
    struct idp_DeviceType *out = ARENA_NEW(call->arena, struct idp_DeviceType);
    struct str owner = str_printf(call->arena, "%.*s.%.*s", STR_FMT(user->username), STR_FMT(pool->id));
    struct str arn = str_printf(call->arena, "arn:%.*s:cognito-idp:%.*s:%.*s:owner/%.*s/device/%.*s",
                                STR_FMT(call->partition), STR_FMT(pool->region), STR_FMT(pool->account),
                                STR_FMT(owner), STR_FMT(device->key));
    struct idp_AttributeListType *list = &out->device_attributes;
    list->set = true;
    list->items = ARENA_ARRAY(call->arena, struct idp_AttributeType *, 7);
    show(call, list, "device_status", STR("valid"));
    show(call, list, "device_name", device->name);
    show(call, list, "dev:device_arn", arn);
    show(call, list, "dev:device_owner", owner);
    show(call, list, "last_ip_used", device->ip);
    show(call, list, "dev:device_remembered_status",
         device->remembered ? STR("remembered") : STR("not_remembered"));
    show(call, list, "dev:device_sdk", device->sdk);
    out->device_key = device->key;
    out->device_create_date = some_time_us(device->created_us);
    out->device_last_modified_date = some_time_us(device->modified_us);
    out->device_last_authenticated_date = some_time_us(device->used_us);
    return out;
}

static gh_err get(struct call *call, const struct pool *pool, const struct user *user, struct str key,
                  struct idp_DeviceType **out)
{
    struct device device;
    gh_err err = device_load(call, pool, user, key, &device);
    if (!err)
        *out = shown(call, pool, user, &device);
    return err;
}

static gh_err list(struct call *call, const struct pool *pool, const struct user *user,
                   const struct opt_i64 *limit, struct str token, struct idp_DeviceListType *out,
                   struct str *next)
{
    struct device *devices;
    struct str after;
    size_t n, most = limit->set && limit->value > 0 ? (size_t)limit->value : PAGE;
    gh_err err = page_open(call, LIST, user->sub, token, &after);
    if (!err)
        err = store_device_list(call->db, call->arena, pool->id, user->sub, after, (int64_t)most + 1,
                                &devices, &n);
    if (err)
        return err;
    if (n > most)
        *next = page_token(call, LIST, user->sub, devices[(n = most) - 1].key);
    out->set = true;
    out->items = ARENA_ARRAY(call->arena, struct idp_DeviceType *, n);
    for (size_t i = 0; i < n; i++)
        out->items[out->n++] = shown(call, pool, user, &devices[i]);
    return NULL;
}

/* ---- changing ---- */

static gh_err remember(struct call *call, const struct pool *pool, const struct user *user, struct str key,
                       struct str status)
{
    struct device device;
    gh_err err = device_load(call, pool, user, key, &device);
    if (err || !status.ptr)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_device_remember(&tx, pool->id, user->sub, key, str_is(status, "remembered"), call->now_us);
    return tx_commit(&tx);
}

static gh_err forget(struct call *call, const struct pool *pool, const struct user *user, struct str key)
{
    struct device device;
    gh_err err = device_load(call, pool, user, key, &device);
    if (err)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_device_delete(&tx, pool->id, user->sub, key);
    return tx_commit(&tx);
}

/* ---- operations ---- */

gh_err idp_GetDevice(struct call *call, const struct idp_GetDevice_in *in, struct idp_GetDevice_out *out)
{
    struct access access;
    gh_err err = access_load(call, in->access_token, &access);
    return err ? err : get(call, &access.client.pool, &access.user, in->device_key, &out->device);
}

gh_err idp_AdminGetDevice(struct call *call, const struct idp_AdminGetDevice_in *in,
                          struct idp_AdminGetDevice_out *out)
{
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    return err ? err : get(call, &pool, &user, in->device_key, &out->device);
}

gh_err idp_ListDevices(struct call *call, const struct idp_ListDevices_in *in,
                       struct idp_ListDevices_out *out)
{
    struct access access;
    gh_err err = access_load(call, in->access_token, &access);
    return err ? err
               : list(call, &access.client.pool, &access.user, &in->limit, in->pagination_token,
                      &out->devices, &out->pagination_token);
}

gh_err idp_AdminListDevices(struct call *call, const struct idp_AdminListDevices_in *in,
                            struct idp_AdminListDevices_out *out)
{
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    return err ? err
               : list(call, &pool, &user, &in->limit, in->pagination_token, &out->devices,
                      &out->pagination_token);
}

gh_err idp_UpdateDeviceStatus(struct call *call, const struct idp_UpdateDeviceStatus_in *in,
                              struct idp_UpdateDeviceStatus_out *out)
{
    (void)out;
    struct access access;
    gh_err err = access_load(call, in->access_token, &access);
    return err ? err
               : remember(call, &access.client.pool, &access.user, in->device_key,
                          in->device_remembered_status);
}

gh_err idp_AdminUpdateDeviceStatus(struct call *call, const struct idp_AdminUpdateDeviceStatus_in *in,
                                   struct idp_AdminUpdateDeviceStatus_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    return err ? err : remember(call, &pool, &user, in->device_key, in->device_remembered_status);
}

gh_err idp_ForgetDevice(struct call *call, const struct idp_ForgetDevice_in *in,
                        struct idp_ForgetDevice_out *out)
{
    (void)out;
    struct access access;
    gh_err err = access_load(call, in->access_token, &access);
    return err ? err : forget(call, &access.client.pool, &access.user, in->device_key);
}

gh_err idp_AdminForgetDevice(struct call *call, const struct idp_AdminForgetDevice_in *in,
                             struct idp_AdminForgetDevice_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    return err ? err : forget(call, &pool, &user, in->device_key);
}
