#include "identity/iam/iam.h"

/* A trust policy names users and roles of the account by ARN, and means those that are there now:
 * "If you delete the user, then you break the relationship … even if you recreate the user." */
static gh_err set_trust(struct call *call, struct tx *tx, struct str document, struct entity *role)
{
    struct policy_set *set = policy_set_new();
    struct str why, *arns;
    policy_set_add(set, POLICY_TRUST, STR("trust"), document, call->arena, &why);
    size_t n = policy_set_principals(set, call->arena, &arns);
    struct strbuf named = strbuf_in(call->arena, 256);
    struct str own = str_printf(call->arena, "arn:aws:iam::%.*s:", STR_FMT(call->account));
    gh_err err = NULL;
    for (size_t i = 0; !err && i < n; i++) {
        struct entity principal;
        bool found = false;
        if (!str_starts(arns[i], own) && str_starts(arns[i], STR("arn:")))
            continue; /* another account's, or a session's: by its words */
        err = entity_principal(call->db, tx, call->arena, call->account, arns[i], &principal, &found);
        if (!err && !found)
            err = gh_fail(call->arena, &iam_MalformedPolicyDocumentException,
                          "Invalid principal in policy: \"AWS\":\"%.*s\"", STR_FMT(arns[i]));
        if (!err)
            strbuf_printf(&named, "%.*s %.*s\n", STR_FMT(principal.arn), STR_FMT(principal.id));
    }
    role->trust = str_copy(call->arena, document);
    role->named = strbuf_view(&named);
    policy_set_free(set);
    return err;
}

gh_err iam_CreateRole(struct call *call, const struct iam_CreateRole_in *in, struct iam_CreateRole_out *out)
{
    struct entity role = {
        .kind = ENTITY_ROLE,
        .name = in->role_name,
        .path = in->path,
        .tags = in->tags,
        .boundary = in->permissions_boundary,
        .description = in->description,
        .max_session_s = in->max_session_duration.set ? in->max_session_duration.value : 3600,
    };
    gh_err err = iam_check_policy(call, POLICY_TRUST, in->assume_role_policy_document);
    if (err)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = set_trust(call, &tx, in->assume_role_policy_document, &role);
    if (!err)
        err = iam_create(call, &tx, &role);
    err = iam_finish(&tx, err);
    if (err)
        return err;
    principals_reload(iam_identity(call), call->arena, role.id);
    out->role = iam_role(call, &role, IAM_CREATED);
    return NULL;
}

gh_err iam_GetRole(struct call *call, const struct iam_GetRole_in *in, struct iam_GetRole_out *out)
{
    struct entity role;
    gh_err err = iam_find(call, NULL, ENTITY_ROLE, in->role_name, &role);
    if (!err)
        out->role = iam_role(call, &role, IAM_READ);
    return err;
}

gh_err iam_ListRoles(struct call *call, const struct iam_ListRoles_in *in, struct iam_ListRoles_out *out)
{
    struct iam_page page;
    struct entity_list list;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = entity_list(call->db, call->arena, call->account, ENTITY_ROLE, in->path_prefix, page.after,
                          page.max + 1, &list);
    if (err)
        return err;
    bool more = list.n > (size_t)page.max;
    size_t n = more ? (size_t)page.max : list.n;
    out->roles = (struct iam_roleListType){ true, n, ARENA_ARRAY(call->arena, struct iam_Role *, n) };
    for (size_t i = 0; i < n; i++)
        out->roles.items[i] = iam_role(call, &list.items[i], IAM_LISTED);
    out->is_truncated = some_bool(more);
    if (more)
        out->marker = iam_marker(call, list.items[n - 1].name);
    return NULL;
}

gh_err iam_UpdateRole(struct call *call, const struct iam_UpdateRole_in *in, struct iam_UpdateRole_out *out)
{
    (void)out;
    struct entity role;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find_changeable(call, &tx, ENTITY_ROLE, in->role_name, &role);
    if (!err) {
        if (in->description.ptr)
            role.description = in->description;
        role.max_session_s = in->max_session_duration.set ? in->max_session_duration.value : 3600;
        entity_update(&tx, &role);
    }
    return iam_finish(&tx, err);
}

gh_err iam_UpdateRoleDescription(struct call *call, const struct iam_UpdateRoleDescription_in *in,
                                 struct iam_UpdateRoleDescription_out *out)
{
    struct entity role;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find_changeable(call, &tx, ENTITY_ROLE, in->role_name, &role);
    if (!err) {
        role.description = in->description;
        entity_update(&tx, &role);
    }
    err = iam_finish(&tx, err);
    if (!err)
        out->role = iam_role(call, &role, IAM_READ);
    return err;
}

gh_err iam_UpdateAssumeRolePolicy(struct call *call, const struct iam_UpdateAssumeRolePolicy_in *in,
                                  struct iam_UpdateAssumeRolePolicy_out *out)
{
    (void)out;
    struct entity role;
    gh_err err = iam_check_policy(call, POLICY_TRUST, in->policy_document);
    if (err)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = iam_find_changeable(call, &tx, ENTITY_ROLE, in->role_name, &role);
    if (!err)
        err = set_trust(call, &tx, in->policy_document, &role);
    if (!err)
        entity_update(&tx, &role);
    return iam_finish(&tx, err);
}

gh_err iam_DeleteRole(struct call *call, const struct iam_DeleteRole_in *in, struct iam_DeleteRole_out *out)
{
    (void)out;
    struct entity role;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find_changeable(call, &tx, ENTITY_ROLE, in->role_name, &role);
    if (!err)
        err = iam_check_untied(call, &tx, &role);
    if (!err)
        err = iam_trust_follows(call, &tx, role.id, role.arn, STR_NONE);
    if (!err)
        entity_delete(&tx, role.id);
    err = iam_finish(&tx, err);
    if (!err)
        principals_reload(iam_identity(call), call->arena, role.id);
    return err;
}
