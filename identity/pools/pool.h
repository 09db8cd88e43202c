/* A user pool, found and decoded. */
#pragma once

#include "core/db.h"
#include "core/json.h"
#include "gen/cognito_idp.h"
#include "identity/tokens/directory.h"
#include "wire/call.h"

struct pool {
    struct str id, account, region;
    struct str name;              /* the id after '_': what SRP hashes */
    struct idp_UserPoolType *doc; /* as DescribeUserPool answers, without what is counted */
    json_t *more;                 /* an object of what AWS's document has no place for: "options" (options.h) */
    bool case_sensitive;
};

static inline struct pool_directory *pools_of(const struct call *call)
{
    return ((struct identity *)call->module)->pools;
}

/* Errors: ResourceNotFoundException, "User pool X does not exist." pool_find: in any account, for calls
 * without a signature, and its document is shared: not to be changed; pool_load: in the caller's account and
 * region. */
gh_err pool_find(struct call *call, struct str id, struct pool *out);
gh_err pool_load(struct call *call, struct str id, struct pool *out);
gh_err pool_load_in(struct call *call, struct tx *tx, struct str id, struct pool *out); /* to change it */

/* Names as this pool compares them: "case-insensitive: usernames and aliases compared lower-cased". */
struct str pool_fold(struct call *call, const struct pool *pool, struct str name);
/* Lists of the document. */
bool pool_signs_in_by(const struct pool *pool, const char *attribute); /* UsernameAttributes */
bool pool_has_alias(const struct pool *pool, const char *attribute);   /* AliasAttributes */
bool pool_auto_verifies(const struct pool *pool, const char *attribute);
static inline bool pool_names_are_subs(const struct pool *pool)
{
    return pool->doc->username_attributes.n > 0;
}
/* NULL: the schema has no such attribute. */
const struct idp_SchemaAttributeType *pool_attribute(const struct pool *pool, struct str name);

/* What a member was set to, or AWS's default where it was left out (pool_settings.c). */
void pool_set_defaults(struct call *call, struct idp_UserPoolType *doc);
/* more: the pool's, or NULL for a new one. */
gh_err pool_check_settings(struct call *call, const struct idp_UserPoolType *doc, const json_t *more);
/* The 21 attributes every pool has, with what `given` says of them, then the custom ones (pool_schema.c). */
gh_err pool_schema(struct call *call, const struct idp_SchemaAttributesListType *given,
                   struct idp_SchemaAttributesListType *out);
/* Another type (of a custom attribute), other constraints, mutable or not: what AWS freezes. Into pool->doc. */
gh_err pool_schema_change(struct call *call, struct pool *pool, const struct idp_SchemaAttributeType *given);
gh_err pool_schema_add(struct call *call, struct pool *pool, const struct idp_CustomAttributesListType *more);

/* NextToken <-> the key of the last item. The place keeps a token of one list out of another. */
struct str page_token(struct call *call, const char *list, struct str pool, struct str last);
gh_err page_open(struct call *call, const char *list, struct str pool, struct str token, struct str *after);
