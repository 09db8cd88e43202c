/* An identity of a pool, found; and which one somebody is by his logins. */
#pragma once

#include "identity/identity_pools/login.h"

/* Errors: ResourceNotFoundException, "Identity 'X' not found." find: of any account, with its pool; load: of a pool of the
 * caller's account and region. */
gh_err identity_record_find(struct call *call, struct tx *tx, struct str id, struct identity_row *out,
                            struct identity_pool *pool);
gh_err identity_record_load(struct call *call, struct tx *tx, struct str id, struct identity_row *out,
                            struct identity_pool *pool);
/* "Access to Identity 'X' is forbidden." */
gh_err identity_forbidden(struct call *call, struct str id);

enum { MOST_LOGINS = 256 }; /* of an identity: 20 developer users, and one login a provider */
gh_err identity_record_logins(struct call *call, struct tx *tx, struct str id, struct login_row **out, size_t *n);
/* A new one, enabled. */
struct identity_row identity_record_new(struct call *call, struct tx *tx, const struct identity_pool *pool);

/* Which identity these logins prove (link.c). In a transaction where something changes, and only there:
 *   given    absent (GetId): the one that the logins belong to, or a new one. Else the identity that is claimed: a
 *            guest's logins become its own; one that has logins must have one of these
 *   *out     may be another than the given one: what two identities' logins meet in is merged
 * Errors: NotAuthorizedException (no guests in this pool; "Logins don't match…"; forbidden), ResourceConflictException
 * (a second login of a provider, on one identity), ResourceNotFoundException. */
gh_err identity_prove(struct call *call, const struct identity_pool *pool, struct str given, const struct logins *logins,
                      struct identity_row *out);
/* The same inside a transaction, for developers' users. */
gh_err identity_prove_in(struct call *call, struct tx *tx, const struct identity_pool *pool, struct str given,
                         const struct logins *logins, struct identity_row *out);
/* Is one of these a login of that identity? Links nothing. NotAuthorizedException otherwise. */
gh_err identity_check_login(struct call *call, struct tx *tx, const struct identity_pool *pool, struct str id,
                            const struct logins *logins);
/* All that `from` has becomes `to`'s; ResourceConflictException where both have a login of one provider, or together
 * more than 20 developer users. */
gh_err identity_merge(struct call *call, struct tx *tx, struct str from, struct str to);
