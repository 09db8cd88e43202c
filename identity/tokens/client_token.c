/* GetClientToken: an access token for a machine, which is its app client. */
#include "core/id.h"
#include "core/json.h"
#include "identity/pools/options.h"
#include "identity/pools/resource_server.h"
#include "identity/tokens/mint.h"
#include "identity/tokens/pre_token.h"
#include "identity/tokens/scope.h"

/* "must be the client's only explicit flow" is checked where it is set. */
static gh_err check_client(struct call *call, const struct client *client, struct str secret)
{
    if (!(client->flows & FLOW_CLIENT_TOKEN))
        return gh_fail(call->arena, &idp_InvalidParameterException, "ALLOW_CLIENT_TOKEN_AUTH flow not enabled for this client");
    if (!client->n_secrets || !client_secret_is(client, secret))
        return gh_fail(call->arena, &idp_NotAuthorizedException, "Invalid client secret");
    return NULL;
}

/* Scopes of resource servers, as the client may have them and as they exist. */
static gh_err grant(struct call *call, const struct client *client, const struct idp_ScopeListType *asked, struct strbuf *granted)
{
    const struct idp_ScopeListType *allowed = &client->doc->allowed_oauth_scopes, *from = asked->n ? asked : allowed;
    for (size_t i = 0; i < from->n; i++) {
        struct str scope = from->items[i];
        bool exists = false;
        gh_err err = scope_is_standard(scope) ? NULL : scope_exists(call, &client->pool, scope, &exists);
        if (err)
            return err;
        if (exists && scopes_list(allowed, scope))
            scopes_add(granted, scope);
        else if (asked->n)
            return gh_fail(call->arena, &idp_InvalidParameterException, "Invalid scope requested: %.*s", STR_FMT(scope));
    }
    if (!granted->len)
        return gh_fail(call->arena, &idp_NotAuthorizedException, "Client %.*s has no scopes of a resource server.",
                       STR_FMT(client->id));
    return NULL;
}

/* Option machineTokenAudience: RFC 9068 wants an audience, Cognito gives none. */
static json_t *audience_of(struct call *call, const struct client *client, struct str scopes)
{
    struct str what = option_text(client->pool.more, "machineTokenAudience"), scope;
    struct strbuf servers = strbuf_in(call->arena, 128);
    if (!what.ptr)
        return NULL;
    if (str_is(what, "client"))
        return json_own(call->arena, json_of(client->id));
    while (str_split(&scopes, ' ', &scope))
        scopes_add(&servers, str_sub(scope, 0, (size_t)str_find_last(scope, '/')));
    struct str rest = strbuf_view(&servers), server;
    if (str_find(rest, ' ') < 0)
        return json_own(call->arena, json_of(rest));
    json_t *list = json_own(call->arena, json_array());
    while (str_split(&rest, ' ', &server))
        json_array_append_new(list, json_of(server));
    return list;
}

static gh_err issue(struct call *call, const struct client *client, struct str scopes, const json_t *metadata, struct str *out)
{
    const struct listed_pool *pool;
    gh_err err = token_pool(call, client, &pool);
    if (err)
        return err;
    const struct token_facts facts = {
        .client = client,
        .issuer = pool->issuer,
        .jti = id_uuid(call->env, call->arena),
        .scope = scopes,
        .audience = audience_of(call, client, scopes),
        .now_s = call->now_us / 1000000,
        .of_oauth = true,
    };
    struct drafts drafts = { .access = token_claims(call->arena, &facts, KEY_FOR_ACCESS) };
    err = pre_token_run(call, &facts, "TokenGeneration_ClientCredentials", metadata, &drafts);
    return err ? err : token_sign(call, pool, KEY_FOR_ACCESS, drafts.access, out);
}

gh_err idp_GetClientToken(struct call *call, const struct idp_GetClientToken_in *in, struct idp_GetClientToken_out *out)
{
    struct client client;
    struct strbuf scopes = strbuf_in(call->arena, 256);
    struct str token;
    gh_err err = client_find(call, in->client_id, &client);
    if (!err)
        err = check_client(call, &client, in->secret);
    if (!err)
        err = grant(call, &client, &in->scopes, &scopes);
    if (!err)
        err = issue(call, &client, strbuf_view(&scopes), client_metadata(call, &in->client_metadata), &token);
    if (err)
        return err;
    struct idp_ClientAuthenticationResultType *result = ARENA_NEW(call->arena, struct idp_ClientAuthenticationResultType);
    *result = (struct idp_ClientAuthenticationResultType){ token, some_i64(client.access_ttl_s), STR("Bearer") };
    out->client_authentication_result = result;
    return NULL;
}
