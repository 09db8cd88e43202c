/* Resource servers of a pool and the scopes that they define. */
#pragma once

#include "identity/pools/pool.h"

/* *found false: none of that identifier. */
gh_err resource_server_find(struct call *call, struct tx *tx, const struct pool *pool, struct str identifier,
                            struct idp_ResourceServerType *out, bool *found);

/* phone, email, openid, profile, aws.cognito.signin.user.admin. */
bool scope_is_standard(struct str scope);
/* Does the pool know this scope: a standard one, or "identifier/scope" of one of its resource servers? */
gh_err scope_exists(struct call *call, const struct pool *pool, struct str scope, bool *exists);
