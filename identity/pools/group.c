/* CreateGroup, GetGroup, UpdateGroup, ListGroups, DeleteGroup, AdminAddUserToGroup, AdminRemoveUserFromGroup,
 * AdminListGroupsForUser, ListUsersInGroup. */
#include "identity/pools/group.h"
#include "identity/store/group.h"

#include "identity/users/user.h"
#include "wire/codec_json.h"

enum { PAGE = 60 };

static struct idp_GroupType *group_shown(struct call *call, const struct group_row *row)
{
    struct idp_GroupType *group = ARENA_NEW(call->arena, struct idp_GroupType);
    shape_parse(call->arena, &idp_shape_GroupType, row->doc, group);
    return group;
}

static struct group_row row_of(struct call *call, const struct idp_GroupType *group)
{
    return (struct group_row){
        .pool = group->user_pool_id,
        .name = group->group_name,
        .role = group->role_arn,
        .doc = shape_print(call->arena, &idp_shape_GroupType, group),
        .has_precedence = group->precedence.set,
        .precedence = group->precedence.value,
    };
}

static gh_err group_load(struct call *call, struct str pool_id, struct str name, struct pool *pool,
                         struct group_row *row)
{
    bool found;
    gh_err err = pool_load(call, pool_id, pool);
    if (!err)
        err = store_group_find(call->db, NULL, call->arena, pool->id, name, row, &found);
    if (!err && !found)
        return gh_fail(call->arena, &idp_ResourceNotFoundException, "Group not found.");
    return err;
}

gh_err idp_CreateGroup(struct call *call, const struct idp_CreateGroup_in *in,
                       struct idp_CreateGroup_out *out)
{
    struct pool pool;
    struct group_row row;
    bool found;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (err)
        return err;
    struct idp_GroupType *group = ARENA_NEW(call->arena, struct idp_GroupType);
    *group = (struct idp_GroupType){
        .group_name = in->group_name,
        .user_pool_id = pool.id,
        .description = in->description,
        .role_arn = in->role_arn,
        .precedence = in->precedence,
        .creation_date = some_time_us(call->now_us),
        .last_modified_date = some_time_us(call->now_us),
    };
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = store_group_find(call->db, &tx, call->arena, pool.id, in->group_name, &row, &found);
    if (!err && found)
        err = gh_fail(call->arena, &idp_GroupExistsException, "A group with the name already exists.");
    if (err) {
        tx_rollback(&tx);
        return err;
    }
    row = row_of(call, group);
    store_group_put(&tx, &row);
    out->group = group;
    return tx_commit(&tx);
}

gh_err group_make(struct call *call, struct tx *tx, const struct pool *pool, struct str name)
{
    const struct idp_GroupType group = {
        .group_name = name,
        .user_pool_id = pool->id,
        .creation_date = some_time_us(call->now_us),
        .last_modified_date = some_time_us(call->now_us),
    };
    const struct group_row row = row_of(call, &group);
    store_group_put(tx, &row);
    return tx->err;
}

gh_err idp_GetGroup(struct call *call, const struct idp_GetGroup_in *in, struct idp_GetGroup_out *out)
{
    struct pool pool;
    struct group_row row;
    gh_err err = group_load(call, in->user_pool_id, in->group_name, &pool, &row);
    if (!err)
        out->group = group_shown(call, &row);
    return err;
}

gh_err idp_UpdateGroup(struct call *call, const struct idp_UpdateGroup_in *in,
                       struct idp_UpdateGroup_out *out)
{
    struct pool pool;
    struct group_row row;
    gh_err err = group_load(call, in->user_pool_id, in->group_name, &pool, &row);
    if (err)
        return err;
    struct idp_GroupType *group = group_shown(call, &row);
    if (in->description.ptr)
        group->description = in->description;
    if (in->role_arn.ptr)
        group->role_arn = in->role_arn;
    if (in->precedence.set)
        group->precedence = in->precedence;
    group->last_modified_date = some_time_us(call->now_us);
    row = row_of(call, group);
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_group_put(&tx, &row);
    out->group = group;
    return tx_commit(&tx);
}

gh_err idp_ListGroups(struct call *call, const struct idp_ListGroups_in *in, struct idp_ListGroups_out *out)
{
    struct pool pool;
    struct group_row *rows;
    struct str after;
    size_t n;
    int64_t limit = in->limit.set && in->limit.value ? in->limit.value : PAGE;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = page_open(call, "groups", pool.id, in->next_token, &after);
    if (!err)
        err = store_group_list(call->db, call->arena, pool.id, after, limit + 1, &rows, &n);
    if (err)
        return err;
    out->groups.set = true;
    out->groups.items = ARENA_ARRAY(call->arena, struct idp_GroupType *, limit);
    for (size_t i = 0; i < n && i < (size_t)limit; i++)
        out->groups.items[out->groups.n++] = group_shown(call, &rows[i]);
    if (n > (size_t)limit)
        out->next_token = page_token(call, "groups", pool.id, rows[limit - 1].name);
    return NULL;
}

gh_err idp_DeleteGroup(struct call *call, const struct idp_DeleteGroup_in *in,
                       struct idp_DeleteGroup_out *out)
{
    (void)out;
    struct pool pool;
    struct group_row row;
    gh_err err = group_load(call, in->user_pool_id, in->group_name, &pool, &row);
    if (err)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_group_delete(&tx, pool.id, row.name);
    return tx_commit(&tx);
}

static gh_err member_load(struct call *call, struct str pool_id, struct str group, struct str username,
                          struct pool *pool, struct user *user)
{
    struct group_row row;
    gh_err err = group_load(call, pool_id, group, pool, &row);
    return err ? err : user_load(call, pool, username, user);
}

/* "Adding/removing membership is idempotent." */
gh_err idp_AdminAddUserToGroup(struct call *call, const struct idp_AdminAddUserToGroup_in *in,
                               struct idp_AdminAddUserToGroup_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    gh_err err = member_load(call, in->user_pool_id, in->group_name, in->username, &pool, &user);
    if (err)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_member_put(&tx, pool.id, in->group_name, user.sub);
    return tx_commit(&tx);
}

gh_err idp_AdminRemoveUserFromGroup(struct call *call, const struct idp_AdminRemoveUserFromGroup_in *in,
                                    struct idp_AdminRemoveUserFromGroup_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    gh_err err = member_load(call, in->user_pool_id, in->group_name, in->username, &pool, &user);
    if (err)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_member_drop(&tx, pool.id, in->group_name, user.sub);
    return tx_commit(&tx);
}

/* In the order in which groups take precedence; the token is the place in that list. */
gh_err idp_AdminListGroupsForUser(struct call *call, const struct idp_AdminListGroupsForUser_in *in,
                                  struct idp_AdminListGroupsForUser_out *out)
{
    struct pool pool;
    struct user user;
    struct group_row *rows;
    struct str after;
    int64_t start = 0;
    size_t n, limit = in->limit.set && in->limit.value ? (size_t)in->limit.value : PAGE;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    if (!err)
        err = page_open(call, "user-groups", pool.id, in->next_token, &after);
    if (!err)
        err = store_group_of_user(call->db, call->arena, pool.id, user.sub, &rows, &n);
    if (err)
        return err;
    if (after.ptr)
        str_i64(after, &start);
    out->groups.set = true;
    out->groups.items = ARENA_ARRAY(call->arena, struct idp_GroupType *, limit);
    size_t at = (size_t)start;
    for (; at < n && out->groups.n < limit; at++)
        out->groups.items[out->groups.n++] = group_shown(call, &rows[at]);
    if (at < n)
        out->next_token = page_token(call, "user-groups", pool.id, str_printf(call->arena, "%zu", at));
    return NULL;
}

gh_err idp_ListUsersInGroup(struct call *call, const struct idp_ListUsersInGroup_in *in,
                            struct idp_ListUsersInGroup_out *out)
{
    struct pool pool;
    struct group_row row;
    struct user *users;
    struct str after;
    size_t n;
    int64_t limit = in->limit.set && in->limit.value ? in->limit.value : PAGE;
    gh_err err = group_load(call, in->user_pool_id, in->group_name, &pool, &row);
    if (!err)
        err = page_open(call, "members", pool.id, in->next_token, &after);
    if (!err)
        err = store_member_list(call->db, call->arena, pool.id, in->group_name, after, limit + 1, &users, &n);
    if (err)
        return err;
    out->users.set = true;
    out->users.items = ARENA_ARRAY(call->arena, struct idp_UserType *, limit);
    for (size_t i = 0; i < n && i < (size_t)limit; i++)
        out->users.items[out->users.n++] = user_shown(call, &users[i], NULL);
    if (n > (size_t)limit)
        out->next_token = page_token(call, "members", pool.id, users[limit - 1].sub);
    return NULL;
}
