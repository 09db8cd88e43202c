/* SetUserMFAPreference, AdminSetUserMFAPreference, SetUserSettings, AdminSetUserSettings. */
#include "core/json.h"
#include "identity/signin/mfa.h"
#include "identity/tokens/token.h"

/* What a request says of one factor. */
struct wish {
    bool given, enabled;
    struct opt_bool preferred;
};

static gh_err invalid(struct call *call, const char *text)
{
    return gh_fail(call->arena, &idp_InvalidParameterException, "%s", text);
}

/* "Passkey MFA applies only when passkey is the first authentication factor. The user must also have at least
 * one other MFA method." */
static gh_err set_webauthn(struct call *call, const struct pool *pool, struct user *user, bool on)
{
    if (on && !pool_passkeys_are_mfa(call, pool))
        return invalid(call, "Passkey MFA is not enabled for the user pool.");
    if (on && !user_mfa_enabled(user))
        return invalid(call, "Passkey MFA needs another MFA method to be enabled for the user.");
    user_mfa_set_webauthn(user, on);
    return NULL;
}

/* A factor that is not named stays what it is; so does the preference where PreferredMfa is left out, as
 * Amplify's ENABLED relies on. */
static gh_err apply(struct call *call, struct user *user, const struct wish wishes[MFA_FACTORS])
{
    unsigned enabled = user_mfa_enabled(user), preferring = 0;
    enum mfa_factor preferred = MFA_SMS;
    bool has_preferred = user_mfa_preferred(user, &preferred);
    for (int i = 0; i < MFA_FACTORS; i++) {
        const struct wish *wish = &wishes[i];
        if (!wish->given)
            continue;
        if (wish->preferred.value && !wish->enabled)
            return invalid(call, "PreferredMfa cannot be set to true when the MFA method is not enabled.");
        if (wish->enabled && !user_mfa_can(user, (enum mfa_factor)i))
            return gh_fail(call->arena, &idp_InvalidParameterException,
                           "User does not have delivery config set to turn on %s",
                           mfa_name((enum mfa_factor)i));
        enabled = wish->enabled ? enabled | MFA_BIT(i) : enabled & ~MFA_BIT(i);
        preferring += wish->preferred.value;
        if (has_preferred && (int)preferred == i &&
            (!wish->enabled || (wish->preferred.set && !wish->preferred.value)))
            has_preferred = false;
    }
    if (preferring > 1)
        return invalid(call, "Only one MFA method can be set as preferred.");
    for (int i = 0; i < MFA_FACTORS; i++)
        if (wishes[i].preferred.value) {
            preferred = (enum mfa_factor)i;
            has_preferred = true;
        }
    user_mfa_set(user, enabled, has_preferred ? &preferred : NULL);
    if (!enabled)
        user_mfa_set_webauthn(user, false);
    return NULL;
}

#define WISH(settings)                                                                                       \
    {                                                                                                        \
        (settings) != NULL, (settings) && (settings)->enabled.value,                                         \
            (settings) ? (settings)->preferred_mfa : (struct opt_bool)                                       \
        {                                                                                                    \
            false, false                                                                                     \
        }                                                                                                    \
    }
#define WISHES(in)                                                                                           \
    {                                                                                                        \
        [MFA_SMS] = WISH((in)->sms_mfa_settings), [MFA_TOTP] = WISH((in)->software_token_mfa_settings),      \
        [MFA_EMAIL] = WISH((in)->email_mfa_settings),                                                        \
    }

static gh_err set_preference(struct call *call, const struct pool *pool, struct user *user,
                             const struct wish wishes[MFA_FACTORS],
                             const struct idp_WebAuthnMfaSettingsType *webauthn)
{
    if (wishes[MFA_EMAIL].enabled && str_is(pool->doc->user_pool_tier, "LITE"))
        return gh_fail(
            call->arena, &idp_FeatureUnavailableInTierException,
            "The following feature is not available for the LITE pricing tier configured: Email MFA");
    gh_err err = apply(call, user, wishes);
    if (!err && webauthn)
        err = set_webauthn(call, pool, user, webauthn->enabled.value);
    return err ? err : user_save_alone(call, pool, user);
}

gh_err idp_SetUserMFAPreference(struct call *call, const struct idp_SetUserMFAPreference_in *in,
                                struct idp_SetUserMFAPreference_out *out)
{
    (void)out;
    struct access access;
    gh_err err = access_load(call, in->access_token, &access);
    if (err)
        return err;
    const struct wish wishes[MFA_FACTORS] = WISHES(in);
    return set_preference(call, &access.client.pool, &access.user, wishes, in->web_authn_mfa_settings);
}

gh_err idp_AdminSetUserMFAPreference(struct call *call, const struct idp_AdminSetUserMFAPreference_in *in,
                                     struct idp_AdminSetUserMFAPreference_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    if (err)
        return err;
    const struct wish wishes[MFA_FACTORS] = WISHES(in);
    return set_preference(call, &pool, &user, wishes, in->web_authn_mfa_settings);
}

/* The older operations: "You can use it to configure only SMS MFA." An empty list turns it off. */
static gh_err set_options(struct call *call, const struct pool *pool, struct user *user,
                          const struct idp_MFAOptionListType *options)
{
    struct wish wishes[MFA_FACTORS] = { [MFA_SMS] = { .given = true, .enabled = options->n > 0 } };
    for (size_t i = 0; i < options->n; i++)
        if (!str_is(options->items[i]->delivery_medium, "SMS") ||
            !str_is(options->items[i]->attribute_name, "phone_number"))
            return invalid(call,
                           "MFAOptions can only have DeliveryMedium SMS and AttributeName phone_number.");
    return set_preference(call, pool, user, wishes, NULL);
}

gh_err idp_SetUserSettings(struct call *call, const struct idp_SetUserSettings_in *in,
                           struct idp_SetUserSettings_out *out)
{
    (void)out;
    struct access access;
    gh_err err = access_load(call, in->access_token, &access);
    return err ? err : set_options(call, &access.client.pool, &access.user, &in->mfa_options);
}

gh_err idp_AdminSetUserSettings(struct call *call, const struct idp_AdminSetUserSettings_in *in,
                                struct idp_AdminSetUserSettings_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    return err ? err : set_options(call, &pool, &user, &in->mfa_options);
}
