/* Tokens that were verified, so that the next look costs no RSA (20 µs) and no JSON.
 *
 * Found by the whole token, never by a hash alone: distinct strings cannot alias. The bucket comes
 * from the end of the signature, which nobody can choose for a token that verifies. Any thread;
 * bounded: a full set gives up its least recently found entry. */
#pragma once

#include <jansson.h>

#include "core/arena.h"
#include "core/str.h"

struct token_cache;

/* What was found out about a token once; immutable but for `generation`. */
struct cached_token {
    json_t *claims;
    struct str token_use, sub, pool_id, pool_arn, origin; /* origin_jti, or absent */
    int64_t issued_s, expires_s, stamp_us;
    _Atomic uint64_t generation; /* of the revocations, when last asked; 0: never */
    struct token_cache_entry *private;
};

struct token_cache *token_cache_new(void);
void token_cache_free(struct token_cache *cache);
/* The reference is held until the arena is freed. NULL: not there. */
struct cached_token *token_cache_find(struct token_cache *cache, struct arena *arena, struct str token);
/* Takes its own reference to claims and copies the strings; gives the entry, held as above. */
struct cached_token *token_cache_add(struct token_cache *cache, struct arena *arena, struct str token,
                                     const struct cached_token *fresh);
void token_cache_drop_pool(struct token_cache *cache, struct str pool_id);
