/* Passwords and codes as guesses: limited, judged, counted. */
#include "core/json.h"
#include "core/password.h"
#include "identity/protection/compromised.h"
#include "identity/signin/sign_in.h"
#include "identity/signin/tables.h"
#include "identity/signin/threat.h"

/* Challenges whose answer somebody could try out. */
static const char *const guessed[] = { "PASSWORD", "SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP", "SMS_OTP" };

bool challenge_is_guessed(const char *name)
{
    for (size_t i = 0; i < COUNT(guessed); i++)
        if (strcmp(guessed[i], name) == 0)
            return true;
    return false;
}

gh_err sign_in_guess(struct sign_in *s)
{
    if (s->guess.judged)
        return NULL;
    const struct pool *pool = &s->client.pool;
    struct str nobody = json_str(s->state, "nobody");
    struct str who = !s->user.sub.ptr && nobody.ptr ? nobody
                                                    : guard_who(s->call, pool, s->user.sub, json_str(s->state, "name"));
    gh_err err = guess_begin(s->call, pool, who, s->whence.ip, &s->guess);
    if (s->guess.was.failures)
        json_set_i64(s->state, "failures", s->guess.was.failures);
    return err;
}

gh_err sign_in_wrong_password(struct sign_in *s)
{
    struct tx tx;
    tx_begin(&tx, s->call->db, s->call->arena);
    guess_wrong(s->call, &s->client.pool, &s->guess, &tx);
    threat_wrong(s, &tx, "PASSWORD");
    gh_err err = tx_commit(&tx);
    guess_end(&s->guess);
    if (!err)
        threat_tell(s);
    return err ? err : sign_in_refused(s);
}

/* "When Amazon Cognito blocks sign-in for a user, it sets the user's UserStatus to RESET_REQUIRED." */
static gh_err check_compromised(struct sign_in *s, struct str password)
{
    bool detected, block;
    gh_err err = compromised_check(s->call, &s->client.pool, s->client.id, CREDENTIALS_SIGN_IN, password, &detected,
                                   &block);
    if (!err && detected)
        json_set_flag(s->state, "compromised", true);
    if (err || !block)
        return err;
    s->user.status = RESET_REQUIRED;
    err = user_save_alone(s->call, &s->client.pool, &s->user);
    return err ? err
               : gh_fail(s->call->arena, &idp_PasswordResetRequiredException,
                         "Password reset required for user due to security reasons");
}

gh_err sign_in_check_password(struct sign_in *s, struct str password)
{
    gh_err err = sign_in_guess(s);
    if (err)
        return err;
    if (!s->user.sub.ptr) {
        password_waste(password, &PASSWORD_COST_DEFAULT);
        return sign_in_wrong_password(s);
    }
    err = sign_in_check_user(s);
    if (err)
        return err;
    if (!user_password_is(s->call, &s->user, password))
        return sign_in_wrong_password(s);
    err = check_compromised(s, password);
    return err ? err : user_renew_password(s->call, &s->client.pool, &s->user, password, &s->user_changed);
}
