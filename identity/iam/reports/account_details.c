/* GetAccountAuthorizationDetails: everything at once, for auditors. */
#include "identity/iam/iam.h"

#include "identity/iam/policies/managed.h"

static bool wanted(const struct iam_GetAccountAuthorizationDetails_in *in, const char *filter)
{
    for (size_t i = 0; i < in->filter.n; i++)
        if (str_is(in->filter.items[i], filter))
            return true;
    return in->filter.n == 0;
}

static gh_err inline_policies(struct call *call, const struct entity *owner, struct iam_policyDetailListType *out)
{
    struct named_policies all;
    gh_err err = inline_list(call->db, NULL, call->arena, owner->id, &all);
    if (err)
        return err;
    *out = (struct iam_policyDetailListType){ true, all.n, ARENA_ARRAY(call->arena, struct iam_PolicyDetail *, all.n) };
    for (size_t i = 0; i < all.n; i++) {
        out->items[i] = ARENA_NEW(call->arena, struct iam_PolicyDetail);
        out->items[i]->policy_name = all.items[i].name;
        out->items[i]->policy_document = iam_document(call, all.items[i].document);
    }
    return NULL;
}

static gh_err attached_policies(struct call *call, const struct entity *owner, struct iam_attachedPoliciesListType *out)
{
    struct arns arns;
    gh_err err = attached_list(call->db, NULL, call->arena, owner->id, entity_kind_name(owner->kind), &arns);
    if (err)
        return err;
    *out = (struct iam_attachedPoliciesListType){ true, arns.n, ARENA_ARRAY(call->arena, struct iam_AttachedPolicy *, arns.n) };
    for (size_t i = 0; i < arns.n; i++) {
        out->items[i] = ARENA_NEW(call->arena, struct iam_AttachedPolicy);
        out->items[i]->policy_arn = arns.items[i];
        out->items[i]->policy_name = str_from(arns.items[i], (size_t)(str_find_last(arns.items[i], '/') + 1));
    }
    return NULL;
}

static gh_err user_detail(struct call *call, const struct entity *user, struct iam_UserDetail *out)
{
    struct iam_User *plain = iam_user(call, user, IAM_READ);
    struct entity_list groups;
    *out = (struct iam_UserDetail){ .path = plain->path, .user_name = plain->user_name, .user_id = plain->user_id,
                                    .arn = plain->arn, .create_date = plain->create_date,
                                    .permissions_boundary = plain->permissions_boundary, .tags = plain->tags };
    gh_err err = entity_parents(call->db, NULL, call->arena, user->id, ENTITY_GROUP, &groups);
    if (err)
        return err;
    out->group_list = (struct iam_groupNameListType){ true, groups.n, ARENA_ARRAY(call->arena, struct str, groups.n) };
    for (size_t i = 0; i < groups.n; i++)
        out->group_list.items[i] = groups.items[i].name;
    err = inline_policies(call, user, &out->user_policy_list);
    return err ? err : attached_policies(call, user, &out->attached_managed_policies);
}

static gh_err group_detail(struct call *call, const struct entity *group, struct iam_GroupDetail *out)
{
    struct iam_Group *plain = iam_group(call, group);
    *out = (struct iam_GroupDetail){ .path = plain->path, .group_name = plain->group_name, .group_id = plain->group_id,
                                     .arn = plain->arn, .create_date = plain->create_date };
    gh_err err = inline_policies(call, group, &out->group_policy_list);
    return err ? err : attached_policies(call, group, &out->attached_managed_policies);
}

static gh_err role_detail(struct call *call, const struct entity *role, struct iam_RoleDetail *out)
{
    struct iam_Role *plain = iam_role(call, role, IAM_READ);
    *out = (struct iam_RoleDetail){ .path = plain->path, .role_name = plain->role_name, .role_id = plain->role_id,
                                    .arn = plain->arn, .create_date = plain->create_date,
                                    .assume_role_policy_document = plain->assume_role_policy_document,
                                    .permissions_boundary = plain->permissions_boundary, .tags = plain->tags,
                                    .role_last_used = plain->role_last_used };
    struct iam_ListInstanceProfilesForRole_in in = { .role_name = role->name };
    struct iam_ListInstanceProfilesForRole_out profiles = { 0 };
    gh_err err = iam_ListInstanceProfilesForRole(call, &in, &profiles);
    out->instance_profile_list = profiles.instance_profiles;
    if (!err)
        err = inline_policies(call, role, &out->role_policy_list);
    return err ? err : attached_policies(call, role, &out->attached_managed_policies);
}

/* The policy with all its versions' documents. */
static gh_err policy_detail(struct call *call, struct str arn, struct iam_ManagedPolicyDetail *out)
{
    struct iam_GetPolicy_in in = { .policy_arn = arn };
    struct iam_GetPolicy_out plain = { 0 };
    struct iam_ListPolicyVersions_in list = { .policy_arn = arn };
    struct iam_ListPolicyVersions_out versions = { 0 };
    gh_err err = iam_GetPolicy(call, &in, &plain);
    if (!err)
        err = iam_ListPolicyVersions(call, &list, &versions);
    for (size_t i = 0; !err && i < versions.versions.n; i++) {
        struct iam_GetPolicyVersion_in one = { .policy_arn = arn, .version_id = versions.versions.items[i]->version_id };
        struct iam_GetPolicyVersion_out whole = { 0 };
        err = iam_GetPolicyVersion(call, &one, &whole);
        if (!err)
            versions.versions.items[i] = whole.policy_version;
    }
    if (err)
        return err;
    const struct iam_Policy *policy = plain.policy;
    *out = (struct iam_ManagedPolicyDetail){
        .policy_name = policy->policy_name, .policy_id = policy->policy_id, .arn = policy->arn, .path = policy->path,
        .default_version_id = policy->default_version_id, .attachment_count = policy->attachment_count,
        .permissions_boundary_usage_count = policy->permissions_boundary_usage_count,
        .is_attachable = policy->is_attachable, .description = policy->description,
        .create_date = policy->create_date, .update_date = policy->update_date,
        .policy_version_list = versions.versions };
    return NULL;
}

/* ---- pages ---- */

/* Users come first, then groups, roles, policies, each by name: a page goes on behind a place in that order. */
struct row {
    struct str place;
    const struct entity *entity; /* NULL: a policy */
    struct str policy_arn;
};
struct row_list {
    struct row *items;
    size_t n;
};

static gh_err add_entities(struct call *call, enum entity_kind kind, char rank, struct row_list *rows)
{
    struct entity_list all;
    gh_err err = entity_list(call->db, call->arena, call->account, kind, STR_NONE, STR_NONE, 1 << 20, &all);
    if (err)
        return err;
    rows->items = arena_grow(call->arena, rows->items, rows->n * sizeof *rows->items,
                             (rows->n + all.n) * sizeof *rows->items);
    for (size_t i = 0; i < all.n; i++)
        rows->items[rows->n++] = (struct row){
            .place = str_printf(call->arena, "%c %.*s", rank, STR_FMT(str_lower(call->arena, all.items[i].name))),
            .entity = &all.items[i] };
    return NULL;
}

/* Of AWS's own policies only those in use, as AWS does. */
static gh_err add_policies(struct call *call, const struct iam_GetAccountAuthorizationDetails_in *in, struct row_list *rows)
{
    bool own = wanted(in, "LocalManagedPolicy"), aws = wanted(in, "AWSManagedPolicy");
    struct iam_ListPolicies_in list = { .scope = own && aws ? STR("All") : own ? STR("Local") : STR("AWS"),
                                        .max_items = some_i64(1 << 20) };
    struct iam_ListPolicies_out found = { 0 };
    if (!own && !aws)
        return NULL;
    gh_err err = iam_ListPolicies(call, &list, &found);
    if (err)
        return err;
    rows->items = arena_grow(call->arena, rows->items, rows->n * sizeof *rows->items,
                             (rows->n + found.policies.n) * sizeof *rows->items);
    for (size_t i = 0; i < found.policies.n; i++) {
        const struct iam_Policy *policy = found.policies.items[i];
        if (managed_find(policy->arn) &&
            policy->attachment_count.value + policy->permissions_boundary_usage_count.value == 0)
            continue;
        rows->items[rows->n++] = (struct row){ .place = str_printf(call->arena, "4 %.*s", STR_FMT(policy->arn)),
                                               .policy_arn = policy->arn };
    }
    return NULL;
}

static int by_place(const void *a, const void *b)
{
    return str_cmp(((const struct row *)a)->place, ((const struct row *)b)->place);
}

static struct str nth_place(const void *items, size_t i)
{
    return ((const struct row *)items)[i].place;
}

static gh_err collect(struct call *call, const struct iam_GetAccountAuthorizationDetails_in *in, struct row_list *rows)
{
    static const struct {
        const char *filter;
        enum entity_kind kind;
        char rank;
    } kinds[] = { { "User", ENTITY_USER, '1' }, { "Group", ENTITY_GROUP, '2' }, { "Role", ENTITY_ROLE, '3' } };
    gh_err err = NULL;
    *rows = (struct row_list){ ARENA_ARRAY(call->arena, struct row, 1), 0 };
    for (size_t i = 0; !err && i < COUNT(kinds); i++)
        if (wanted(in, kinds[i].filter))
            err = add_entities(call, kinds[i].kind, kinds[i].rank, rows);
    if (!err)
        err = add_policies(call, in, rows);
    if (!err)
        qsort(rows->items, rows->n, sizeof *rows->items, by_place);
    return err;
}

#define ADD(list, Type) ((list).items[(list).n++] = ARENA_NEW(call->arena, struct Type))

static gh_err describe(struct call *call, const struct row *row, struct iam_GetAccountAuthorizationDetails_out *out)
{
    if (!row->entity)
        return policy_detail(call, row->policy_arn, ADD(out->policies, iam_ManagedPolicyDetail));
    if (row->entity->kind == ENTITY_USER)
        return user_detail(call, row->entity, ADD(out->user_detail_list, iam_UserDetail));
    if (row->entity->kind == ENTITY_GROUP)
        return group_detail(call, row->entity, ADD(out->group_detail_list, iam_GroupDetail));
    return role_detail(call, row->entity, ADD(out->role_detail_list, iam_RoleDetail));
}

gh_err iam_GetAccountAuthorizationDetails(struct call *call, const struct iam_GetAccountAuthorizationDetails_in *in,
                                          struct iam_GetAccountAuthorizationDetails_out *out)
{
    struct row_list rows;
    struct iam_page page;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = collect(call, in, &rows);
    if (err)
        return err;
    struct iam_cut cut = iam_cut(call, &page, rows.items, rows.n, nth_place);
    out->user_detail_list = (struct iam_userDetailListType){ true, 0, ARENA_ARRAY(call->arena, struct iam_UserDetail *, cut.n) };
    out->group_detail_list = (struct iam_groupDetailListType){ true, 0, ARENA_ARRAY(call->arena, struct iam_GroupDetail *, cut.n) };
    out->role_detail_list = (struct iam_roleDetailListType){ true, 0, ARENA_ARRAY(call->arena, struct iam_RoleDetail *, cut.n) };
    out->policies = (struct iam_ManagedPolicyDetailListType){ true, 0, ARENA_ARRAY(call->arena, struct iam_ManagedPolicyDetail *, cut.n) };
    for (size_t i = 0; !err && i < cut.n; i++)
        err = describe(call, &rows.items[cut.first + i], out);
    out->is_truncated = some_bool(cut.truncated);
    out->marker = cut.marker;
    return err;
}
