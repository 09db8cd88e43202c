/* Tokens that were verified, so that the next look costs no RSA (20 µs) and no JSON.
 *
 * Found by the whole token, never by a hash alone: distinct strings cannot alias. The bucket comes
 * from the end of the signature, which nobody can choose for a token that verifies. Any thread;
 * bounded: a full set gives up its least recently found entry. */
#pragma once

#include <jansson.h>

#include "core/key.h"

struct token_cache;

/* What was found out about a token once; immutable but for `generation`. */
struct cached_token {
    json_t *claims;
    enum key_alg alg;
    struct str issuer, issuer_arn; /* whose it is: an id (a pool's) and an ARN, or absent */
    struct str token_use, sub, origin; /* pools': into the claims; origin_jti, or absent */
    int64_t issued_s, expires_s, stamp_us;
    _Atomic uint64_t generation; /* of what may change the verdict (revocations, the issuer's keys) when
                                    last asked; 0: never */
    struct token_cache_entry *private;
};

struct token_cache *token_cache_new(void);
void token_cache_free(struct token_cache *cache);
/* The reference is held until the arena is freed. NULL: not there. */
struct cached_token *token_cache_find(struct token_cache *cache, struct arena *arena, struct str token);
/* Takes its own reference to claims and copies the strings; gives the entry, held as above. */
struct cached_token *token_cache_add(struct token_cache *cache, struct arena *arena, struct str token,
                                     const struct cached_token *fresh);
void token_cache_drop(struct token_cache *cache, struct str issuer);
