/* Second factors: which ones a pool has, which ones a user has set up and wants.
 *
 * A pool's are in pool->more "mfa", beside its MfaConfiguration:
 *     {"sms": true, "token": true, "email": {"Message", "Subject"}}     each only when it is offered
 * and "webauthn", its WebAuthnConfiguration. A user's are in user->more:
 *     "mfa":  {"enabled": ["SMS_MFA", ...], "preferred": "SMS_MFA", "webauthn": true}
 *     "totp": {"seed": sealed bytes, "name": FriendlyDeviceName, "pending": sealed, until it is verified} */
#pragma once

#include "identity/users/user.h"

enum mfa_factor { MFA_SMS, MFA_TOTP, MFA_EMAIL, MFA_FACTORS };
#define MFA_BIT(factor) (1u << (factor))

/* "SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP": as settings, preferences and challenges are called. */
const char *mfa_name(enum mfa_factor factor);
const char *mfa_attribute(enum mfa_factor factor);     /* "phone_number", "email"; of TOTP NULL */
bool mfa_named(struct str name, enum mfa_factor *out); /* "EMAIL_MFA" is the guide's other word */

/* ---- a pool's: pool_mfa.c ---- */
static inline bool pool_mfa_is(const struct pool *pool, const char *mode) /* "OFF", "ON", "OPTIONAL" */
{
    return str_is(pool->doc->mfa_configuration, mode);
}
unsigned pool_mfa_offered(const struct pool *pool); /* MFA_BITs; none while MFA is OFF */
const struct idp_EmailMfaConfigType *pool_email_mfa(struct call *call, const struct pool *pool); /* or NULL */
/* NULL: never set. */
const struct idp_WebAuthnConfigurationType *pool_webauthn(struct call *call, const struct pool *pool);
bool pool_passkeys_are_mfa(struct call *call,
                           const struct pool *pool); /* MULTI_FACTOR_WITH_USER_VERIFICATION */
/* What CreateUserPool and UpdateUserPool say of MFA and of first factors. more: the pool's, or NULL for a new
 * one. InvalidParameterException, FeatureUnavailableInTierException. */
gh_err pool_mfa_check(struct call *call, const struct idp_UserPoolType *doc, const json_t *more);
/* With MFA switched on there, SMS is offered as soon as it can be sent: the new `more`. */
json_t *pool_mfa_after(struct call *call, const struct idp_UserPoolType *doc, json_t *more);

/* ---- a user's: mfa.c ---- */
unsigned user_mfa_enabled(const struct user *user);
bool user_mfa_preferred(const struct user *user, enum mfa_factor *out);
bool user_mfa_webauthn(const struct user *user);
bool user_mfa_can(const struct user *user, enum mfa_factor factor); /* has an address, an app */
bool user_has_totp(const struct user *user);
void user_mfa_set(struct user *user, unsigned enabled, const enum mfa_factor *preferred);
void user_mfa_set_webauthn(struct user *user, bool on);
/* UserMFASettingList, PreferredMfaSetting, MFAOptions, as GetUser and its kin show them. */
struct idp_UserMFASettingListType user_mfa_list(struct call *call, const struct user *user);
struct str user_mfa_preferred_name(const struct user *user); /* absent: none */
struct idp_MFAOptionListType user_mfa_options(struct call *call, const struct user *user);

/* ---- the app: software_token.c ---- */
struct str totp_seed(struct call *call, const struct user *user); /* opened; absent: none */
/* A secret that another server made, into the user, not yet saved. */
void totp_give(struct call *call, struct user *user, struct str seed);
struct str totp_device_name(const struct user *user);
/* What makes a step of this user's app unique, and when it may be forgotten. */
struct str totp_use(struct call *call, const struct user *user, int64_t step, int64_t *until_s);
gh_err
totp_used(struct call *call); /* ExpiredCodeException, "Your software token has already been used once." */
