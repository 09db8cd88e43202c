/* What a pool's settings must be. */
#include "identity/identity_pools/provider.h"

enum { MOST_USER_POOLS = 50, MOST_TAGS = 50 };

static gh_err refuse(struct call *call, const char *why, struct str what)
{
    return gh_fail(call->arena, &ci_InvalidParameterException, why, STR_FMT(what));
}

static gh_err check_public(struct call *call, const struct ci_IdentityProviders *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct public_provider *provider = provider_public(list->items[i].key);
        if (!provider)
            return gh_fail(call->arena, &ci_InvalidParameterException, "Please provide a valid public provider.");
        if (provider->refused)
            return gh_fail(call->arena, &ci_InvalidParameterException, "%s is not supported in Gatehouse: %s.",
                           provider->name, provider->refused);
    }
    return NULL;
}

static gh_err check_user_pools(struct call *call, const struct ci_CognitoIdentityProviderList *list)
{
    struct str id;
    if (list->n > MOST_USER_POOLS)
        return gh_fail(call->arena, &ci_InvalidParameterException,
                       "The number of Cognito user pool providers in the request exceeded %d.", MOST_USER_POOLS);
    for (size_t i = 0; i < list->n; i++)
        if (!list->items[i]->provider_name.ptr || !list->items[i]->client_id.ptr ||
            !provider_user_pool(call, list->items[i]->provider_name, &id))
            return gh_fail(call->arena, &ci_InvalidParameterException, "Invalid Cognito Identity Provider");
    return NULL;
}

/* "Identity provider ARN is not valid for account A": a SAML provider of another account; OpenID Connect providers
 * may be (measured). */
static gh_err check_arns(struct call *call, const struct ci_IdentityPool *doc)
{
    struct str account, name;
    for (size_t i = 0; i < doc->open_id_connect_provider_arns.n; i++)
        if (!provider_arn(doc->open_id_connect_provider_arns.items[i], "oidc-provider", &account, &name))
            return refuse(call, "Invalid OpenID Connect provider ARN: %.*s", doc->open_id_connect_provider_arns.items[i]);
    for (size_t i = 0; i < doc->saml_provider_arns.n; i++) {
        struct str arn = doc->saml_provider_arns.items[i];
        if (!provider_arn(arn, "saml-provider", &account, &name))
            return refuse(call, "Invalid SAML provider ARN: %.*s", arn);
        if (!str_eq(account, call->account))
            return gh_fail(call->arena, &ci_InvalidParameterException, "Identity provider %.*s is not valid for account %.*s",
                           STR_FMT(arn), STR_FMT(call->account));
    }
    return NULL;
}

/* "Once you have set a developer provider name, you cannot change it." It names the application's users and nobody
 * else's: what is a provider already cannot be one. */
static gh_err check_developer(struct call *call, struct str name, const struct ci_IdentityPool *old)
{
    if (!name.ptr)
        return NULL;
    if (old && old->developer_provider_name.ptr && !str_eq(old->developer_provider_name, name))
        return gh_fail(call->arena, &ci_InvalidParameterException,
                       "The developer provider name cannot be changed once it has been set.");
    if (provider_public(name) || str_is(name, "cognito-identity.amazonaws.com"))
        return refuse(call, "%.*s is the name of a public provider: a developer provider needs one of its own.", name);
    return NULL;
}

gh_err identity_pool_check_tags(struct call *call, const struct ci_IdentityPoolTagsType *tags)
{
    if (tags->n > MOST_TAGS)
        return gh_fail(call->arena, &ci_InvalidParameterException, "A resource can have at most %d tags.", MOST_TAGS);
    for (size_t i = 0; i < tags->n; i++)
        if (str_starts_nocase(tags->items[i].key, STR("aws:")))
            return refuse(call, "Tag keys that begin with aws: are reserved: %.*s", tags->items[i].key);
    return NULL;
}

gh_err identity_pool_check(struct call *call, const struct ci_IdentityPool *doc, const struct ci_IdentityPool *old)
{
    gh_err err = check_public(call, &doc->supported_login_providers);
    if (!err)
        err = check_user_pools(call, &doc->cognito_identity_providers);
    if (!err)
        err = check_arns(call, doc);
    if (!err)
        err = check_developer(call, doc->developer_provider_name, old);
    return err ? err : identity_pool_check_tags(call, &doc->identity_pool_tags);
}
