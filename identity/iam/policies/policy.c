/* Managed policies: the account's own and AWS's. */
#include "identity/iam/iam.h"

#include "core/time.h"
#include "identity/iam/policies/managed.h"

static struct iam_Policy *describe(struct call *call, const struct entity *policy, const struct attached_use *use,
                                   bool whole)
{
    struct iam_Policy *out = ARENA_NEW(call->arena, struct iam_Policy);
    *out = (struct iam_Policy){
        .policy_name = policy->name,
        .policy_id = policy->id,
        .arn = policy->arn,
        .path = policy->path,
        .default_version_id = str_printf(call->arena, "v%lld", (long long)policy->default_version),
        .attachment_count = some_i64(use->attachments),
        .permissions_boundary_usage_count = some_i64(use->boundaries),
        .is_attachable = some_bool(true),
        .create_date = iam_time(policy->created_us),
        .update_date = iam_time(policy->updated_us),
        .tags = policy->tags,
    };
    if (whole)
        out->description = policy->description;
    else
        out->tags = (struct iam_tagListType){ 0 };
    out->tags.set = whole; /* recorded: GetPolicy says that there are none */
    return out;
}

/* AWS managed policies have an id, made here from their name, and only their newest version. */
static struct iam_Policy *describe_managed(struct call *call, const struct managed_policy *policy,
                                           const struct attached_use *use, bool whole)
{
    char id[18] = { 0 };
    uint64_t hash = 1469598103934665603u;
    for (const char *c = policy->name; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 1099511628211u;
    for (size_t i = 0; i < 17; i++, hash = hash * 6364136223846793005u + 1442695040888963407u)
        id[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[hash >> 59];
    struct iam_Policy *out = ARENA_NEW(call->arena, struct iam_Policy);
    *out = (struct iam_Policy){
        .policy_name = str_of(policy->name),
        .policy_id = str_printf(call->arena, "ANPA%s", id),
        .arn = policy->arn,
        .path = str_of(policy->path),
        .default_version_id = str_printf(call->arena, "v%lld", (long long)policy->version),
        .attachment_count = some_i64(use->attachments),
        .permissions_boundary_usage_count = some_i64(use->boundaries),
        .is_attachable = some_bool(true),
        .create_date = iam_time(policy->created_us),
        .update_date = iam_time(policy->updated_us),
    };
    if (whole && *policy->description)
        out->description = str_of(policy->description);
    out->tags.set = whole;
    return out;
}

static gh_err use_of(struct call *call, struct str arn, struct attached_use *out)
{
    *out = (struct attached_use){ .policy_arn = arn };
    return attached_count(call->db, NULL, call->arena, call->account, arn, &out->attachments, &out->boundaries);
}

gh_err iam_check_managed_document(struct call *call, struct str document)
{
    gh_err err = iam_check_policy(call, POLICY_IDENTITY, document);
    if (!err && policy_size(document) > 6144)
        err = gh_fail(call->arena, &iam_LimitExceededException, "Cannot exceed quota for PolicySize: 6144");
    return err;
}

gh_err iam_CreatePolicy(struct call *call, const struct iam_CreatePolicy_in *in, struct iam_CreatePolicy_out *out)
{
    struct entity policy = { .kind = ENTITY_POLICY, .name = in->policy_name, .path = in->path, .tags = in->tags,
                             .description = in->description, .default_version = 1, .last_version = 1,
                             .updated_us = call->now_us };
    gh_err err = iam_check_managed_document(call, in->policy_document);
    if (err)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = iam_create(call, &tx, &policy);
    if (!err)
        version_add(&tx, policy.id, 1, call->now_us, in->policy_document);
    err = iam_finish(&tx, err);
    if (err)
        return err;
    principals_reload_policy(iam_identity(call), call->arena, call->account, policy.arn);
    out->policy = describe(call, &policy, &(struct attached_use){ 0 }, true);
    out->policy->description = STR_NONE; /* recorded: only GetPolicy tells it */
    out->policy->tags.set = out->policy->tags.n > 0;
    return NULL;
}

gh_err iam_GetPolicy(struct call *call, const struct iam_GetPolicy_in *in, struct iam_GetPolicy_out *out)
{
    const struct managed_policy *managed = managed_find(in->policy_arn);
    struct entity policy;
    struct attached_use use;
    gh_err err = managed ? NULL : iam_find_policy(call, NULL, in->policy_arn, &policy);
    if (!err)
        err = use_of(call, in->policy_arn, &use);
    if (!err)
        out->policy = managed ? describe_managed(call, managed, &use, true) : describe(call, &policy, &use, true);
    return err;
}

gh_err iam_DeletePolicy(struct call *call, const struct iam_DeletePolicy_in *in, struct iam_DeletePolicy_out *out)
{
    (void)out;
    struct entity policy;
    struct policy_versions versions;
    int64_t attachments, boundaries;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find_policy(call, &tx, in->policy_arn, &policy);
    if (!err)
        err = attached_count(call->db, &tx, call->arena, call->account, policy.arn, &attachments, &boundaries);
    if (!err && attachments + boundaries > 0)
        err = gh_fail(call->arena, &iam_DeleteConflictException, "Cannot delete a policy attached to entities.");
    if (!err)
        err = version_list(call->db, &tx, call->arena, policy.id, &versions);
    if (!err && versions.n > 1)
        err = gh_fail(call->arena, &iam_DeleteConflictException,
                      "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                      "versions. The default version is deleted with the policy.");
    if (!err)
        entity_delete(&tx, policy.id);
    err = iam_finish(&tx, err);
    if (!err)
        principals_reload_policy(iam_identity(call), call->arena, call->account, in->policy_arn);
    return err;
}

/* --- lists --- */

static const struct attached_use *use_in(const struct attached_uses *uses, struct str arn)
{
    static const struct attached_use none = { 0 };
    for (size_t i = 0; i < uses->n; i++)
        if (str_eq(uses->items[i].policy_arn, arn))
            return &uses->items[i];
    return &none;
}

static gh_err collect(struct call *call, const struct iam_ListPolicies_in *in, struct iam_Policy ***items, size_t *n)
{
    struct entity_list own = { 0 };
    struct attached_uses uses;
    bool with_own = !str_is(in->scope, "AWS"), with_aws = !str_is(in->scope, "Local");
    gh_err err = attached_uses(call->db, call->arena, call->account, &uses);
    if (!err && with_own)
        err = entity_list(call->db, call->arena, call->account, ENTITY_POLICY, in->path_prefix, STR_NONE, 1 << 20, &own);
    *items = ARENA_ARRAY(call->arena, struct iam_Policy *, own.n + managed_count());
    *n = 0;
    for (size_t i = 0; !err && i < own.n; i++)
        (*items)[(*n)++] = describe(call, &own.items[i], use_in(&uses, own.items[i].arn), false);
    for (size_t i = 0; !err && with_aws && i < managed_count(); i++)
        if (!in->path_prefix.ptr || str_starts(str_of(managed_at(i)->path), in->path_prefix))
            (*items)[(*n)++] = describe_managed(call, managed_at(i), use_in(&uses, managed_at(i)->arn), false);
    return err;
}

static bool wanted(const struct iam_ListPolicies_in *in, const struct iam_Policy *policy)
{
    bool only = in->only_attached.set && in->only_attached.value;
    int64_t uses = str_is(in->policy_usage_filter, "PermissionsBoundary") ? policy->permissions_boundary_usage_count.value
                                                                           : policy->attachment_count.value;
    return (!only && !in->policy_usage_filter.ptr) || uses > 0;
}

static struct str nth_arn(const void *items, size_t i)
{
    return ((struct iam_Policy *const *)items)[i]->arn;
}

static int by_arn(const void *a, const void *b)
{
    return str_cmp((*(struct iam_Policy *const *)a)->arn, (*(struct iam_Policy *const *)b)->arn);
}

gh_err iam_ListPolicies(struct call *call, const struct iam_ListPolicies_in *in, struct iam_ListPolicies_out *out)
{
    struct iam_page page;
    struct iam_Policy **items;
    size_t n, kept = 0;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = collect(call, in, &items, &n);
    if (err)
        return err;
    for (size_t i = 0; i < n; i++)
        if (wanted(in, items[i]))
            items[kept++] = items[i];
    qsort(items, kept, sizeof *items, by_arn);
    struct iam_cut cut = iam_cut(call, &page, items, kept, nth_arn);
    out->policies = (struct iam_policyListType){ true, cut.n, items + cut.first };
    out->is_truncated = some_bool(cut.truncated);
    out->marker = cut.marker;
    return NULL;
}
