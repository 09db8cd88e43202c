/* Login profiles: the passwords of IAM users. */
#include "identity/iam/credentials/login_profile.h"

#include "core/password.h"
#include "identity/iam/credentials/login_password.h"
#include "identity/iam/credentials/password_rules.h"

enum { KEPT = 23 }; /* hashes besides the present one: PasswordReusePrevention is at most 24 */

static gh_err load(struct call *call, struct tx *tx, const struct entity *user, struct login_profile *out)
{
    bool found = false;
    gh_err err = login_profile_find(call->db, tx, call->arena, user->id, out, &found);
    if (!err && !found)
        err = gh_fail(call->arena, &iam_NoSuchEntityException, "Login Profile for User %.*s cannot be found.",
                      STR_FMT(user->name));
    return err;
}

static gh_err violation(struct call *call, struct str text)
{
    return gh_fail(call->arena, &iam_PasswordPolicyViolationException, "%.*s", STR_FMT(text));
}

/* profile NULL: the first password. */
static gh_err check_new(struct call *call, const struct login_profile *profile, struct str password)
{
    struct password_rules rules;
    gh_err err = password_rules_load(call->db, call->arena, call->account, &rules);
    if (err)
        return err;
    struct str broken = password_rules_broken(call->arena, &rules, password);
    if (broken.ptr)
        return violation(call, broken);
    bool used = profile && rules.reuse > 0 && password_verify(call->arena, password, profile->hash);
    for (size_t i = 0; profile && !used && (int64_t)i + 1 < rules.reuse && i < json_array_size(profile->before); i++)
        used = password_verify(call->arena, password, json_value_str(json_array_get(profile->before, i)));
    return used ? violation(call, STR("Policy constraint violation with password reuse prevention during password "
                                      "change."))
                : NULL;
}

static gh_err hash(struct call *call, struct str password, struct str *out)
{
    *out = password_hash(call->env, call->arena, password, &PASSWORD_COST_DEFAULT);
    return out->ptr ? NULL : gh_fail(call->arena, &GH_UNAVAILABLE, "No memory to hash a password.");
}

/* The present one becomes the newest of those before. */
static void replace(struct call *call, struct login_profile *profile, struct str new_hash)
{
    json_t *before = json_own(call->arena, json_array());
    json_array_append_new(before, json_of(profile->hash));
    for (size_t i = 0; i < json_array_size(profile->before) && i + 1 < KEPT; i++)
        json_array_append(before, json_array_get(profile->before, i));
    profile->before = before;
    profile->hash = new_hash;
    profile->changed_us = call->now_us;
    profile->failures = 0;
}

static struct iam_LoginProfile *describe(struct call *call, const struct entity *user,
                                         const struct login_profile *profile)
{
    struct iam_LoginProfile *out = ARENA_NEW(call->arena, struct iam_LoginProfile);
    *out = (struct iam_LoginProfile){ .user_name = user->name, .create_date = iam_time(profile->created_us),
                                      .password_reset_required = some_bool(profile->reset_required) };
    return out;
}

/* Hashing takes its time: outside of the transaction, which then looks again. */
gh_err iam_CreateLoginProfile(struct call *call, const struct iam_CreateLoginProfile_in *in,
                              struct iam_CreateLoginProfile_out *out)
{
    struct entity user;
    struct login_profile profile = { 0 }, other;
    bool found = false;
    if (!in->password.ptr) /* "must be omitted when you make the request with an AssumeRoot session": there are none */
        return gh_fail(call->arena, &IAM_VALIDATION_ERROR,
                       "1 validation error detected: Value null at 'password' failed to satisfy constraint: Member "
                       "must not be null");
    gh_err err = iam_user_or_caller(call, NULL, in->user_name, &user);
    if (!err)
        err = login_profile_find(call->db, NULL, call->arena, user.id, &other, &found);
    if (!err && !found)
        err = check_new(call, NULL, in->password);
    if (!err && !found) {
        profile = (struct login_profile){ .owner = user.id, .account = call->account, .created_us = call->now_us,
                                          .changed_us = call->now_us,
                                          .reset_required = in->password_reset_required.value };
        err = hash(call, in->password, &profile.hash);
    }
    if (err)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    if (!found)
        err = login_profile_find(call->db, &tx, call->arena, user.id, &other, &found);
    if (!err && found)
        err = gh_fail(call->arena, &iam_EntityAlreadyExistsException, "Login Profile for user %.*s already exists.",
                      STR_FMT(user.name));
    if (!err)
        err = iam_find(call, &tx, ENTITY_USER, user.name, &user); /* deleted meanwhile? */
    if (!err)
        login_profile_insert(&tx, &profile);
    err = iam_finish(&tx, err);
    if (!err)
        out->login_profile = describe(call, &user, &profile);
    return err;
}

gh_err iam_GetLoginProfile(struct call *call, const struct iam_GetLoginProfile_in *in,
                           struct iam_GetLoginProfile_out *out)
{
    struct entity user;
    struct login_profile profile;
    gh_err err = iam_user_or_caller(call, NULL, in->user_name, &user);
    if (!err)
        err = load(call, NULL, &user, &profile);
    if (!err)
        out->login_profile = describe(call, &user, &profile);
    return err;
}

/* Saves what became of `profile`, unless somebody has set another password since it was read. */
static gh_err save(struct call *call, const struct entity *user, const struct login_profile *profile, struct str was)
{
    struct login_profile now;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = load(call, &tx, user, &now);
    if (!err && !str_eq(now.hash, was))
        err = gh_fail(call->arena, &iam_EntityTemporarilyUnmodifiableException,
                      "Login Profile for User %.*s cannot be modified while it is being modified.",
                      STR_FMT(user->name));
    if (!err)
        login_profile_update(&tx, profile);
    return iam_finish(&tx, err);
}

gh_err iam_UpdateLoginProfile(struct call *call, const struct iam_UpdateLoginProfile_in *in,
                              struct iam_UpdateLoginProfile_out *out)
{
    (void)out;
    struct entity user;
    struct login_profile profile;
    struct str new_hash;
    gh_err err = iam_find(call, NULL, ENTITY_USER, in->user_name, &user);
    if (!err)
        err = load(call, NULL, &user, &profile);
    struct str was = err ? STR_NONE : profile.hash;
    if (!err && in->password.ptr)
        err = check_new(call, &profile, in->password);
    if (!err && in->password.ptr)
        err = hash(call, in->password, &new_hash);
    if (err)
        return err;
    if (in->password.ptr)
        replace(call, &profile, new_hash);
    if (in->password_reset_required.set)
        profile.reset_required = in->password_reset_required.value;
    return save(call, &user, &profile, was);
}

gh_err iam_DeleteLoginProfile(struct call *call, const struct iam_DeleteLoginProfile_in *in,
                              struct iam_DeleteLoginProfile_out *out)
{
    (void)out;
    struct entity user;
    struct login_profile profile;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_user_or_caller(call, &tx, in->user_name, &user);
    if (!err)
        err = load(call, &tx, &user, &profile);
    if (!err)
        login_profile_delete(&tx, user.id);
    return iam_finish(&tx, err);
}

static gh_err wrong_guess(struct call *call, const struct entity *user, enum password_guess guess)
{
    if (guess == PASSWORD_GUESS_WAIT)
        return gh_fail(call->arena, &iam_EntityTemporarilyUnmodifiableException,
                       "Login Profile for User %.*s cannot be modified for a while after too many wrong passwords.",
                       STR_FMT(user->name));
    return gh_fail(call->arena, &IAM_ACCESS_DENIED, "The old password was incorrect.");
}

static void forget_failures(struct call *call, const struct login_profile *profile)
{
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    login_profile_set_failures(&tx, profile);
    gh_err err = iam_finish(&tx, NULL);
    (void)err; /* the answer is an error already; a guess too many stays counted */
}

/* A password that has come to its end can be changed here, HardExpiry or not: "IAM users with iam:ChangePassword
 * permission and active access keys can reset their own expired console password by using the CLI or API." */
gh_err iam_ChangePassword(struct call *call, const struct iam_ChangePassword_in *in, struct iam_ChangePassword_out *out)
{
    (void)out;
    struct entity user;
    struct login_profile profile;
    enum password_guess guess = PASSWORD_GUESS_WAIT;
    struct str new_hash;
    if (call->principal->kind != PRINCIPAL_USER)
        return gh_fail(call->arena, &iam_InvalidUserTypeException, "Only IAM Users can change their own password.");
    gh_err err = iam_user_or_caller(call, NULL, STR_NONE, &user);
    if (!err)
        err = load(call, NULL, &user, &profile);
    if (!err)
        err = login_password_guess(call, &profile, in->old_password, &guess);
    if (!err && guess != PASSWORD_GUESS_RIGHT)
        err = wrong_guess(call, &user, guess);
    if (!err)
        err = check_new(call, &profile, in->new_password);
    if (err && guess == PASSWORD_GUESS_RIGHT)
        forget_failures(call, &profile);
    if (!err)
        err = hash(call, in->new_password, &new_hash);
    if (err)
        return err;
    struct str was = profile.hash;
    replace(call, &profile, new_hash);
    profile.reset_required = false;
    return save(call, &user, &profile, was);
}
