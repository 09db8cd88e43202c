/* Virtual MFA devices as things: made, listed, tagged, deleted; whom they belong to is mfa_device.c's. */
#include "core/base64.h"
#include "core/digest.h"
#include "core/log.h"
#include "core/qr_png.h"
#include "core/uri.h"
#include "identity/iam/credentials/mfa_device.h"
#include "identity/iam/tag_list.h"

enum { SEED_BYTES = 40, SERIAL_MAX = 256, PER_ACCOUNT = 5000 }; /* 64 letters in base32, as AWS's are */

static bool is_security_key(struct str serial)
{
    struct str rest = serial, part;
    for (int i = 0; i < 5; i++)
        if (!str_split(&rest, ':', &part))
            return false;
    return str_starts(rest, STR("u2f/"));
}

gh_err mfa_device_load(struct call *call, struct tx *tx, struct str serial, struct mfa_device *out)
{
    bool found = false;
    if (is_security_key(serial)) /* IAM has no operation that enrols one: AWS does it in its console */
        return gh_fail(call->arena, &IAM_VALIDATION_ERROR,
                       "Passkeys and security keys (%.*s) are not supported: virtual MFA devices are.",
                       STR_FMT(serial));
    gh_err err = mfa_device_find(call->db, tx, call->arena, serial, out, &found);
    if (!err && !(found && str_eq(out->account, call->account)))
        err = gh_fail(call->arena, &iam_NoSuchEntityException, "VirtualMFADevice with serial number %.*s doesn't exist.",
                      STR_FMT(serial));
    return err;
}

/* "otpauth://totp/$virtualMFADeviceName@$AccountName?secret=$Base32String" */
static struct str picture(struct call *call, struct str name, struct str seed)
{
    struct str png = STR_NONE, why;
    struct str uri = str_printf(call->arena,
                                "otpauth://totp/Amazon%%20Web%%20Services:%.*s@%.*s?secret=%.*s"
                                "&issuer=Amazon%%20Web%%20Services",
                                STR_FMT(uri_encode(call->arena, name, false)), STR_FMT(call->account), STR_FMT(seed));
    if (!qr_png(call->arena, uri, &png, &why))
        log_at(LOG_WARN, "an MFA device has no QR code", { "why", why });
    return png;
}

gh_err iam_CreateVirtualMFADevice(struct call *call, const struct iam_CreateVirtualMFADevice_in *in,
                                  struct iam_CreateVirtualMFADevice_out *out)
{
    uint8_t bytes[SEED_BYTES];
    struct str path = in->path.ptr ? in->path : STR("/");
    struct mfa_device device = { .account = call->account, .created_us = call->now_us };
    device.serial = str_printf(call->arena, "arn:aws:iam::%.*s:mfa%.*s%.*s", STR_FMT(call->account), STR_FMT(path),
                               STR_FMT(in->virtual_mfa_device_name));
    if (device.serial.len > SERIAL_MAX)
        return gh_fail(call->arena, &IAM_VALIDATION_ERROR, "The serial number would be longer than %d characters.",
                       SERIAL_MAX);
    gh_err err = tag_list_merge(call, &device.tags, &in->tags);
    if (err)
        return err;
    env_random(call->env, bytes, sizeof bytes);
    struct str seed = digest_str(bytes, sizeof bytes), text = base32_encode(call->arena, seed);
    device.seed = mfa_seed_seal(call->sealer, call->arena, device.serial, seed);
    digest_wipe(bytes, sizeof bytes);
    int64_t all = 0, in_use;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = mfa_device_count(call->db, &tx, call->arena, call->account, &all, &in_use);
    if (!err && all >= PER_ACCOUNT) /* "Virtual MFA devices (assigned or unassigned): equal to the user quota" */
        err = gh_fail(call->arena, &iam_LimitExceededException, "Cannot exceed quota for MFADevicesPerAccount: %d",
                      PER_ACCOUNT);
    if (!err)
        mfa_device_insert(&tx, &device);
    if (!err && !tx.err && tx.changes == 0)
        err = gh_fail(call->arena, &iam_EntityAlreadyExistsException,
                      "MFADevice entity at the same path and name already exists.");
    err = iam_finish(&tx, err);
    if (err)
        return err;
    out->virtual_mfa_device = ARENA_NEW(call->arena, struct iam_VirtualMFADevice);
    *out->virtual_mfa_device = (struct iam_VirtualMFADevice){ .serial_number = device.serial,
                                                              .base32_string_seed = text,
                                                              .qr_code_png = picture(call, in->virtual_mfa_device_name, text),
                                                              .tags = device.tags };
    return NULL;
}

gh_err iam_DeleteVirtualMFADevice(struct call *call, const struct iam_DeleteVirtualMFADevice_in *in,
                                  struct iam_DeleteVirtualMFADevice_out *out)
{
    (void)out;
    struct mfa_device device;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = mfa_device_load(call, &tx, in->serial_number, &device);
    if (!err && device.owner.ptr)
        err = gh_fail(call->arena, &iam_DeleteConflictException, "MFA VirtualDevice in use. Must deactivate first.");
    if (!err)
        mfa_device_delete(&tx, device.serial);
    return iam_finish(&tx, err);
}

/* --- lists --- */

static struct str nth_serial(const void *items, size_t i)
{
    return ((const struct mfa_device *)items)[i].serial;
}

/* Root's has an id and an ARN, but no name: "UserId 111122223333, Arn …:root". */
static gh_err owner_of(struct call *call, const struct mfa_device *device, struct iam_User **out)
{
    struct entity user;
    bool found = false;
    *out = NULL;
    if (!device->owner.ptr)
        return NULL;
    if (str_eq(device->owner, call->account)) {
        *out = ARENA_NEW(call->arena, struct iam_User);
        (*out)->user_id = call->account;
        (*out)->arn = str_printf(call->arena, "arn:aws:iam::%.*s:root", STR_FMT(call->account));
        (*out)->create_date = iam_time(device->created_us);
        return NULL;
    }
    gh_err err = entity_load_id(call->db, NULL, call->arena, device->owner, &user, &found);
    if (!err && found)
        *out = iam_user(call, &user, IAM_LISTED);
    return err;
}

/* "By default, it returns all": those of the status asked, in place of all. */
static void keep(struct mfa_devices *devices, struct str status)
{
    size_t n = 0;
    if (!status.ptr || str_is(status, "Any"))
        return;
    for (size_t i = 0; i < devices->n; i++)
        if (str_is(status, "Assigned") == (devices->items[i].owner.ptr != NULL))
            devices->items[n++] = devices->items[i];
    devices->n = n;
}

gh_err iam_ListVirtualMFADevices(struct call *call, const struct iam_ListVirtualMFADevices_in *in,
                                 struct iam_ListVirtualMFADevices_out *out)
{
    struct iam_page page;
    struct mfa_devices devices;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = mfa_device_list_all(call->db, call->arena, call->account, &devices);
    if (err)
        return err;
    keep(&devices, in->assignment_status);
    struct iam_cut cut = iam_cut(call, &page, devices.items, devices.n, nth_serial);
    out->virtual_mfa_devices = (struct iam_virtualMFADeviceListType){
        true, cut.n, ARENA_ARRAY(call->arena, struct iam_VirtualMFADevice *, cut.n) };
    for (size_t i = 0; i < cut.n && !err; i++) {
        const struct mfa_device *device = &devices.items[cut.first + i];
        struct iam_VirtualMFADevice *row = out->virtual_mfa_devices.items[i] =
            ARENA_NEW(call->arena, struct iam_VirtualMFADevice);
        row->serial_number = device->serial;
        if (device->owner.ptr)
            row->enable_date = iam_time(device->enabled_us);
        err = owner_of(call, device, &row->user);
    }
    out->is_truncated = some_bool(cut.truncated);
    out->marker = cut.marker;
    return err;
}

/* --- tags --- */

gh_err iam_TagMFADevice(struct call *call, const struct iam_TagMFADevice_in *in, struct iam_TagMFADevice_out *out)
{
    (void)out;
    struct mfa_device device;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = mfa_device_load(call, &tx, in->serial_number, &device);
    if (!err)
        err = tag_list_merge(call, &device.tags, &in->tags);
    if (!err)
        mfa_device_update(&tx, &device);
    return iam_finish(&tx, err);
}

gh_err iam_UntagMFADevice(struct call *call, const struct iam_UntagMFADevice_in *in, struct iam_UntagMFADevice_out *out)
{
    (void)out;
    struct mfa_device device;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = mfa_device_load(call, &tx, in->serial_number, &device);
    if (!err) {
        tag_list_remove(&device.tags, &in->tag_keys);
        mfa_device_update(&tx, &device);
    }
    return iam_finish(&tx, err);
}

gh_err iam_ListMFADeviceTags(struct call *call, const struct iam_ListMFADeviceTags_in *in,
                             struct iam_ListMFADeviceTags_out *out)
{
    struct mfa_device device;
    gh_err err = mfa_device_load(call, NULL, in->serial_number, &device);
    return err ? err
               : tag_list_page(call, &device.tags, in->marker, in->max_items, &out->tags, &out->is_truncated,
                               &out->marker);
}
