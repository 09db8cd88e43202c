/* Whether a second factor is due and which: the gate, SELECT_MFA_TYPE, MFA_SETUP, SOFTWARE_TOKEN_MFA.
 *
 * After the guide's "Details of MFA logic at user runtime". A second factor follows a password; who came in
 * by a passkey or a code alone has none ("users can either have MFA or sign in with passwordless factors").
 */
#include "core/json.h"
#include "identity/signin/mfa.h"
#include "identity/signin/sign_in.h"
#include "identity/signin/step_up.h"
#include "identity/signin/totp.h"

static bool proved_password(const struct sign_in *s)
{
    return sign_in_has_passed(s, "PASSWORD") || sign_in_has_passed(s, "PASSWORD_VERIFIER");
}

/* MFA_BITs of what was proven in this sign-in. */
static unsigned proven(const struct sign_in *s)
{
    bool token = sign_in_has_passed(s, mfa_name(MFA_TOTP)) || sign_in_has_passed(s, "MFA_SETUP");
    return (sign_in_has_passed(s, mfa_name(MFA_SMS)) ? MFA_BIT(MFA_SMS) : 0) |
           (token ? MFA_BIT(MFA_TOTP) : 0) |
           (sign_in_has_passed(s, mfa_name(MFA_EMAIL)) ? MFA_BIT(MFA_EMAIL) : 0);
}

/* "When true, a remembered device can sign in with device authentication instead of SMS and TOTP factors" */
static bool device_stands_in(const struct sign_in *s)
{
    const struct idp_DeviceConfigurationType *devices = s->client.pool.doc->device_configuration;
    return devices && devices->challenge_required_on_new_device.value &&
           sign_in_has_passed(s, "DEVICE_PASSWORD_VERIFIER");
}

/* Where codes for a forgotten password go first. */
static bool is_for_recovery(const struct pool *pool, enum mfa_factor factor)
{
    const struct idp_AccountRecoverySettingType *setting = pool->doc->account_recovery_setting;
    const struct idp_RecoveryOptionType *first = NULL;
    for (size_t i = 0; setting && i < setting->recovery_mechanisms.n; i++) {
        const struct idp_RecoveryOptionType *one = setting->recovery_mechanisms.items[i];
        if (!first || one->priority.value < first->priority.value)
            first = one;
    }
    return first && str_is(first->name, factor == MFA_EMAIL ? "verified_email" : "verified_phone_number");
}

/* "If your users have set up TOTP, they can use it for MFA, even if you deactivate TOTP for the user pool
 * later." */
static unsigned usable(const struct sign_in *s)
{
    unsigned offered = pool_mfa_offered(&s->client.pool) | MFA_BIT(MFA_TOTP), out = 0;
    for (int i = 0; i < MFA_FACTORS; i++)
        if (offered & MFA_BIT(i) && user_mfa_can(&s->user, (enum mfa_factor)i))
            out |= MFA_BIT(i);
    return out;
}

unsigned second_factors_of(const struct sign_in *s)
{
    unsigned can = usable(s), offered = pool_mfa_offered(&s->client.pool);
    unsigned out = can & user_mfa_enabled(&s->user);
    if (pool_mfa_is(&s->client.pool, "OFF"))
        return 0;
    if (!pool_mfa_is(&s->client.pool, "ON"))
        return json_flag(s->state, "mfa_by_risk", false) ? can : out; /* adaptive authentication (threat.h) */
    out |= can & offered & MFA_BIT(MFA_TOTP);
    for (int i = 0; i < MFA_FACTORS; i++)
        if (i != MFA_TOTP && can & offered & MFA_BIT(i) &&
            !is_for_recovery(&s->client.pool, (enum mfa_factor)i))
            out |= MFA_BIT(i);
    return out;
}

bool sign_in_can_add_factor(const struct sign_in *s)
{
    return !pool_mfa_is(&s->client.pool, "OFF") && usable(s);
}

/* What MFA_SETUP can set up here; SMS is named, as on AWS, but not set up in the challenge. */
static unsigned to_set_up(const struct sign_in *s)
{
    unsigned offered = pool_mfa_offered(&s->client.pool), out = offered & MFA_BIT(MFA_TOTP);
    for (int i = 0; i < MFA_FACTORS; i++)
        if (i != MFA_TOTP && offered & MFA_BIT(i) && !is_for_recovery(&s->client.pool, (enum mfa_factor)i) &&
            !user_mfa_can(&s->user, (enum mfa_factor)i))
            out |= MFA_BIT(i);
    return out;
}

static json_t *names_of(unsigned factors)
{
    json_t *names = json_array();
    for (int i = 0; i < MFA_FACTORS; i++)
        if (factors & MFA_BIT(i))
            json_array_append_new(names, json_string(mfa_name((enum mfa_factor)i)));
    return names;
}

/* The preferred one, the only one, or a choice. */
static const char *pick(struct sign_in *s, unsigned factors)
{
    enum mfa_factor preferred;
    if (user_mfa_preferred(&s->user, &preferred) && factors & MFA_BIT(preferred))
        return mfa_name(preferred);
    for (int i = 0; i < MFA_FACTORS; i++)
        if (factors == MFA_BIT(i))
            return mfa_name((enum mfa_factor)i);
    sign_in_keep(s, "SELECT_MFA_TYPE", json_pack("{s:o}", "of", names_of(factors)));
    return "SELECT_MFA_TYPE";
}

gh_err second_factor_due(struct sign_in *s, const char **due)
{
    unsigned done = proven(s), wanted = step_up_second_factors(s);
    if (!proved_password(s) || (wanted ? done & wanted : done || device_stands_in(s)))
        return NULL;
    unsigned factors = second_factors_of(s);
    if (wanted)
        factors &= wanted & ~done;
    if (factors) {
        *due = pick(s, factors);
        return NULL;
    }
    if (!pool_mfa_is(&s->client.pool, "ON") && !json_flag(s->state, "mfa_required", false) && !wanted)
        return NULL;
    if (!wanted && to_set_up(s) & ~MFA_BIT(MFA_SMS)) {
        *due = "MFA_SETUP";
        return NULL;
    }
    return gh_fail(s->call->arena, &idp_MFAMethodNotFoundException, "No MFA method can be used by the user.");
}

/* ---- SELECT_MFA_TYPE ---- */

gh_err select_mfa_start(struct sign_in *s)
{
    const json_t *of = json_object_get(sign_in_recall(s, "SELECT_MFA_TYPE"), "of");
    sign_in_parameter(s, "MFAS_CAN_CHOOSE", json_print(s->call->arena, of));
    sign_in_parameter(s, "USER_ID_FOR_SRP", s->user.username);
    return NULL;
}

gh_err select_mfa_answer(struct sign_in *s)
{
    struct str answer;
    enum mfa_factor chosen;
    size_t i;
    json_t *name;
    gh_err err = sign_in_need(s, "ANSWER", &answer);
    if (err)
        return err;
    if (mfa_named(answer, &chosen))
        json_array_foreach(json_object_get(sign_in_recall(s, "SELECT_MFA_TYPE"), "of"), i, name)
            if (str_is(json_value_str(name), mfa_name(chosen)))
                return sign_in_ask(s, mfa_name(chosen));
    return gh_fail(s->call->arena, &idp_InvalidParameterException,
                   "%.*s is not an MFA type that can be chosen.", STR_FMT(answer));
}

/* ---- MFA_SETUP ---- */

gh_err mfa_setup_start(struct sign_in *s)
{
    json_t *names = json_own(s->call->arena, names_of(to_set_up(s)));
    sign_in_keep(s, "MFA_SETUP", json_object());
    sign_in_parameter(s, "MFAS_CAN_SETUP", json_print(s->call->arena, names));
    sign_in_parameter(s, "USER_ID_FOR_SRP", s->user.username);
    return NULL;
}

/* "For email MFA, respond with ChallengeResponses USERNAME, EMAIL": the address is the user's once its code
 * came back. */
static gh_err set_up_email(struct sign_in *s, struct str email)
{
    if (!(to_set_up(s) & MFA_BIT(MFA_EMAIL)))
        return gh_fail(s->call->arena, &idp_InvalidParameterException,
                       "Email MFA cannot be set up for the user.");
    if (!is_email(email))
        return gh_fail(s->call->arena, &idp_InvalidParameterException, "Invalid email address format.");
    sign_in_keep(s, "MFA_SETUP", json_pack("{s:s}", "email", str_c(s->call->arena, email)));
    return sign_in_ask(s, mfa_name(MFA_EMAIL));
}

/* The Session is VerifySoftwareToken's: it says that a code of the new app was right. */
gh_err mfa_setup_answer(struct sign_in *s)
{
    gh_err err = sign_in_check_user(s);
    if (err)
        return err;
    struct str email = sign_in_given(s, "EMAIL");
    if (!email.ptr)
        email = sign_in_given(s, "email");
    if (email.ptr)
        return set_up_email(s, email);
    bool done = str_is(json_str(sign_in_recall(s, "MFA_SETUP"), "done"), mfa_name(MFA_TOTP));
    if (!done || !user_has_totp(&s->user))
        return gh_fail(s->call->arena, &idp_NotAuthorizedException, "Invalid session for the user.");
    return sign_in_passed(s, "MFA_SETUP");
}

/* ---- SOFTWARE_TOKEN_MFA ---- */

gh_err software_token_start(struct sign_in *s)
{
    sign_in_parameter(s, "USER_ID_FOR_SRP", s->user.username);
    if (totp_device_name(&s->user).len)
        sign_in_parameter(s, "FRIENDLY_DEVICE_NAME", totp_device_name(&s->user));
    return NULL;
}

gh_err software_token_answer(struct sign_in *s)
{
    struct str code, seed = totp_seed(s->call, &s->user);
    int64_t step;
    gh_err err = sign_in_need(s, "SOFTWARE_TOKEN_MFA_CODE", &code);
    if (err)
        return err;
    if (!seed.ptr)
        return gh_fail(s->call->arena, &idp_SoftwareTokenMFANotFoundException,
                       "User has not set up software token mfa");
    if (!totp_find(seed, code, s->call->now_us / 1000000, &step))
        return sign_in_wrong(
            s, gh_fail(s->call->arena, &idp_CodeMismatchException, "Invalid code received for user"));
    err = sign_in_check_user(s);
    s->used = totp_use(s->call, &s->user, step, &s->used_until_s);
    s->used_before = totp_used(s->call);
    return err ? err : sign_in_passed(s, mfa_name(MFA_TOTP));
}
