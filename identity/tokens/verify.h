/* Tokens of any pool, for operations that take an access token. identity_verify_token adds the question
 * which pools are meant. */
#pragma once

#include "identity/tokens/directory.h"
#include "core/token_cache.h"

/* Whole, signed, live. The entry is held until the arena is freed. */
enum token_verdict token_verify(struct pool_directory *directory, struct arena *arena, struct str token,
                                int64_t now_s, struct cached_token **out, bool *from_cache);
bool token_is_revoked(struct pool_directory *directory, struct cached_token *token);
