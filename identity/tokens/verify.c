/* Is this token one of ours, whole, live and not revoked? */
#include <stdatomic.h>

#include "core/json.h"
#include "core/jwt.h"
#include "identity/tokens/directory.h"
#include "identity/tokens/revocation.h"
#include "identity/tokens/verify.h"

static const char *const verdict_texts[] = {
    [TOKEN_OK] = "ok",
    [TOKEN_MALFORMED] = "malformed token",
    [TOKEN_BAD_SIGNATURE] = "signature not verified",
    [TOKEN_EXPIRED] = "expired",
    [TOKEN_WRONG_ISSUER] = "issued by another user pool",
    [TOKEN_REVOKED] = "revoked",
};

const char *token_verdict_text(enum token_verdict verdict)
{
    return verdict_texts[verdict];
}

static bool is_text(const json_t *value)
{
    return json_is_string(value) && json_string_length(value) > 0;
}

/* RFC 7519, 4.1.3: a string, or an array of strings. */
static bool names_audience(const json_t *claims, enum key_use use)
{
    const json_t *audience = json_object_get(claims, use == KEY_FOR_ID ? "aud" : "client_id");
    const json_t *one;
    size_t i;
    if (is_text(audience))
        return true;
    if (use != KEY_FOR_ID || !json_is_array(audience) || json_array_size(audience) == 0)
        return false;
    json_array_foreach(audience, i, one)
        if (!is_text(one))
            return false;
    return true;
}

/* What every token of ours says. A token signed by the ID key says "id", by the other "access":
 * a claim cannot turn one into the other. */
static bool well_formed(const json_t *claims, enum key_use use)
{
    return str_is(json_str(claims, "token_use"), key_use_name(use)) &&
           is_text(json_object_get(claims, "sub")) && is_text(json_object_get(claims, "iss")) &&
           json_is_integer(json_object_get(claims, "iat")) && names_audience(claims, use);
}

static int64_t stamp_of(const json_t *claims)
{
    int64_t stamp = uuid_stamp(json_str(claims, "origin_jti"));
    return stamp ? stamp : uuid_stamp(json_str(claims, "event_id"));
}

/* What names the sign-in: "origin_jti", and in tokens of clients without EnableTokenRevocation, which have none,
 * "event_id". */
static struct str origin_of(const json_t *claims)
{
    struct str origin = json_str(claims, "origin_jti");
    return origin.ptr ? origin : json_str(claims, "event_id");
}

static enum token_verdict verify_fresh(struct pool_directory *directory, struct arena *arena,
                                       struct str token, int64_t now_s, struct cached_token **out)
{
    struct jwt jwt;
    const struct listed_key *listed = NULL;
    if (!jwt_read(arena, token, &jwt) || jwt.alg != KEY_RS256)
        return TOKEN_MALFORMED;
    const struct listed_pool *pool = pool_directory_by_kid(directory, arena, jwt.kid, &listed);
    const struct key *key = pool ? listed_key_verifier(pool, listed) : NULL;
    if (!key)
        return TOKEN_BAD_SIGNATURE;
    bool signed_;
    json_t *claims = jwt_claims(arena, &jwt, key, &signed_);
    if (!signed_)
        return TOKEN_BAD_SIGNATURE;
    if (!claims || !well_formed(claims, listed->use))
        return TOKEN_MALFORMED;
    if (!str_eq(json_str(claims, "iss"), pool->issuer))
        return TOKEN_WRONG_ISSUER;
    enum jwt_time time = jwt_check_time(claims, now_s);
    if (time != JWT_LIVE)
        return time == JWT_EXPIRED ? TOKEN_EXPIRED : TOKEN_MALFORMED;
    const struct cached_token fresh = {
        .claims = claims,
        .token_use = json_str(claims, "token_use"),
        .sub = json_str(claims, "sub"),
        .alg = KEY_RS256,
        .issuer = pool->id,
        .issuer_arn = pool->arn,
        .origin = origin_of(claims),
        .issued_s = json_i64(claims, "iat", 0),
        .expires_s = json_i64(claims, "exp", 0),
        .stamp_us = stamp_of(claims),
    };
    *out = token_cache_add(directory->cache, arena, token, &fresh);
    if (pool_directory_by_kid(directory, arena, jwt.kid, &listed))
        return TOKEN_OK;
    token_cache_drop(directory->cache, pool->id); /* the pool or the key was taken away while we looked */
    return TOKEN_BAD_SIGNATURE;
}

enum token_verdict token_verify(struct pool_directory *directory, struct arena *arena, struct str token,
                                int64_t now_s, struct cached_token **out, bool *from_cache)
{
    *out = token_cache_find(directory->cache, arena, token);
    *from_cache = *out != NULL;
    if (!*out) {
        enum token_verdict verdict = verify_fresh(directory, arena, token, now_s, out);
        if (verdict != TOKEN_OK)
            return verdict;
    }
    if ((*out)->expires_s <= now_s)
        return TOKEN_EXPIRED;
    return (*out)->issued_s > now_s ? TOKEN_MALFORMED : TOKEN_OK; /* the clock was set back */
}

/* Asked again only when something was revoked since the last time. */
bool token_is_revoked(struct pool_directory *directory, struct cached_token *token)
{
    struct revocations *revocations = directory->revocations;
    uint64_t generation = revocation_generation(revocations);
    if (atomic_load_explicit(&token->generation, memory_order_acquire) == generation)
        return false;
    if (revocation_holds(revocations, token->issuer, token->sub, token->origin, token->stamp_us))
        return true;
    atomic_store_explicit(&token->generation, generation, memory_order_release);
    return false;
}

static bool names_pool(const struct str *arns, size_t n, struct str arn)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(arns[i], arn))
            return true;
    return false;
}

/* Good in itself; then whose it is, and whether its session still stands. */
static enum token_verdict verified(struct identity *identity, struct cached_token *found, bool ours,
                                   bool honour_revocation, bool from_cache, struct verified_token *out)
{
    if (!ours)
        return TOKEN_WRONG_ISSUER;
    if (honour_revocation && token_is_revoked(identity->pools, found))
        return TOKEN_REVOKED;
    *out =
        (struct verified_token){ found->claims, found->token_use, found->sub, found->expires_s, from_cache };
    return TOKEN_OK;
}

enum token_verdict identity_verify_token(struct identity *identity, struct arena *arena, struct str token,
                                         const struct str *pool_arns, size_t n_pool_arns,
                                         bool honour_revocation, int64_t now_s, struct verified_token *out)
{
    struct cached_token *found;
    bool from_cache;
    enum token_verdict verdict = token_verify(identity->pools, arena, token, now_s, &found, &from_cache);
    if (verdict != TOKEN_OK)
        return verdict;
    return verified(identity, found, names_pool(pool_arns, n_pool_arns, found->issuer_arn), honour_revocation,
                    from_cache, out);
}

enum token_verdict identity_verify_issued(struct identity *identity, struct arena *arena, struct str token,
                                          struct str issuer, bool honour_revocation, int64_t now_s,
                                          struct verified_token *out)
{
    struct cached_token *found;
    bool from_cache;
    enum token_verdict verdict = token_verify(identity->pools, arena, token, now_s, &found, &from_cache);
    if (verdict != TOKEN_OK)
        return verdict;
    return verified(identity, found, str_eq(json_str(found->claims, "iss"), issuer), honour_revocation, from_cache,
                    out);
}

bool identity_pool_exists(struct identity *identity, struct str pool_arn)
{
    ptrdiff_t slash = str_find(pool_arn, '/');
    if (slash < 0)
        return false;
    struct arena *arena = arena_new(512);
    const struct listed_pool *pool =
        pool_directory_find(identity->pools, arena, str_from(pool_arn, (size_t)slash + 1));
    bool exists = pool && str_eq(pool->arn, pool_arn);
    arena_free(arena);
    return exists;
}
