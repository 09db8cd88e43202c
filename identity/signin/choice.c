/* Choice-based sign-in, USER_AUTH: SELECT_CHALLENGE, PASSWORD, PASSWORD_SRP; codes and passkeys are asked
 * from here.
 *
 * Nobody is offered what somebody of that name could be, the same each time. */
#include "identity/signin/choice.h"

#include "core/digest.h"
#include "core/json.h"
#include "identity/signin/mfa.h"
#include "identity/passkeys/passkey.h"
#include "identity/signin/sign_in.h"
#include "identity/signin/step_up.h"

/* How challenges are called by which first factors, in the order in which they are offered. */
static const struct choice {
    const char *name;
    enum first_factor factor;
} choices[] = {
    { "PASSWORD_SRP", FIRST_PASSWORD }, { "PASSWORD", FIRST_PASSWORD }, { "WEB_AUTHN", FIRST_WEB_AUTHN },
    { "EMAIL_OTP", FIRST_EMAIL_OTP },   { "SMS_OTP", FIRST_SMS_OTP },
};

static const char *const factor_names[FIRST_FACTORS] = {
    [FIRST_PASSWORD] = "PASSWORD",
    [FIRST_WEB_AUTHN] = "WEB_AUTHN",
    [FIRST_EMAIL_OTP] = "EMAIL_OTP",
    [FIRST_SMS_OTP] = "SMS_OTP",
};

bool pool_allows_first(const struct pool *pool, enum first_factor factor)
{
    const struct idp_AllowedFirstAuthFactorsListType *list =
        &pool->doc->policies->sign_in_policy->allowed_first_auth_factors;
    for (size_t i = 0; i < list->n; i++)
        if (str_is(list->items[i], factor_names[factor]))
            return true;
    return false;
}

bool pool_is_passwordless(const struct pool *pool)
{
    return pool_allows_first(pool, FIRST_EMAIL_OTP) || pool_allows_first(pool, FIRST_SMS_OTP);
}

/* "In user pools where MFA is optional, users who have configured an MFA factor can only sign in with
 * username-password"; where it is required all users; but for passkeys that are both factors in one. */
static unsigned allowed_with_mfa(struct call *call, const struct pool *pool, const struct user *user)
{
    bool has_mfa =
        pool_mfa_is(pool, "ON") ||
        (pool_mfa_is(pool, "OPTIONAL") &&
         user_mfa_enabled(user) & (pool_mfa_offered(pool) | (user_has_totp(user) ? MFA_BIT(MFA_TOTP) : 0)));
    if (!has_mfa)
        return ~0u;
    bool passkey = pool_passkeys_are_mfa(call, pool) && user_mfa_webauthn(user);
    return FIRST_BIT(FIRST_PASSWORD) | (passkey ? FIRST_BIT(FIRST_WEB_AUTHN) : 0);
}

gh_err first_factors_of(struct call *call, const struct pool *pool, const struct user *user, unsigned *out)
{
    bool passkey = false;
    gh_err err = pool_allows_first(pool, FIRST_WEB_AUTHN) ? passkey_any(call, pool->id, user->sub, &passkey) : NULL;
    if (err)
        return err;
    const bool has[FIRST_FACTORS] = {
        [FIRST_PASSWORD] = user->password.ptr != NULL,
        [FIRST_WEB_AUTHN] = passkey,
        [FIRST_EMAIL_OTP] = user_has_verified(user, "email"),
        [FIRST_SMS_OTP] = user_has_verified(user, "phone_number"),
    };
    *out = 0;
    for (int i = 0; i < FIRST_FACTORS; i++)
        if (has[i] && pool_allows_first(pool, (enum first_factor)i))
            *out |= FIRST_BIT(i);
    *out &= allowed_with_mfa(call, pool, user);
    if (str_eq(user->status, FORCE_CHANGE_PASSWORD))
        *out &= FIRST_BIT(FIRST_PASSWORD);
    return NULL;
}

/* A password always, a code by mail where people have them; the rest by the name. */
static unsigned factors_of_nobody(const struct sign_in *s)
{
    uint8_t mac[SHA256_BYTES];
    const struct pool *pool = &s->client.pool;
    struct str name = pool_fold(s->call, pool, json_str(s->state, "name"));
    sealer_mac(s->call->sealer, STR("pool-nobody-factors"), str_concat(s->call->arena, pool->id, name), mac);
    unsigned out = FIRST_BIT(FIRST_PASSWORD);
    if (pool_mfa_is(pool, "ON"))
        return out;
    if (pool_allows_first(pool, FIRST_WEB_AUTHN) && mac[0] & 2)
        out |= FIRST_BIT(FIRST_WEB_AUTHN);
    if (pool_allows_first(pool, FIRST_EMAIL_OTP))
        out |= FIRST_BIT(FIRST_EMAIL_OTP);
    if (pool_allows_first(pool, FIRST_SMS_OTP) && (mac[0] & 1 || is_phone_number(name)))
        out |= FIRST_BIT(FIRST_SMS_OTP);
    return out;
}

static void offer(struct sign_in *s, unsigned factors)
{
    json_t *names = json_array();
    s->available = (struct idp_AvailableChallengeListType){
        .set = true,
        .items = ARENA_ARRAY(s->call->arena, struct str, COUNT(choices)),
    };
    for (size_t i = 0; i < COUNT(choices); i++)
        if (factors & FIRST_BIT(choices[i].factor)) {
            json_array_append_new(names, json_string(choices[i].name));
            s->available.items[s->available.n++] = str_of(choices[i].name);
        }
    sign_in_keep(s, "SELECT_CHALLENGE", json_pack("{s:o}", "of", names));
}

static const struct choice *offered(const struct sign_in *s, struct str name)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(sign_in_recall(s, "SELECT_CHALLENGE"), "of"), i, one)
        if (str_eq(json_value_str(one), name))
            for (size_t c = 0; c < COUNT(choices); c++)
                if (str_is(name, choices[c].name))
                    return &choices[c];
    return NULL;
}

/* The chosen one is asked, or judged at once where its answer came along. */
static gh_err take(struct sign_in *s, const struct choice *choice)
{
    struct str password = sign_in_given(s, "PASSWORD");
    if (strcmp(choice->name, "PASSWORD") == 0 && password.len) {
        gh_err err = sign_in_check_password(s, password);
        return err ? err : sign_in_passed(s, "PASSWORD");
    }
    if (strcmp(choice->name, "PASSWORD_SRP") == 0 && sign_in_given(s, "SRP_A").len)
        return sign_in_ask(s, "PASSWORD_VERIFIER");
    return sign_in_ask(s, choice->name);
}

/* The Session of ConfirmSignUp: who comes with it has just proven an address. "passing it to InitiateAuth
 * signs in without a new code, within the session time" */
static gh_err go_on_from_sign_up(struct sign_in *s)
{
    struct sign_in opened;
    struct str proven;
    gh_err err = sign_in_open(s->call, s->given_session, "CONFIRM_SIGN_UP", &opened);
    if (err)
        return err;
    if (!str_eq(opened.client.id, s->client.id) || !opened.user.sub.ptr ||
        !str_eq(opened.user.sub, s->user.sub))
        return gh_fail(s->call->arena, &idp_NotAuthorizedException, "Invalid session for the user.");
    proven = json_str(sign_in_recall(&opened, "CONFIRM_SIGN_UP"), "proven");
    s->state = opened.state;
    json_set_str(s->state, "flow", STR("USER_AUTH"));
    s->spend = opened.spend;
    s->spend_until_s = opened.spend_until_s;
    return sign_in_passed(s, str_is(proven, "email") ? "EMAIL_OTP" : "SMS_OTP");
}

/* "The response is simulated, whatever PreventUserExistenceErrors says"; who is not confirmed is told, so
 * that the app can go on with that. */
static gh_err find_user(struct sign_in *s)
{
    bool hides = s->client.hides_users;
    s->client.hides_users = true;
    gh_err err = sign_in_find_user(s);
    s->client.hides_users = hides;
    if (err || !s->user.sub.ptr || str_eq(s->user.status, FORCE_CHANGE_PASSWORD))
        return err;
    return sign_in_check_user(s);
}

gh_err choice_begin(struct sign_in *s)
{
    unsigned factors;
    bool go_on;
    gh_err err = find_user(s);
    if (err)
        return err;
    if (s->given_session.ptr)
        return go_on_from_sign_up(s);
    if (s->user.sub.ptr)
        err = first_factors_of(s->call, &s->client.pool, &s->user, &factors);
    else
        factors = factors_of_nobody(s);
    if (!err)
        err = step_up_begin(s, &factors, &go_on);
    if (err)
        return err;
    if (go_on)
        return sign_in_next(s);
    if (!factors) /* no way in: the password's, which ends nowhere */
        factors = FIRST_BIT(FIRST_PASSWORD);
    offer(s, factors);
    struct str preferred = sign_in_given(s, "PREFERRED_CHALLENGE"), srp_a;
    if (str_is(preferred, "PASSWORD_SRP"))
        err = sign_in_need(s, "SRP_A", &srp_a);
    const struct choice *choice = offered(s, s->available.n == 1 ? s->available.items[0] : preferred);
    if (err)
        return err;
    return choice ? take(s, choice) : sign_in_ask(s, "SELECT_CHALLENGE");
}

gh_err select_challenge_start(struct sign_in *s)
{
    (void)s; /* the choice is in AvailableChallenges */
    return NULL;
}

gh_err select_challenge_answer(struct sign_in *s)
{
    struct str answer;
    gh_err err = sign_in_need(s, "ANSWER", &answer);
    if (err)
        return err;
    const struct choice *choice = offered(s, answer);
    if (!choice)
        return gh_fail(s->call->arena, &idp_InvalidParameterException, "%.*s is not an available challenge.",
                       STR_FMT(answer));
    return take(s, choice);
}

gh_err password_start(struct sign_in *s)
{
    (void)s;
    return NULL;
}

gh_err password_answer(struct sign_in *s)
{
    struct str password;
    gh_err err = sign_in_need(s, "PASSWORD", &password);
    if (!err)
        err = sign_in_check_password(s, password);
    return err ? err : sign_in_passed(s, "PASSWORD");
}

/* The client's number, then what USER_SRP_AUTH asks, with a Session. */
gh_err password_srp_answer(struct sign_in *s)
{
    struct str A;
    gh_err err = sign_in_need(s, "SRP_A", &A);
    return err ? err : sign_in_ask(s, "PASSWORD_VERIFIER");
}
