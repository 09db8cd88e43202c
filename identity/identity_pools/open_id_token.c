#include "identity/identity_pools/open_id_token.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/id.h"
#include "core/jwt.h"
#include "core/log.h"
#include "identity/identity_pools/identity_pool.h"
#include "identity/tokens/directory.h"

#define TAGS_CLAIM "https://aws.amazon.com/tags"

/* Set once, never replaced: who has seen it may go on using it. */
struct signing_key {
    struct arena *arena;
    struct str kid, jwks;
    struct key *key;
};

struct token_signer {
    struct identity *identity;
    pthread_mutex_t making;
    _Atomic(struct signing_key *) current; /* NULL: nobody has made a pool yet */
};

static struct signing_key *key_open(struct identity *identity, const struct stored_key *stored)
{
    struct key *key = stored_key_open(identity->sealer, stored);
    if (!key)
        return NULL;
    struct arena *arena = arena_new(4096);
    struct signing_key *out = ARENA_NEW(arena, struct signing_key);
    *out = (struct signing_key){
        .arena = arena, .kid = str_copy(arena, stored->kid), .key = key,
        .jwks = str_printf(arena,
                           "{\"keys\":[{\"kty\":\"RSA\",\"alg\":\"RS256\",\"use\":\"sig\",\"kid\":\"%.*s\",\"n\":\"%.*s\",\"e\":\"%.*s\"}]}",
                           STR_FMT(stored->kid), STR_FMT(stored->modulus), STR_FMT(stored->exponent)),
    };
    return out;
}

struct token_signer *token_signer_open(struct identity *identity, struct arena *arena, struct str *why)
{
    struct stored_key stored;
    gh_err err = store_identity_key_find(identity->db, NULL, arena, &stored);
    struct signing_key *key = !err && stored.kid.ptr ? key_open(identity, &stored) : NULL;
    if (err || (stored.kid.ptr && !key)) {
        *why = err ? err->message : STR("the signing key of identity pools does not open: is this another data folder's key?");
        return NULL;
    }
    struct token_signer *signer = calloc(1, sizeof *signer);
    if (!signer)
        abort();
    signer->identity = identity;
    pthread_mutex_init(&signer->making, NULL);
    atomic_init(&signer->current, key);
    return signer;
}

void token_signer_close(struct token_signer *signer)
{
    if (!signer)
        return;
    struct signing_key *key = atomic_load(&signer->current);
    if (key) {
        key_free(key->key);
        arena_free(key->arena);
    }
    pthread_mutex_destroy(&signer->making);
    free(signer);
}

static gh_err make_key(struct call *call, struct token_signer *signer)
{
    struct identity *identity = signer->identity;
    struct stored_key stored;
    struct signing_key *key =
        key_stock_take_one(identity->pools->stock, call->arena, &stored) ? key_open(identity, &stored) : NULL;
    if (!key)
        return gh_fail(call->arena, &GH_INTERNAL, "A signing key could not be made.");
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_identity_key_put(&tx, &stored, call->now_us);
    gh_err err = tx_commit(&tx);
    if (!err) {
        atomic_store(&signer->current, key);
        return NULL;
    }
    key_free(key->key);
    arena_free(key->arena);
    return err;
}

gh_err identity_token_key(struct call *call)
{
    struct token_signer *signer = ((struct identity *)call->module)->token_signer;
    gh_err err = NULL;
    if (atomic_load(&signer->current))
        return NULL;
    pthread_mutex_lock(&signer->making);
    if (!atomic_load(&signer->current))
        err = make_key(call, signer);
    pthread_mutex_unlock(&signer->making);
    return err;
}

struct str identity_token_issuer(struct identity *identity, struct arena *arena)
{
    return str_concat(arena, identity->base_url, STR("/_aws/cognito-identity"));
}

/* ---- what is in a token ---- */

/* "https://aws.amazon.com/tags": {"principal_tags": {"k": ["v"]}, "transitive_tag_keys": ["k"]} */
static json_t *tags_claim(struct arena *arena, const struct tags *tags)
{
    json_t *values = json_object(), *keys = json_array(), *claim = json_object();
    for (size_t i = 0; i < tags->n; i++) {
        json_t *one = json_array();
        json_array_append_new(one, json_of(tags->items[i].value));
        json_object_set_new(values, str_c(arena, tags->items[i].key), one);
        json_array_append_new(keys, json_of(tags->items[i].key));
    }
    json_object_set_new(claim, "principal_tags", values);
    json_object_set_new(claim, "transitive_tag_keys", keys);
    return claim;
}

gh_err identity_token_sign(struct call *call, const struct identity_token *token, struct str *out)
{
    struct token_signer *signer = ((struct identity *)call->module)->token_signer;
    const struct signing_key *key = atomic_load(&signer->current);
    json_t *claims = json_own(call->arena, json_object()), *amr = json_array();
    json_set_str(claims, "sub", token->identity);
    json_set_str(claims, "aud", token->pool);
    for (size_t i = 0; i < token->n_amr; i++)
        json_array_append_new(amr, json_of(token->amr[i]));
    json_object_set_new(claims, "amr", amr);
    if (token->tags.n)
        json_object_set_new(claims, TAGS_CLAIM, tags_claim(call->arena, &token->tags));
    json_set_str(claims, "iss", identity_token_issuer(signer->identity, call->arena));
    json_set_i64(claims, "exp", token->expires_s);
    json_set_i64(claims, "iat", call->now_us / 1000000);
    json_set_str(claims, "jti", id_uuid(call->env, call->arena));
    *out = key ? jwt_mint(call->arena, key->key, key->kid, json_print(call->arena, claims)) : STR_NONE;
    return out->ptr ? NULL : gh_fail(call->arena, &GH_INTERNAL, "The signing key of identity pools cannot be used.");
}

static struct tags read_tags(struct arena *arena, const json_t *claims)
{
    json_t *values = json_object_get(json_object_get(claims, TAGS_CLAIM), "principal_tags"), *value;
    struct tag *items = ARENA_ARRAY(arena, struct tag, json_object_size(values) + 1);
    size_t n = 0;
    const char *name;
    json_object_foreach(values, name, value) {
        struct str text = json_value_str(json_array_get(value, 0));
        if (text.ptr)
            items[n++] = (struct tag){ str_of(name), text };
    }
    return (struct tags){ n, items };
}

enum token_verdict identity_token_verify(struct identity *identity, struct arena *arena, struct str token, int64_t now_s,
                                         struct identity_token *out)
{
    const struct signing_key *key = atomic_load(&identity->token_signer->current);
    struct jwt jwt;
    bool good = false;
    if (!jwt_read(arena, token, &jwt) || jwt.alg != KEY_RS256)
        return TOKEN_MALFORMED;
    const json_t *peeked = jwt_peek(arena, &jwt);
    if (!str_eq(json_str(peeked, "iss"), identity_token_issuer(identity, arena)))
        return TOKEN_WRONG_ISSUER;
    json_t *claims = key && str_eq(jwt.kid, key->kid) ? jwt_claims(arena, &jwt, key->key, &good) : NULL;
    if (!good)
        return TOKEN_BAD_SIGNATURE;
    enum jwt_time time = jwt_check_time(claims, now_s);
    if (time != JWT_LIVE)
        return time == JWT_EXPIRED ? TOKEN_EXPIRED : TOKEN_MALFORMED;
    *out = (struct identity_token){ .pool = json_str(claims, "aud"), .identity = json_str(claims, "sub"),
                                    .tags = read_tags(arena, claims), .expires_s = json_i64(claims, "exp", 0),
                                    .claims = claims };
    json_t *amr = json_object_get(claims, "amr");
    struct str *list = ARENA_ARRAY(arena, struct str, json_array_size(amr) + 1);
    for (size_t i = 0; i < json_array_size(amr); i++)
        list[out->n_amr++] = json_value_str(json_array_get(amr, i));
    out->amr = list;
    return out->pool.ptr && out->identity.ptr ? TOKEN_OK : TOKEN_MALFORMED;
}

/* ---- public documents ---- */

bool identity_token_document(struct identity *identity, struct arena *arena, struct str path, struct str *json)
{
    const struct signing_key *key = atomic_load(&identity->token_signer->current);
    struct str issuer = identity_token_issuer(identity, arena);
    if (str_is(path, "/.well-known/jwks_uri")) {
        *json = key ? key->jwks : STR("{\"keys\":[]}");
        return true;
    }
    *json = str_printf(arena,
                       "{\"issuer\":\"%.*s\",\"jwks_uri\":\"%.*s/.well-known/jwks_uri\","
                       "\"response_types_supported\":[\"token\"],\"subject_types_supported\":[\"pairwise\"],"
                       "\"id_token_signing_alg_values_supported\":[\"RS256\"]}",
                       STR_FMT(issuer), STR_FMT(issuer));
    return str_is(path, "/.well-known/openid-configuration");
}
