/* Managed policies and their versions. */
#include "identity/iam/iam.h"

#include "core/time.h"
#include "identity/iam/policies/managed.h"

static gh_err describe(struct call *call, struct tx *tx, const struct entity *policy, bool whole,
                       struct iam_Policy **out)
{
    int64_t attachments, boundaries;
    gh_err err = attached_count(call->db, tx, call->arena, call->account, policy->arn, &attachments, &boundaries);
    if (err)
        return err;
    *out = ARENA_NEW(call->arena, struct iam_Policy);
    **out = (struct iam_Policy){
        .policy_name = policy->name,
        .policy_id = policy->id,
        .arn = policy->arn,
        .path = policy->path,
        .default_version_id = str_printf(call->arena, "v%lld", (long long)policy->default_version),
        .attachment_count = some_i64(attachments),
        .permissions_boundary_usage_count = some_i64(boundaries),
        .is_attachable = some_bool(true),
        .create_date = iam_time(policy->created_us),
        .update_date = iam_time(policy->updated_us),
        .tags = policy->tags,
    };
    if (whole)
        (*out)->description = policy->description;
    else
        (*out)->tags = (struct iam_tagListType){ 0 };
    return NULL;
}

/* AWS managed policies have an id, made here from their name, and one version. */
static gh_err describe_managed(struct call *call, const struct managed_policy *policy, bool whole,
                               struct iam_Policy **out)
{
    int64_t attachments, boundaries;
    struct str arn = str_printf(call->arena, "arn:aws:iam::aws:policy%s%s", policy->path, policy->name);
    gh_err err = attached_count(call->db, NULL, call->arena, call->account, arn, &attachments, &boundaries);
    if (err)
        return err;
    char id[18] = { 0 };
    uint64_t hash = 1469598103934665603u;
    for (const char *c = policy->name; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 1099511628211u;
    for (size_t i = 0; i < 17; i++, hash = hash * 6364136223846793005u + 1442695040888963407u)
        id[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[hash >> 59];
    *out = ARENA_NEW(call->arena, struct iam_Policy);
    **out = (struct iam_Policy){
        .policy_name = str_of(policy->name),
        .policy_id = str_printf(call->arena, "ANPA%s", id),
        .arn = arn,
        .path = str_of(policy->path),
        .default_version_id = STR("v1"),
        .attachment_count = some_i64(attachments),
        .permissions_boundary_usage_count = some_i64(boundaries),
        .is_attachable = some_bool(true),
        .create_date = iam_time(1423185600000000), /* 2015-02-06: when managed policies came to be */
        .update_date = iam_time(1423185600000000),
    };
    if (whole)
        (*out)->description = str_of(policy->description);
    return NULL;
}

static gh_err check_document(struct call *call, struct str document)
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
    gh_err err = check_document(call, in->policy_document);
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
    err = describe(call, NULL, &policy, true, &out->policy);
    if (!err)
        out->policy->description = STR_NONE; /* recorded: only GetPolicy tells it */
    return err;
}

gh_err iam_GetPolicy(struct call *call, const struct iam_GetPolicy_in *in, struct iam_GetPolicy_out *out)
{
    const struct managed_policy *managed = managed_find(in->policy_arn);
    if (managed)
        return describe_managed(call, managed, true, &out->policy);
    struct entity policy;
    gh_err err = iam_find_policy(call, NULL, in->policy_arn, &policy);
    return err ? err : describe(call, NULL, &policy, true, &out->policy);
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

static gh_err collect(struct call *call, const struct iam_ListPolicies_in *in, struct iam_Policy ***items, size_t *n)
{
    struct entity_list own = { 0 };
    bool with_own = !str_is(in->scope, "AWS"), with_aws = !str_is(in->scope, "Local");
    gh_err err = NULL;
    if (with_own)
        err = entity_list(call->db, call->arena, call->account, ENTITY_POLICY, in->path_prefix, STR_NONE, 1 << 20, &own);
    *items = ARENA_ARRAY(call->arena, struct iam_Policy *, own.n + managed_count());
    *n = 0;
    for (size_t i = 0; !err && i < own.n; i++)
        err = describe(call, NULL, &own.items[i], false, &(*items)[(*n)++]);
    for (size_t i = 0; !err && with_aws && i < managed_count(); i++)
        if (!in->path_prefix.ptr || str_starts(str_of(managed_at(i)->path), in->path_prefix))
            err = describe_managed(call, managed_at(i), false, &(*items)[(*n)++]);
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

/* Who has it: users, groups, roles; by attachment and as boundary. */
static gh_err add_owners(struct call *call, struct str arn, const char *kind, struct entity_list *out)
{
    struct arns ids;
    gh_err err = attached_owners(call->db, NULL, call->arena, call->account, arn, kind, &ids);
    struct entity *items = ARENA_ARRAY(call->arena, struct entity, out->n + ids.n);
    if (out->n)
        memcpy(items, out->items, out->n * sizeof *items);
    out->items = items;
    for (size_t i = 0; !err && i < ids.n; i++) {
        bool found;
        err = entity_load_id(call->db, NULL, call->arena, ids.items[i], &items[out->n], &found);
        out->n += !err && found;
    }
    return err;
}

gh_err iam_ListEntitiesForPolicy(struct call *call, const struct iam_ListEntitiesForPolicy_in *in,
                                 struct iam_ListEntitiesForPolicy_out *out)
{
    static const char *const kinds[] = { "user", "group", "role", "boundary" };
    struct entity_list owners = { 0 };
    struct entity policy;
    gh_err err = managed_find(in->policy_arn) ? NULL : iam_find_policy(call, NULL, in->policy_arn, &policy);
    for (size_t i = 0; !err && i < COUNT(kinds); i++) {
        bool boundary = strcmp(kinds[i], "boundary") == 0;
        if (!in->policy_usage_filter.ptr || boundary == str_is(in->policy_usage_filter, "PermissionsBoundary"))
            err = add_owners(call, in->policy_arn, kinds[i], &owners);
    }
    if (err)
        return err;
    out->policy_users = (struct iam_PolicyUserListType){ true, 0, ARENA_ARRAY(call->arena, struct iam_PolicyUser *, owners.n) };
    out->policy_groups = (struct iam_PolicyGroupListType){ true, 0, ARENA_ARRAY(call->arena, struct iam_PolicyGroup *, owners.n) };
    out->policy_roles = (struct iam_PolicyRoleListType){ true, 0, ARENA_ARRAY(call->arena, struct iam_PolicyRole *, owners.n) };
    out->is_truncated = some_bool(false);
    for (size_t i = 0; i < owners.n; i++) {
        const struct entity *owner = &owners.items[i];
        const char *filter = owner->kind == ENTITY_USER ? "User" : owner->kind == ENTITY_GROUP ? "Group" : "Role";
        if ((in->entity_filter.ptr && !str_is(in->entity_filter, filter)) ||
            (in->path_prefix.ptr && !str_starts(owner->path, in->path_prefix)))
            continue;
        if (owner->kind == ENTITY_USER) {
            struct iam_PolicyUser *user = out->policy_users.items[out->policy_users.n++] = ARENA_NEW(call->arena, struct iam_PolicyUser);
            *user = (struct iam_PolicyUser){ owner->name, owner->id };
        } else if (owner->kind == ENTITY_GROUP) {
            struct iam_PolicyGroup *group = out->policy_groups.items[out->policy_groups.n++] = ARENA_NEW(call->arena, struct iam_PolicyGroup);
            *group = (struct iam_PolicyGroup){ owner->name, owner->id };
        } else {
            struct iam_PolicyRole *role = out->policy_roles.items[out->policy_roles.n++] = ARENA_NEW(call->arena, struct iam_PolicyRole);
            *role = (struct iam_PolicyRole){ owner->name, owner->id };
        }
    }
    return NULL;
}

/* --- versions --- */

static struct iam_PolicyVersion *version_out(struct call *call, const struct entity *policy,
                                             const struct policy_version *version, bool document)
{
    struct iam_PolicyVersion *out = ARENA_NEW(call->arena, struct iam_PolicyVersion);
    out->version_id = str_printf(call->arena, "v%lld", (long long)version->version);
    out->is_default_version = some_bool(version->version == policy->default_version);
    out->create_date = iam_time(version->created_us);
    if (document)
        out->document = iam_document(call, version->document);
    return out;
}

static gh_err no_version(struct call *call, struct str arn, struct str version_id)
{
    return gh_fail(call->arena, &iam_NoSuchEntityException,
                   "Policy %.*s version %.*s does not exist or is not attachable.", STR_FMT(arn), STR_FMT(version_id));
}

/* "v12"; the pattern has been checked. */
static gh_err find_version(struct call *call, struct tx *tx, const struct entity *policy, struct str version_id,
                           struct policy_version *out)
{
    int64_t number = 0;
    bool found = false;
    gh_err err = NULL;
    if (str_i64(str_from(version_id, 1), &number))
        err = version_find(call->db, tx, call->arena, policy->id, number, out, &found);
    return err || found ? err : no_version(call, policy->arn, version_id);
}

gh_err iam_GetPolicyVersion(struct call *call, const struct iam_GetPolicyVersion_in *in,
                            struct iam_GetPolicyVersion_out *out)
{
    const struct managed_policy *managed = managed_find(in->policy_arn);
    struct entity policy = { .default_version = 1 };
    struct policy_version version = { .version = 1, .created_us = 1423185600000000 };
    gh_err err = NULL;
    if (managed) {
        version.document = str_of(managed->document);
        if (!str_is(in->version_id, "v1"))
            err = no_version(call, in->policy_arn, in->version_id);
    } else {
        err = iam_find_policy(call, NULL, in->policy_arn, &policy);
        if (!err)
            err = find_version(call, NULL, &policy, in->version_id, &version);
    }
    if (!err)
        out->policy_version = version_out(call, &policy, &version, true);
    return err;
}

gh_err iam_ListPolicyVersions(struct call *call, const struct iam_ListPolicyVersions_in *in,
                              struct iam_ListPolicyVersions_out *out)
{
    struct entity policy = { .default_version = 1 };
    struct policy_version first = { .version = 1, .created_us = 1423185600000000 };
    struct policy_versions versions = { 1, &first };
    gh_err err = NULL;
    if (!managed_find(in->policy_arn)) {
        err = iam_find_policy(call, NULL, in->policy_arn, &policy);
        if (!err)
            err = version_list(call->db, NULL, call->arena, policy.id, &versions);
    }
    if (err)
        return err;
    out->versions = (struct iam_policyDocumentVersionListType){
        true, versions.n, ARENA_ARRAY(call->arena, struct iam_PolicyVersion *, versions.n) };
    for (size_t i = 0; i < versions.n; i++)
        out->versions.items[i] = version_out(call, &policy, &versions.items[i], false);
    out->is_truncated = some_bool(false); /* five at most */
    return NULL;
}

gh_err iam_CreatePolicyVersion(struct call *call, const struct iam_CreatePolicyVersion_in *in,
                               struct iam_CreatePolicyVersion_out *out)
{
    struct entity policy;
    struct policy_versions versions;
    struct policy_version version = { 0 };
    gh_err err = check_document(call, in->policy_document);
    if (err)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = iam_find_policy(call, &tx, in->policy_arn, &policy);
    if (!err)
        err = version_list(call->db, &tx, call->arena, policy.id, &versions);
    if (!err && versions.n >= 5)
        err = gh_fail(call->arena, &iam_LimitExceededException,
                      "A managed policy can have up to 5 versions. Before you create a new version, you must delete an "
                      "existing version.");
    if (!err) { /* "Version identifiers are never reused." */
        version = (struct policy_version){ ++policy.last_version, call->now_us, in->policy_document };
        policy.updated_us = call->now_us;
        if (in->set_as_default.set && in->set_as_default.value)
            policy.default_version = version.version;
        version_add(&tx, policy.id, version.version, version.created_us, version.document);
        entity_update(&tx, &policy);
    }
    err = iam_finish(&tx, err);
    if (err)
        return err;
    principals_reload_policy(iam_identity(call), call->arena, call->account, policy.arn);
    out->policy_version = version_out(call, &policy, &version, false);
    return NULL;
}

gh_err iam_SetDefaultPolicyVersion(struct call *call, const struct iam_SetDefaultPolicyVersion_in *in,
                                   struct iam_SetDefaultPolicyVersion_out *out)
{
    (void)out;
    struct entity policy;
    struct policy_version version;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find_policy(call, &tx, in->policy_arn, &policy);
    if (!err)
        err = find_version(call, &tx, &policy, in->version_id, &version);
    if (!err) {
        policy.default_version = version.version;
        policy.updated_us = call->now_us;
        entity_update(&tx, &policy);
    }
    err = iam_finish(&tx, err);
    if (!err)
        principals_reload_policy(iam_identity(call), call->arena, call->account, policy.arn);
    return err;
}

gh_err iam_DeletePolicyVersion(struct call *call, const struct iam_DeletePolicyVersion_in *in,
                               struct iam_DeletePolicyVersion_out *out)
{
    (void)out;
    struct entity policy;
    struct policy_version version;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find_policy(call, &tx, in->policy_arn, &policy);
    if (!err)
        err = find_version(call, &tx, &policy, in->version_id, &version);
    if (!err && version.version == policy.default_version)
        err = gh_fail(call->arena, &iam_DeleteConflictException, "Cannot delete the default version of a policy.");
    if (!err)
        version_delete(&tx, policy.id, version.version);
    return iam_finish(&tx, err);
}
