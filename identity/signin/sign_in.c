/* The engine: what is asked, what is due, how a step ends. */
#include "identity/signin/sign_in.h"

#include "core/base64.h"
#include "core/digest.h"
#include "core/id.h"
#include "core/json.h"
#include "identity/signin/device.h"
#include "identity/signin/tables.h"
#include "identity/signin/threat.h"
#include "identity/triggers/authentication.h"
#include "wire/audit.h"

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
    struct idp_ChallengeParametersType *list = &s->parameters;
    list->items = arena_grow(s->call->arena, list->items, list->n * sizeof *list->items,
                             (list->n + 1) * sizeof *list->items);
    list->items[list->n].key = str_of(name);
    list->items[list->n++].value = value;
}

gh_err sign_in_refused(const struct sign_in *s)
{
    return gh_fail(s->call->arena, &idp_NotAuthorizedException, "Incorrect username or password.");
}

static gh_err disabled(struct arena *arena)
{
    return gh_fail(arena, &idp_NotAuthorizedException, "User is disabled.");
}

/* "An UNCONFIRMED user is refused before the password check in password flows" */
gh_err sign_in_check_user(const struct sign_in *s)
{
    struct arena *arena = s->call->arena;
    const struct user *user = &s->user;
    if (!user->enabled)
        return disabled(arena);
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

gh_err sign_in_find_user(struct sign_in *s)
{
    struct str name;
    bool found;
    gh_err err = sign_in_need(s, "USERNAME", &name);
    if (!err)
        err = sign_in_check_secret_hash(s, name);
    if (!err)
        err = user_find(s->call, &s->client.pool, name, &s->user, &found);
    if (err)
        return err;
    json_set_str(s->state, "name", name);
    if (found)
        json_set_str(s->state, "sub", s->user.sub);
    else
        s->user = (struct user){ .sub = STR_NONE };
    return found || s->client.hides_users
               ? trigger_pre_authentication(s)
               : gh_fail(s->call->arena, &idp_UserNotFoundException, "User does not exist.");
}

/* ---- the state ---- */

static void begin_state(struct sign_in *s, struct str flow)
{
    s->state = json_own(s->call->arena, json_object());
    json_set_str(s->state, "id", id_uuid(s->call->env, s->call->arena));
    json_set_str(s->state, "client", s->client.id);
    json_set_str(s->state, "flow", flow);
    json_set_str(s->state, "device", sign_in_given(s, "DEVICE_KEY"));
}

void sign_in_keep(struct sign_in *s, const char *challenge, json_t *what)
{
    json_object_set_new(s->state, challenge, what);
}

json_t *sign_in_recall(const struct sign_in *s, const char *challenge)
{
    return json_object_get(s->state, challenge);
}

bool sign_in_has_passed(const struct sign_in *s, const char *challenge)
{
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(s->state, "passed"), i, name)
        if (strcmp(json_string_value(name), challenge) == 0)
            return true;
    return false;
}

static void note_passed(struct sign_in *s, const char *challenge)
{
    json_t *passed = json_object_get(s->state, "passed");
    if (!passed) {
        passed = json_array();
        json_object_set_new(s->state, "passed", passed);
    }
    json_array_append_new(passed, json_string(challenge));
}

/* ---- sessions between question and answer ---- */

static const struct str SESSION_PLACE = STR_INIT("pool-session");
enum { SESSION_MOST = 4096 }; /* "Session string 20..4096 chars" */

struct str sign_in_seal(struct sign_in *s)
{
    return seal(s->call->sealer, s->call->arena, SESSION_PLACE, json_print(s->call->arena, s->state));
}

static gh_err bad_session(const struct sign_in *s, const char *more)
{
    return gh_fail(s->call->arena, &idp_NotAuthorizedException, "Invalid session for the user%s.", more);
}

/* Opened, asked at this client for this challenge, in time. */
static gh_err open_session(struct sign_in *s, struct str session, const char *asked)
{
    struct str plain;
    if (!session.ptr)
        return gh_fail(s->call->arena, &idp_InvalidParameterException, "Missing required parameter Session");
    if (!unseal(s->call->sealer, s->call->arena, SESSION_PLACE, session, &plain))
        return bad_session(s, "");
    s->state = json_parse(s->call->arena, plain, NULL);
    if (!str_is(json_str(s->state, "asked"), asked))
        return bad_session(s, "");
    struct str client = json_str(s->state, "client");
    gh_err err = s->client.id.ptr ? NULL : client_find(s->call, client, &s->client);
    if (err || !str_eq(s->client.id, client))
        return bad_session(s, "");
    s->spend_until_s = json_i64(s->state, "at", 0) / 1000000 + s->client.session_ttl_s;
    if (s->call->now_us / 1000000 >= s->spend_until_s)
        return bad_session(s, ", session is expired");
    s->spend = session;
    return NULL;
}

/* Not guessed at too often in this sign-in. */
static gh_err check_tries(const struct sign_in *s, struct tx *tx)
{
    int64_t tries;
    gh_err err = store_tries(s->call->db, tx, s->call->arena, json_str(s->state, "id"), &tries);
    return err || tries < SIGN_IN_TRIES ? err : bad_session(s, "");
}

/* The user the session speaks of; nobody stays nobody. */
static gh_err load_user(struct sign_in *s)
{
    struct str sub = json_str(s->state, "sub");
    bool found;
    s->user = (struct user){ .sub = STR_NONE };
    if (!sub.ptr)
        return NULL;
    gh_err err = store_user_find(s->call->db, NULL, s->call->arena, s->client.pool.id, USER_BY_SUB, sub,
                                 &s->user, &found);
    if (!err && found)
        audit_note_str(s->call, "sub", s->user.sub);
    return err || found ? err : bad_session(s, "");
}

gh_err sign_in_open(struct call *call, struct str session, const char *asked, struct sign_in *out)
{
    *out = (struct sign_in){ .call = call };
    gh_err err = open_session(out, session, asked);
    if (!err)
        err = load_user(out);
    return err ? err : check_tries(out, NULL);
}

struct str sign_in_session_for(struct call *call, const struct client *client, const struct user *user,
                               const char *asked, json_t *what)
{
    struct sign_in s = { .call = call, .client = *client };
    begin_state(&s, STR("USER_AUTH"));
    json_set_str(s.state, "name", user->username);
    json_set_str(s.state, "sub", user->sub);
    json_set_str(s.state, "asked", str_of(asked));
    json_set_i64(s.state, "at", call->now_us);
    sign_in_keep(&s, asked, what);
    return sign_in_seal(&s);
}

bool sign_in_is_too_late(gh_err err)
{
    return err && err->kind == &idp_NotAuthorizedException &&
           str_ends(err->message, STR("session is expired."));
}

/* USERNAME in an answer is the user's, or what was typed. */
static gh_err check_username(struct sign_in *s)
{
    struct str name;
    struct user named;
    bool found;
    gh_err err = sign_in_need(s, "USERNAME", &name);
    if (!err)
        err = sign_in_check_secret_hash(s, name);
    if (err || !s->user.sub.ptr || str_eq(name, s->user.username))
        return err;
    err = user_find(s->call, &s->client.pool, name, &named, &found);
    return err || (found && str_eq(named.sub, s->user.sub)) ? err : bad_session(s, "");
}

gh_err sign_in_wrong(struct sign_in *s, gh_err refusal)
{
    struct tx tx;
    tx_begin(&tx, s->call->db, s->call->arena);
    if (s->guess.judged)
        guess_wrong(s->call, &s->client.pool, &s->guess, &tx);
    threat_wrong(s, &tx, str_c(s->call->arena, json_str(s->state, "asked")));
    store_tried(&tx, json_str(s->state, "id"),
                s->call->now_us / 1000000 + s->client.session_ttl_s * (SIGN_IN_TRIES + 1),
                s->call->now_us / 1000000);
    gh_err err = tx_commit(&tx);
    guess_end(&s->guess);
    if (!err)
        threat_tell(s);
    return err ? err : refusal;
}

/* ---- steps ---- */

struct str sign_in_spent_mac(struct call *call, struct str what)
{
    uint8_t mac[SHA256_BYTES];
    sealer_mac(call->sealer, STR("pool-spent"), what, mac);
    return base64url_encode(call->arena, digest_str(mac, sizeof mac));
}

/* The session, and what the answer used up. */
static gh_err spend(struct sign_in *s, struct tx *tx)
{
    int64_t now_s = s->call->now_us / 1000000;
    bool fresh = true;
    if (s->spend.ptr)
        store_spend(tx, sign_in_spent_mac(s->call, s->spend), s->spend_until_s, now_s, &fresh);
    if (tx->err)
        return tx->err;
    if (!fresh)
        return s->given_session.ptr ? bad_session(s, ", session can only be used once") : sign_in_refused(s);
    if (s->used.ptr)
        store_spend(tx, sign_in_spent_mac(s->call, s->used), s->used_until_s, now_s, &fresh);
    return tx->err || fresh ? tx->err : s->used_before;
}

/* Spends the session, saves the user; with a client, writes the session row. */
/* An administrator may have disabled him since he was read: then this must not be newer than that. */
static gh_err still_enabled(const struct sign_in *s, struct tx *tx)
{
    struct user now;
    bool found;
    gh_err err = store_user_find(s->call->db, tx, s->call->arena, s->client.pool.id, USER_BY_SUB, s->user.sub,
                                 &now, &found);
    if (err)
        return err;
    if (!found)
        return sign_in_refused(s);
    return now.enabled ? NULL : disabled(s->call->arena);
}

static gh_err commit_step(struct sign_in *s, bool last, struct str *refresh)
{
    struct call *call = s->call;
    struct tx tx;
    if (!last && !s->spend.ptr && !s->used.ptr && !s->user_changed && !s->along)
        return NULL;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = spend(s, &tx);
    if (!err && s->given_session.ptr)
        err = check_tries(s, &tx);
    if (!err && s->along)
        err = s->along(s, &tx);
    if (!err && s->user_changed)
        err = user_save(call, &tx, &s->client.pool, &s->user, false);
    if (!err && last && json_object_get(s->state, "failures"))
        store_failures_drop(&tx, s->client.pool.id, s->user.sub);
    if (!err && last)
        device_used(s, &tx);
    if (!err && last)
        err = still_enabled(s, &tx);
    if (!err && last)
        err = session_insert(call, &tx, &s->client, &s->user, &s->session, refresh);
    if (!err && last)
        threat_passed(s, &tx);
    if (err) {
        tx_rollback(&tx);
        return err;
    }
    s->spend = s->used = STR_NONE;
    s->user_changed = false;
    s->along = NULL;
    err = tx_commit(&tx);
    if (!err && last)
        session_committed(call, &s->session);
    return err;
}

/* "TokenGeneration_NewPasswordChallenge: called after the user is created by an admin";
 * "…_AuthenticateDevice: at the end of the authentication of a user device." ClientMetadata of
 * RespondToAuthChallenge is passed on, of InitiateAuth not. */
static struct occasion occasion_of(const struct sign_in *s)
{
    return (struct occasion){
        .source = sign_in_has_passed(s, "NEW_PASSWORD_REQUIRED")      ? "TokenGeneration_NewPasswordChallenge"
                  : sign_in_has_passed(s, "DEVICE_PASSWORD_VERIFIER") ? "TokenGeneration_AuthenticateDevice"
                                                                      : "TokenGeneration_Authentication",
        .metadata = s->responds ? s->metadata : NULL,
    };
}

static gh_err finish(struct sign_in *s)
{
    struct str refresh = STR_NONE;
    if (!s->user.sub.ptr)
        return sign_in_refused(s);
    session_begin(s->call, &s->session);
    const struct occasion occasion = occasion_of(s);
    s->session.ip = s->whence.ip;
    device_settle(s);
    gh_err err = trigger_post_authentication(s, s->new_device_used);
    if (!err)
        err = tokens_issue(s->call, &s->client, &s->user, &s->session, &occasion, &s->result);
    if (!err)
        err = commit_step(s, true, &refresh);
    if (err) {
        s->result = NULL;
        return err;
    }
    s->result->refresh_token = refresh;
    s->result->new_device_metadata = device_metadata(s);
    threat_tell(s);
    return NULL;
}

gh_err sign_in_ask(struct sign_in *s, const char *name)
{
    const struct sign_in_challenge *challenge = challenge_named(str_of(name));
    if (!challenge)
        return gh_fail(s->call->arena, &GH_INTERNAL, "no challenge %s", name);
    json_set_str(s->state, "asked", str_of(name));
    json_set_i64(s->state, "at", s->call->now_us);
    s->challenge = str_of(name);
    gh_err err = challenge->start(s);
    /* "PASSWORD_VERIFIER from USER_SRP_AUTH carries no Session" */
    if (!err && !sign_in_is_bare(s))
        s->session_text = sign_in_seal(s);
    if (s->session_text.len > SESSION_MOST) /* only what a function of the pool adds is of any length */
        return gh_fail(s->call->arena, &idp_InvalidLambdaResponseException,
                       "The challenge's parameters are too long for a Session.");
    return err;
}

gh_err sign_in_spend(struct sign_in *s)
{
    return commit_step(s, false, NULL);
}

gh_err sign_in_next(struct sign_in *s)
{
    const char *due = NULL;
    gh_err err = NULL;
    for (size_t i = 0; i < n_sign_in_gates && !err && !due; i++)
        if (s->user.sub.ptr || sign_in_gates[i].for_nobody)
            err = sign_in_gates[i].check(s, &due);
    if (err)
        return err;
    if (!due)
        return finish(s);
    err = commit_step(s, false, NULL);
    return err ? err : sign_in_ask(s, due);
}

gh_err sign_in_passed(struct sign_in *s, const char *challenge)
{
    if (s->user.sub.ptr) {
        guess_end(&s->guess);
        note_passed(s, challenge);
    }
    return sign_in_next(s);
}

bool sign_in_is_bare(const struct sign_in *s)
{
    return str_is(json_str(s->state, "flow"), "USER_SRP_AUTH") && !json_object_get(s->state, "passed");
}

static gh_err initiate(struct sign_in *s, struct str flow_name)
{
    const struct sign_in_flow *flow = flow_named(flow_name);
    if (!flow || !(s->admin ? flow->admin : flow->client))
        return gh_fail(s->call->arena, &idp_InvalidParameterException, "Initiate Auth method not supported.");
    /* with rotation, refreshing has a refusal of its own */
    if (!(s->client.flows & flow->allowed_by) && !(flow->begin == refresh_begin && s->client.rotates))
        return gh_fail(s->call->arena, &idp_InvalidParameterException, "%s", flow->not_allowed);
    begin_state(s, flow_name);
    return flow->begin(s);
}

static gh_err respond(struct sign_in *s, struct str name)
{
    const struct sign_in_challenge *challenge = challenge_named(name);
    if (!challenge)
        return bad_session(s, ""); /* never asked, so no session can be for it */
    if (!s->given_session.ptr && str_is(name, "PASSWORD_VERIFIER")) {
        begin_state(s, STR("USER_SRP_AUTH")); /* the secret block says the rest */
        return challenge->answer(s);
    }
    gh_err err = open_session(s, s->given_session, challenge->name);
    if (!err)
        err = load_user(s);
    if (!err)
        err = check_username(s);
    if (!err && s->user.sub.ptr)
        err = sign_in_check_user(s); /* who was let in at the question may be shut out at the answer */
    if (!err && challenge_is_guessed(challenge->name))
        err = sign_in_guess(s);
    if (!err)
        err = check_tries(s, NULL); /* now that its turn has come */
    return err ? err : challenge->answer(s);
}

gh_err sign_in_initiate(struct sign_in *s, struct str flow_name)
{
    s->validation = s->metadata; /* "InitiateAuth's ClientMetadata isn't passed to" the triggers of its end */
    s->metadata = NULL;
    gh_err err = initiate(s, flow_name);
    guess_end(&s->guess);
    return err;
}

gh_err sign_in_respond(struct sign_in *s, struct str name)
{
    s->responds = true;
    gh_err err = respond(s, name);
    guess_end(&s->guess);
    return err;
}
