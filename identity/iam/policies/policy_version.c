/* Versions of managed policies. */
#include "identity/iam/iam.h"
#include "identity/iam/policies/managed.h"

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

static struct policy_version managed_version(const struct managed_policy *policy)
{
    return (struct policy_version){ policy->version, policy->updated_us, str_of(policy->document) };
}

gh_err iam_GetPolicyVersion(struct call *call, const struct iam_GetPolicyVersion_in *in,
                            struct iam_GetPolicyVersion_out *out)
{
    const struct managed_policy *managed = managed_find(in->policy_arn);
    struct entity policy = { 0 };
    struct policy_version version;
    gh_err err = NULL;
    if (managed) {
        version = managed_version(managed);
        policy.default_version = managed->version;
        if (!str_eq(in->version_id, str_printf(call->arena, "v%lld", (long long)managed->version)))
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

struct numbered {
    struct str name;
};

static struct str nth_version(const void *items, size_t i)
{
    return ((const struct numbered *)items)[i].name;
}

gh_err iam_ListPolicyVersions(struct call *call, const struct iam_ListPolicyVersions_in *in,
                              struct iam_ListPolicyVersions_out *out)
{
    const struct managed_policy *managed = managed_find(in->policy_arn);
    struct entity policy = { 0 };
    struct policy_version only;
    struct policy_versions versions = { 1, &only };
    gh_err err = NULL;
    if (managed) {
        only = managed_version(managed);
        policy.default_version = managed->version;
    } else {
        err = iam_find_policy(call, NULL, in->policy_arn, &policy);
        if (!err)
            err = version_list(call->db, NULL, call->arena, policy.id, &versions);
    }
    struct iam_page page;
    if (!err)
        err = iam_page(call, in->marker, in->max_items, &page);
    if (err)
        return err;
    /* Newest first: the page's name counts up while the version counts down. */
    struct numbered *numbered = ARENA_ARRAY(call->arena, struct numbered, versions.n);
    for (size_t i = 0; i < versions.n; i++)
        numbered[i].name = str_printf(call->arena, "%019lld", (long long)(INT64_MAX - versions.items[i].version));
    struct iam_cut cut = iam_cut(call, &page, numbered, versions.n, nth_version);
    out->versions = (struct iam_policyDocumentVersionListType){
        true, cut.n, ARENA_ARRAY(call->arena, struct iam_PolicyVersion *, cut.n) };
    for (size_t i = 0; i < cut.n; i++)
        out->versions.items[i] = version_out(call, &policy, &versions.items[cut.first + i], false);
    out->is_truncated = some_bool(cut.truncated);
    out->marker = cut.marker;
    return NULL;
}

gh_err iam_CreatePolicyVersion(struct call *call, const struct iam_CreatePolicyVersion_in *in,
                               struct iam_CreatePolicyVersion_out *out)
{
    struct entity policy;
    struct policy_versions versions;
    struct policy_version version = { 0 };
    gh_err err = iam_check_managed_document(call, in->policy_document);
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
