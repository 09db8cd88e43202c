/* ListUserSessions, AdminListUserSessions, RevokeUserSession, AdminRevokeUserSession.
 *
 * A session is one sign-in at one client, over all refreshes. Those of managed login (type SSO) do not exist
 * yet, so none has a parent and RevokeAssociatedSessions reaches nothing more. */
#include "core/json.h"
#include "identity/pools/session_config.h"
#include "identity/tokens/activity.h"
#include "identity/tokens/agent.h"
#include "identity/tokens/token.h"

enum { PAGE = 100, ID_DIGITS_AFTER = 25 };
static const char LIST[] = "user-sessions";

/* "28 characters: tkn or sso + 25 of [a-z0-9]". Made out of the sign-in's origin, which it does not tell. */
static struct str session_id(struct call *call, struct str origin)
{
    uint8_t mac[32];
    char *id = arena_alloc(call->arena, 3 + ID_DIGITS_AFTER, 1);
    sealer_mac(call->sealer, STR("pool-session-id"), origin, mac);
    memcpy(id, "tkn", 3);
    for (size_t i = 0; i < ID_DIGITS_AFTER; i++)
        id[3 + i] = "abcdefghijklmnopqrstuvwxyz0123456789"[mac[i] % 36];
    return (struct str){ id, 3 + ID_DIGITS_AFTER };
}

static struct idp_SessionDescriptionType *describe(struct call *call, const struct session_row *row,
                                                   struct str current)
{
    struct idp_SessionDescriptionType *shown = ARENA_NEW(call->arena, struct idp_SessionDescriptionType);
    const json_t *seen = row->seen.ptr ? json_parse(call->arena, row->seen, NULL) : NULL;
    *shown = (struct idp_SessionDescriptionType){
        .session_id = session_id(call, row->origin),
        .session_type = STR("TOKEN"),
        .client_id = row->client,
        .create_date = some_time_us(row->auth_s * 1000000),
        .last_active_date = some_time_us((row->active_s ? row->active_s : row->auth_s) * 1000000),
        .device_type = agent_name(call->arena, json_str(seen, "agent")),
        .last_ip_address = json_str(seen, "ip"),
        .last_location = ARENA_NEW(call->arena, struct idp_SessionLocationType),
        .is_current_session = some_bool(current.ptr && str_eq(current, row->origin)),
    };
    shown->last_location->country = STR("unknown"); /* where addresses are is not known here */
    return shown;
}

/* current: the origin of whoever asks, or absent. Untracked pools have no sessions to show. */
static gh_err list(struct call *call, const struct pool *pool, const struct user *user, struct str current,
                   struct str token, struct idp_SessionsListType *out, struct str *next)
{
    struct session_row *rows;
    struct str after;
    size_t n;
    out->set = true;
    gh_err err = page_open(call, LIST, user->sub, token, &after);
    if (err || !session_limits(pool).tracked)
        return err;
    err = activity_settle(pools_of(call)->activity, call->db, call->arena);
    if (!err)
        err = store_session_list(call->db, call->arena, pool->id, user->sub, after, call->now_us / 1000000,
                                 PAGE + 1, &rows, &n);
    if (err)
        return err;
    if (n > PAGE)
        *next = page_token(call, LIST, user->sub, rows[(n = PAGE) - 1].origin);
    out->items = ARENA_ARRAY(call->arena, struct idp_SessionDescriptionType *, n);
    for (size_t i = 0; i < n; i++)
        out->items[out->n++] = describe(call, &rows[i], current);
    return NULL;
}

gh_err idp_ListUserSessions(struct call *call, const struct idp_ListUserSessions_in *in,
                            struct idp_ListUserSessions_out *out)
{
    struct access access;
    gh_err err = access_load(call, in->access_token, &access);
    return err ? err
               : list(call, &access.client.pool, &access.user, access.origin, in->next_token, &out->sessions,
                      &out->next_token);
}

gh_err idp_AdminListUserSessions(struct call *call, const struct idp_AdminListUserSessions_in *in,
                                 struct idp_AdminListUserSessions_out *out)
{
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    return err ? err : list(call, &pool, &user, STR_NONE, in->next_token, &out->sessions, &out->next_token);
}

/* The live sign-in of that id; absent: the user has none. */
static gh_err find(struct call *call, const struct pool *pool, const struct user *user, struct str id,
                   struct str *origin)
{
    struct session_row *rows;
    size_t n = PAGE;
    struct str after = STR_NONE;
    *origin = STR_NONE;
    while (n == PAGE) {
        gh_err err = store_session_list(call->db, call->arena, pool->id, user->sub, after,
                                        call->now_us / 1000000, PAGE, &rows, &n);
        if (err)
            return err;
        for (size_t i = 0; i < n; i++) {
            after = rows[i].origin;
            if (!str_eq(session_id(call, after), id))
                continue;
            *origin = after;
            return NULL;
        }
    }
    return NULL;
}

static gh_err revoke(struct call *call, const struct pool *pool, const struct user *user, struct str current,
                     struct str id)
{
    struct str origin = STR_NONE;
    gh_err err = session_limits(pool).tracked ? find(call, pool, user, id, &origin) : NULL;
    if (err)
        return err;
    if (!origin.ptr)
        return gh_fail(call->arena, &idp_ResourceNotFoundException, "Session does not exist.");
    if (current.ptr && str_eq(current, origin))
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "The current session cannot be revoked. Use RevokeToken or GlobalSignOut to end it.");
    return session_end(call, pool->id, origin);
}

gh_err idp_RevokeUserSession(struct call *call, const struct idp_RevokeUserSession_in *in,
                             struct idp_RevokeUserSession_out *out)
{
    (void)out;
    struct access access;
    gh_err err = access_load(call, in->access_token, &access);
    return err ? err : revoke(call, &access.client.pool, &access.user, access.origin, in->session_id);
}

gh_err idp_AdminRevokeUserSession(struct call *call, const struct idp_AdminRevokeUserSession_in *in,
                                  struct idp_AdminRevokeUserSession_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    return err ? err : revoke(call, &pool, &user, STR_NONE, in->session_id);
}
