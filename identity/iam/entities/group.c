#include "identity/iam/iam.h"

gh_err iam_CreateGroup(struct call *call, const struct iam_CreateGroup_in *in, struct iam_CreateGroup_out *out)
{
    struct entity group = { .kind = ENTITY_GROUP, .name = in->group_name, .path = in->path };
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_finish(&tx, iam_create(call, &tx, &group));
    if (!err)
        out->group = iam_group(call, &group);
    return err;
}

static struct str entity_name(const void *items, size_t i)
{
    return ((const struct entity *)items)[i].name;
}

gh_err iam_GetGroup(struct call *call, const struct iam_GetGroup_in *in, struct iam_GetGroup_out *out)
{
    struct entity group;
    struct entity_list users;
    struct iam_page page;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = iam_find(call, NULL, ENTITY_GROUP, in->group_name, &group);
    if (!err)
        err = entity_members(call->db, NULL, call->arena, group.id, &users);
    if (err)
        return err;
    struct iam_cut cut = iam_cut(call, &page, users.items, users.n, entity_name);
    out->group = iam_group(call, &group);
    out->users = (struct iam_userListType){ true, cut.n, ARENA_ARRAY(call->arena, struct iam_User *, cut.n) };
    for (size_t i = 0; i < cut.n; i++)
        out->users.items[i] = iam_user(call, &users.items[cut.first + i], IAM_LISTED);
    out->is_truncated = some_bool(cut.truncated);
    out->marker = cut.marker;
    return NULL;
}

static struct iam_groupListType group_list(struct call *call, const struct entity *groups, size_t n)
{
    struct iam_groupListType list = { true, n, ARENA_ARRAY(call->arena, struct iam_Group *, n) };
    for (size_t i = 0; i < n; i++)
        list.items[i] = iam_group(call, &groups[i]);
    return list;
}

gh_err iam_ListGroups(struct call *call, const struct iam_ListGroups_in *in, struct iam_ListGroups_out *out)
{
    struct iam_page page;
    struct entity_list list;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = entity_list(call->db, call->arena, call->account, ENTITY_GROUP, in->path_prefix, page.after,
                          page.max + 1, &list);
    if (err)
        return err;
    bool more = list.n > (size_t)page.max;
    size_t n = more ? (size_t)page.max : list.n;
    out->groups = group_list(call, list.items, n);
    out->is_truncated = some_bool(more);
    if (more)
        out->marker = iam_marker(call, list.items[n - 1].name);
    return NULL;
}

gh_err iam_ListGroupsForUser(struct call *call, const struct iam_ListGroupsForUser_in *in,
                             struct iam_ListGroupsForUser_out *out)
{
    struct entity user;
    struct entity_list groups;
    struct iam_page page;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = iam_find(call, NULL, ENTITY_USER, in->user_name, &user);
    if (!err)
        err = entity_parents(call->db, NULL, call->arena, user.id, ENTITY_GROUP, &groups);
    if (err)
        return err;
    struct iam_cut cut = iam_cut(call, &page, groups.items, groups.n, entity_name);
    out->groups = group_list(call, groups.items + cut.first, cut.n);
    out->is_truncated = some_bool(cut.truncated);
    out->marker = cut.marker;
    return NULL;
}

gh_err iam_UpdateGroup(struct call *call, const struct iam_UpdateGroup_in *in, struct iam_UpdateGroup_out *out)
{
    (void)out;
    struct entity group;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find(call, &tx, ENTITY_GROUP, in->group_name, &group);
    bool taken = false;
    if (!err && in->new_group_name.ptr && !str_eq_nocase(in->new_group_name, group.name))
        err = entity_taken(call->db, &tx, call->arena, call->account, ENTITY_GROUP, in->new_group_name, &taken);
    if (!err && taken)
        err = gh_fail(call->arena, &iam_EntityAlreadyExistsException, "Group with name %.*s already exists.",
                      STR_FMT(in->new_group_name));
    if (!err) {
        if (in->new_group_name.ptr)
            group.name = in->new_group_name;
        if (in->new_path.ptr)
            group.path = in->new_path;
        entity_update(&tx, &group);
    }
    return iam_finish(&tx, err);
}

gh_err iam_DeleteGroup(struct call *call, const struct iam_DeleteGroup_in *in, struct iam_DeleteGroup_out *out)
{
    (void)out;
    struct entity group;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find(call, &tx, ENTITY_GROUP, in->group_name, &group);
    if (!err)
        err = iam_check_untied(call, &tx, &group);
    if (!err)
        entity_delete(&tx, group.id);
    return iam_finish(&tx, err);
}

gh_err iam_AddUserToGroup(struct call *call, const struct iam_AddUserToGroup_in *in,
                          struct iam_AddUserToGroup_out *out)
{
    (void)out;
    struct entity group = { 0 }, user = { 0 };
    struct entity_list groups;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find(call, &tx, ENTITY_GROUP, in->group_name, &group);
    if (!err)
        err = iam_find(call, &tx, ENTITY_USER, in->user_name, &user);
    if (!err)
        err = entity_parents(call->db, &tx, call->arena, user.id, ENTITY_GROUP, &groups);
    bool member = false;
    for (size_t i = 0; !err && i < groups.n; i++)
        member |= str_eq(groups.items[i].id, group.id);
    if (!err && !member && groups.n >= 10)
        err = gh_fail(call->arena, &iam_LimitExceededException, "Cannot exceed quota for GroupsPerUser: 10");
    if (!err)
        entity_add_member(&tx, group.id, user.id);
    err = iam_finish(&tx, err);
    if (!err)
        principals_reload(iam_identity(call), call->arena, user.id);
    return err;
}

gh_err iam_RemoveUserFromGroup(struct call *call, const struct iam_RemoveUserFromGroup_in *in,
                               struct iam_RemoveUserFromGroup_out *out)
{
    (void)out;
    struct entity group = { 0 }, user = { 0 };
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find(call, &tx, ENTITY_GROUP, in->group_name, &group);
    if (!err)
        err = iam_find(call, &tx, ENTITY_USER, in->user_name, &user);
    if (!err)
        entity_remove_member(&tx, group.id, user.id);
    err = iam_finish(&tx, err);
    if (!err)
        principals_reload(iam_identity(call), call->arena, user.id);
    return err;
}
