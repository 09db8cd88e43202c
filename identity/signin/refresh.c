/* REFRESH_TOKEN_AUTH and GetTokensFromRefreshToken. */
#include "identity/signin/sign_in.h"
#include "identity/tokens/refresh.h"

/* "Refresh token rotation must be completed with GetTokensFromRefreshToken." */
gh_err refresh_begin(struct sign_in *s)
{
    struct str token;
    struct refresh refresh;
    if (s->client.rotates)
        return gh_fail(s->call->arena, &idp_UnsupportedOperationException,
                       "This API does not support refresh token rotation");
    gh_err err = sign_in_need(s, "REFRESH_TOKEN", &token);
    if (!err)
        err = refresh_load(s->call, &s->client, token, sign_in_given(s, "DEVICE_KEY"), &refresh);
    refresh.metadata = NULL; /* of InitiateAuth: not passed on */
    if (!err)
        err = sign_in_check_secret_hash(s, refresh.user.username);
    return err ? err : refresh_use(s->call, &s->client, &refresh, s->whence.ip, &s->result);
}

static gh_err check_secret(struct call *call, const struct client *client, struct str secret)
{
    if (!client->secret.ptr && secret.ptr)
        return gh_fail(call->arena, &idp_NotAuthorizedException,
                       "Client %.*s is not configured for secret but secret was received", STR_FMT(client->id));
    if (client->secret.ptr && !secret.ptr)
        return gh_fail(call->arena, &idp_NotAuthorizedException,
                       "Client %.*s is configured for secret but secret was not received", STR_FMT(client->id));
    if (!client_secret_is(client, secret))
        return gh_fail(call->arena, &idp_NotAuthorizedException, "Unable to verify secret hash for client %.*s",
                       STR_FMT(client->id));
    return NULL;
}

/* "unsigned; secret in clear, no SECRET_HASH. Works on clients without rotation too, with no RefreshToken in
 * the answer" */
gh_err idp_GetTokensFromRefreshToken(struct call *call, const struct idp_GetTokensFromRefreshToken_in *in,
                                     struct idp_GetTokensFromRefreshToken_out *out)
{
    struct client client;
    struct refresh refresh;
    gh_err err = client_find(call, in->client_id, &client);
    if (!err)
        err = check_secret(call, &client, in->client_secret);
    if (!err)
        err = refresh_load(call, &client, in->refresh_token, in->device_key, &refresh);
    refresh.metadata = client_metadata(call, &in->client_metadata);
    return err ? err : refresh_use(call, &client, &refresh, STR_NONE, &out->authentication_result);
}
