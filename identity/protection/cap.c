#include "identity/protection/cap.h"

#include "identity/pools/options.h"
#include "identity/protection/guard.h"

enum { WINDOW_S = 3600, AT_RISK = 5 };

/* "ConfirmForgotPassword 5-20 an hour and user, by risk": 15, and 5 for who is guessed at. */
static const struct {
    const char *what, *option;
    int64_t otherwise;
    bool by_risk;
} caps[] = {
    [CAP_FORGOT_PASSWORD] = { "forgot", "capForgotPassword", 20, false },
    [CAP_CONFIRM_FORGOT_PASSWORD] = { "confirm-forgot", "capConfirmForgotPassword", 15, true },
    [CAP_RESEND_CODE] = { "resend", "capResendConfirmationCode", 5, false },
    [CAP_CONFIRM_SIGN_UP] = { "confirm", "capConfirmSignUp", 15, false },
    [CAP_CHANGE_PASSWORD] = { "change", "capChangePassword", 5, false },
    [CAP_GET_ATTRIBUTE_CODE] = { "code", "capGetUserAttributeVerificationCode", 5, false },
    [CAP_VERIFY_ATTRIBUTE] = { "verify", "capVerifyUserAttribute", 15, false },
};

static gh_err limit_of(struct call *call, const struct pool *pool, struct str who, enum cap cap, int64_t *limit)
{
    bool locked = false;
    gh_err err = NULL;
    *limit = option_count(pool->more, caps[cap].option, 0);
    if (*limit)
        return NULL;
    if (caps[cap].by_risk)
        err = guard_is_locked(call, pool, who, &locked);
    *limit = locked ? AT_RISK : caps[cap].otherwise;
    return err;
}

static gh_err exceeded(struct call *call)
{
    return gh_fail(call->arena, &idp_LimitExceededException, "Attempt limit exceeded, please try after some time.");
}

gh_err cap_take(struct call *call, const struct pool *pool, struct str sub, struct str name, enum cap cap)
{
    struct str who = guard_who(call, pool, sub, name), what = str_of(caps[cap].what);
    int64_t now_s = call->now_us / 1000000, limit, attempts = 0;
    gh_err err = limit_of(call, pool, who, cap, &limit);
    if (!err)
        err = store_attempts(call->db, call->arena, pool->id, who, what, now_s - WINDOW_S, &attempts);
    if (err)
        return err;
    if (attempts >= limit) /* refusing costs no write */
        return exceeded(call);
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_attempt(&tx, pool->id, who, what, now_s, WINDOW_S, &attempts);
    err = tx_commit(&tx);
    return err || attempts <= limit ? err : exceeded(call);
}
