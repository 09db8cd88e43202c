/* What IAM's operations share: finding things by name with AWS's words when they are missing,
 * making ids, answering with users, groups and roles, pages. */
#pragma once

#include "gen/iam.h"
#include "identity/access/principals.h"
#include "identity/store/access_key.h"
#include "identity/store/iam_entity.h"
#include "identity/store/iam_policy.h"
#include "wire/call.h"

/* Kinds that the model does not name. */
extern const struct gh_kind IAM_VALIDATION_ERROR; /* ValidationError 400 */
extern const struct gh_kind IAM_ACCESS_DENIED;    /* AccessDenied 403 */

static inline struct identity *iam_identity(const struct call *call)
{
    return call->module;
}

/* Ends what tx_begin began: commits when err is NULL, undoes otherwise. */
gh_err iam_finish(struct tx *tx, gh_err err);

/* NoSuchEntity when there is none. tx may be NULL. */
gh_err iam_find(struct call *call, struct tx *tx, enum entity_kind kind, struct str name, struct entity *out);
/* The same, for what changes it: a service-linked role is modifiable by its service only. */
gh_err iam_find_changeable(struct call *call, struct tx *tx, enum entity_kind kind, struct str name, struct entity *out);
gh_err iam_find_policy(struct call *call, struct tx *tx, struct str arn, struct entity *out);
/* Policies and identity providers go by their ARN. */
gh_err iam_find_arn(struct call *call, struct tx *tx, enum entity_kind kind, struct str arn, struct entity *out);
gh_err iam_no_such(struct call *call, enum entity_kind kind, struct str name);
/* "If you do not specify a user name, IAM determines it from the access key signing the request." */
gh_err iam_user_or_caller(struct call *call, struct tx *tx, struct str name, struct entity *out);

/* After a commit that changed a user, a group or a role: its policies are compiled anew. */
void iam_reload(struct call *call, const struct entity *owner);

/* Fills in id, ARN, times; refuses a name that is taken, too many, double tags; inserts. */
gh_err iam_create(struct call *call, struct tx *tx, struct entity *entity);
gh_err iam_check_tags(struct call *call, const struct iam_tagListType *tags);
/* MalformedPolicyDocument or LimitExceeded. */
gh_err iam_check_policy(struct call *call, enum policy_use use, struct str document);
/* The same for a managed policy, whose size has a quota of its own. */
gh_err iam_check_managed_document(struct call *call, struct str document);
/* A permissions boundary must be a managed policy that exists. absent: fine. */
gh_err iam_check_boundary(struct call *call, struct tx *tx, struct str arn);
void iam_set_boundary(struct tx *tx, struct entity *entity, struct str arn); /* absent: removes it */

/* DeleteConflict while something still hangs on the entity; in the order in which AWS looks. */
gh_err iam_check_untied(struct call *call, struct tx *tx, const struct entity *entity);

/* Trust policies that name a user or role follow it: by its new ARN, or (`now` absent) by its unique id when it is
 * deleted, as "the principal ID appears … because AWS can no longer map it back to a valid ARN". */
gh_err iam_trust_follows(struct call *call, struct tx *tx, struct str id, struct str arn, struct str now);

/* May the caller hand this role to that service? AccessDenied for iam:PassRole otherwise. */
gh_err iam_check_pass_role(struct call *call, struct str role_arn, struct str service);

/* How much an answer shows of an entity differs by operation. */
enum iam_detail { IAM_LISTED, IAM_CREATED, IAM_READ };
struct iam_User *iam_user(struct call *call, const struct entity *entity, enum iam_detail detail);
struct iam_Group *iam_group(struct call *call, const struct entity *entity);
struct iam_Role *iam_role(struct call *call, const struct entity *entity, enum iam_detail detail);
/* Policy documents travel percent-encoded. */
struct str iam_document(struct call *call, struct str document);
struct opt_time iam_time(int64_t us); /* whole seconds */

/* A page of a list: names after the marker, at most `max` (100 unless asked). */
struct iam_page {
    struct str after; /* absent at the start */
    int64_t max;
};
gh_err iam_page(struct call *call, struct str marker, struct opt_i64 max_items, struct iam_page *out);
struct str iam_marker(struct call *call, struct str last_name);
/* Cuts a whole list of n rows, sorted by name, to the page: first and count. */
typedef struct str iam_name_at(const void *items, size_t i);
struct iam_cut {
    size_t first, n;
    bool truncated;
    struct str marker;
};
struct iam_cut iam_cut(struct call *call, const struct iam_page *page, const void *items, size_t n,
                       iam_name_at *name);
