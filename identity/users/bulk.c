/* POST /_gatehouse/user-pools/{id}/users/bulk?action=disable: one thing done to all users that a search finds.
 *
 *   {"where": {"email.suffix": "@old.example"}, "all": true, "group": "x", "apply": true, "next": "…"}
 *
 * Without `apply` it is a dry run: how many it would be, and some of them. An empty `where` needs "all": true, so that
 * a forgotten condition does not mean everybody. Users are changed in transactions of a hundred; after some seconds
 * the answer says `next`, where to go on. No triggers run and no messages are sent. */
#include "identity/pools/errand.h"
#include "identity/store/group.h"
#include "identity/tokens/revocation.h"
#include "identity/users/search.h"

#include "core/json.h"
#include "core/uri.h"

enum { BATCH = 100, SHOWN = 20, LONGEST_US = 10 * 1000 * 1000 };

struct deed {
    struct call *call;
    struct tx *tx;
    const struct pool *pool;
    struct str group;
};

/* What an action does to a user, in the transaction; false: nothing was to be done. */
static gh_err disable(struct deed *deed, struct user *user, bool *changed)
{
    *changed = user->enabled;
    user->enabled = false;
    return *changed ? user_save(deed->call, deed->tx, deed->pool, user, false) : NULL;
}

static gh_err enable(struct deed *deed, struct user *user, bool *changed)
{
    *changed = !user->enabled;
    user->enabled = true;
    return *changed ? user_save(deed->call, deed->tx, deed->pool, user, false) : NULL;
}

static gh_err confirm(struct deed *deed, struct user *user, bool *changed)
{
    *changed = str_eq(user->status, UNCONFIRMED);
    user->status = CONFIRMED;
    return *changed ? user_save(deed->call, deed->tx, deed->pool, user, false) : NULL;
}

static gh_err reset(struct deed *deed, struct user *user, bool *changed)
{
    *changed = str_eq(user->status, CONFIRMED);
    user->status = RESET_REQUIRED;
    return *changed ? user_save(deed->call, deed->tx, deed->pool, user, false) : NULL;
}

static gh_err delete(struct deed *deed, struct user *user, bool *changed)
{
    *changed = true;
    store_user_delete(deed->tx, user);
    return NULL;
}

static gh_err sign_out(struct deed *deed, struct user *user, bool *changed)
{
    (void)deed;
    (void)user;
    *changed = true;
    return NULL;
}

static gh_err join(struct deed *deed, struct user *user, bool *changed)
{
    gh_err err = store_member_find(deed->call->db, deed->call->arena, user->pool, deed->group, user->sub, changed);
    *changed = !*changed;
    if (!err && *changed)
        store_member_put(deed->tx, user->pool, deed->group, user->sub);
    return err;
}

static gh_err leave(struct deed *deed, struct user *user, bool *changed)
{
    gh_err err = store_member_find(deed->call->db, deed->call->arena, user->pool, deed->group, user->sub, changed);
    if (!err && *changed)
        store_member_drop(deed->tx, user->pool, deed->group, user->sub);
    return err;
}

static const struct action {
    const char *name, *as; /* the operation whose permission it needs */
    gh_err (*run)(struct deed *deed, struct user *user, bool *changed);
    bool ends_sessions, needs_group;
} actions[] = {
    { "disable", "AdminDisableUser", disable, true, false },
    { "enable", "AdminEnableUser", enable, false, false },
    { "delete", "AdminDeleteUser", delete, true, false },
    { "confirm", "AdminConfirmSignUp", confirm, false, false },
    { "reset", "AdminResetUserPassword", reset, true, false },
    { "sign-out", "AdminUserGlobalSignOut", sign_out, true, false },
    { "add-to-group", "AdminAddUserToGroup", join, false, true },
    { "remove-from-group", "AdminRemoveUserFromGroup", leave, false, true },
};

static const struct action *action_of(struct str name)
{
    for (size_t i = 0; i < COUNT(actions); i++)
        if (str_is(name, actions[i].name))
            return &actions[i];
    return NULL;
}

const char *pool_users_bulk_as(struct arena *arena, struct str query)
{
    const struct action *action = action_of(uri_query_get(arena, query, "action"));
    return action ? action->as : "ListUsers"; /* which then says that there is no such action */
}

/* ---- going through ---- */

struct bulk {
    struct call *call;
    struct search search;
    const struct action *action;
    struct deed deed;
    bool apply;
    int64_t matched, changed;
    json_t *some;            /* names of the first */
    struct str keys[BATCH];  /* of the batch being collected */
    size_t n;
    struct str place;
};

static bool collect(void *ctx, const struct user *user, struct str index_value)
{
    struct bulk *bulk = ctx;
    struct arena *arena = bulk->call->arena;
    bulk->matched++;
    if (json_array_size(bulk->some) < SHOWN)
        json_array_append_new(bulk->some, json_of(user->username));
    if (!bulk->apply)
        return true;
    bulk->keys[bulk->n++] = str_copy(arena, user->folded);
    if (bulk->n < BATCH)
        return true;
    bulk->place = search_place(arena, index_value, user->folded);
    return false;
}

/* Read again in the transaction: somebody may have changed what was found. */
static gh_err apply_one(struct bulk *bulk, struct tx *tx, struct str key, int64_t stamp, struct str *ended)
{
    struct call *call = bulk->call;
    struct user user;
    bool found, changed = false;
    gh_err err = store_user_find(call->db, tx, call->arena, bulk->search.pool->id, USER_BY_NAME, key, &user, &found);
    if (err || !found || !search_matches(call, call->arena, &bulk->search, &user))
        return err;
    err = bulk->action->run(&bulk->deed, &user, &changed);
    if (err || !changed)
        return err;
    bulk->changed++;
    if (bulk->action->ends_sessions) {
        store_revoke_user(tx, user.pool, user.sub, stamp);
        *ended = user.sub;
    }
    return NULL;
}

/* The batch has an arena of its own: there may be many. */
static gh_err apply_batch(struct bulk *bulk)
{
    struct call *outer = bulk->call, call = *outer;
    struct revocations *revocations = pools_of(outer)->revocations;
    struct str ended[BATCH] = { { 0 } };
    struct tx tx;
    gh_err err = NULL;
    int64_t before = bulk->changed, stamp = revocation_stamp(revocations, call.now_us);
    call.arena = arena_new(256 * 1024);
    bulk->call = bulk->deed.call = &call;
    tx_begin(&tx, call.db, call.arena);
    bulk->deed.tx = &tx;
    for (size_t i = 0; !err && i < bulk->n; i++)
        err = apply_one(bulk, &tx, bulk->keys[i], stamp, &ended[i]);
    if (err)
        tx_rollback(&tx);
    else
        err = tx_commit(&tx);
    for (size_t i = 0; !err && i < bulk->n; i++)
        if (ended[i].ptr)
            revocation_publish_user(revocations, bulk->search.pool->id, ended[i], stamp);
    bulk->call = bulk->deed.call = outer;
    if (err) {
        bulk->changed = before;
        err = gh_fail(outer->arena, err->kind, "%.*s", STR_FMT(err->message));
    }
    arena_free(call.arena);
    return err;
}

/* *next: absent when all is done. */
static gh_err go_through(struct bulk *bulk, struct str *next)
{
    int64_t began_us = env_monotonic_us(bulk->call->env);
    for (;;) {
        bulk->n = 0;
        bulk->place = STR_NONE;
        gh_err err = search_each(bulk->call, &bulk->search, collect, bulk);
        if (!err && bulk->n)
            err = apply_batch(bulk);
        if (err || !bulk->place.ptr)
            return err;
        search_place_read(bulk->place, &bulk->search.query);
        if (env_monotonic_us(bulk->call->env) - began_us > LONGEST_US) {
            *next = bulk->place;
            return NULL;
        }
    }
}

/* ---- the request ---- */

static gh_err bad(struct call *call, const char *text)
{
    return gh_fail(call->arena, &idp_InvalidParameterException, "%s", text);
}

static gh_err read_request(struct bulk *bulk, const struct pool_errand *errand, const struct pool *pool)
{
    struct call *call = bulk->call;
    const json_t *body = json_parse(call->arena, *errand->body, NULL), *where = json_object_get(body, "where");
    struct group_row group;
    struct str place;
    bool found = false;
    bulk->action = action_of(uri_query_get(call->arena, errand->query, "action"));
    if (!bulk->action)
        return bad(call, "action is one of disable, enable, delete, confirm, reset, sign-out, add-to-group, "
                         "remove-from-group.");
    if (!json_is_object(where))
        return bad(call, "Send {\"where\": {conditions}}, and \"apply\": true to do it.");
    if (!json_object_size(where) && !json_flag(body, "all", false))
        return bad(call, "No condition is given: \"all\": true says that every user is meant.");
    bulk->apply = json_flag(body, "apply", false);
    bulk->deed = (struct deed){ .call = call, .pool = pool, .group = json_str(body, "group") };
    gh_err err = search_read(call, pool, where, &bulk->search);
    if (!err && bulk->action->needs_group)
        err = store_group_find(call->db, NULL, call->arena, pool->id,
                               bulk->deed.group.ptr ? bulk->deed.group : STR(""), &group, &found);
    if (!err && bulk->action->needs_group && !found)
        err = gh_fail(call->arena, &idp_ResourceNotFoundException, "Group not found.");
    if (!err)
        err = page_open(call, "users-bulk", pool->id, json_str(body, "next"), &place);
    if (!err)
        search_place_read(place, &bulk->search.query);
    return err;
}

gh_err pool_users_bulk(struct call *call, void *ctx, struct str *json)
{
    const struct pool_errand *errand = ctx;
    struct bulk bulk = { .call = call, .some = json_own(call->arena, json_array()) };
    struct pool pool;
    struct str next = STR_NONE;
    gh_err err = pool_load(call, errand->pool_id, &pool);
    if (!err)
        err = read_request(&bulk, errand, &pool);
    if (!err)
        err = go_through(&bulk, &next);
    if (err)
        return err;
    json_t *answer = json_own(call->arena, json_object());
    json_set_str(answer, "action", str_of(bulk.action->name));
    json_set_flag(answer, "dryRun", !bulk.apply);
    json_set_i64(answer, "matched", bulk.matched);
    json_set_i64(answer, "changed", bulk.changed);
    json_object_set(answer, "users", bulk.some);
    if (next.ptr)
        json_set_str(answer, "next", page_token(call, "users-bulk", pool.id, next));
    *json = json_print(call->arena, answer);
    return NULL;
}
