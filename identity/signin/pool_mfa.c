/* GetUserPoolMfaConfig, SetUserPoolMfaConfig, and what CreateUserPool and UpdateUserPool say of MFA. */
#include "core/json.h"
#include "identity/signin/mfa.h"
#include "identity/passkeys/passkey.h"
#include "identity/store/pool.h"
#include "wire/codec_json.h"

static gh_err invalid(struct call *call, const char *text)
{
    return gh_fail(call->arena, &idp_InvalidParameterException, "%s", text);
}

static unsigned factors_of(const json_t *more)
{
    const json_t *mfa = json_object_get(more, "mfa");
    return (json_flag(mfa, "sms", false) ? MFA_BIT(MFA_SMS) : 0) |
           (json_flag(mfa, "token", false) ? MFA_BIT(MFA_TOTP) : 0) |
           (json_object_get(mfa, "email") ? MFA_BIT(MFA_EMAIL) : 0);
}

unsigned pool_mfa_offered(const struct pool *pool)
{
    return pool_mfa_is(pool, "OFF") ? 0 : factors_of(pool->more);
}

const struct idp_EmailMfaConfigType *pool_email_mfa(struct call *call, const struct pool *pool)
{
    const json_t *email = json_object_get(json_object_get(pool->more, "mfa"), "email");
    struct idp_EmailMfaConfigType *out = ARENA_NEW(call->arena, struct idp_EmailMfaConfigType);
    return email && shape_from_json(call->arena, &idp_shape_EmailMfaConfigType, email, out, NULL) ? out
                                                                                                  : NULL;
}

static const struct idp_WebAuthnConfigurationType *webauthn_of(struct call *call, const json_t *more)
{
    const json_t *json = json_object_get(more, "webauthn");
    struct idp_WebAuthnConfigurationType *out = ARENA_NEW(call->arena, struct idp_WebAuthnConfigurationType);
    return json && shape_from_json(call->arena, &idp_shape_WebAuthnConfigurationType, json, out, NULL) ? out
                                                                                                       : NULL;
}

const struct idp_WebAuthnConfigurationType *pool_webauthn(struct call *call, const struct pool *pool)
{
    return webauthn_of(call, pool->more);
}

static bool is_multi_factor(const struct idp_WebAuthnConfigurationType *webauthn)
{
    return webauthn && str_is(webauthn->factor_configuration, "MULTI_FACTOR_WITH_USER_VERIFICATION");
}

bool pool_passkeys_are_mfa(struct call *call, const struct pool *pool)
{
    return is_multi_factor(pool_webauthn(call, pool));
}

/* ---- what goes together ---- */

static bool first_factor(const struct idp_UserPoolType *doc, const char *name)
{
    const struct idp_AllowedFirstAuthFactorsListType *list =
        &doc->policies->sign_in_policy->allowed_first_auth_factors;
    for (size_t i = 0; i < list->n; i++)
        if (str_is(list->items[i], name))
            return true;
    return false;
}

/* "Only PASSWORD and WEB_AUTHN (if configured) can be enabled as an auth factor if MFA is enabled": with ON;
 * OPTIONAL takes them all. */
static gh_err check_first_factors(struct call *call, const struct idp_UserPoolType *doc, struct str mode,
                                  const struct idp_WebAuthnConfigurationType *webauthn)
{
    if (!str_is(mode, "ON"))
        return NULL;
    if (first_factor(doc, "EMAIL_OTP") || first_factor(doc, "SMS_OTP"))
        return invalid(
            call, "Only PASSWORD and WEB_AUTHN (if configured) can be enabled as an auth factor if MFA is "
                  "enabled");
    if (first_factor(doc, "WEB_AUTHN") && !is_multi_factor(webauthn))
        return invalid(
            call, "Cannot set WebAuthn factor configuration to SINGLE_FACTOR if MFA is required and WebAuthn "
                  "is an allowed first auth factor");
    return NULL;
}

static gh_err check_tier(struct call *call, const struct idp_UserPoolType *doc)
{
    const struct idp_AllowedFirstAuthFactorsListType *list =
        &doc->policies->sign_in_policy->allowed_first_auth_factors;
    if (!str_is(doc->user_pool_tier, "LITE"))
        return NULL;
    if (list->n > 1)
        return gh_fail(
            call->arena, &idp_FeatureUnavailableInTierException,
            "The following features need to be disabled for the LITE pricing tier configured: Passwordless "
            "Sign-In");
    return NULL;
}

/* "You can't enable email MFA and set the recovery option to Email only in the same user pool." */
static gh_err check_recovery(struct call *call, const struct idp_UserPoolType *doc, bool email_mfa)
{
    const struct idp_AccountRecoverySettingType *setting = doc->account_recovery_setting;
    if (!email_mfa || !setting || setting->recovery_mechanisms.n != 1 ||
        !str_is(setting->recovery_mechanisms.items[0]->name, "verified_email"))
        return NULL;
    return invalid(call, "Email MFA cannot be enabled when email is the only account recovery option.");
}

gh_err pool_mfa_check(struct call *call, const struct idp_UserPoolType *doc, const json_t *more)
{
    gh_err err = check_tier(call, doc);
    if (!err)
        err = check_first_factors(call, doc, doc->mfa_configuration, webauthn_of(call, more));
    if (err || str_is(doc->mfa_configuration, "OFF"))
        return err;
    err = check_recovery(call, doc, factors_of(more) & MFA_BIT(MFA_EMAIL));
    if (err)
        return err;
    if (!doc->sms_configuration && !(factors_of(more) & ~MFA_BIT(MFA_SMS)))
        return invalid(call,
                       "SMS configuration and Auto verification for phone_number are required when MFA is "
                       "required/optional");
    return NULL;
}

json_t *pool_mfa_after(struct call *call, const struct idp_UserPoolType *doc, json_t *more)
{
    json_t *after = json_own(call->arena, more ? json_deep_copy(more) : json_object());
    if (str_is(doc->mfa_configuration, "OFF") || (factors_of(after) && doc->sms_configuration))
        return after;
    json_t *mfa = json_object_get(after, "mfa");
    if (!mfa) {
        mfa = json_object();
        json_object_set_new(after, "mfa", mfa);
    }
    json_set_flag(mfa, "sms", doc->sms_configuration != NULL);
    return after;
}

/* ---- the operations ---- */

static void show(struct call *call, const struct pool *pool, struct idp_GetUserPoolMfaConfig_out *out)
{
    unsigned offered = factors_of(pool->more);
    out->mfa_configuration = pool->doc->mfa_configuration;
    out->web_authn_configuration = (struct idp_WebAuthnConfigurationType *)(void *)pool_webauthn(call, pool);
    if (pool_mfa_is(pool, "OFF"))
        return;
    if (offered & MFA_BIT(MFA_SMS)) {
        out->sms_mfa_configuration = ARENA_NEW(call->arena, struct idp_SmsMfaConfigType);
        out->sms_mfa_configuration->sms_authentication_message = pool->doc->sms_authentication_message;
        out->sms_mfa_configuration->sms_configuration = pool->doc->sms_configuration;
    }
    out->software_token_mfa_configuration = ARENA_NEW(call->arena, struct idp_SoftwareTokenMfaConfigType);
    out->software_token_mfa_configuration->enabled = some_bool((offered & MFA_BIT(MFA_TOTP)) != 0);
    out->email_mfa_configuration = (struct idp_EmailMfaConfigType *)(void *)pool_email_mfa(call, pool);
}

gh_err idp_GetUserPoolMfaConfig(struct call *call, const struct idp_GetUserPoolMfaConfig_in *in,
                                struct idp_GetUserPoolMfaConfig_out *out)
{
    struct pool pool;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        show(call, &pool, out);
    return err;
}

/* Measured: what is wrong with OFF is said before what is wrong with the mail's account; a block that enables
 * nothing still counts as given. */
static gh_err check(struct call *call, const struct pool *pool, const struct idp_SetUserPoolMfaConfig_in *in)
{
    const struct idp_UserPoolType *doc = pool->doc;
    bool token = in->software_token_mfa_configuration && in->software_token_mfa_configuration->enabled.value;
    bool any = in->sms_mfa_configuration || token || in->email_mfa_configuration;
    bool off = !in->mfa_configuration.ptr || str_is(in->mfa_configuration, "OFF");
    if (off &&
        (in->sms_mfa_configuration || in->software_token_mfa_configuration || in->email_mfa_configuration))
        return invalid(call,
                       "Invalid MFA configuration given, can't turn off MFA and configure an MFA together.");
    if (!off && !any)
        return invalid(call,
                       "Invalid MFA Configuration given. SMS MFA, Email MFA, or Software Token MFA must be "
                       "enabled.");
    if (in->sms_mfa_configuration && !in->sms_mfa_configuration->sms_configuration && !doc->sms_configuration)
        return invalid(call,
                       "SMS configuration and Auto verification for phone_number are required when MFA is "
                       "required/optional");
    if (in->email_mfa_configuration && str_is(doc->user_pool_tier, "LITE"))
        return gh_fail(
            call->arena, &idp_FeatureUnavailableInTierException,
            "The following features need to be disabled for the LITE pricing tier configured: Email MFA");
    if (in->email_mfa_configuration &&
        str_is(doc->email_configuration->email_sending_account, "COGNITO_DEFAULT"))
        return invalid(call, "Cannot set EmailMfaConfiguration when user pool EmailConfiguration contains an "
                             "EmailSendingAccount of COGNITO_DEFAULT.");
    if (in->web_authn_configuration && str_is(doc->user_pool_tier, "LITE"))
        return gh_fail(call->arena, &idp_FeatureUnavailableInTierException,
                       "The following features need to be disabled for the LITE pricing tier configured: Passkeys");
    gh_err err = in->web_authn_configuration ? webauthn_check_settings(call, in->web_authn_configuration) : NULL;
    if (!err)
        err = check_recovery(call, doc, in->email_mfa_configuration != NULL);
    if (err)
        return err;
    return check_first_factors(call, doc, off ? STR("OFF") : in->mfa_configuration,
                               in->web_authn_configuration ? in->web_authn_configuration
                                                           : pool_webauthn(call, pool));
}

static void change(struct call *call, struct pool *pool, const struct idp_SetUserPoolMfaConfig_in *in)
{
    struct idp_UserPoolType *doc = pool->doc;
    const struct idp_SmsMfaConfigType *sms = in->sms_mfa_configuration;
    doc->mfa_configuration = in->mfa_configuration.ptr ? in->mfa_configuration : STR("OFF");
    doc->last_modified_date = some_time_us(call->now_us);
    if (sms && sms->sms_configuration)
        doc->sms_configuration = sms->sms_configuration;
    if (sms && sms->sms_authentication_message.ptr)
        doc->sms_authentication_message = sms->sms_authentication_message;
    json_t *mfa = json_object();
    json_object_set_new(pool->more, "mfa", mfa);
    json_set_flag(mfa, "sms", sms != NULL);
    json_set_flag(mfa, "token",
                  in->software_token_mfa_configuration &&
                      in->software_token_mfa_configuration->enabled.value);
    if (in->email_mfa_configuration)
        json_object_set(
            mfa, "email",
            shape_to_json(call->arena, &idp_shape_EmailMfaConfigType, in->email_mfa_configuration));
    if (in->web_authn_configuration)
        json_object_set(
            pool->more, "webauthn",
            shape_to_json(call->arena, &idp_shape_WebAuthnConfigurationType, in->web_authn_configuration));
}

/* A whole replacement: what is left out is off. WebAuthn "is independent of the MFA configuration options".
 */
gh_err idp_SetUserPoolMfaConfig(struct call *call, const struct idp_SetUserPoolMfaConfig_in *in,
                                struct idp_SetUserPoolMfaConfig_out *out)
{
    struct pool pool;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = pool_load_in(call, &tx, in->user_pool_id, &pool);
    if (!err)
        err = check(call, &pool, in);
    if (err) {
        tx_rollback(&tx);
        return err;
    }
    change(call, &pool, in);
    store_pool_update(&tx, pool.id, shape_print(call->arena, &idp_shape_UserPoolType, pool.doc));
    store_pool_update_more(&tx, pool.id, json_print(call->arena, pool.more));
    err = tx_commit(&tx);
    struct idp_GetUserPoolMfaConfig_out shown = { .mfa_configuration = STR_NONE };
    show(call, &pool, &shown);
    *out = (struct idp_SetUserPoolMfaConfig_out){
        .sms_mfa_configuration = shown.sms_mfa_configuration,
        .software_token_mfa_configuration = shown.software_token_mfa_configuration,
        .email_mfa_configuration = shown.email_mfa_configuration,
        .mfa_configuration = shown.mfa_configuration,
        .web_authn_configuration = shown.web_authn_configuration,
    };
    return err;
}
