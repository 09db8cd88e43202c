/* Identity providers of a pool: records, kept and checked. Signing in through them is for the pages. */
#pragma once

#include "identity/pools/record.h"

/* *found false: the pool has no such provider. Secrets in ProviderDetails are opened. */
gh_err provider_find(struct call *call, struct tx *tx, const struct pool *pool, struct str name,
                     struct idp_IdentityProviderType *out, bool *found);
/* ResourceNotFoundException */
gh_err provider_load(struct call *call, const struct pool *pool, struct str name, struct idp_IdentityProviderType *out);

/* ---- provider_details.c ---- */
/* Everything that can be wrong with a provider by itself. InvalidParameterException. */
gh_err provider_check(struct call *call, const struct pool *pool, const struct idp_IdentityProviderType *provider);
/* What AWS adds: endpoints of social providers, the mapping of username. */
void provider_complete(struct call *call, struct idp_IdentityProviderType *provider);
/* A detail's value; absent: not given. */
struct str provider_detail(const struct idp_IdentityProviderType *provider, const char *key);
/* "client_secret", "private_key" */
bool provider_detail_is_secret(struct str key);
