/* ForgotPassword, ConfirmForgotPassword: a code to a verified address, then a new password. */
#include "identity/tokens/revocation.h"
#include "identity/protection/cap.h"
#include "identity/protection/compromised.h"
#include "identity/protection/event.h"
#include "identity/signin/mfa.h"
#include "identity/triggers/account.h"
#include "identity/triggers/authentication.h"
#include "identity/users/code.h"

/* "Users can't receive MFA and password reset codes at the same email address or phone number." */
static bool can_recover_by(const struct pool *pool, const struct user *user, enum mfa_factor factor)
{
    return user_has_verified(user, mfa_attribute(factor)) &&
           (pool_mfa_is(pool, "OFF") || !(user_mfa_enabled(user) & MFA_BIT(factor)));
}

/* "AccountRecoverySetting absent: phone if verified unless it is the MFA factor, else e-mail". */
static const char *recovery_attribute(struct call *call, const struct pool *pool, const struct user *user,
                                      gh_err *err)
{
    const struct idp_AccountRecoverySettingType *setting = pool->doc->account_recovery_setting;
    *err = NULL;
    if (!setting || !setting->recovery_mechanisms.n)
        return can_recover_by(pool, user, MFA_SMS)     ? "phone_number"
               : can_recover_by(pool, user, MFA_EMAIL) ? "email"
                                                       : NULL;
    const struct idp_RecoveryMechanismsType *list = &setting->recovery_mechanisms;
    for (int64_t priority = 1; priority <= 2; priority++)
        for (size_t i = 0; i < list->n; i++) {
            const struct idp_RecoveryOptionType *option = list->items[i];
            if (option->priority.value != priority)
                continue;
            if (str_is(option->name, "admin_only"))
                *err = gh_fail(call->arena, &idp_NotAuthorizedException,
                               "Contact administrator to reset password.");
            else if (str_is(option->name, "verified_email") && can_recover_by(pool, user, MFA_EMAIL))
                return "email";
            else if (str_is(option->name, "verified_phone_number") && can_recover_by(pool, user, MFA_SMS))
                return "phone_number";
        }
    return NULL;
}

/* Whoever is unknown may have come from an older system (UserMigration): asked within the cap of the name. */
static gh_err forgetful_find(struct call *call, const struct idp_ForgotPassword_in *in, struct client *client,
                             struct user *user, bool *found, const json_t *metadata)
{
    gh_err err = client_find(call, in->client_id, client);
    if (!err)
        err = client_check_secret_hash(call, client, in->username, in->secret_hash);
    if (!err)
        err = user_find(call, &client->pool, in->username, user, found);
    if (!err)
        err = cap_take(call, &client->pool, *found ? user->sub : STR_NONE, in->username, CAP_FORGOT_PASSWORD);
    if (!err && !*found)
        err = trigger_migrate_forgot(call, client, in->username, metadata, user, found);
    if (!err && !*found && !client->hides_users)
        return gh_fail(call->arena, &idp_UserNotFoundException, "Username/client id combination not found.");
    return err;
}

gh_err idp_ForgotPassword(struct call *call, const struct idp_ForgotPassword_in *in,
                          struct idp_ForgotPassword_out *out)
{
    struct client client;
    struct user user;
    bool found;
    const json_t *metadata = client_metadata(call, &in->client_metadata);
    gh_err err = forgetful_find(call, in, &client, &user, &found, metadata);
    if (err)
        return err;
    const char *attribute =
        found && user.enabled ? recovery_attribute(call, &client.pool, &user, &err) : NULL;
    if (err)
        return err;
    /* "ForgotPassword: fake CodeDeliveryDetails (also disabled user / no verified contact)" */
    if (!attribute && client.hides_users)
        return code_send_nobody(call, &client.pool, in->username, CODE_FORGOT, &out->code_delivery_details);
    if (!user.enabled)
        return gh_fail(call->arena, &idp_NotAuthorizedException, "User is disabled.");
    if (str_eq(user.status, FORCE_CHANGE_PASSWORD))
        return gh_fail(call->arena, &idp_NotAuthorizedException,
                       "User password cannot be reset in the current state.");
    if (!attribute)
        return gh_fail(
            call->arena, &idp_InvalidParameterException,
            "Cannot reset password for the user as there is no registered/verified email or phone_number");
    err = auth_event_note(call, &client, &user, in->user_context_data, "ForgotPassword");
    if (err)
        return err;
    return code_send(call, &client.pool, &user, CODE_FORGOT,
                     &(struct message_order){
                         .kind = MESSAGE_FORGOT,
                         .attribute = attribute,
                         .client = &client,
                         .metadata = metadata,
                     },
                     &out->code_delivery_details);
}

/* "ConfirmForgotPassword makes RESET_REQUIRED -> CONFIRMED (UNCONFIRMED stays)". All sign-ins end: who asks
 * for a new password may have lost the old one to somebody. */
gh_err idp_ConfirmForgotPassword(struct call *call, const struct idp_ConfirmForgotPassword_in *in,
                                 struct idp_ConfirmForgotPassword_out *out)
{
    (void)out;
    struct client client;
    struct user user;
    bool found;
    struct str attribute;
    gh_err err = stranger_find(call, in->client_id, in->username, in->secret_hash, &client, &user, &found);
    if (!err)
        err = cap_take(call, &client.pool, found ? user.sub : STR_NONE, in->username, CAP_CONFIRM_FORGOT_PASSWORD);
    if (err)
        return err;
    if (!found || (!user.enabled && client.hides_users))
        return code_check_nobody(call, &client.pool, in->username, CODE_FORGOT);
    if (!user.enabled)
        return gh_fail(call->arena, &idp_NotAuthorizedException, "User is disabled.");
    err = code_check(call, &user, CODE_FORGOT, in->confirmation_code, &attribute);
    if (!err)
        err = password_check_policy(call, &client.pool, in->password);
    if (!err)
        err = compromised_refuse(call, &client.pool, client.id, CREDENTIALS_PASSWORD_CHANGE, in->password);
    if (!err)
        err = user_set_password(call, &client.pool, &user, in->password);
    if (err)
        return err;
    if (str_eq(user.status, RESET_REQUIRED))
        user.status = CONFIRMED;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    code_drop(&tx, &user, CODE_FORGOT);
    err = user_save_and_end_sessions(call, &tx, &client.pool, &user);
    if (!err)
        err = auth_event_note(call, &client, &user, in->user_context_data, "PasswordChange");
    return err ? err
               : trigger_post_confirmation(call, &client, &client.pool, &user, "PostConfirmation_ConfirmForgotPassword",
                                           client_metadata(call, &in->client_metadata));
}
