#include "identity/iam/credentials/login_profile.h"

#include "core/password.h"
#include "identity/iam/credentials/login_password.h"
#include "identity/iam/credentials/mfa_device.h"
#include "identity/iam/credentials/password_rules.h"

gh_err login_password_guess(struct call *call, struct login_profile *profile, struct str password,
                            enum password_guess *out)
{
    struct tx tx;
    *out = PASSWORD_GUESS_WAIT;
    tx_begin(&tx, call->db, call->arena);
    bool found = false;
    gh_err err = login_profile_find(call->db, &tx, call->arena, profile->owner, profile, &found);
    int64_t before = profile->failures;
    bool judged = !err && found && guesses_allow(&profile->failures, profile->failed_us, call->now_us);
    if (judged) {
        before = profile->failures++;
        profile->failed_us = call->now_us;
        login_profile_set_failures(&tx, profile);
    }
    err = iam_finish(&tx, err);
    if (err || !judged) {
        password_waste(password, &PASSWORD_COST_DEFAULT);
        return err;
    }
    *out = password_verify(call->arena, password, profile->hash) ? PASSWORD_GUESS_RIGHT : PASSWORD_GUESS_WRONG;
    profile->failures = *out == PASSWORD_GUESS_RIGHT ? 0 : before + 1;
    return NULL;
}

static gh_err find(struct call *call, struct str account, struct str user_name, struct entity *user,
                   struct login_profile *profile, bool *found)
{
    gh_err err = entity_load(call->db, NULL, call->arena, account, ENTITY_USER, user_name, user, found);
    if (!err && *found)
        err = login_profile_find(call->db, NULL, call->arena, user->id, profile, found);
    return err;
}

static gh_err welcome(struct call *call, struct login_profile *profile, struct login *out)
{
    struct password_rules rules;
    struct mfa_devices devices;
    gh_err err = password_rules_load(call->db, call->arena, profile->account, &rules);
    if (!err)
        err = mfa_device_list(call->db, NULL, call->arena, profile->owner, &devices);
    if (err)
        return err;
    bool expired = password_rules_expired(&rules, profile->changed_us, call->now_us);
    out->mfa = devices.n > 0;
    out->verdict = expired && rules.hard_expiry              ? LOGIN_EXPIRED
                   : expired || profile->reset_required ? LOGIN_MUST_CHANGE
                                                             : LOGIN_OK;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    login_profile_set_failures(&tx, profile);
    profile->used_us = call->now_us;
    if (out->verdict == LOGIN_OK)
        login_profile_set_used(&tx, profile);
    err = iam_finish(&tx, NULL);
    if (err || tx.changes == 0) /* the password was changed meanwhile: this one is none any more */
        out->verdict = LOGIN_REFUSED;
    return err;
}

gh_err login_profile_check(struct call *call, struct str account, struct str user_name, struct str password,
                           struct login *out)
{
    struct entity user;
    struct login_profile profile;
    enum password_guess guess;
    bool found = false;
    *out = (struct login){ .verdict = LOGIN_REFUSED };
    gh_err err = find(call, account, user_name, &user, &profile, &found);
    if (err || !found) {
        password_waste(password, &PASSWORD_COST_DEFAULT);
        return err;
    }
    err = login_password_guess(call, &profile, password, &guess);
    if (!err && guess == PASSWORD_GUESS_RIGHT)
        err = welcome(call, &profile, out);
    if (!err && out->verdict != LOGIN_REFUSED) {
        out->user_id = user.id;
        out->arn = user.arn;
    }
    return err;
}
