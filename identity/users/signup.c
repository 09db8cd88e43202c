/* SignUp, ConfirmSignUp, ResendConfirmationCode. */
#include "identity/protection/cap.h"
#include "identity/signin/choice.h"
#include "identity/signin/sign_in.h"
#include "identity/protection/compromised.h"
#include "identity/protection/event.h"
#include "identity/triggers/account.h"
#include "identity/users/code.h"

#include "core/json.h"

static const char TAKEN[] = "User already exists";

/* "Users can sign up without a password when your user pool supports passwordless sign-in with email or SMS OTPs":
 * they need an address that codes can go to. */
static gh_err check_passwordless(struct call *call, const struct pool *pool, const struct user *user)
{
    if ((pool_allows_first(pool, FIRST_EMAIL_OTP) && user_attribute(user, "email").len) ||
        (pool_allows_first(pool, FIRST_SMS_OTP) && user_attribute(user, "phone_number").len))
        return NULL;
    return gh_fail(call->arena, &idp_InvalidParameterException,
                   "A user without a password needs an email address or a phone number to sign in with.");
}

gh_err idp_SignUp(struct call *call, const struct idp_SignUp_in *in, struct idp_SignUp_out *out)
{
    struct client client;
    struct user user;
    gh_err err = client_find(call, in->client_id, &client);
    if (!err)
        err = client_check_secret_hash(call, &client, in->username, in->secret_hash);
    if (err)
        return err;
    const struct pool *pool = &client.pool;
    const json_t *metadata = client_metadata(call, &in->client_metadata);
    bool verified;
    if (pool->doc->admin_create_user_config->allow_admin_create_user_only.value)
        return gh_fail(call->arena, &idp_NotAuthorizedException,
                       "SignUp is not permitted for this user pool");
    if (!in->password.len && !pool_is_passwordless(pool))
        return gh_fail(call->arena, &idp_InvalidParameterException, "Missing required parameter password");
    if (in->password.len)
        err = password_check_policy(call, pool, in->password);
    if (!err && in->password.len)
        err = compromised_refuse(call, pool, client.id, CREDENTIALS_SIGN_UP, in->password);
    if (!err)
        err = user_new(call, pool, in->username, TAKEN, &user);
    if (!err)
        err = attributes_set(call, pool, &client, &user, &in->user_attributes, WRITER_SIGN_UP);
    if (!err)
        err = attributes_check_required(call, pool, &user);
    if (!err && in->password.len)
        err = user_set_password(call, pool, &user, in->password);
    else if (!err)
        err = check_passwordless(call, pool, &user);
    if (!err)
        err = trigger_pre_sign_up(call, pool, &client, &user, &in->validation_data, metadata, &verified);
    if (err)
        return err;

    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = user_insert(call, &tx, pool, &user, verified, TAKEN);
    if (err) {
        tx_rollback(&tx);
        return err;
    }
    err = tx_commit(&tx);
    if (err)
        return err;
    bool confirmed = str_eq(user.status, CONFIRMED);
    out->user_confirmed = some_bool(confirmed);
    out->user_sub = user.sub;
    if (client.flows & FLOW_USER_AUTH)
        out->session = sign_in_session_for(call, &client, &user, "SIGN_UP", json_object());
    err = auth_event_note(call, &client, &user, in->user_context_data, "SignUp");
    if (err)
        return err;
    if (confirmed)
        return trigger_post_confirmation(call, &client, pool, &user, "PostConfirmation_ConfirmSignUp", metadata);
    const char *attribute = code_attribute_to_verify(pool, &user);
    return attribute ? code_send(call, pool, &user, CODE_SIGN_UP,
                                 &(struct message_order){
                                     .kind = MESSAGE_SIGN_UP,
                                     .attribute = attribute,
                                     .client = &client,
                                     .metadata = metadata,
                                 },
                                 &out->code_delivery_details)
                     : NULL;
}

gh_err stranger_find(struct call *call, struct str client_id, struct str username, struct str secret_hash,
                     struct client *client, struct user *user, bool *found)
{
    gh_err err = client_find(call, client_id, client);
    if (!err)
        err = client_check_secret_hash(call, client, username, secret_hash);
    if (!err)
        err = user_find(call, &client->pool, username, user, found);
    if (!err && !*found && !client->hides_users)
        return gh_fail(call->arena, &idp_UserNotFoundException, "Username/client id combination not found.");
    return err;
}

gh_err sign_up_confirm(struct call *call, const struct client *client, struct user *user, struct str name,
                       struct str code, bool force_alias, const json_t *metadata)
{
    struct str attribute;
    gh_err err = cap_take(call, &client->pool, user ? user->sub : STR_NONE, name, CAP_CONFIRM_SIGN_UP);
    if (err)
        return err;
    if (!user)
        return code_check_nobody(call, &client->pool, name, CODE_SIGN_UP);
    if (!str_eq(user->status, UNCONFIRMED))
        return gh_fail(call->arena, &idp_NotAuthorizedException,
                       "User cannot be confirmed. Current status is %.*s", STR_FMT(user->status));
    err = code_check(call, user, CODE_SIGN_UP, code, &attribute);
    if (err)
        return err;
    user->status = CONFIRMED;
    json_set_str(user->attributes, str_is(attribute, "email") ? "email_verified" : "phone_number_verified",
                 STR("true"));
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    code_drop(&tx, user, CODE_SIGN_UP);
    err = user_save(call, &tx, &client->pool, user, force_alias);
    if (!err) {
        err = tx_commit(&tx);
        return err ? err
                   : trigger_post_confirmation(call, client, &client->pool, user, "PostConfirmation_ConfirmSignUp",
                                               metadata);
    }
    tx_rollback(&tx);
    if (err->kind == &idp_AliasExistsException)
        return gh_fail(call->arena, &idp_AliasExistsException, "An account with the %.*s already exists.",
                       STR_FMT(attribute));
    return err;
}

/* SignUp's Session: whoever signed up here may go on to sign in. One that is too late does not keep anybody from
 * confirming. */
static gh_err open_sign_up(struct call *call, const struct client *client, const struct user *user, struct str session,
                           bool *good)
{
    struct sign_in s;
    gh_err err = sign_in_open(call, session, "SIGN_UP", &s);
    if (sign_in_is_too_late(err))
        return NULL;
    if (!err && (!str_eq(s.client.id, client->id) || !user || !str_eq(s.user.sub, user->sub)))
        err = gh_fail(call->arena, &idp_NotAuthorizedException, "Invalid session for the user.");
    *good = !err;
    return err;
}

gh_err idp_ConfirmSignUp(struct call *call, const struct idp_ConfirmSignUp_in *in,
                         struct idp_ConfirmSignUp_out *out)
{
    struct client client;
    struct user user;
    bool found, from_sign_up = false;
    gh_err err = stranger_find(call, in->client_id, in->username, in->secret_hash, &client, &user, &found);
    if (!err && in->session.ptr)
        err = open_sign_up(call, &client, found ? &user : NULL, in->session, &from_sign_up);
    if (!err)
        err = sign_up_confirm(call, &client, found ? &user : NULL, in->username, in->confirmation_code,
                              in->force_alias_creation.value, client_metadata(call, &in->client_metadata));
    if (err || !(client.flows & FLOW_USER_AUTH))
        return err;
    /* Where such a code is a first factor, it was one now (Amplify goes on without SignUp's Session). */
    bool mail = user_has_verified(&user, "email");
    if (from_sign_up || pool_allows_first(&client.pool, mail ? FIRST_EMAIL_OTP : FIRST_SMS_OTP))
        out->session = sign_in_session_for(call, &client, &user, "CONFIRM_SIGN_UP",
                                           json_pack("{s:s}", "proven", mail ? "email" : "phone_number"));
    return NULL;
}

gh_err idp_ResendConfirmationCode(struct call *call, const struct idp_ResendConfirmationCode_in *in,
                                  struct idp_ResendConfirmationCode_out *out)
{
    struct client client;
    struct user user;
    bool found;
    gh_err err = stranger_find(call, in->client_id, in->username, in->secret_hash, &client, &user, &found);
    if (!err)
        err = cap_take(call, &client.pool, found ? user.sub : STR_NONE, in->username, CAP_RESEND_CODE);
    if (err)
        return err;
    if (!found)
        return code_send_nobody(call, &client.pool, in->username, CODE_SIGN_UP, &out->code_delivery_details);
    if (!str_eq(user.status, UNCONFIRMED))
        return gh_fail(call->arena, &idp_InvalidParameterException, "User is already confirmed.");
    const char *attribute = code_attribute_to_verify(&client.pool, &user);
    if (!attribute)
        return gh_fail(call->arena, &idp_InvalidParameterException, "Auto verification not turned on.");
    err = auth_event_note(call, &client, &user, in->user_context_data, "ResendCode");
    if (err)
        return err;
    return code_send(call, &client.pool, &user, CODE_SIGN_UP,
                     &(struct message_order){
                         .kind = MESSAGE_RESEND,
                         .attribute = attribute,
                         .client = &client,
                         .metadata = client_metadata(call, &in->client_metadata),
                     },
                     &out->code_delivery_details);
}
