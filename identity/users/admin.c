/* What an administrator does with users: AdminCreateUser, AdminGetUser, AdminConfirmSignUp,
 * AdminSetUserPassword, AdminResetUserPassword, AdminEnableUser, AdminDisableUser, AdminDeleteUser,
 * AdminUpdateUserAttributes, AdminDeleteUserAttributes. */
#include "core/json.h"
#include "identity/signin/choice.h"
#include "identity/signin/mfa.h"
#include "identity/triggers/account.h"
#include "identity/users/code.h"

static const char TAKEN[] = "User account already exists";

/* "DesiredDeliveryMediums default SMS"; who has no phone number gets a mail. */
static gh_err invite(struct call *call, const struct pool *pool, const struct user *user, struct str password,
                     const struct idp_AdminCreateUser_in *in)
{
    const struct idp_DeliveryMediumListType *mediums = &in->desired_delivery_mediums;
    bool mail = false, sms = mediums->n == 0, has_phone = user_attribute(user, "phone_number").len > 0;
    for (size_t i = 0; i < mediums->n; i++) {
        mail |= str_is(mediums->items[i], "EMAIL");
        sms |= str_is(mediums->items[i], "SMS");
    }
    mail |= mediums->n == 0 && !has_phone;
    struct message_order order = {
        .kind = MESSAGE_ADMIN_CREATE,
        .attribute = "phone_number",
        .code = password,
        .metadata = client_metadata(call, &in->client_metadata),
    };
    gh_err err = sms && has_phone ? message_send(call, pool, user, &order, NULL) : NULL;
    order.attribute = "email";
    if (!err && mail && user_attribute(user, "email").len)
        err = message_send(call, pool, user, &order, NULL);
    return err;
}

/* "MessageAction=RESEND: a fresh invitation for a user who has not come yet" */
static gh_err invite_again(struct call *call, const struct pool *pool,
                           const struct idp_AdminCreateUser_in *in, struct idp_AdminCreateUser_out *out)
{
    struct user user;
    gh_err err = user_load(call, pool, in->username, &user);
    if (err)
        return err;
    if (!str_eq(user.status, FORCE_CHANGE_PASSWORD))
        return gh_fail(call->arena, &idp_UnsupportedUserStateException,
                       "Resend not possible. %.*s status is not FORCE_CHANGE_PASSWORD",
                       STR_FMT(in->username));
    struct str password = in->temporary_password.ptr ? in->temporary_password : password_generate(call, pool);
    err = password_check_policy(call, pool, password);
    if (!err)
        err = user_set_password(call, pool, &user, password);
    if (!err)
        err = user_save_alone(call, pool, &user);
    out->user = user_shown(call, &user, NULL);
    return err ? err : invite(call, pool, &user, password, in);
}

/* "Amazon Cognito generates a password for you unless you have passwordless options active": a user who is told
 * nothing and can come in by a code is confirmed at once. Who is invited gets a password to be invited with. */
static bool needs_no_password(const struct pool *pool, const struct user *user, const struct idp_AdminCreateUser_in *in)
{
    return !in->temporary_password.len && str_is(in->message_action, "SUPPRESS") &&
           ((pool_allows_first(pool, FIRST_EMAIL_OTP) && user_has_verified(user, "email")) ||
            (pool_allows_first(pool, FIRST_SMS_OTP) && user_has_verified(user, "phone_number")));
}

gh_err idp_AdminCreateUser(struct call *call, const struct idp_AdminCreateUser_in *in,
                           struct idp_AdminCreateUser_out *out)
{
    struct pool pool;
    struct user user;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (err)
        return err;
    if (str_is(in->message_action, "RESEND"))
        return invite_again(call, &pool, in, out);
    struct str password =
        in->temporary_password.ptr ? in->temporary_password : password_generate(call, &pool);
    err = user_new(call, &pool, in->username, TAKEN, &user);
    if (!err)
        err = attributes_set(call, &pool, NULL, &user, &in->user_attributes, WRITER_ADMIN_CREATE);
    bool bare = !err && needs_no_password(&pool, &user, in);
    if (!err && !bare)
        err = password_check_policy(call, &pool, password);
    if (!err && !bare)
        err = user_set_password(call, &pool, &user, password);
    if (err)
        return err;
    bool verified;
    err = trigger_pre_sign_up(call, &pool, NULL, &user, &in->validation_data,
                              client_metadata(call, &in->client_metadata), &verified);
    if (err)
        return err;
    user.status = bare ? CONFIRMED : FORCE_CHANGE_PASSWORD;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = user_insert(call, &tx, &pool, &user, in->force_alias_creation.value, TAKEN);
    if (err) {
        tx_rollback(&tx);
        return err;
    }
    err = tx_commit(&tx);
    out->user = user_shown(call, &user, NULL);
    if (err || str_is(in->message_action, "SUPPRESS"))
        return err;
    return invite(call, &pool, &user, password, in);
}

gh_err idp_AdminGetUser(struct call *call, const struct idp_AdminGetUser_in *in,
                        struct idp_AdminGetUser_out *out)
{
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    if (err)
        return err;
    *out = (struct idp_AdminGetUser_out){
        .username = user.username,
        .user_attributes = user_attributes_shown(call, &user, NULL, NULL),
        .user_create_date = some_time_us(user.created_us),
        .user_last_modified_date = some_time_us(user.modified_us),
        .enabled = some_bool(user.enabled),
        .user_status = user.status,
        .mfa_options = user_mfa_options(call, &user),
        .preferred_mfa_setting = user_mfa_preferred_name(&user),
        .user_mfa_setting_list = user_mfa_list(call, &user),
    };
    return NULL;
}

/* "AdminConfirmSignUp doesn't verify attributes." */
gh_err idp_AdminConfirmSignUp(struct call *call, const struct idp_AdminConfirmSignUp_in *in,
                              struct idp_AdminConfirmSignUp_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    if (err)
        return err;
    if (!str_eq(user.status, UNCONFIRMED))
        return gh_fail(call->arena, &idp_NotAuthorizedException,
                       "User cannot be confirmed. Current status is %.*s", STR_FMT(user.status));
    user.status = CONFIRMED;
    err = user_save_alone(call, &pool, &user);
    return err ? err
               : trigger_post_confirmation(call, NULL, &pool, &user, "PostConfirmation_ConfirmSignUp",
                                           client_metadata(call, &in->client_metadata));
}

/* "Permanent=true -> CONFIRMED, false -> FORCE_CHANGE_PASSWORD" */
gh_err idp_AdminSetUserPassword(struct call *call, const struct idp_AdminSetUserPassword_in *in,
                                struct idp_AdminSetUserPassword_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    if (!err)
        err = password_check_policy(call, &pool, in->password);
    if (!err)
        err = user_set_password(call, &pool, &user, in->password);
    if (err)
        return err;
    user.status = in->permanent.value ? CONFIRMED : FORCE_CHANGE_PASSWORD;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    return user_save_and_end_sessions(call, &tx, &pool, &user);
}

/* "the user's password is invalidated; … sends a message with a code" */
gh_err idp_AdminResetUserPassword(struct call *call, const struct idp_AdminResetUserPassword_in *in,
                                  struct idp_AdminResetUserPassword_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    if (err)
        return err;
    if (!str_eq(user.status, CONFIRMED) && !str_eq(user.status, RESET_REQUIRED))
        return gh_fail(call->arena, &idp_NotAuthorizedException,
                       "User password cannot be reset in the current state.");
    const char *attribute = user_has_verified(&user, "phone_number") ? "phone_number"
                            : user_has_verified(&user, "email")      ? "email"
                                                                     : NULL;
    if (!attribute)
        return gh_fail(
            call->arena, &idp_InvalidParameterException,
            "Cannot reset password for the user as there is no registered/verified email or phone_number");
    user.status = RESET_REQUIRED;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = user_save_and_end_sessions(call, &tx, &pool, &user);
    return err ? err
               : code_send(call, &pool, &user, CODE_FORGOT,
                           &(struct message_order){
                               .kind = MESSAGE_FORGOT,
                               .attribute = attribute,
                               .metadata = client_metadata(call, &in->client_metadata),
                           },
                           NULL);
}

gh_err idp_AdminEnableUser(struct call *call, const struct idp_AdminEnableUser_in *in,
                           struct idp_AdminEnableUser_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    if (err)
        return err;
    user.enabled = true;
    return user_save_alone(call, &pool, &user);
}

/* "Deactivates a user and revokes all access tokens for the user." */
gh_err idp_AdminDisableUser(struct call *call, const struct idp_AdminDisableUser_in *in,
                            struct idp_AdminDisableUser_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    if (err)
        return err;
    user.enabled = false;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    return user_save_and_end_sessions(call, &tx, &pool, &user);
}

gh_err idp_AdminDeleteUser(struct call *call, const struct idp_AdminDeleteUser_in *in,
                           struct idp_AdminDeleteUser_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    return err ? err : user_delete(call, &pool, &user);
}

gh_err idp_AdminUpdateUserAttributes(struct call *call, const struct idp_AdminUpdateUserAttributes_in *in,
                                     struct idp_AdminUpdateUserAttributes_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    if (!err)
        err = attributes_set(call, &pool, NULL, &user, &in->user_attributes, WRITER_ADMIN);
    if (!err)
        err = user_save_alone(call, &pool, &user);
    struct idp_CodeDeliveryDetailsListType sent = { 0 }; /* "AdminUpdateUserAttributes doesn't return it" */
    return err ? err
               : code_send_for_changes(call, &pool, &user, &in->user_attributes,
                                       &(struct message_order){
                                           .kind = MESSAGE_UPDATE_ATTRIBUTE,
                                           .metadata = client_metadata(call, &in->client_metadata),
                                       },
                                       &sent);
}

gh_err idp_AdminDeleteUserAttributes(struct call *call, const struct idp_AdminDeleteUserAttributes_in *in,
                                     struct idp_AdminDeleteUserAttributes_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    if (!err)
        err = attributes_remove(call, &pool, NULL, &user, &in->user_attribute_names);
    return err ? err : user_save_alone(call, &pool, &user);
}
