/* Managed policies attached to users, groups and roles, and permissions boundaries. */
#include "identity/iam/iam.h"

#include "identity/iam/policies/managed.h"

static gh_err check_attachable(struct call *call, struct tx *tx, struct str arn)
{
    if (!str_starts(arn, STR("arn:")))
        return gh_fail(call->arena, &IAM_VALIDATION_ERROR, "Invalid ARN:  Could not be parsed!");
    struct str document;
    if (str_starts(arn, STR("arn:aws:iam::aws:policy/aws-service-role/")) && managed_find(arn))
        return gh_fail(call->arena, &iam_PolicyNotAttachableException,
                       "Cannot attach a Service Role Policy to a Customer Role.");
    gh_err err = managed_document(call->db, tx, call->arena, arn, &document);
    if (err || document.ptr)
        return err;
    return gh_fail(call->arena, &iam_NoSuchEntityException, "Policy %.*s does not exist or is not attachable.",
                   STR_FMT(arn));
}

static gh_err check_quota(struct call *call, struct tx *tx, const struct entity *owner, struct str arn)
{
    static const char *const words[] = { "PoliciesPerUser", "PoliciesPerGroup", "PoliciesPerRole" };
    struct arns arns;
    gh_err err = attached_list(call->db, tx, call->arena, owner->id, entity_kind_name(owner->kind), &arns);
    for (size_t i = 0; !err && i < arns.n; i++)
        if (str_eq(arns.items[i], arn))
            return NULL;
    if (!err && arns.n >= 10)
        err = gh_fail(call->arena, &iam_LimitExceededException, "Cannot exceed quota for %s: 10", words[owner->kind]);
    return err;
}

static gh_err attach(struct call *call, enum entity_kind kind, struct str name, struct str arn)
{
    struct entity owner;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find_changeable(call, &tx, kind, name, &owner);
    if (!err)
        err = check_attachable(call, &tx, arn);
    if (!err)
        err = check_quota(call, &tx, &owner, arn);
    if (!err)
        attached_add(&tx, owner.id, entity_kind_name(kind), call->account, arn);
    err = iam_finish(&tx, err);
    if (!err)
        iam_reload(call, &owner);
    return err;
}

static gh_err detach(struct call *call, enum entity_kind kind, struct str name, struct str arn)
{
    struct entity owner;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find_changeable(call, &tx, kind, name, &owner);
    if (!err) {
        attached_remove(&tx, owner.id, entity_kind_name(kind), arn);
        if (!tx.err && tx.changes == 0)
            err = iam_no_such(call, ENTITY_POLICY, arn);
    }
    err = iam_finish(&tx, err);
    if (!err)
        iam_reload(call, &owner);
    return err;
}

/* "arn:aws:iam::1:policy/a/b/Name": path "/a/b/", name "Name". */
static struct str arn_path(struct str arn)
{
    ptrdiff_t at = str_find_str(arn, STR(":policy/"));
    ptrdiff_t end = str_find_last(arn, '/');
    return at < 0 ? STR("/") : str_sub(arn, (size_t)at + 7, (size_t)(end - at - 6));
}

static struct str arn_name(struct str arn)
{
    return str_from(arn, (size_t)(str_find_last(arn, '/') + 1));
}

static struct str nth_arn(const void *items, size_t i)
{
    return ((const struct str *)items)[i];
}

static gh_err list(struct call *call, enum entity_kind kind, struct str name, struct str prefix, struct str marker,
                   struct opt_i64 max_items, struct iam_attachedPoliciesListType *out, struct opt_bool *truncated,
                   struct str *next)
{
    struct entity owner;
    struct arns arns;
    struct iam_page page;
    gh_err err = iam_page(call, marker, max_items, &page);
    if (!err)
        err = iam_find(call, NULL, kind, name, &owner);
    if (!err)
        err = attached_list(call->db, NULL, call->arena, owner.id, entity_kind_name(kind), &arns);
    if (err)
        return err;
    size_t below = 0;
    for (size_t i = 0; i < arns.n; i++)
        if (!prefix.ptr || str_starts(arn_path(arns.items[i]), prefix))
            arns.items[below++] = arns.items[i];
    struct iam_cut cut = iam_cut(call, &page, arns.items, below, nth_arn);
    *out = (struct iam_attachedPoliciesListType){ true, cut.n,
                                                  ARENA_ARRAY(call->arena, struct iam_AttachedPolicy *, cut.n) };
    for (size_t i = 0; i < cut.n; i++) {
        out->items[i] = ARENA_NEW(call->arena, struct iam_AttachedPolicy);
        out->items[i]->policy_arn = arns.items[cut.first + i];
        out->items[i]->policy_name = arn_name(arns.items[cut.first + i]);
    }
    *truncated = some_bool(cut.truncated);
    *next = cut.marker;
    return NULL;
}

#define ATTACHMENT_OPERATIONS(Kind, kind, KIND)                                                                       \
    gh_err iam_Attach##Kind##Policy(struct call *call, const struct iam_Attach##Kind##Policy_in *in,                  \
                                    struct iam_Attach##Kind##Policy_out *out)                                         \
    {                                                                                                                 \
        (void)out;                                                                                                    \
        return attach(call, KIND, in->kind##_name, in->policy_arn);                                                   \
    }                                                                                                                 \
    gh_err iam_Detach##Kind##Policy(struct call *call, const struct iam_Detach##Kind##Policy_in *in,                  \
                                    struct iam_Detach##Kind##Policy_out *out)                                         \
    {                                                                                                                 \
        (void)out;                                                                                                    \
        return detach(call, KIND, in->kind##_name, in->policy_arn);                                                   \
    }                                                                                                                 \
    gh_err iam_ListAttached##Kind##Policies(struct call *call, const struct iam_ListAttached##Kind##Policies_in *in,  \
                                            struct iam_ListAttached##Kind##Policies_out *out)                         \
    {                                                                                                                 \
        return list(call, KIND, in->kind##_name, in->path_prefix, in->marker, in->max_items, &out->attached_policies, \
                    &out->is_truncated, &out->marker);                                                                \
    }

ATTACHMENT_OPERATIONS(User, user, ENTITY_USER)
ATTACHMENT_OPERATIONS(Group, group, ENTITY_GROUP)
ATTACHMENT_OPERATIONS(Role, role, ENTITY_ROLE)

/* --- boundaries --- */

static gh_err set_boundary(struct call *call, enum entity_kind kind, struct str name, struct str arn)
{
    struct entity owner;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find_changeable(call, &tx, kind, name, &owner);
    if (!err)
        err = iam_check_boundary(call, &tx, arn);
    if (!err && !arn.ptr && !owner.boundary.ptr)
        err = gh_fail(call->arena, &iam_NoSuchEntityException, "%s %.*s does not have a permissions boundary.",
                      kind == ENTITY_USER ? "User" : "Role", STR_FMT(name));
    if (!err) {
        iam_set_boundary(&tx, &owner, arn);
        entity_update(&tx, &owner);
    }
    err = iam_finish(&tx, err);
    if (!err)
        principals_reload(iam_identity(call), call->arena, owner.id);
    return err;
}

gh_err iam_PutUserPermissionsBoundary(struct call *call, const struct iam_PutUserPermissionsBoundary_in *in,
                                      struct iam_PutUserPermissionsBoundary_out *out)
{
    (void)out;
    return set_boundary(call, ENTITY_USER, in->user_name, in->permissions_boundary);
}

gh_err iam_DeleteUserPermissionsBoundary(struct call *call, const struct iam_DeleteUserPermissionsBoundary_in *in,
                                         struct iam_DeleteUserPermissionsBoundary_out *out)
{
    (void)out;
    return set_boundary(call, ENTITY_USER, in->user_name, STR_NONE);
}

gh_err iam_PutRolePermissionsBoundary(struct call *call, const struct iam_PutRolePermissionsBoundary_in *in,
                                      struct iam_PutRolePermissionsBoundary_out *out)
{
    (void)out;
    return set_boundary(call, ENTITY_ROLE, in->role_name, in->permissions_boundary);
}

gh_err iam_DeleteRolePermissionsBoundary(struct call *call, const struct iam_DeleteRolePermissionsBoundary_in *in,
                                         struct iam_DeleteRolePermissionsBoundary_out *out)
{
    (void)out;
    return set_boundary(call, ENTITY_ROLE, in->role_name, STR_NONE);
}
