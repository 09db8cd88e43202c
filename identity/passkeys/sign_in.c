/* The challenge WEB_AUTHN: CREDENTIAL_REQUEST_OPTIONS for the browser, CREDENTIAL back.
 *
 * Nobody is asked like somebody who has one passkey, the same one each time, and the answer costs the same.
 */
#include "core/base64.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/log.h"
#include "identity/signin/mfa.h"
#include "identity/passkeys/passkey.h"
#include "identity/signin/sign_in.h"

static const char NAME[] = "WEB_AUTHN";

/* Of one that somebody could have: P-256's base point, whose private key is 1, so it must not let anybody in.
 */
static const json_t *nobodys_key(struct call *call)
{
    return json_parse(call->arena,
                      STR("{\"kty\":\"EC\",\"alg\":\"ES256\",\"crv\":\"P-256\","
                          "\"x\":\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\","
                          "\"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\"}"),
                      NULL);
}

static struct passkey_row row_of_nobody(const struct sign_in *s)
{
    struct call *call = s->call;
    uint8_t mac[SHA256_BYTES];
    struct str name = pool_fold(call, &s->client.pool, json_str(s->state, "name"));
    sealer_mac(call->sealer, STR("passkey-nobody"), str_concat(call->arena, s->client.pool.id, name), mac);
    return (struct passkey_row){
        .id = base64url_encode(call->arena, digest_str(mac, mac[0] & 1 ? 20 : sizeof mac)),
        .doc = mac[0] & 2 ? STR("{\"transports\":[\"hybrid\",\"internal\"]}")
                          : STR("{\"transports\":[\"internal\"]}"),
    };
}

static gh_err rows_of(const struct sign_in *s, struct passkey_row **rows, size_t *n)
{
    if (s->user.sub.ptr)
        return store_passkey_list(s->call->db, NULL, s->call->arena, s->client.pool.id, s->user.sub, rows, n);
    *rows = ARENA_NEW(s->call->arena, struct passkey_row);
    **rows = row_of_nobody(s);
    *n = 1;
    return NULL;
}

/* "When activated, the user's passkey authentication requires user verification": as a second factor, too, a
 * passkey counts only with it. */
static gh_err rule_of(const struct sign_in *s, struct webauthn_rule *rule, struct str *verification)
{
    const struct pool *pool = &s->client.pool;
    gh_err err = passkey_rule(s->call, pool, rule, verification);
    if (err)
        return err;
    if (pool_passkeys_are_mfa(s->call, pool) &&
        (pool_mfa_is(pool, "ON") || (s->user.sub.ptr && user_mfa_webauthn(&s->user)))) {
        rule->verify_user = true;
        *verification = STR("required");
    }
    return NULL;
}

gh_err passkey_start(struct sign_in *s)
{
    struct call *call = s->call;
    struct webauthn_rule rule;
    struct str verification;
    struct passkey_row *rows;
    size_t n;
    uint8_t chance[32];
    gh_err err = rule_of(s, &rule, &verification);
    if (!err)
        err = rows_of(s, &rows, &n);
    if (err)
        return err;
    env_random(call->env, chance, sizeof chance);
    struct str challenge = base64url_encode(call->arena, digest_str(chance, sizeof chance));
    json_t *options = json_own(call->arena, json_object()), *kept = json_object();
    json_set_str(options, "challenge", challenge);
    json_set_i64(options, "timeout", s->client.session_ttl_s * 1000);
    json_set_str(options, "rpId", rule.rp_id);
    json_object_set(options, "allowCredentials", passkey_descriptors(call, rows, n));
    json_set_str(options, "userVerification", verification);
    sign_in_parameter(s, "CREDENTIAL_REQUEST_OPTIONS", json_print(call->arena, options));
    json_set_str(kept, "challenge", challenge);
    sign_in_keep(s, NAME, kept);
    return NULL;
}

/* ---- the answer ---- */

struct answer {
    struct str id, client_data, authenticator_data, signature;
    struct str user_handle; /* or absent */
};

static bool answer_read(struct call *call, struct str text, struct answer *out)
{
    const json_t *credential = json_parse(call->arena, text, NULL),
                 *response = json_object_get(credential, "response"),
                 *handle = json_object_get(response, "userHandle");
    out->user_handle = STR_NONE;
    return passkey_id(call, credential, &out->id) &&
           passkey_member(call, response, "clientDataJSON", &out->client_data) &&
           passkey_member(call, response, "authenticatorData", &out->authenticator_data) &&
           passkey_member(call, response, "signature", &out->signature) &&
           (!handle || json_is_null(handle) ||
            passkey_member(call, response, "userHandle", &out->user_handle));
}

/* The user's passkey of that id; NULL: none, and the key to spend the same time on. */
static const struct passkey_row *chosen(struct sign_in *s, const struct answer *answer,
                                        const struct passkey_row *rows, size_t n, struct webauthn_key *key)
{
    struct str id = base64url_encode(s->call->arena, answer->id);
    *key = (struct webauthn_key){ .id = answer->id, .jwk = nobodys_key(s->call) };
    for (size_t i = 0; s->user.sub.ptr && i < n; i++) {
        if (!str_eq(rows[i].id, id))
            continue;
        key->jwk = json_object_get(json_parse(s->call->arena, rows[i].doc, NULL), "key");
        key->counter = (uint32_t)rows[i].counter;
        return &rows[i];
    }
    return NULL;
}

/* What is wrong with page or authenticator is told: it says nothing of users. The rest is one message. */
static gh_err refused(struct sign_in *s, enum webauthn_verdict verdict)
{
    bool of_user =
        verdict == WEBAUTHN_OK || verdict == WEBAUTHN_WRONG_SIGNATURE || verdict == WEBAUTHN_COUNTER;
    return sign_in_wrong(s, of_user ? sign_in_refused(s)
                                    : gh_fail(s->call->arena, &idp_NotAuthorizedException,
                                              "Invalid passkey: %s.", webauthn_verdict_text(verdict)));
}

/* Two sign-ins at once with one counter: the second finds that it did not go on. */
static gh_err note_use(struct sign_in *s, struct tx *tx)
{
    const json_t *used = sign_in_recall(s, NAME);
    store_passkey_used(tx, s->client.pool.id, s->user.sub, json_str(used, "id"), json_i64(used, "counter", 0),
                       s->call->now_us);
    return tx->err ? tx->err : tx->changes ? NULL : sign_in_refused(s);
}

gh_err passkey_answer(struct sign_in *s)
{
    struct call *call = s->call;
    struct answer answer;
    struct webauthn_rule rule;
    struct webauthn_key key;
    struct webauthn_seen seen;
    struct passkey_row *rows;
    struct str text, verification;
    size_t n;
    gh_err err = sign_in_need(s, "CREDENTIAL", &text);
    if (!err && !answer_read(call, text, &answer))
        err = gh_fail(call->arena, &idp_InvalidParameterException, "Invalid credential: %s.",
                      webauthn_verdict_text(WEBAUTHN_MALFORMED));
    if (!err)
        err = rule_of(s, &rule, &verification);
    if (!err)
        err = rows_of(s, &rows, &n);
    if (err)
        return err;
    if (!base64url_decode(call->arena, json_str(sign_in_recall(s, NAME), "challenge"), &rule.challenge))
        return sign_in_refused(s);
    const struct passkey_row *row = chosen(s, &answer, rows, n, &key);
    enum webauthn_verdict verdict = webauthn_sign_in(call->arena, &rule, &key, answer.client_data,
                                                     answer.authenticator_data, answer.signature, &seen);
    if (verdict == WEBAUTHN_COUNTER && row)
        log_at(LOG_WARN, "a passkey's counter did not go on: it may have been copied",
               { "pool", s->client.pool.id }, { "sub", s->user.sub }, { "credential", row->id });
    if (verdict != WEBAUTHN_OK || !row ||
        (answer.user_handle.ptr && !str_eq(answer.user_handle, s->user.sub)))
        return refused(s, verdict);
    err = sign_in_check_user(s);
    if (err)
        return err;
    const json_t *doc = json_parse(call->arena, row->doc, NULL);
    json_t *used = json_object(); /* "amr" is read by step_up.c */
    json_set_str(used, "id", row->id);
    json_set_i64(used, "counter", seen.counter);
    json_set_str(used, "amr",
                 str_is(json_str(doc, "attachment"), "cross-platform") ? STR("hwk") : STR("swk"));
    sign_in_keep(s, NAME, used);
    s->along = note_use;
    return sign_in_passed(s, NAME);
}
