/* MFA devices of users, and of an account's root: put on, taken off, set right again. */
#include "identity/iam/credentials/mfa_device.h"

#include "identity/iam/credentials/owner.h"
#include "identity/signin/totp.h"

enum { PER_USER = 8, RESYNC_STEPS = 60 }; /* a clock may be half an hour wrong when it is set right */

gh_err mfa_require_present(struct call *call, struct tx *tx, struct str owner_id)
{
    const struct credential *credential = call->credential;
    struct mfa_devices devices;
    if (!credential || credential->root || credential->mfa || !str_eq(credential->owner, owner_id))
        return NULL;
    gh_err err = mfa_device_list(call->db, tx, call->arena, owner_id, &devices);
    if (!err && devices.n)
        err = gh_fail(call->arena, &IAM_ACCESS_DENIED,
                      "To complete this action, please ensure that you are authenticated with an MFA device that is "
                      "enabled for this user.");
    return err;
}

/* The device of this owner; NoSuchEntity when it is nobody's or somebody else's. */
static gh_err load_own(struct call *call, struct tx *tx, struct str serial, const struct credential_owner *owner,
                       struct mfa_device *out)
{
    gh_err err = mfa_device_load(call, tx, serial, out);
    if (!err && !(out->owner.ptr && str_eq(out->owner, owner->id)))
        err = gh_fail(call->arena, &iam_NoSuchEntityException, "MFA Device invalid for user.");
    return err;
}

static gh_err not_valid(struct call *call)
{
    return gh_fail(call->arena, &iam_InvalidAuthenticationCodeException, "Authentication code for device is not valid.");
}

/* Two codes that its clock showed one after the other say what time it has. *wrong: the guess is counted, so the device
 * is to be saved in any case. */
static gh_err synchronise(struct call *call, struct mfa_device *device, struct str first, struct str second,
                          bool *wrong)
{
    struct str seed;
    int64_t step, now_s = call->now_us / 1000000;
    *wrong = false;
    if (!guesses_allow(&device->failures, device->failed_us, call->now_us))
        return gh_fail(call->arena, &iam_EntityTemporarilyUnmodifiableException,
                       "MFA Device %.*s cannot be modified for a while after too many wrong authentication codes.",
                       STR_FMT(device->serial));
    if (mfa_seed_open(call->sealer, call->arena, device, &seed) &&
        totp_find_two(seed, first, second, now_s + device->drift * TOTP_STEP_S, RESYNC_STEPS, &step) &&
        step + 1 > device->last_step) {
        device->last_step = step + 1;
        device->drift = step + 1 - now_s / TOTP_STEP_S;
        if (device->drift >= -TOTP_WINDOW && device->drift <= TOTP_WINDOW)
            device->drift = 0;
        device->failures = 0;
        return NULL;
    }
    *wrong = true;
    device->failures++;
    device->failed_us = call->now_us;
    return not_valid(call);
}

/* A wrong guess is remembered, though nothing else of the operation is. */
static gh_err finish(struct tx *tx, const struct mfa_device *device, bool wrong, gh_err err)
{
    if (!err || wrong)
        mfa_device_update(tx, device);
    if (!wrong)
        return iam_finish(tx, err);
    gh_err failed = iam_finish(tx, NULL);
    return failed ? failed : err;
}

gh_err iam_EnableMFADevice(struct call *call, const struct iam_EnableMFADevice_in *in,
                           struct iam_EnableMFADevice_out *out)
{
    (void)out;
    struct credential_owner owner;
    struct mfa_device device;
    struct mfa_devices devices;
    bool wrong = false;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = credential_owner(call, &tx, in->user_name, &owner);
    if (!err)
        err = mfa_require_present(call, &tx, owner.id);
    if (!err)
        err = mfa_device_load(call, &tx, in->serial_number, &device);
    if (!err && device.owner.ptr)
        err = gh_fail(call->arena, &iam_EntityAlreadyExistsException, "MFA Device is already in use.");
    if (!err)
        err = mfa_device_list(call->db, &tx, call->arena, owner.id, &devices);
    if (!err && devices.n >= PER_USER)
        err = gh_fail(call->arena, &iam_LimitExceededException, "Cannot exceed quota for MFADevicesPerUser: %d",
                      PER_USER);
    if (!err)
        err = synchronise(call, &device, in->authentication_code1, in->authentication_code2, &wrong);
    if (!err) {
        device.owner = owner.id;
        device.enabled_us = call->now_us;
    }
    return finish(&tx, &device, wrong, err);
}

gh_err iam_ResyncMFADevice(struct call *call, const struct iam_ResyncMFADevice_in *in,
                           struct iam_ResyncMFADevice_out *out)
{
    (void)out;
    struct credential_owner owner;
    struct mfa_device device;
    bool wrong = false;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = credential_owner(call, &tx, in->user_name, &owner);
    if (!err)
        err = load_own(call, &tx, in->serial_number, &owner, &device);
    if (!err)
        err = synchronise(call, &device, in->authentication_code1, in->authentication_code2, &wrong);
    return finish(&tx, &device, wrong, err);
}

/* It keeps its seed, and the step of its last code: put on again, the same codes are not taken again. */
gh_err iam_DeactivateMFADevice(struct call *call, const struct iam_DeactivateMFADevice_in *in,
                               struct iam_DeactivateMFADevice_out *out)
{
    (void)out;
    struct credential_owner owner;
    struct mfa_device device;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = credential_owner(call, &tx, in->user_name, &owner);
    if (!err)
        err = load_own(call, &tx, in->serial_number, &owner, &device);
    if (!err)
        err = mfa_require_present(call, &tx, owner.id);
    if (!err) {
        device.owner = STR_NONE;
        device.enabled_us = 0;
        mfa_device_update(&tx, &device);
    }
    return iam_finish(&tx, err);
}

static struct str nth_serial(const void *items, size_t i)
{
    return ((const struct mfa_device *)items)[i].serial;
}

gh_err iam_ListMFADevices(struct call *call, const struct iam_ListMFADevices_in *in, struct iam_ListMFADevices_out *out)
{
    struct iam_page page;
    struct credential_owner owner;
    struct mfa_devices devices;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = credential_owner(call, NULL, in->user_name, &owner);
    if (!err)
        err = mfa_device_list(call->db, NULL, call->arena, owner.id, &devices);
    if (err)
        return err;
    struct iam_cut cut = iam_cut(call, &page, devices.items, devices.n, nth_serial);
    out->mfa_devices = (struct iam_mfaDeviceListType){ true, cut.n,
                                                       ARENA_ARRAY(call->arena, struct iam_MFADevice *, cut.n) };
    for (size_t i = 0; i < cut.n; i++) {
        const struct mfa_device *device = &devices.items[cut.first + i];
        out->mfa_devices.items[i] = ARENA_NEW(call->arena, struct iam_MFADevice);
        *out->mfa_devices.items[i] = (struct iam_MFADevice){ .user_name = owner.root ? call->account : owner.name,
                                                             .serial_number = device->serial,
                                                             .enable_date = iam_time(device->enabled_us) };
    }
    out->is_truncated = some_bool(cut.truncated);
    out->marker = cut.marker;
    return NULL;
}

/* Certifications are of security keys; a virtual device has none. */
gh_err iam_GetMFADevice(struct call *call, const struct iam_GetMFADevice_in *in, struct iam_GetMFADevice_out *out)
{
    struct credential_owner owner;
    struct mfa_device device;
    gh_err err = credential_owner(call, NULL, in->user_name, &owner);
    if (!err)
        err = load_own(call, NULL, in->serial_number, &owner, &device);
    if (err)
        return err;
    out->user_name = owner.root ? call->account : owner.name;
    out->serial_number = device.serial;
    out->enable_date = iam_time(device.enabled_us);
    return NULL;
}
