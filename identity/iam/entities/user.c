#include "identity/iam/iam.h"
#include "identity/store/login_profile.h"

gh_err iam_CreateUser(struct call *call, const struct iam_CreateUser_in *in, struct iam_CreateUser_out *out)
{
    struct entity user = { .kind = ENTITY_USER, .name = in->user_name, .path = in->path, .tags = in->tags,
                           .boundary = in->permissions_boundary };
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_finish(&tx, iam_create(call, &tx, &user));
    if (err)
        return err;
    principals_reload(iam_identity(call), call->arena, user.id);
    out->user = iam_user(call, &user, IAM_CREATED);
    return NULL;
}

/* "PasswordLastUsed: null when the user does not have a password, or has one and has never signed in with it." */
static gh_err add_last_used(struct call *call, struct iam_User **users, size_t n)
{
    struct login_uses uses;
    gh_err err = login_profile_uses(call->db, call->arena, call->account, &uses);
    for (size_t u = 0; !err && u < uses.n; u++)
        for (size_t i = 0; i < n; i++)
            if (str_eq(users[i]->user_id, uses.items[u].owner))
                users[i]->password_last_used = iam_time(uses.items[u].used_us);
    return err;
}

/* "If no user name is included, it defaults to the principal making the request": for root, the account. */
gh_err iam_GetUser(struct call *call, const struct iam_GetUser_in *in, struct iam_GetUser_out *out)
{
    if (!in->user_name.ptr && call->principal->kind == PRINCIPAL_ROOT) {
        out->user = ARENA_NEW(call->arena, struct iam_User);
        out->user->user_id = call->account;
        out->user->arn = call->principal->arn;
        out->user->create_date = iam_time(call->now_us);
        return NULL;
    }
    struct entity user;
    gh_err err = iam_user_or_caller(call, NULL, in->user_name, &user);
    if (!err)
        out->user = iam_user(call, &user, IAM_READ);
    return err ? err : add_last_used(call, &out->user, 1);
}

gh_err iam_ListUsers(struct call *call, const struct iam_ListUsers_in *in, struct iam_ListUsers_out *out)
{
    struct iam_page page;
    struct entity_list list;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = entity_list(call->db, call->arena, call->account, ENTITY_USER, in->path_prefix, page.after,
                          page.max + 1, &list);
    if (err)
        return err;
    bool more = list.n > (size_t)page.max;
    size_t n = more ? (size_t)page.max : list.n;
    out->users = (struct iam_userListType){ true, n, ARENA_ARRAY(call->arena, struct iam_User *, n) };
    for (size_t i = 0; i < n; i++)
        out->users.items[i] = iam_user(call, &list.items[i], IAM_LISTED);
    err = add_last_used(call, out->users.items, n);
    out->is_truncated = some_bool(more);
    if (more)
        out->marker = iam_marker(call, list.items[n - 1].name);
    return err;
}

/* Renaming keeps the id, and with it keys, policies and memberships. */
gh_err iam_UpdateUser(struct call *call, const struct iam_UpdateUser_in *in, struct iam_UpdateUser_out *out)
{
    (void)out;
    struct entity user;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find(call, &tx, ENTITY_USER, in->user_name, &user);
    bool taken = false;
    if (!err && in->new_user_name.ptr && !str_eq_nocase(in->new_user_name, user.name))
        err = entity_taken(call->db, &tx, call->arena, call->account, ENTITY_USER, in->new_user_name, &taken);
    if (!err && taken)
        err = gh_fail(call->arena, &iam_EntityAlreadyExistsException, "User with name %.*s already exists.",
                      STR_FMT(in->new_user_name));
    if (!err) {
        if (in->new_user_name.ptr)
            user.name = in->new_user_name;
        if (in->new_path.ptr)
            user.path = in->new_path;
        entity_update(&tx, &user);
        err = iam_trust_follows(call, &tx, user.id, user.arn,
                                entity_arn(call->arena, ENTITY_USER, user.account, user.path, user.name));
    }
    err = iam_finish(&tx, err);
    if (!err)
        principals_reload(iam_identity(call), call->arena, user.id);
    return err;
}

gh_err iam_DeleteUser(struct call *call, const struct iam_DeleteUser_in *in, struct iam_DeleteUser_out *out)
{
    (void)out;
    struct entity user;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_user_or_caller(call, &tx, in->user_name, &user);
    if (!err)
        err = iam_check_untied(call, &tx, &user);
    if (!err)
        err = iam_trust_follows(call, &tx, user.id, user.arn, STR_NONE);
    if (!err)
        entity_delete(&tx, user.id);
    err = iam_finish(&tx, err);
    if (!err)
        principals_reload(iam_identity(call), call->arena, user.id);
    return err;
}
