/* What a pool's members are when left out, and what AWS refuses. */
#include "core/smtp.h"
#include "identity/pools/acr.h"
#include "identity/signin/mfa.h"
#include "identity/triggers/trigger.h"

#define FILL(member, type) ((member) ? (member) : ((member) = ARENA_NEW(call->arena, type)))

static void default_bool(struct opt_bool *member, bool value)
{
    if (!member->set)
        *member = some_bool(value);
}

static void default_i64(struct opt_i64 *member, int64_t value)
{
    if (!member->set)
        *member = some_i64(value);
}

static void default_str(struct str *member, const char *value)
{
    if (!member->ptr)
        *member = str_of(value);
}

/* "MinimumLength 8; RequireUppercase/Lowercase/Numbers/Symbols true; TemporaryPasswordValidityDays 7": when
 * no policy is given. In a policy that is given, what it leaves out is not required. */
static void default_password_policy(struct call *call, struct idp_UserPoolType *doc)
{
    struct idp_UserPoolPolicyType *policies = FILL(doc->policies, struct idp_UserPoolPolicyType);
    bool given = policies->password_policy != NULL;
    struct idp_PasswordPolicyType *policy = FILL(policies->password_policy, struct idp_PasswordPolicyType);
    default_i64(&policy->minimum_length, 8);
    default_bool(&policy->require_uppercase, !given);
    default_bool(&policy->require_lowercase, !given);
    default_bool(&policy->require_numbers, !given);
    default_bool(&policy->require_symbols, !given);
    default_i64(&policy->temporary_password_validity_days,
                doc->admin_create_user_config &&
                        doc->admin_create_user_config->unused_account_validity_days.set
                    ? doc->admin_create_user_config->unused_account_validity_days.value
                    : 7);
    if (!policies->sign_in_policy) {
        struct str *factors = ARENA_NEW(call->arena, struct str);
        *factors = STR("PASSWORD");
        policies->sign_in_policy = ARENA_NEW(call->arena, struct idp_SignInPolicyType);
        policies->sign_in_policy->allowed_first_auth_factors =
            (struct idp_AllowedFirstAuthFactorsListType){ true, 1, factors };
    }
}

void pool_set_defaults(struct call *call, struct idp_UserPoolType *doc)
{
    default_password_policy(call, doc);
    default_str(&doc->deletion_protection, "INACTIVE");
    default_str(&doc->mfa_configuration, "OFF");
    default_str(&doc->user_pool_tier, "ESSENTIALS");
    (void)FILL(doc->lambda_config, struct idp_LambdaConfigType);
    doc->user_pool_tags.set = true;
    default_str(&FILL(doc->email_configuration, struct idp_EmailConfigurationType)->email_sending_account,
                "COGNITO_DEFAULT");
    struct idp_AdminCreateUserConfigType *admin =
        FILL(doc->admin_create_user_config, struct idp_AdminCreateUserConfigType);
    default_bool(&admin->allow_admin_create_user_only, false);
    default_i64(&admin->unused_account_validity_days,
                doc->policies->password_policy->temporary_password_validity_days.value);

    /* the older members and the template say the same thing: the template wins, AWS answers with both */
    struct idp_VerificationMessageTemplateType *template =
        FILL(doc->verification_message_template, struct idp_VerificationMessageTemplateType);
    default_str(&template->default_email_option, "CONFIRM_WITH_CODE");
    struct {
        struct str *old, *new;
    } same[] = {
        { &doc->sms_verification_message, &template->sms_message },
        { &doc->email_verification_message, &template->email_message },
        { &doc->email_verification_subject, &template->email_subject },
    };
    for (size_t i = 0; i < COUNT(same); i++) {
        if (!same[i].new->ptr)
            *same[i].new = *same[i].old;
        *same[i].old = *same[i].new;
    }
}

static bool has(size_t n, const struct str *items, const char *value)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(items[i], value))
            return true;
    return false;
}

static gh_err check_recovery(struct call *call, const struct idp_AccountRecoverySettingType *setting)
{
    if (!setting)
        return NULL;
    const struct idp_RecoveryMechanismsType *list = &setting->recovery_mechanisms;
    for (size_t i = 0; i < list->n; i++) {
        if (str_is(list->items[i]->name, "admin_only") && list->n > 1)
            return gh_fail(
                call->arena, &idp_InvalidParameterException,
                "Account Recovery Setting cannot use admin_only setting with any other recovery mechanisms.");
        for (size_t j = 0; j < i; j++)
            if (str_eq(list->items[i]->name, list->items[j]->name) ||
                list->items[i]->priority.value == list->items[j]->priority.value)
                return gh_fail(
                    call->arena, &idp_InvalidParameterException,
                    "Account Recovery Setting cannot have duplicate priorities or recovery mechanisms.");
    }
    return NULL;
}

/* "Source ARN is required to use DEVELOPER email sending owner"; whose mails a server takes is its own to
 * say. */
static gh_err check_mail(struct call *call, const struct idp_EmailConfigurationType *mail)
{
    struct str name, address;
    if (str_is(mail->email_sending_account, "DEVELOPER") && !mail->source_arn.ptr)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Source ARN is required to use DEVELOPER email sending owner");
    if (mail->source_arn.ptr &&
        (!str_starts(mail->source_arn, STR("arn:")) || str_find_str(mail->source_arn, STR(":identity/")) < 0))
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Email address is not verified. The following identity is none of SES: %.*s",
                       STR_FMT(mail->source_arn));
    if (mail->from.ptr && !mailbox_parse(mail->from, &name, &address))
        return gh_fail(call->arena, &idp_InvalidParameterException, "Provided From email address is invalid");
    if (mail->reply_to_email_address.ptr && !mailbox_parse(mail->reply_to_email_address, &name, &address))
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Provided ReplyTo email address is invalid");
    return NULL;
}

static gh_err check_update_settings(struct call *call, const struct idp_UserPoolType *doc)
{
    const struct idp_UserAttributeUpdateSettingsType *settings = doc->user_attribute_update_settings;
    for (size_t i = 0; settings && i < settings->attributes_require_verification_before_update.n; i++)
        if (!has(doc->auto_verified_attributes.n, doc->auto_verified_attributes.items,
                 str_c(call->arena, settings->attributes_require_verification_before_update.items[i])))
            return gh_fail(call->arena, &idp_InvalidParameterException,
                           "All attributes in AttributesRequireVerificationBeforeUpdate must exist in AutoVerifiedAttributes");
    return NULL;
}

gh_err pool_check_settings(struct call *call, const struct idp_UserPoolType *doc, const json_t *more)
{
    if (doc->alias_attributes.n && doc->username_attributes.n)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Only one of the aliasAttributes or usernameAttributes can be set in a User pool.");
    if (has(doc->auto_verified_attributes.n, doc->auto_verified_attributes.items, "phone_number") &&
        !doc->sms_configuration)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "SMS configuration is required when phone_number is selected for auto verification");
    const struct idp_AllowedFirstAuthFactorsListType *factors =
        &doc->policies->sign_in_policy->allowed_first_auth_factors;
    if (!has(factors->n, factors->items, "PASSWORD"))
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Password should be configured as one of the allowed first auth factors.");
    if (has(factors->n, factors->items, "SOFTWARE_TOKEN"))
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "SOFTWARE_TOKEN cannot be configured as one of the allowed first auth factors.");
    if (doc->admin_create_user_config->unused_account_validity_days.value !=
        doc->policies->password_policy->temporary_password_validity_days.value)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of "
                       "UnusedAccountValidityDays");
    gh_err err = check_update_settings(call, doc);
    if (!err)
        err = check_mail(call, doc->email_configuration);
    if (!err)
        err = check_recovery(call, doc->account_recovery_setting);
    if (!err)
        err = acr_check(call, doc);
    if (!err)
        err = pool_mfa_check(call, doc, more);
    return err ? err : trigger_check_config(call, doc);
}
