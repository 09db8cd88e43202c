#include "identity/iam/credentials/mfa_device.h"

#include "core/log.h"
#include "identity/protection/guard.h"
#include "identity/signin/totp.h"

enum { AFTER_FAILURES = 5, LONGEST_WAIT_S = 900, FORGET_S = 900 };

bool guesses_allow(int64_t *failures, int64_t failed_us, int64_t now_us)
{
    int64_t wait_us = lockout_s(*failures, AFTER_FAILURES, LONGEST_WAIT_S) * 1000000, since_us = now_us - failed_us;
    if (*failures && since_us >= 0 && since_us < wait_us)
        return false;
    if (since_us >= wait_us + FORGET_S * INT64_C(1000000))
        *failures = 0;
    return true;
}

static gh_err wrong_code(struct call *call)
{
    return gh_fail(call->arena, &IAM_ACCESS_DENIED,
                   "MultiFactorAuthentication failed with invalid MFA one time pass code.");
}

static gh_err wrong_device(struct call *call)
{
    return gh_fail(call->arena, &IAM_ACCESS_DENIED,
                   "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial "
                   "number is valid and associated with this user.");
}

/* Notes in *device what the guess was worth. */
static bool judge(struct call *call, struct mfa_device *device, struct str code)
{
    struct str seed;
    int64_t step;
    if (!mfa_seed_open(call->sealer, call->arena, device, &seed)) {
        log_at(LOG_ERROR, "a sealed value does not open", { "what", STR("seed of an MFA device") },
               { "serial", device->serial });
        return false;
    }
    int64_t device_s = call->now_us / 1000000 + device->drift * TOTP_STEP_S;
    if (totp_find(seed, code, device_s, &step) && step > device->last_step) {
        device->last_step = step;
        device->failures = 0;
        return true;
    }
    device->failures++;
    device->failed_us = call->now_us;
    return false;
}

/* One transaction: of two requests with the same code one is the first, and guesses that come at once are counted
 * one after the other. */
gh_err mfa_device_check(struct call *call, struct str owner_id, struct str serial, struct str code)
{
    if (!serial.ptr || !code.ptr)
        return gh_fail(call->arena, &IAM_ACCESS_DENIED,
                       "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.");
    struct mfa_device device;
    bool found = false, right = false, judged = false;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = mfa_device_find(call->db, &tx, call->arena, serial, &device, &found);
    bool own = !err && found && device.owner.ptr && str_eq(device.owner, owner_id);
    if (own && guesses_allow(&device.failures, device.failed_us, call->now_us)) {
        judged = true;
        right = judge(call, &device, code);
        mfa_device_update(&tx, &device);
    }
    if (judged)
        err = tx_commit(&tx);
    tx_rollback(&tx);
    if (err)
        return err;
    return right ? NULL : own ? wrong_code(call) : wrong_device(call);
}
