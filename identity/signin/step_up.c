#include "identity/signin/step_up.h"

#include "core/json.h"
#include "identity/pools/acr.h"
#include "identity/signin/mfa.h"

/* Kinds of proof, in the order in which `amr` names them. */
enum { PWD, OTP, SMS, EMAIL_OTP, SWK, HWK, PROOFS };
#define PROOF(kind) (1u << (kind))

static const char *const amr_names[PROOFS] = { "pwd", "otp", "sms", "email_otp", "swk", "hwk" };

static const struct {
    const char *challenge;
    int proof;
} proofs[] = {
    { "PASSWORD", PWD }, { "PASSWORD_VERIFIER", PWD }, { "SOFTWARE_TOKEN_MFA", OTP }, { "MFA_SETUP", OTP },
    { "SMS_MFA", SMS },  { "SMS_OTP", SMS },           { "EMAIL_OTP", EMAIL_OTP },
};

/* What a passkey is (platform or roaming) is noted by its challenge: {"amr": "hwk"}. */
static unsigned proven(const struct sign_in *s)
{
    unsigned out = 0;
    for (size_t i = 0; i < COUNT(proofs); i++)
        if (sign_in_has_passed(s, proofs[i].challenge))
            out |= PROOF(proofs[i].proof);
    if (sign_in_has_passed(s, "WEB_AUTHN"))
        out |= PROOF(str_is(json_str(sign_in_recall(s, "WEB_AUTHN"), "amr"), "hwk") ? HWK : SWK);
    return out;
}

/* "Amazon Cognito assigns the highest authentication level that the user's completed factors fully satisfy."
 */
static int level_of(unsigned proof)
{
    if (proof & PROOF(PWD) && proof & PROOF(OTP))
        return 4;
    if (proof & (PROOF(SWK) | PROOF(HWK)) || (proof & PROOF(PWD) && proof & (PROOF(SMS) | PROOF(EMAIL_OTP))))
        return 3;
    if (proof & (PROOF(SMS) | PROOF(EMAIL_OTP)))
        return 2;
    return proof & PROOF(PWD) ? 1 : 0;
}

static int target_of(const struct sign_in *s)
{
    return (int)json_i64(sign_in_recall(s, "step_up"), "level", 0);
}

unsigned step_up_second_factors(const struct sign_in *s)
{
    int target = target_of(s);
    if (target == 4)
        return MFA_BIT(MFA_TOTP);
    return target == 3 && !sign_in_has_passed(s, "WEB_AUTHN") ? MFA_BIT(MFA_SMS) | MFA_BIT(MFA_EMAIL) : 0;
}

/* First factors that lead to a level, of those that the user has; 0: it cannot be reached. Nobody is like
 * somebody without second factors. */
static unsigned ways_to(const struct sign_in *s, int level, unsigned first)
{
    unsigned second = s->user.sub.ptr ? second_factors_of(s) : 0,
             password = first & FIRST_BIT(FIRST_PASSWORD);
    switch (level) {
    case 1:
        return password;
    case 2:
        return first & (FIRST_BIT(FIRST_EMAIL_OTP) | FIRST_BIT(FIRST_SMS_OTP));
    case 3:
        return (first & FIRST_BIT(FIRST_WEB_AUTHN)) |
               (second & (MFA_BIT(MFA_SMS) | MFA_BIT(MFA_EMAIL)) ? password : 0);
    default:
        return second & MFA_BIT(MFA_TOTP) ? password : 0;
    }
}

static gh_err invalid(const struct sign_in *s, const char *text)
{
    return gh_fail(s->call->arena, &idp_InvalidParameterException, "%s", text);
}

/* "Attempts the highest-priority level that the user can satisfy, and falls back through the list; ignores
 * any value that it doesn't recognize. If none of the requested values are valid, returns an error." */
static gh_err choose(const struct sign_in *s, struct str values, unsigned first, int *level)
{
    struct str value;
    int known = 0;
    *level = 0;
    while (str_split(&values, ' ', &value)) {
        int one = value.len ? pool_acr_level(s->client.pool.doc, value) : 0;
        known += one > 0;
        if (one && !*level && ways_to(s, one, first))
            *level = one;
    }
    if (!known)
        return invalid(s, "TARGET_ACR_VALUES has no valid authentication level.");
    if (!*level)
        return invalid(s, "The user has no factors that reach a requested authentication level.");
    return NULL;
}

/* What the token's sign-in had proven, as challenges passed; none when it is older than MAX_AGE. */
static gh_err credit_token(struct sign_in *s, struct str token, int64_t max_age_s)
{
    struct access access;
    struct session session;
    bool found;
    gh_err err = access_load(s->call, token, &access);
    if (err)
        return err;
    if (!str_eq(access.client.id, s->client.id) || !str_eq(access.user.sub, s->user.sub))
        return gh_fail(s->call->arena, &idp_NotAuthorizedException,
                       "The access token was not issued to this user and client.");
    err = session_of_access(s->call, &access, &session, &found);
    if (err || !found || (max_age_s >= 0 && s->call->now_us / 1000000 - session.auth_s > max_age_s))
        return err;
    json_t *passed = json_array(), *name;
    size_t i;
    json_array_foreach(session.amr, i, name) {
        const char *method = json_string_value(name);
        for (size_t p = 0; method && p < COUNT(proofs); p++)
            if (strcmp(amr_names[proofs[p].proof], method) == 0) {
                json_array_append_new(passed, json_string(proofs[p].challenge));
                break;
            }
        if (method && (strcmp(method, "swk") == 0 || strcmp(method, "hwk") == 0)) {
            json_array_append_new(passed, json_string("WEB_AUTHN"));
            sign_in_keep(s, "WEB_AUTHN", json_pack("{s:s}", "amr", method));
        }
    }
    json_object_set_new(s->state, "passed", passed);
    return NULL;
}

gh_err step_up_begin(struct sign_in *s, unsigned *first, bool *go_on)
{
    struct str target = sign_in_given(s, "TARGET_ACR_VALUES"), token = sign_in_given(s, "ACCESS_TOKEN"),
               age = sign_in_given(s, "MAX_AGE");
    int64_t max_age_s = -1;
    int level;
    *go_on = false;
    if (age.len && (!str_i64(age, &max_age_s) || max_age_s < 0))
        return invalid(s, "MAX_AGE must be a number of seconds, zero or more.");
    if (!target.len)
        return token.len ? invalid(s, "ACCESS_TOKEN requires TARGET_ACR_VALUES.") : NULL;
    if (str_is(s->client.pool.doc->user_pool_tier, "LITE"))
        return gh_fail(s->call->arena, &idp_FeatureUnavailableInTierException,
                       "The following feature is not available for the LITE pricing tier configured: Step-up "
                       "Authentication");
    gh_err err = choose(s, target, *first, &level);
    if (!err && token.len)
        err = credit_token(s, token, max_age_s);
    if (err)
        return err;
    if (level_of(proven(s)) >= level)
        return invalid(s, "The access token already meets the requested authentication level.");
    sign_in_keep(s, "step_up", json_pack("{s:i}", "level", level));
    *first = ways_to(s, level, *first);
    *go_on = proven(s) & PROOF(PWD) && *first & FIRST_BIT(FIRST_PASSWORD) &&
             !(*first & FIRST_BIT(FIRST_WEB_AUTHN) &&
               str_is(sign_in_given(s, "PREFERRED_CHALLENGE"), "WEB_AUTHN"));
    if (proven(s) & PROOF(PWD) && !*go_on)
        *first &= ~FIRST_BIT(FIRST_PASSWORD);
    return NULL;
}

/* What was asked for is reported; how somebody came in is kept in any case, so that a later sign-in can build
 * on it. "Step-up authentication is all-or-nothing." */
gh_err assurance_due(struct sign_in *s, const char **due)
{
    (void)due;
    unsigned proof = proven(s);
    int level = level_of(proof), methods = 0;
    json_t *amr = json_own(s->call->arena, json_array());
    for (int i = 0; i < PROOFS; i++)
        if (proof & PROOF(i)) {
            json_array_append_new(amr, json_string(amr_names[i]));
            methods++;
        }
    if (methods > 1)
        json_array_append_new(amr, json_string("mfa"));
    if (methods)
        s->session.amr = amr;
    if (!sign_in_recall(s, "step_up"))
        return NULL;
    if (level < target_of(s))
        return sign_in_refused(s);
    s->session.acr = pool_acr_name(s->client.pool.doc, level);
    return NULL;
}
