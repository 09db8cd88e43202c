/* GetUserAuthFactors, AdminGetUserAuthFactors: by what a user can sign in, first and second. */
#include "identity/signin/choice.h"
#include "identity/signin/mfa.h"
#include "identity/tokens/token.h"

/* "PASSWORD is a first factor only, SOFTWARE_TOKEN a second one only, the others may be both." */
static gh_err configured(struct call *call, const struct pool *pool, const struct user *user,
                         struct idp_ConfiguredUserAuthFactorsListType *out)
{
    unsigned first, enabled = user_mfa_enabled(user) & pool_mfa_offered(pool);
    gh_err err = first_factors_of(call, pool, user, &first);
    if (err)
        return err;
    bool passkey_mfa = pool_passkeys_are_mfa(call, pool) && user_mfa_webauthn(user);
    const struct {
        const char *name;
        bool has;
    } rows[] = {
        { "PASSWORD", first & FIRST_BIT(FIRST_PASSWORD) },
        { "WEB_AUTHN", first & FIRST_BIT(FIRST_WEB_AUTHN) || passkey_mfa },
        { "EMAIL_OTP", first & FIRST_BIT(FIRST_EMAIL_OTP) || enabled & MFA_BIT(MFA_EMAIL) },
        { "SMS_OTP", first & FIRST_BIT(FIRST_SMS_OTP) || enabled & MFA_BIT(MFA_SMS) },
        { "SOFTWARE_TOKEN", !pool_mfa_is(pool, "OFF") && user_has_totp(user) },
    };
    *out = (struct idp_ConfiguredUserAuthFactorsListType){
        .set = true, .items = ARENA_ARRAY(call->arena, struct str, COUNT(rows))
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].has)
            out->items[out->n++] = str_of(rows[i].name);
    return NULL;
}

gh_err idp_GetUserAuthFactors(struct call *call, const struct idp_GetUserAuthFactors_in *in,
                              struct idp_GetUserAuthFactors_out *out)
{
    struct access access;
    gh_err err = access_load(call, in->access_token, &access);
    if (err)
        return err;
    out->username = access.user.username;
    out->preferred_mfa_setting = user_mfa_preferred_name(&access.user);
    out->user_mfa_setting_list = user_mfa_list(call, &access.user);
    return configured(call, &access.client.pool, &access.user, &out->configured_user_auth_factors);
}

gh_err idp_AdminGetUserAuthFactors(struct call *call, const struct idp_AdminGetUserAuthFactors_in *in,
                                   struct idp_AdminGetUserAuthFactors_out *out)
{
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    if (err)
        return err;
    out->username = user.username;
    out->preferred_mfa_setting = user_mfa_preferred_name(&user);
    out->user_mfa_setting_list = user_mfa_list(call, &user);
    return configured(call, &pool, &user, &out->configured_user_auth_factors);
}
