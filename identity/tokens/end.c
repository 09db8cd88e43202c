/* GlobalSignOut, AdminUserGlobalSignOut, RevokeToken, GetTokensFromRefreshToken. */
#include "core/digest.h"
#include "identity/tokens/token.h"

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

/* "200 {} also for unknown/expired tokens" */
gh_err idp_RevokeToken(struct call *call, const struct idp_RevokeToken_in *in,
                       struct idp_RevokeToken_out *out)
{
    (void)out;
    struct client client;
    struct session_row row;
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
    err = store_session_find(call->db, call->arena, refresh_mac(call, in->token), &row, &found);
    if (err || !found || !str_eq(row.client, client.id))
        return err;
    int64_t until_s = now_s + REVOCATION_HORIZON_S;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_revoke_origin(&tx, row.pool, row.origin, until_s);
    err = tx_commit(&tx);
    if (!err)
        revocation_publish_origin(pools_of(call)->revocations, row.origin, until_s);
    return err;
}

/* "unsigned; secret in clear, no SECRET_HASH. Works on clients without rotation too, with no RefreshToken in
 * the answer" */
gh_err idp_GetTokensFromRefreshToken(struct call *call, const struct idp_GetTokensFromRefreshToken_in *in,
                                     struct idp_GetTokensFromRefreshToken_out *out)
{
    struct client client;
    struct user user;
    struct session session = { .auth_s = 0 };
    gh_err err = client_find(call, in->client_id, &client);
    if (err)
        return err;
    if (client.secret.ptr && !in->client_secret.ptr)
        return gh_fail(call->arena, &idp_NotAuthorizedException,
                       "Client %.*s is configured for secret but secret was not received",
                       STR_FMT(client.id));
    if (check_client_secret(call, &client, in->client_secret))
        return gh_fail(call->arena, &idp_NotAuthorizedException,
                       "Unable to verify secret hash for client %.*s", STR_FMT(client.id));
    err = refresh_load(call, &client, in->refresh_token, &user, &session);
    return err ? err : tokens_issue(call, &client, &user, &session, &out->authentication_result);
}
