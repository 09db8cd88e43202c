/* What a signed-in user does: GetUser, UpdateUserAttributes, DeleteUserAttributes, ChangePassword,
 * DeleteUser, GetUserAttributeVerificationCode, VerifyUserAttribute. */
#include "core/json.h"
#include "identity/signin/mfa.h"
#include "identity/tokens/token.h"
#include "identity/protection/cap.h"
#include "identity/protection/compromised.h"
#include "identity/protection/event.h"
#include "identity/users/code.h"

gh_err idp_GetUser(struct call *call, const struct idp_GetUser_in *in, struct idp_GetUser_out *out)
{
    struct access access;
    gh_err err = access_load(call, in->access_token, &access);
    if (err)
        return err;
    out->username = access.user.username;
    out->user_attributes = user_attributes_shown(call, &access.user, &access.client, NULL);
    out->mfa_options = user_mfa_options(call, &access.user);
    out->preferred_mfa_setting = user_mfa_preferred_name(&access.user);
    out->user_mfa_setting_list = user_mfa_list(call, &access.user);
    return NULL;
}

gh_err idp_UpdateUserAttributes(struct call *call, const struct idp_UpdateUserAttributes_in *in,
                                struct idp_UpdateUserAttributes_out *out)
{
    struct access access;
    gh_err err = access_load(call, in->access_token, &access);
    if (!err)
        err = attributes_set(call, &access.client.pool, &access.client, &access.user, &in->user_attributes,
                             WRITER_CLIENT);
    if (!err)
        err = user_save_alone(call, &access.client.pool, &access.user);
    return err ? err
               : code_send_for_changes(call, &access.client.pool, &access.user, &in->user_attributes,
                                       &(struct message_order){
                                           .kind = MESSAGE_UPDATE_ATTRIBUTE,
                                           .client = &access.client,
                                           .metadata = client_metadata(call, &in->client_metadata),
                                       },
                                       &out->code_delivery_details_list);
}

gh_err idp_DeleteUserAttributes(struct call *call, const struct idp_DeleteUserAttributes_in *in,
                                struct idp_DeleteUserAttributes_out *out)
{
    (void)out;
    struct access access;
    gh_err err = access_load(call, in->access_token, &access);
    if (!err)
        err = attributes_remove(call, &access.client.pool, &access.client, &access.user,
                                &in->user_attribute_names);
    return err ? err : user_save_alone(call, &access.client.pool, &access.user);
}

/* The sign-in that changes the password goes on (as on AWS); all others end, with their tokens. */
gh_err idp_ChangePassword(struct call *call, const struct idp_ChangePassword_in *in,
                          struct idp_ChangePassword_out *out)
{
    (void)out;
    struct access access;
    gh_err err = access_load(call, in->access_token, &access);
    if (!err)
        err = cap_take(call, &access.client.pool, access.user.sub, STR_NONE, CAP_CHANGE_PASSWORD);
    if (err)
        return err;
    const struct pool *pool = &access.client.pool;
    struct user *user = &access.user;
    /* "if the user has no password and only signs in with passwordless methods, you can omit this parameter" */
    if (user->password.ptr &&
        (!in->previous_password.ptr || !user_password_is(call, user, in->previous_password)))
        return gh_fail(call->arena, &idp_NotAuthorizedException, "Incorrect username or password.");
    err = password_check_policy(call, pool, in->proposed_password);
    if (!err)
        err = compromised_refuse(call, pool, access.client.id, CREDENTIALS_PASSWORD_CHANGE, in->proposed_password);
    if (!err)
        err = user_set_password(call, pool, user, in->proposed_password);
    if (err)
        return err;

    int64_t until_s = call->now_us / 1000000 + REVOCATION_HORIZON_S;
    struct str *others;
    size_t n = 0;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = user_save(call, &tx, pool, user, false);
    if (!err)
        err = store_session_origins(&tx, call->arena, pool->id, user->sub, access.origin, &others, &n);
    for (size_t i = 0; i < n && !err; i++)
        store_revoke_origin(&tx, pool->id, others[i], until_s);
    if (err) {
        tx_rollback(&tx);
        return err;
    }
    err = tx_commit(&tx);
    for (size_t i = 0; i < n && !err; i++)
        revocation_publish_origin(pools_of(call)->revocations, others[i], until_s);
    return err ? err : auth_event_note(call, &access.client, user, NULL, "PasswordChange");
}

gh_err user_delete(struct call *call, const struct pool *pool, const struct user *user)
{
    struct revocations *revocations = pools_of(call)->revocations;
    int64_t stamp = revocation_stamp(revocations, call->now_us);
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_revoke_user(&tx, pool->id, user->sub, stamp);
    store_user_delete(&tx, user);
    gh_err err = tx_commit(&tx);
    if (!err)
        revocation_publish_user(revocations, pool->id, user->sub, stamp);
    return err;
}

gh_err idp_DeleteUser(struct call *call, const struct idp_DeleteUser_in *in, struct idp_DeleteUser_out *out)
{
    (void)out;
    struct access access;
    gh_err err = access_load(call, in->access_token, &access);
    return err ? err : user_delete(call, &access.client.pool, &access.user);
}

static gh_err verifiable(struct call *call, struct str attribute, enum code_purpose *purpose)
{
    if (str_is(attribute, "email"))
        *purpose = CODE_VERIFY_EMAIL;
    else if (str_is(attribute, "phone_number"))
        *purpose = CODE_VERIFY_PHONE;
    else
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Invalid attribute name. Only phone_number and email can be verified.");
    return NULL;
}

gh_err idp_GetUserAttributeVerificationCode(struct call *call,
                                            const struct idp_GetUserAttributeVerificationCode_in *in,
                                            struct idp_GetUserAttributeVerificationCode_out *out)
{
    struct access access;
    enum code_purpose purpose;
    gh_err err = access_load(call, in->access_token, &access);
    if (!err)
        err = verifiable(call, in->attribute_name, &purpose);
    if (!err)
        err = cap_take(call, &access.client.pool, access.user.sub, STR_NONE, CAP_GET_ATTRIBUTE_CODE);
    if (err)
        return err;
    bool email = purpose == CODE_VERIFY_EMAIL;
    struct str pending = user_pending(&access.user, email ? "email" : "phone_number");
    if (!user_attribute(&access.user, email ? "email" : "phone_number").len)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "User does not have a valid registered %s", email ? "email address" : "phone number");
    return code_send(call, &access.client.pool, &access.user, purpose,
                     &(struct message_order){
                         .kind = MESSAGE_VERIFY_ATTRIBUTE,
                         .attribute = email ? "email" : "phone_number",
                         .to = pending,
                         .client = &access.client,
                         .metadata = client_metadata(call, &in->client_metadata),
                     },
                     &out->code_delivery_details);
}

gh_err idp_VerifyUserAttribute(struct call *call, const struct idp_VerifyUserAttribute_in *in,
                               struct idp_VerifyUserAttribute_out *out)
{
    (void)out;
    struct access access;
    enum code_purpose purpose;
    struct str attribute;
    gh_err err = access_load(call, in->access_token, &access);
    if (!err)
        err = verifiable(call, in->attribute_name, &purpose);
    if (!err)
        err = cap_take(call, &access.client.pool, access.user.sub, STR_NONE, CAP_VERIFY_ATTRIBUTE);
    if (!err)
        err = code_check(call, &access.user, purpose, in->code, &attribute);
    if (err)
        return err;
    const char *name = purpose == CODE_VERIFY_EMAIL ? "email" : "phone_number";
    struct str pending = user_pending(&access.user, name);
    if (pending.ptr)
        json_set_str(access.user.attributes, name, pending);
    json_set_str(access.user.attributes,
                 purpose == CODE_VERIFY_EMAIL ? "email_verified" : "phone_number_verified", STR("true"));
    user_set_pending(&access.user, name, STR(""));
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    code_drop(&tx, &access.user, purpose);
    err = user_save(call, &tx, &access.client.pool, &access.user, false);
    if (!err)
        return tx_commit(&tx);
    tx_rollback(&tx);
    return err;
}
