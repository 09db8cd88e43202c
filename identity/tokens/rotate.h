/* A pool's signing keys take turns: a new pair is listed in the JWKS for a while (option keyListedSeconds), then it signs;
 * the old ones stay listed until their last tokens have expired. Nobody's token is refused on the way.
 *
 * A key that has become known to others is retired at once instead: its tokens are refused from now on, and its use goes
 * on with another key. All of it is in effect everywhere in this process when these return. Job threads. */
#pragma once

#include "identity/pools/pool.h"

/* Of RSA pairs that may be listed at once. */
enum { MOST_LISTED_KEYS = 16 };

/* A new pair, which signs from from_s on.
 * Errors: ResourceNotFoundException; InvalidParameterException (the next pair is listed already); LimitExceededException. */
gh_err keys_rotate(struct pool_directory *directory, struct arena *arena, struct str pool, int64_t from_s, int64_t now_s);
/* Errors: ResourceNotFoundException (no such pool or key). */
gh_err keys_retire(struct pool_directory *directory, struct arena *arena, struct str pool, struct str kid, int64_t now_s);
/* Option keyRotationDays: has the background make the next pair when its time has come. */
void keys_rotate_when_due(struct call *call, const struct pool *pool, const struct listed_pool *listed);
