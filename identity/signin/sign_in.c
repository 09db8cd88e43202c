/* InitiateAuth, RespondToAuthChallenge, AdminInitiateAuth, AdminRespondToAuthChallenge. */
#include "identity/signin/sign_in.h"

#include "core/base64.h"
#include "core/digest.h"
#include "core/json.h"

static const struct sign_in_flow flows[] = {
    { "USER_SRP_AUTH", true, true, FLOW_SRP, "USER_SRP_AUTH is not enabled for the client.", srp_begin },
    { "USER_PASSWORD_AUTH", true, false, FLOW_PASSWORD, "USER_PASSWORD_AUTH flow not enabled for this client",
      password_begin },
    { "ADMIN_USER_PASSWORD_AUTH", false, true, FLOW_ADMIN_PASSWORD, "Auth flow not enabled for this client",
      password_begin },
    { "ADMIN_NO_SRP_AUTH", false, true, FLOW_ADMIN_PASSWORD, "Auth flow not enabled for this client",
      password_begin },
    { "REFRESH_TOKEN_AUTH", true, true, FLOW_REFRESH, "Auth flow not enabled for this client",
      refresh_begin },
    { "REFRESH_TOKEN", true, true, FLOW_REFRESH, "Auth flow not enabled for this client", refresh_begin },
    { "CUSTOM_AUTH", true, true, FLOW_CUSTOM, "CUSTOM_AUTH is not enabled for the client.", custom_begin },
};

static const struct sign_in_challenge challenges[] = {
    { "PASSWORD_VERIFIER", false, srp_start, srp_answer },
    { "NEW_PASSWORD_REQUIRED", true, new_password_start, new_password_answer },
};

struct str sign_in_given(const struct sign_in *s, const char *name)
{
    for (size_t i = 0; i < s->n_given; i++)
        if (str_is(s->given[i].key, name))
            return s->given[i].value;
    return STR_NONE;
}

gh_err sign_in_need(const struct sign_in *s, const char *name, struct str *out)
{
    *out = sign_in_given(s, name);
    if (out->len)
        return NULL;
    return gh_fail(s->call->arena, &idp_InvalidParameterException, "Missing required parameter %s", name);
}

gh_err sign_in_check_secret_hash(const struct sign_in *s, struct str username)
{
    return client_check_secret_hash(s->call, &s->client, username, sign_in_given(s, "SECRET_HASH"));
}

void sign_in_parameter(struct sign_in *s, const char *name, struct str value)
{
    enum { MOST = 8 };
    struct idp_ChallengeParametersType *list = &s->parameters;
    if (!list->items)
        list->items = arena_zalloc(s->call->arena, MOST * sizeof *list->items);
    list->items[list->n].key = str_of(name);
    list->items[list->n++].value = value;
}

gh_err sign_in_refused(const struct sign_in *s)
{
    return gh_fail(s->call->arena, &idp_NotAuthorizedException, "Incorrect username or password.");
}

/* "An UNCONFIRMED user is refused before the password check in password flows" */
gh_err sign_in_check_user(const struct sign_in *s)
{
    struct arena *arena = s->call->arena;
    const struct user *user = &s->user;
    if (!user->enabled)
        return gh_fail(arena, &idp_NotAuthorizedException, "User is disabled.");
    if (str_eq(user->status, UNCONFIRMED))
        return gh_fail(arena, &idp_UserNotConfirmedException, "User is not confirmed.");
    if (str_eq(user->status, RESET_REQUIRED))
        return gh_fail(arena, &idp_PasswordResetRequiredException, "Password reset required for the user");
    int64_t days = s->client.pool.doc->policies->password_policy->temporary_password_validity_days.value;
    if (str_eq(user->status, FORCE_CHANGE_PASSWORD) &&
        s->call->now_us >= user->password_us + days * INT64_C(86400000000))
        return gh_fail(arena, &idp_NotAuthorizedException,
                       "Temporary password has expired and must be reset by an administrator.");
    return NULL;
}

/* ---- sessions between question and answer: sealed, nothing is kept until one is spent ---- */

static struct str session_place(const struct sign_in *s)
{
    return str_concat(s->call->arena, STR("pool-session/"), s->client.id);
}

static gh_err bad_session(const struct sign_in *s, const char *more)
{
    return gh_fail(s->call->arena, &idp_NotAuthorizedException, "Invalid session for the user%s.", more);
}

gh_err sign_in_ask(struct sign_in *s, const char *name)
{
    for (size_t i = 0; i < COUNT(challenges); i++) {
        if (strcmp(challenges[i].name, name) != 0)
            continue;
        json_t *state = json_own(s->call->arena, json_object());
        json_set_str(state, "challenge", str_of(name));
        json_set_str(state, "sub", s->user.sub);
        json_set_i64(state, "at", s->call->now_us);
        s->challenge = str_of(name);
        s->parameters.set = true;
        gh_err err = challenges[i].start(s, state);
        if (!err && challenges[i].has_session)
            s->session =
                seal(s->call->sealer, s->call->arena, session_place(s), json_print(s->call->arena, state));
        return err;
    }
    return gh_fail(s->call->arena, &GH_INTERNAL, "no challenge %s", name);
}

static struct str spent_mac(const struct sign_in *s, struct str what)
{
    uint8_t mac[SHA256_BYTES];
    sealer_mac(s->call->sealer, STR("pool-spent"), what, mac);
    return base64url_encode(s->call->arena, digest_str(mac, sizeof mac));
}

/* Opens the session, finds the user it speaks of. */
static gh_err resume(struct sign_in *s, struct str session, const char *challenge, json_t **state)
{
    struct str plain;
    bool found;
    if (!session.ptr)
        return gh_fail(s->call->arena, &idp_InvalidParameterException, "Missing required parameter Session");
    if (!unseal(s->call->sealer, s->call->arena, session_place(s), session, &plain))
        return bad_session(s, "");
    *state = json_parse(s->call->arena, plain, NULL);
    if (!str_is(json_str(*state, "challenge"), challenge))
        return bad_session(s, "");
    s->spend_until_s = json_i64(*state, "at", 0) / 1000000 + s->client.session_ttl_s;
    if (s->call->now_us / 1000000 >= s->spend_until_s)
        return bad_session(s, ", session is expired");
    gh_err err = store_user_find(s->call->db, NULL, s->call->arena, s->client.pool.id, USER_BY_SUB,
                                 json_str(*state, "sub"), &s->user, &found);
    if (err)
        return err;
    struct str name;
    err = sign_in_need(s, "USERNAME", &name);
    if (!err)
        err = sign_in_check_secret_hash(s, name);
    if (err)
        return err;
    struct user named;
    bool is_named = false;
    if (found)
        err = user_find(s->call, &s->client.pool, name, &named, &is_named);
    if (err)
        return err;
    s->spend = session;
    return found && is_named && str_eq(named.sub, s->user.sub) ? NULL : bad_session(s, "");
}

/* ---- the end: a session row and tokens ---- */

static gh_err finish(struct sign_in *s)
{
    struct call *call = s->call;
    struct session session;
    struct tx tx;
    bool fresh = true;
    gh_err err = NULL;
    tx_begin(&tx, call->db, call->arena);
    if (s->spend.ptr)
        store_spend(&tx, spent_mac(s, s->spend), s->spend_until_s, call->now_us / 1000000, &fresh);
    if (!tx.err && !fresh)
        err = s->session.ptr || s->new_user_state ? bad_session(s, ", session can only be used once")
                                                  : sign_in_refused(s);
    if (!err && s->new_user_state)
        err = user_save(call, &tx, &s->client.pool, &s->user, false);
    struct str refresh = STR_NONE;
    if (!err)
        refresh = session_begin(call, &tx, &s->client, &s->user, &session);
    if (err) {
        tx_rollback(&tx);
        return err;
    }
    err = tx_commit(&tx);
    if (!err)
        err = tokens_issue(call, &s->client, &s->user, &session, &s->result);
    if (!err)
        s->result->refresh_token = refresh;
    s->challenge = STR_NONE;
    s->parameters = (struct idp_ChallengeParametersType){ .set = true };
    return err;
}

gh_err sign_in_next(struct sign_in *s)
{
    if (str_eq(s->user.status, FORCE_CHANGE_PASSWORD))
        return sign_in_ask(s, "NEW_PASSWORD_REQUIRED");
    return finish(s);
}

/* ---- operations ---- */

static gh_err initiate(struct sign_in *s, struct str flow_name)
{
    for (size_t i = 0; i < COUNT(flows); i++) {
        const struct sign_in_flow *flow = &flows[i];
        if (!str_is(flow_name, flow->name))
            continue;
        if (!(s->admin ? flow->admin : flow->client))
            break;
        if (!(s->client.flows & flow->allowed_by))
            return gh_fail(s->call->arena, &idp_InvalidParameterException, "%s", flow->not_allowed);
        return flow->begin(s);
    }
    if (str_is(flow_name, "USER_AUTH"))
        return gh_fail(s->call->arena, &idp_InvalidParameterException,
                       "USER_AUTH flow not enabled for this client");
    return gh_fail(s->call->arena, &idp_InvalidParameterException, "Initiate Auth method not supported.");
}

static gh_err respond(struct sign_in *s, struct str challenge, struct str session)
{
    for (size_t i = 0; i < COUNT(challenges); i++) {
        if (!str_is(challenge, challenges[i].name))
            continue;
        json_t *state = NULL;
        gh_err err = challenges[i].has_session ? resume(s, session, challenges[i].name, &state) : NULL;
        return err ? err : challenges[i].answer(s, state);
    }
    return bad_session(s, ""); /* never asked, so no session can be for it */
}

/* AuthParametersType and ChallengeResponsesType are both maps of strings. */
#define GIVEN(map) .given = (const struct pair *)(const void *)(map).items, .n_given = (map).n
_Static_assert(sizeof(struct pair) == sizeof(struct idp_AuthParametersType_entry), "a map of strings");
_Static_assert(sizeof(struct pair) == sizeof(struct idp_ChallengeResponsesType_entry), "a map of strings");

#define ANSWER(out, s)                                                                                       \
    do {                                                                                                     \
        (out)->challenge_name = (s).challenge;                                                               \
        (out)->session = (s).session;                                                                        \
        (out)->challenge_parameters = (s).parameters;                                                        \
        (out)->challenge_parameters.set = true;                                                              \
        (out)->authentication_result = (s).result;                                                           \
    } while (0)

static gh_err admin_client(struct call *call, struct str pool_id, struct str client_id, struct client *client)
{
    struct pool pool;
    gh_err err = pool_load(call, pool_id, &pool);
    return err ? err : client_of_pool(call, &pool, client_id, client);
}

gh_err idp_InitiateAuth(struct call *call, const struct idp_InitiateAuth_in *in,
                        struct idp_InitiateAuth_out *out)
{
    struct sign_in s = { .call = call, GIVEN(in->auth_parameters) };
    gh_err err = client_find(call, in->client_id, &s.client);
    if (!err)
        err = initiate(&s, in->auth_flow);
    if (!err)
        ANSWER(out, s);
    return err;
}

gh_err idp_AdminInitiateAuth(struct call *call, const struct idp_AdminInitiateAuth_in *in,
                             struct idp_AdminInitiateAuth_out *out)
{
    struct sign_in s = { .call = call, .admin = true, GIVEN(in->auth_parameters) };
    gh_err err = admin_client(call, in->user_pool_id, in->client_id, &s.client);
    if (!err)
        err = initiate(&s, in->auth_flow);
    if (!err)
        ANSWER(out, s);
    return err;
}

gh_err idp_RespondToAuthChallenge(struct call *call, const struct idp_RespondToAuthChallenge_in *in,
                                  struct idp_RespondToAuthChallenge_out *out)
{
    struct sign_in s = { .call = call, GIVEN(in->challenge_responses) };
    gh_err err = client_find(call, in->client_id, &s.client);
    if (!err)
        err = respond(&s, in->challenge_name, in->session);
    if (!err)
        ANSWER(out, s);
    return err;
}

gh_err idp_AdminRespondToAuthChallenge(struct call *call, const struct idp_AdminRespondToAuthChallenge_in *in,
                                       struct idp_AdminRespondToAuthChallenge_out *out)
{
    struct sign_in s = { .call = call, .admin = true, GIVEN(in->challenge_responses) };
    gh_err err = admin_client(call, in->user_pool_id, in->client_id, &s.client);
    if (!err)
        err = respond(&s, in->challenge_name, in->session);
    if (!err)
        ANSWER(out, s);
    return err;
}
