/* JWT: tokens of any issuer that publishes its keys.
 *
 * In AWS's order: the token from one header, its algorithm and key, the signature, issuer, audience,
 * times, additional claims, then the method's scopes. What is wrong with the token is 401; "a valid token
 * that carries none of the method's scopes receives a 403 Forbidden response". When the issuer gives
 * no keys nobody can be authenticated: 500 AUTHORIZER_FAILURE. Our own pools are asked in memory, and
 * their revoked sessions' tokens are refused at once. */
#include "core/issuer.h"
#include "core/jwt.h"
#include "core/token_cache.h"
#include "gateway/stage/stage.h"

static enum gw_next refuse(struct gw_request *r, const char *why)
{
    trace_note(&r->trace, "token", str_of(why));
    return gw_fail(r, RESPONSE_UNAUTHORIZED);
}

static enum gw_next expired(struct gw_request *r)
{
    trace_note(&r->trace, "token", STR("expired"));
    return gw_fail_text(r, RESPONSE_UNAUTHORIZED, STR("The incoming token has expired"));
}

/* Signed and live: is it for this method? */
static enum gw_next judge(struct gw_request *r, const struct jwt_issuer *issuer, json_t *claims, bool cached)
{
    const char *why = jwt_rules_broken(issuer, claims);
    if (why)
        return refuse(r, why);
    r->caller.claims = claims;
    trace_note(&r->trace, cached ? "token is good (cached), sub" : "token is good, sub", json_str(claims, "sub"));
    if (r->method->n_scopes == 0 || jwt_has_scope(claims, r->method->scopes, r->method->n_scopes))
        return GW_NEXT;
    trace_note(&r->trace, "token", STR("none of the method's scopes is in the token"));
    return gw_fail(r, RESPONSE_ACCESS_DENIED);
}

/* A user pool of our own. */
static enum gw_next ask_pool(struct gw_request *r, const struct jwt_issuer *issuer, struct str token)
{
    struct verified_token found;
    enum token_verdict verdict = identity_verify_issued(
        r->gateway->config.identity, r->arena, token, issuer->name, r->method->authorizer->honour_revocation,
        r->wall_us / 1000000, &found);
    if (verdict == TOKEN_EXPIRED)
        return expired(r);
    if (verdict != TOKEN_OK)
        return refuse(r, token_verdict_text(verdict));
    return judge(r, issuer, found.claims, found.from_cache);
}

static struct issuer *keys_of(struct gw_request *r, struct jwt_issuer *rules)
{
    struct issuer *keys = atomic_load_explicit(&rules->keys, memory_order_acquire), *mine;
    if (keys)
        return keys;
    mine = issuer_hold(r->gateway->issuers, rules->name, rules->jwks_uri);
    if (atomic_compare_exchange_strong(&rules->keys, &keys, mine))
        return mine; /* the snapshot lets it go */
    issuer_release(mine);
    return keys;
}

/* Has its time come, or gone? The token was looked at when it was verified; the clock goes on. */
static enum gw_next in_time(struct gw_request *r, const json_t *claims)
{
    enum jwt_time time = jwt_check_time(claims, r->wall_us / 1000000);
    if (time == JWT_EXPIRED)
        return expired(r);
    return time == JWT_LIVE ? GW_NEXT : refuse(r, "its times are missing or malformed, or it is not valid yet");
}

static enum gw_next use(struct gw_request *r, struct jwt_issuer *issuer, const struct cached_token *token, bool cached)
{
    if (!r->method->authorizer->jwt->algorithms[token->alg])
        return refuse(r, "signing method is not allowed");
    enum gw_next next = in_time(r, token->claims);
    return next == GW_NEXT ? judge(r, issuer, token->claims, cached) : next;
}

/* A token that was seen before, while its issuer has the keys that it had then. */
static bool use_cached(struct gw_request *r, struct str token, enum gw_next *next)
{
    struct cached_token *found = token_cache_find(r->gateway->jwt_cache, r->arena, token);
    struct jwt_issuer *issuer = found ? jwt_rules_issuer(r->method->authorizer->jwt, found->claims) : NULL;
    if (!issuer)
        return false;
    uint64_t generation = issuer_generation(keys_of(r, issuer), env_monotonic_us(r->gateway->config.env));
    if (!generation || generation != atomic_load_explicit(&found->generation, memory_order_acquire))
        return false;
    *next = use(r, issuer, found, true);
    return true;
}

static enum gw_next remember(struct gw_request *r, struct jwt_issuer *issuer, struct str token, const struct jwt *jwt,
                             json_t *claims, uint64_t generation)
{
    const struct cached_token fresh = { .claims = claims, .alg = jwt->alg, .generation = generation };
    struct cached_token *found = token_cache_find(r->gateway->jwt_cache, r->arena, token);
    if (found) /* the issuer's keys have changed, and this one is still among them */
        atomic_store_explicit(&found->generation, generation, memory_order_release);
    else if (jwt_check_time(claims, r->wall_us / 1000000) == JWT_LIVE)
        token_cache_add(r->gateway->jwt_cache, r->arena, token, &fresh);
    return use(r, issuer, &fresh, false);
}

static void resume(struct issuer_asker *asker)
{
    gw_resume((struct gw_request *)(void *)((char *)asker - offsetof(struct gw_request, issuer_asker)));
}

static enum gw_next authorize_enter(struct gw_request *r)
{
    const struct jwt_rules *rules = r->method->authorizer->jwt;
    struct str token = STR_NONE;
    struct jwt jwt;
    enum gw_next next;
    if (!stage_take_token(r, &token))
        return gw_fail(r, RESPONSE_UNAUTHORIZED);
    if (use_cached(r, token, &next))
        return next;
    if (!jwt_read(r->arena, token, &jwt))
        return refuse(r, "malformed token");
    json_t *claims = jwt_peek(r->arena, &jwt);
    struct jwt_issuer *issuer = jwt_rules_issuer(rules, claims);
    if (!issuer)
        return refuse(r, "the token has an invalid issuer");
    if (!rules->algorithms[jwt.alg])
        return refuse(r, "signing method is not allowed");
    if (gateway_issues(r->gateway, issuer->name))
        return ask_pool(r, issuer, token);
    const struct key *key;
    uint64_t generation;
    const char *why;
    r->issuer_asker.loop = r->home->loop;
    r->issuer_asker.client = r->home->client;
    r->issuer_asker.arena = r->arena;
    r->issuer_asker.ready = resume;
    switch (issuer_key(keys_of(r, issuer), &r->issuer_asker, jwt.kid, jwt.alg, &key, &generation, &why)) {
    case ISSUER_ASKED:
        return GW_WAIT;
    case ISSUER_DOWN:
        trace_note(&r->trace, "the issuer gives no keys", str_of(why));
        r->failure_null = true;
        return gw_fail(r, RESPONSE_AUTHORIZER_FAILURE);
    case ISSUER_NO_KEY:
        return refuse(r, "no matching key of the issuer");
    case ISSUER_KEY:
        break;
    }
    if (!key_verify(key, jwt.alg, jwt.signing_input, jwt.signature))
        return refuse(r, "signature not verified");
    return remember(r, issuer, token, &jwt, claims, generation);
}

/* The keys have come, or will not: once more from the front. */
const struct gw_step step_auth_jwt = { "authorize", authorize_enter, authorize_enter, .guards = true };
