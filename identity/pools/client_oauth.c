/* What AWS refuses among an app client's OAuth settings. */
#include "identity/pools/client.h"
#include "identity/pools/resource_server.h"

static gh_err invalid(struct call *call, const struct gh_kind *kind, const char *text)
{
    return gh_fail(call->arena, kind, "%s", text);
}

static bool allows(const struct idp_UserPoolClientType *doc, const char *flow)
{
    for (size_t i = 0; i < doc->allowed_oauth_flows.n; i++)
        if (str_is(doc->allowed_oauth_flows.items[i], flow))
            return true;
    return false;
}

static gh_err check_flows(struct call *call, const struct idp_UserPoolClientType *doc)
{
    bool of_users = allows(doc, "code") || allows(doc, "implicit"), of_machines = allows(doc, "client_credentials");
    if (doc->allowed_oauth_flows_user_pool_client.value && (!doc->allowed_oauth_flows.n || !doc->allowed_oauth_scopes.n))
        return invalid(call, &idp_InvalidParameterException,
                       "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.");
    if (of_users && !doc->callback_urls.n)
        return invalid(call, &idp_InvalidOAuthFlowException,
                       "CallbackUrls can not be empty when code flow or implicit flow is selected");
    if (of_users && of_machines)
        return invalid(call, &idp_InvalidOAuthFlowException,
                       "client_credentials flow can not be selected along with code flow or implicit flow.");
    if (of_machines && !doc->client_secret.ptr)
        return invalid(call, &idp_InvalidOAuthFlowException,
                       "client_credentials flow can not be selected if client does not have a client secret.");
    return NULL;
}

/* "allowed only for localhost, 127.0.0.1, [::1]; any port" */
static bool is_this_machine(struct str authority)
{
    static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };
    for (size_t i = 0; i < COUNT(names); i++) {
        struct str rest, name = str_of(names[i]);
        if (!str_starts_nocase(authority, name))
            continue;
        rest = str_from(authority, name.len);
        if (!rest.len || rest.ptr[0] == ':')
            return true;
    }
    return false;
}

static gh_err check_url(struct call *call, struct str url)
{
    static const struct str http = STR_INIT("http://");
    if (str_find(url, '#') >= 0)
        return gh_fail(call->arena, &idp_InvalidParameterException, "%.*s cannot include a fragment.", STR_FMT(url));
    if (str_find(url, ':') <= 0)
        return gh_fail(call->arena, &idp_InvalidParameterException, "%.*s is not an absolute URI.", STR_FMT(url));
    if (!str_starts_nocase(url, http))
        return NULL;
    struct str authority = str_from(url, http.len);
    for (size_t i = 0; i < authority.len; i++)
        if (strchr("/?", authority.ptr[i])) {
            authority.len = i;
            break;
        }
    if (is_this_machine(authority))
        return NULL;
    return gh_fail(call->arena, &idp_InvalidParameterException, "%.*s cannot use the HTTP protocol.", STR_FMT(url));
}

static gh_err check_urls(struct call *call, const struct idp_UserPoolClientType *doc)
{
    gh_err err = NULL;
    bool listed = !doc->default_redirect_uri.ptr;
    for (size_t i = 0; !err && i < doc->callback_urls.n; i++) {
        err = check_url(call, doc->callback_urls.items[i]);
        listed |= str_eq(doc->callback_urls.items[i], doc->default_redirect_uri);
    }
    for (size_t i = 0; !err && i < doc->logout_urls.n; i++)
        err = check_url(call, doc->logout_urls.items[i]);
    if (!err && !listed)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "The default redirect URI %.*s is not in the callback URIs list.",
                       STR_FMT(doc->default_redirect_uri));
    return err;
}

static gh_err check_scopes(struct call *call, const struct pool *pool, const struct idp_UserPoolClientType *doc)
{
    for (size_t i = 0; i < doc->allowed_oauth_scopes.n; i++) {
        bool exists;
        gh_err err = scope_exists(call, pool, doc->allowed_oauth_scopes.items[i], &exists);
        if (err)
            return err;
        if (!exists)
            return gh_fail(call->arena, &idp_ScopeDoesNotExistException, "Invalid scope requested: %.*s",
                           STR_FMT(doc->allowed_oauth_scopes.items[i]));
    }
    return NULL;
}

gh_err client_check_oauth(struct call *call, const struct pool *pool, const struct idp_UserPoolClientType *doc)
{
    gh_err err = check_flows(call, doc);
    if (!err)
        err = check_urls(call, doc);
    return err ? err : check_scopes(call, pool, doc);
}
