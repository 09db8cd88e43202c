/* From claims to signed tokens. */
#pragma once

#include "identity/tokens/claims.h"

/* The pool's current key signs. InvalidLambdaResponseException: a function of the pool made it longer than any reader of
 * ours would take; GH_INTERNAL: the key cannot be used. */
gh_err token_sign(struct call *call, const struct listed_pool *pool, enum key_use use, const json_t *claims, struct str *out);
/* The pool as tokens know it; asks for new keys when it is time. GH_INTERNAL: it has been deleted meanwhile. */
gh_err token_pool(struct call *call, const struct client *client, const struct listed_pool **out);
