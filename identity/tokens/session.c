/* Sign-ins as rows, and access tokens that come back. */
#include "core/json.h"
#include "identity/tokens/activity.h"
#include "identity/tokens/refresh.h"
#include "identity/pools/session_config.h"
#include "identity/tokens/token.h"
#include "wire/audit.h"

/* A row is kept a day longer than its refresh token, which may then still be told that it has expired. */
enum { SESSION_REMEMBERED_S = 86400 };

void session_begin(struct call *call, struct session *session)
{
    int64_t stamp = revocation_stamp(pools_of(call)->revocations, call->now_us);
    session->origin = stamp_uuid(call->env, call->arena, stamp);
    session->event = stamp_uuid(call->env, call->arena, stamp);
    session->auth_s = call->now_us / 1000000;
}

static struct str doc_of(struct call *call, const struct session *session)
{
    json_t *doc = json_own(call->arena, json_object());
    json_set_str(doc, "acr", session->acr);
    if (session->amr)
        json_object_set(doc, "amr", session->amr);
    return json_object_size(doc) ? json_print(call->arena, doc) : STR_NONE;
}

/* Oldest use goes first: "the next successful authentication first evicts the least recently used one". */
static gh_err drive_out(struct call *call, struct tx *tx, const struct client *client, const struct user *user,
                        struct session *session)
{
    struct session_limits limits = session_limits(&client->pool);
    if (!limits.tracked)
        return NULL;
    activity_write(pools_of(call)->activity, tx);
    gh_err err = store_session_surplus(tx, call->arena, client->pool.id, user->sub, call->now_us / 1000000,
                                       limits.max_per_user - 1, &session->drives_out.origins, &session->drives_out.n);
    if (!err)
        sessions_end(call, tx, client->pool.id, &session->drives_out);
    return err;
}

gh_err session_insert(struct call *call, struct tx *tx, const struct client *client, const struct user *user,
                      struct session *session, struct str *refresh_token)
{
    int64_t now_s = call->now_us / 1000000;
    struct session_row row = {
        .pool = client->pool.id,
        .client = client->id,
        .sub = user->sub,
        /* their tokens have no origin_jti: the event is what they have in common */
        .origin = client->revocation ? session->origin : session->event,
        .event = session->event,
        .auth_s = session->auth_s,
        .expires_s = now_s + client->refresh_ttl_s,
        .doc = doc_of(call, session),
        .device = session->device,
        .seen = session_seen(call, session->ip),
        .active_s = now_s,
    };
    *refresh_token = refresh_token_new(call, &row.mac);
    gh_err err = drive_out(call, tx, client, user, session);
    if (err)
        return err;
    store_session_sweep(tx, now_s - SESSION_REMEMBERED_S);
    store_session_insert(tx, &row);
    return tx->err;
}

void session_committed(struct call *call, const struct session *session)
{
    sessions_ended(call, &session->drives_out);
}

void sessions_end(struct call *call, struct tx *tx, struct str pool, const struct endings *endings)
{
    for (size_t i = 0; i < endings->n; i++)
        store_revoke_origin(tx, pool, endings->origins[i], call->now_us / 1000000 + REVOCATION_HORIZON_S);
}

void sessions_ended(struct call *call, const struct endings *endings)
{
    for (size_t i = 0; i < endings->n; i++)
        revocation_publish_origin(pools_of(call)->revocations, endings->origins[i],
                                  call->now_us / 1000000 + REVOCATION_HORIZON_S);
}

gh_err session_end(struct call *call, struct str pool, struct str origin)
{
    const struct endings one = { 1, &origin };
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    sessions_end(call, &tx, pool, &one);
    gh_err err = tx_commit(&tx);
    if (!err)
        sessions_ended(call, &one);
    return err;
}

/* ---- tokens that come back ---- */

static gh_err refused(struct call *call, const char *text)
{
    return gh_fail(call->arena, &idp_NotAuthorizedException, "%s", text);
}

static bool has_scope(const json_t *claims, const char *scope)
{
    struct str rest = json_str(claims, "scope"), one;
    while (str_split(&rest, ' ', &one))
        if (str_is(one, scope))
            return true;
    return false;
}

gh_err access_load(struct call *call, struct str token, struct access *out)
{
    struct cached_token *found;
    bool from_cache, exists;
    switch (token_verify(pools_of(call), call->arena, token, call->now_us / 1000000, &found, &from_cache)) {
    case TOKEN_OK:
        break;
    case TOKEN_EXPIRED:
        return refused(call, "Access Token has expired");
    default:
        return refused(call, "Invalid Access Token");
    }
    struct str audience = json_str(found->claims, "aud");
    /* one that was derived for another service is not for us, whatever its scopes are */
    if (!str_is(found->token_use, "access") ||
        (json_object_get(found->claims, "aud") && !str_eq(audience, json_str(found->claims, "client_id"))))
        return refused(call, "Invalid Access Token");
    if (!has_scope(found->claims, "aws.cognito.signin.user.admin"))
        return refused(call, "Access Token does not have required scopes");
    gh_err err = store_user_find(call->db, NULL, call->arena, found->issuer, USER_BY_SUB, found->sub,
                                 &out->user, &exists);
    if (err)
        return err;
    if (!exists)
        return gh_fail(call->arena, &idp_UserNotFoundException, "User does not exist.");
    audit_note_str(call, "sub", out->user.sub);
    if (token_is_revoked(pools_of(call), found))
        return refused(call, "Access Token has been revoked");
    if (!out->user.enabled)
        return refused(call, "User is disabled.");
    out->origin = found->origin;
    out->device = json_str(found->claims, "device_key");
    return client_find(call, json_str(found->claims, "client_id"), &out->client);
}

gh_err session_of_access(struct call *call, const struct access *access, struct session *out, bool *found)
{
    struct session_row row;
    *found = false;
    gh_err err = !access->origin.ptr ? NULL
                                     : store_session_of_origin(call->db, call->arena, access->user.pool, access->user.sub,
                                                               access->origin, call->now_us / 1000000, &row, found);
    if (err || !*found)
        return err;
    const json_t *doc = row.doc.ptr ? json_parse(call->arena, row.doc, NULL) : NULL;
    *out = (struct session){ .origin = row.origin, .event = row.event, .auth_s = row.auth_s,
                             .acr = json_str(doc, "acr"), .amr = json_object_get(doc, "amr") };
    return NULL;
}
