/* Instance profiles: a role in a wrapper. No instances run here; the records serve templates and tools. */
#include "identity/iam/iam.h"

static gh_err describe(struct call *call, const struct entity *profile, bool tags, struct iam_InstanceProfile **out)
{
    struct entity_list roles;
    gh_err err = entity_members(call->db, NULL, call->arena, profile->id, &roles);
    if (err)
        return err;
    *out = ARENA_NEW(call->arena, struct iam_InstanceProfile);
    **out = (struct iam_InstanceProfile){ .path = profile->path, .instance_profile_name = profile->name,
                                          .instance_profile_id = profile->id, .arn = profile->arn,
                                          .create_date = iam_time(profile->created_us) };
    (*out)->roles = (struct iam_roleListType){ true, roles.n, ARENA_ARRAY(call->arena, struct iam_Role *, roles.n) };
    for (size_t i = 0; i < roles.n; i++)
        (*out)->roles.items[i] = iam_role(call, &roles.items[i], IAM_LISTED);
    if (tags)
        (*out)->tags = profile->tags;
    return NULL;
}

gh_err iam_CreateInstanceProfile(struct call *call, const struct iam_CreateInstanceProfile_in *in,
                                 struct iam_CreateInstanceProfile_out *out)
{
    struct entity profile = { .kind = ENTITY_PROFILE, .name = in->instance_profile_name, .path = in->path,
                              .tags = in->tags };
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_finish(&tx, iam_create(call, &tx, &profile));
    return err ? err : describe(call, &profile, true, &out->instance_profile);
}

gh_err iam_GetInstanceProfile(struct call *call, const struct iam_GetInstanceProfile_in *in,
                              struct iam_GetInstanceProfile_out *out)
{
    struct entity profile;
    gh_err err = iam_find(call, NULL, ENTITY_PROFILE, in->instance_profile_name, &profile);
    return err ? err : describe(call, &profile, true, &out->instance_profile);
}

static gh_err describe_all(struct call *call, const struct entity *profiles, size_t n,
                           struct iam_instanceProfileListType *out)
{
    *out = (struct iam_instanceProfileListType){ true, n, ARENA_ARRAY(call->arena, struct iam_InstanceProfile *, n) };
    gh_err err = NULL;
    for (size_t i = 0; !err && i < n; i++)
        err = describe(call, &profiles[i], false, &out->items[i]);
    return err;
}

gh_err iam_ListInstanceProfiles(struct call *call, const struct iam_ListInstanceProfiles_in *in,
                                struct iam_ListInstanceProfiles_out *out)
{
    struct iam_page page;
    struct entity_list list;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = entity_list(call->db, call->arena, call->account, ENTITY_PROFILE, in->path_prefix, page.after,
                          page.max + 1, &list);
    if (err)
        return err;
    bool more = list.n > (size_t)page.max;
    size_t n = more ? (size_t)page.max : list.n;
    out->is_truncated = some_bool(more);
    if (more)
        out->marker = iam_marker(call, list.items[n - 1].name);
    return describe_all(call, list.items, n, &out->instance_profiles);
}

static struct str nth_name(const void *items, size_t i)
{
    return ((const struct entity *)items)[i].name;
}

gh_err iam_ListInstanceProfilesForRole(struct call *call, const struct iam_ListInstanceProfilesForRole_in *in,
                                       struct iam_ListInstanceProfilesForRole_out *out)
{
    struct entity role;
    struct entity_list profiles;
    struct iam_page page;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = iam_find(call, NULL, ENTITY_ROLE, in->role_name, &role);
    if (!err)
        err = entity_parents(call->db, NULL, call->arena, role.id, ENTITY_PROFILE, &profiles);
    if (err)
        return err;
    struct iam_cut cut = iam_cut(call, &page, profiles.items, profiles.n, nth_name);
    out->is_truncated = some_bool(cut.truncated);
    out->marker = cut.marker;
    return describe_all(call, profiles.items + cut.first, cut.n, &out->instance_profiles);
}

/* "An instance profile can contain only one role." PassRole: the caller hands the role on. */
gh_err iam_AddRoleToInstanceProfile(struct call *call, const struct iam_AddRoleToInstanceProfile_in *in,
                                    struct iam_AddRoleToInstanceProfile_out *out)
{
    (void)out;
    struct entity profile, role;
    struct entity_list roles;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find(call, &tx, ENTITY_PROFILE, in->instance_profile_name, &profile);
    if (!err)
        err = iam_find(call, &tx, ENTITY_ROLE, in->role_name, &role);
    if (!err)
        err = iam_check_pass_role(call, role.arn, STR("ec2.amazonaws.com"));
    if (!err)
        err = entity_members(call->db, &tx, call->arena, profile.id, &roles);
    if (!err && roles.n)
        err = gh_fail(call->arena, &iam_LimitExceededException,
                      "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
    if (!err)
        entity_add_member(&tx, profile.id, role.id);
    return iam_finish(&tx, err);
}

gh_err iam_RemoveRoleFromInstanceProfile(struct call *call, const struct iam_RemoveRoleFromInstanceProfile_in *in,
                                         struct iam_RemoveRoleFromInstanceProfile_out *out)
{
    (void)out;
    struct entity profile, role;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find(call, &tx, ENTITY_PROFILE, in->instance_profile_name, &profile);
    if (!err)
        err = iam_find(call, &tx, ENTITY_ROLE, in->role_name, &role);
    if (!err) {
        entity_remove_member(&tx, profile.id, role.id);
        if (!tx.err && tx.changes == 0)
            err = iam_no_such(call, ENTITY_ROLE, in->role_name);
    }
    return iam_finish(&tx, err);
}

gh_err iam_DeleteInstanceProfile(struct call *call, const struct iam_DeleteInstanceProfile_in *in,
                                 struct iam_DeleteInstanceProfile_out *out)
{
    (void)out;
    struct entity profile;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find(call, &tx, ENTITY_PROFILE, in->instance_profile_name, &profile);
    if (!err)
        err = iam_check_untied(call, &tx, &profile);
    if (!err)
        entity_delete(&tx, profile.id);
    return iam_finish(&tx, err);
}
