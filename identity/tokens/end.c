/* GlobalSignOut, AdminUserGlobalSignOut, RevokeToken. */
#include "core/digest.h"
#include "identity/tokens/refresh.h"

/* Every token of the user stops, here and at the gateway. */
static gh_err end_all(struct call *call, struct str pool, struct str sub)
{
    struct revocations *revocations = pools_of(call)->revocations;
    int64_t stamp = revocation_stamp(revocations, call->now_us);
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_revoke_user(&tx, pool, sub, stamp);
    gh_err err = tx_commit(&tx);
    if (!err)
        revocation_publish_user(revocations, pool, sub, stamp);
    return err;
}

gh_err idp_GlobalSignOut(struct call *call, const struct idp_GlobalSignOut_in *in,
                         struct idp_GlobalSignOut_out *out)
{
    (void)out;
    struct access access;
    gh_err err = access_load(call, in->access_token, &access);
    return err ? err : end_all(call, access.client.pool.id, access.user.sub);
}

gh_err idp_AdminUserGlobalSignOut(struct call *call, const struct idp_AdminUserGlobalSignOut_in *in,
                                  struct idp_AdminUserGlobalSignOut_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    gh_err err = admin_user_load(call, in->user_pool_id, in->username, &pool, &user);
    return err ? err : end_all(call, pool.id, user.sub);
}

static gh_err check_client_secret(struct call *call, const struct client *client, struct str secret)
{
    if (client_secret_is(client, secret))
        return NULL;
    return gh_fail(call->arena, &idp_UnauthorizedException, "Invalid client secret");
}

/* "200 {} also for unknown/expired tokens". RevokeAssociatedSessions=LINKED would end the managed-login session it
 * came from, too; sign-ins here have none. */
gh_err idp_RevokeToken(struct call *call, const struct idp_RevokeToken_in *in,
                       struct idp_RevokeToken_out *out)
{
    (void)out;
    struct client client;
    struct refresh refresh;
    struct cached_token *jwt;
    bool found, from_cache;
    gh_err err = client_find(call, in->client_id, &client);
    if (!err)
        err = check_client_secret(call, &client, in->client_secret);
    if (err)
        return err;
    if (!client.revocation)
        return gh_fail(call->arena, &idp_UnsupportedOperationException,
                       "Token revocation is not enabled for this client.");
    int64_t now_s = call->now_us / 1000000;
    if (token_verify(pools_of(call), call->arena, in->token, now_s, &jwt, &from_cache) == TOKEN_OK)
        return gh_fail(call->arena, &idp_UnsupportedTokenTypeException,
                       "Only refresh tokens can be revoked.");
    err = refresh_find(call, in->token, &refresh, &found);
    return err || !found || !str_eq(refresh.row.client, client.id)
               ? err
               : session_end(call, refresh.row.pool, refresh.row.origin);
}
