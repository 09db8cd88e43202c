/* An identity pool, found and decoded. */
#pragma once

#include "core/json.h"
#include "gen/cognito_identity.h"
#include "identity/state.h"
#include "identity/store/identity_pool.h"
#include "wire/call.h"

struct identity_pool {
    struct str id, account, region;
    struct ci_IdentityPool *doc;             /* as DescribeIdentityPool answers */
    struct ci_SetIdentityPoolRoles_in *roles; /* as SetIdentityPoolRoles was given them; NULL: never */
};

/* Errors: ResourceNotFoundException, "IdentityPool 'X' not found." find: in any account, for calls without a
 * signature; load: in the caller's account and region. tx may be NULL. */
gh_err identity_pool_find(struct call *call, struct tx *tx, struct str id, struct identity_pool *out);
gh_err identity_pool_load(struct call *call, struct tx *tx, struct str id, struct identity_pool *out);
gh_err identity_pool_not_found(struct call *call, struct str id);
struct str identity_pool_arn(struct call *call, const struct identity_pool *pool);

/* Writes the document. */
void identity_pool_save(struct tx *tx, const struct identity_pool *pool);
/* Ends a transaction that `err` may have spoilt: rolled back, or committed. */
gh_err identity_pool_end(struct tx *tx, gh_err err);

/* The call as if somebody of the pool's account had made it: what is looked up for calls without a signature. */
struct call *identity_pool_call(struct call *call, const struct identity_pool *pool);

/* Settings (settings.c): are they consistent? old: NULL for a new pool. Errors: InvalidParameterException. */
gh_err identity_pool_check(struct call *call, const struct ci_IdentityPool *doc, const struct ci_IdentityPool *old);
gh_err identity_pool_check_tags(struct call *call, const struct ci_IdentityPoolTagsType *tags);

/* NextToken <-> the key of the last item. The place keeps a token of one list out of another. */
struct str identity_pool_page_token(struct call *call, const char *list, struct str of, struct str last);
gh_err identity_pool_page(struct call *call, const char *list, struct str of, struct str token, struct str *after);
