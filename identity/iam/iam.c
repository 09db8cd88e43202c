#include "identity/iam/iam.h"

#include "core/base64.h"
#include "core/id.h"
#include "core/log.h"
#include "core/uri.h"
#include "identity/iam/policies/managed.h"
#include "identity/iam/reports/last_access.h"

const struct gh_kind IAM_VALIDATION_ERROR = { "ValidationError", 400, false, NULL };
const struct gh_kind IAM_ACCESS_DENIED = { "AccessDenied", 403, false, NULL };

static const struct {
    const char *missing, *exists, *quota, *prefix;
    int64_t max;
} kinds[] = {
    [ENTITY_USER] = { "The user with name %.*s cannot be found.", "User with name %.*s already exists.",
                      "UsersPerAccount", "AIDA", 5000 },
    [ENTITY_GROUP] = { "The group with name %.*s cannot be found.", "Group with name %.*s already exists.",
                       "GroupsPerAccount", "AGPA", 300 },
    [ENTITY_ROLE] = { "The role with name %.*s cannot be found.", "Role with name %.*s already exists.",
                      "RolesPerAccount", "AROA", 1000 },
    [ENTITY_POLICY] = { "Policy %.*s was not found.",
                        "A policy called %.*s already exists. Duplicate names are not allowed.", "PoliciesPerAccount",
                        "ANPA", 1500 },
    [ENTITY_PROFILE] = { "Instance Profile %.*s cannot be found.", "Instance Profile %.*s already exists.",
                         "InstanceProfilesPerAccount", "AIPA", 1000 },
    [ENTITY_OIDC] = { "OpenIDConnect Provider not found for arn %.*s", "Provider with url https://%.*s already exists.",
                      "OpenIdConnectProvidersPerAccount", "OIDC", 100 },
    [ENTITY_SAML] = { "Manifest not found for arn %.*s", "SAMLProvider with name %.*s already exists.",
                      "SAMLProvidersPerAccount", "SAMLSP", 100 },
    [ENTITY_CERTIFICATE] = { "The Server Certificate with name %.*s cannot be found.",
                             "The Server Certificate with name %.*s already exists.", "ServerCertificatesPerAccount",
                             "ASCA", 20 },
};

gh_err iam_finish(struct tx *tx, gh_err err)
{
    if (!err)
        err = tx_commit(tx);
    tx_rollback(tx);
    return err;
}

/* The formats are the table's, with one "%.*s" each. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
gh_err iam_no_such(struct call *call, enum entity_kind kind, struct str name)
{
    return gh_fail(call->arena, &iam_NoSuchEntityException, kinds[kind].missing, STR_FMT(name));
}

static gh_err already_exists(struct call *call, enum entity_kind kind, struct str name)
{
    return gh_fail(call->arena, &iam_EntityAlreadyExistsException, kinds[kind].exists, STR_FMT(name));
}
#pragma GCC diagnostic pop

gh_err iam_find(struct call *call, struct tx *tx, enum entity_kind kind, struct str name, struct entity *out)
{
    bool found;
    gh_err err = entity_load(call->db, tx, call->arena, call->account, kind, name, out, &found);
    return err || found ? err : iam_no_such(call, kind, name);
}

gh_err iam_find_changeable(struct call *call, struct tx *tx, enum entity_kind kind, struct str name, struct entity *out)
{
    gh_err err = iam_find(call, tx, kind, name, out);
    if (!err && out->service.ptr)
        err = gh_fail(call->arena, &iam_UnmodifiableEntityException,
                      "Cannot perform the operation on the protected role '%.*s' - this role is only modifiable by AWS",
                      STR_FMT(name));
    return err;
}

void iam_reload(struct call *call, const struct entity *owner)
{
    if (owner->kind == ENTITY_GROUP)
        principals_reload_group(iam_identity(call), call->arena, owner->id);
    else
        principals_reload(iam_identity(call), call->arena, owner->id);
}

/* The name in "arn:…:policy/a/b/Name" follows the last '/', that of an identity provider the first one. */
gh_err iam_find_arn(struct call *call, struct tx *tx, enum entity_kind kind, struct str arn, struct entity *out)
{
    bool found = false;
    ptrdiff_t slash = kind == ENTITY_POLICY ? str_find_last(arn, '/') : str_find(arn, '/');
    gh_err err = entity_load(call->db, tx, call->arena, call->account, kind, str_from(arn, (size_t)(slash + 1)), out,
                             &found);
    if (err)
        return err;
    return found && str_eq(out->arn, arn) ? NULL : iam_no_such(call, kind, arn);
}

gh_err iam_find_policy(struct call *call, struct tx *tx, struct str arn, struct entity *out)
{
    return iam_find_arn(call, tx, ENTITY_POLICY, arn, out);
}

gh_err iam_user_or_caller(struct call *call, struct tx *tx, struct str name, struct entity *out)
{
    if (name.ptr)
        return iam_find(call, tx, ENTITY_USER, name, out);
    if (call->principal->kind != PRINCIPAL_USER)
        return gh_fail(call->arena, &IAM_VALIDATION_ERROR, "Must specify userName when calling with non-User credentials");
    return iam_find(call, tx, ENTITY_USER, call->principal->name, out);
}

gh_err iam_check_tags(struct call *call, const struct iam_tagListType *tags)
{
    for (size_t i = 0; i < tags->n; i++) {
        if (str_starts_nocase(tags->items[i]->key, STR("aws:")))
            return gh_fail(call->arena, &iam_InvalidInputException,
                           "Caller is an end user and not allowed to mutate system tags");
        for (size_t j = 0; j < i; j++)
            if (str_eq_nocase(tags->items[i]->key, tags->items[j]->key))
                return gh_fail(call->arena, &iam_InvalidInputException,
                               "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    }
    return NULL;
}

gh_err iam_check_policy(struct call *call, enum policy_use use, struct str document)
{
    struct str why;
    if (!policy_check(call->arena, use, document, &why))
        return gh_fail(call->arena, &iam_MalformedPolicyDocumentException, "%.*s", STR_FMT(why));
    if (use == POLICY_TRUST && policy_size(document) > 2048)
        return gh_fail(call->arena, &iam_LimitExceededException, "Cannot exceed quota for ACLSizePerRole: 2048");
    return NULL;
}

gh_err iam_check_boundary(struct call *call, struct tx *tx, struct str arn)
{
    if (!arn.ptr)
        return NULL;
    if (!str_starts(arn, STR("arn:")))
        return gh_fail(call->arena, &IAM_VALIDATION_ERROR,
                       "Value (%.*s) for parameter PermissionsBoundary is invalid.", STR_FMT(arn));
    struct str document;
    gh_err err = managed_document(call->db, tx, call->arena, arn, &document);
    if (err || document.ptr)
        return err;
    return gh_fail(call->arena, &iam_NoSuchEntityException, "Scope ARN: %.*s does not exist or is not attachable.",
                   STR_FMT(arn));
}

void iam_set_boundary(struct tx *tx, struct entity *entity, struct str arn)
{
    entity->boundary = arn;
    boundary_clear(tx, entity->id);
    if (arn.ptr)
        attached_add(tx, entity->id, "boundary", entity->account, arn);
}

static gh_err check_room(struct call *call, struct tx *tx, const struct entity *entity)
{
    bool taken;
    int64_t n;
    gh_err err = entity_taken(call->db, tx, call->arena, call->account, entity->kind, entity->name, &taken);
    if (err)
        return err;
    if (taken)
        return already_exists(call, entity->kind, entity->name);
    err = entity_count(call->db, tx, call->arena, call->account, entity->kind, &n);
    if (err || n < kinds[entity->kind].max)
        return err;
    return gh_fail(call->arena, &iam_LimitExceededException, "Cannot exceed quota for %s: %lld",
                   kinds[entity->kind].quota, (long long)kinds[entity->kind].max);
}

gh_err iam_create(struct call *call, struct tx *tx, struct entity *entity)
{
    gh_err err = iam_check_tags(call, &entity->tags);
    if (!err)
        err = iam_check_boundary(call, tx, entity->boundary);
    if (!err)
        err = check_room(call, tx, entity);
    if (err)
        return err;
    entity->account = call->account;
    if (!entity->path.ptr)
        entity->path = STR("/");
    entity->id = str_concat(call->arena, str_of(kinds[entity->kind].prefix),
                            id_random(call->env, call->arena, 17, ID_UPPER_BASE32));
    entity->created_us = call->now_us;
    entity->arn = entity_arn(call->arena, entity->kind, entity->account, entity->path, entity->name);
    entity_insert(tx, entity);
    if (entity->boundary.ptr)
        iam_set_boundary(tx, entity, entity->boundary);
    return NULL;
}

gh_err iam_check_untied(struct call *call, struct tx *tx, const struct entity *entity)
{
    struct entity_ties ties;
    gh_err err = entity_ties(call->db, tx, call->arena, entity->id, &ties);
    if (err)
        return err;
    bool user = entity->kind == ENTITY_USER, profile = entity->kind == ENTITY_PROFILE;
    const struct {
        bool tied;
        const char *first;
    } rows[] = {
        { ties.members, profile ? "remove roles from instance profile" : "remove users from group" },
        { ties.attached, "detach all policies" },
        { ties.inline_policies, "delete policies" },
        { ties.access_keys, "delete access keys" },
        { ties.login_profile, "delete login profile" },
        { ties.mfa_devices, "delete MFA device" },
        { ties.member, user ? "remove user from group(s)" : "remove roles from instance profile" },
        { ties.public_keys || ties.service_credentials, "remove referenced objects" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].tied)
            return gh_fail(call->arena, &iam_DeleteConflictException, "Cannot delete entity, must %s first.",
                           rows[i].first);
    return NULL;
}

gh_err iam_check_pass_role(struct call *call, struct str role_arn, struct str service)
{
    struct policy_context context = policy_context_in(call->arena);
    policy_context_add_request(&context, call->now_us / 1000000, call->source_ip, call->user_agent, STR_NONE, false,
                               call->region);
    policy_context_add(&context, "iam:PassedToService", service);
    struct policy_request request = { .action = STR("iam:PassRole"), .resource = role_arn, .keys = context.keys,
                                      .n_keys = context.n };
    struct policy_decision decision;
    if (!call->credential || identity_allows(call->module, call->arena, call->credential, &request, &decision))
        return NULL;
    return gh_fail(call->arena, &IAM_ACCESS_DENIED, "%.*s", STR_FMT(policy_denial(call->arena, &request, &decision)));
}

struct opt_time iam_time(int64_t us)
{
    return (struct opt_time){ true, (double)(us - us % 1000000) / 1e6 };
}

struct str iam_document(struct call *call, struct str document)
{
    return uri_encode(call->arena, document, false);
}

static struct iam_AttachedPermissionsBoundary *boundary_of(struct call *call, const struct entity *entity)
{
    if (!entity->boundary.ptr)
        return NULL;
    struct iam_AttachedPermissionsBoundary *out = ARENA_NEW(call->arena, struct iam_AttachedPermissionsBoundary);
    out->permissions_boundary_type = STR("Policy");
    out->permissions_boundary_arn = entity->boundary;
    return out;
}

struct iam_User *iam_user(struct call *call, const struct entity *entity, enum iam_detail detail)
{
    struct iam_User *out = ARENA_NEW(call->arena, struct iam_User);
    *out = (struct iam_User){ .path = entity->path, .user_name = entity->name, .user_id = entity->id,
                              .arn = entity->arn, .create_date = iam_time(entity->created_us) };
    if (detail != IAM_LISTED) {
        out->permissions_boundary = boundary_of(call, entity);
        out->tags = entity->tags;
    }
    return out;
}

struct iam_Group *iam_group(struct call *call, const struct entity *entity)
{
    struct iam_Group *out = ARENA_NEW(call->arena, struct iam_Group);
    *out = (struct iam_Group){ .path = entity->path, .group_name = entity->name, .group_id = entity->id,
                               .arn = entity->arn, .create_date = iam_time(entity->created_us) };
    return out;
}

/* An empty element when nobody acted in the role yet (recorded). */
static struct iam_RoleLastUsed *role_last_used(struct call *call, const struct entity *role)
{
    struct iam_RoleLastUsed *out = ARENA_NEW(call->arena, struct iam_RoleLastUsed);
    struct accessed last;
    gh_err err = last_access_latest(iam_identity(call), call->arena, role->id, &last);
    if (err)
        log_at(LOG_ERROR, "last use of a role could not be read", { "role", role->arn }, { "error", err->message });
    else if (last.at_s)
        *out = (struct iam_RoleLastUsed){ { true, (double)last.at_s }, last.region };
    return out;
}

/* CreateRole leaves out MaxSessionDuration and RoleLastUsed, ListRoles tags, boundary and
 * RoleLastUsed; GetRole has them all (recorded). */
struct iam_Role *iam_role(struct call *call, const struct entity *entity, enum iam_detail detail)
{
    struct iam_Role *out = ARENA_NEW(call->arena, struct iam_Role);
    *out = (struct iam_Role){ .path = entity->path, .role_name = entity->name, .role_id = entity->id,
                              .arn = entity->arn, .create_date = iam_time(entity->created_us),
                              .assume_role_policy_document = iam_document(call, entity->trust) };
    out->description = entity->description;
    if (detail != IAM_CREATED)
        out->max_session_duration = some_i64(entity->max_session_s);
    if (detail == IAM_READ)
        out->role_last_used = role_last_used(call, entity);
    if (detail != IAM_LISTED) {
        out->permissions_boundary = boundary_of(call, entity);
        out->tags = entity->tags;
    }
    return out;
}

/* --- pages --- */

gh_err iam_page(struct call *call, struct str marker, struct opt_i64 max_items, struct iam_page *out)
{
    *out = (struct iam_page){ .max = max_items.set ? max_items.value : 100 };
    if (marker.ptr && !base64url_decode(call->arena, marker, &out->after))
        return gh_fail(call->arena, &IAM_VALIDATION_ERROR, "Invalid Marker.");
    return NULL;
}

struct str iam_marker(struct call *call, struct str last_name)
{
    return base64url_encode(call->arena, last_name);
}

struct iam_cut iam_cut(struct call *call, const struct iam_page *page, const void *items, size_t n,
                       iam_name_at *name)
{
    struct iam_cut cut = { 0 };
    while (page->after.ptr && cut.first < n && str_cmp(name(items, cut.first), page->after) <= 0)
        cut.first++;
    cut.n = n - cut.first;
    cut.truncated = cut.n > (size_t)page->max;
    if (cut.truncated) {
        cut.n = (size_t)page->max;
        cut.marker = iam_marker(call, name(items, cut.first + cut.n - 1));
    }
    return cut;
}
