#include "identity/identity_pools/provider.h"

#include "identity/tokens/directory.h"

/* What people get from Facebook, Amazon and Twitter says nothing to anybody else: only a call to the provider tells
 * whose it is. Better no such pool than one that lets nobody in. */
#define OPAQUE "its access tokens say nothing that could be verified here"
static const struct public_provider publics[] = {
    { "accounts.google.com", NULL }, { "appleid.apple.com", NULL }, { "graph.facebook.com", OPAQUE },
    { "www.amazon.com", OPAQUE },    { "api.twitter.com", OPAQUE }, { "www.digits.com", OPAQUE },
};

const struct public_provider *provider_public(struct str name)
{
    for (size_t i = 0; i < COUNT(publics); i++)
        if (str_is(name, publics[i].name))
            return &publics[i];
    return NULL;
}

bool provider_arn(struct str arn, const char *kind, struct str *account, struct str *name)
{
    struct str part[5], rest = arn;
    for (size_t i = 0; i < COUNT(part); i++)
        if (!str_split(&rest, ':', &part[i]))
            return false;
    *account = part[4];
    ptrdiff_t slash = rest.ptr ? str_find(rest, '/') : -1;
    if (slash < 0 || !str_is(part[0], "arn") || !part[1].len || !str_is(part[2], "iam") || part[3].len || part[4].len != 12)
        return false;
    *name = str_from(rest, (size_t)slash + 1);
    return str_is(str_sub(rest, 0, (size_t)slash), kind) && name->len > 0;
}

/* "us-east-1_AbCdEfGhI": region, underscore, letters and digits. */
static bool is_pool_id(struct str text)
{
    ptrdiff_t underscore = str_find(text, '_');
    if (underscore < 1 || text.len > 55 || (size_t)underscore + 1 == text.len)
        return false;
    for (size_t i = (size_t)underscore + 1; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            return false;
    }
    return true;
}

static struct str without_scheme(struct str url)
{
    ptrdiff_t at = str_find_str(url, STR("://"));
    return at < 0 ? url : str_from(url, (size_t)at + 3);
}

bool provider_user_pool(struct call *call, struct str name, struct str *pool_id)
{
    ptrdiff_t slash = str_find_last(name, '/');
    if (slash < 0)
        return false;
    struct str host = str_sub(name, 0, (size_t)slash), id = str_from(name, (size_t)slash + 1);
    if (!is_pool_id(id))
        return false;
    *pool_id = id;
    struct str region = str_sub(id, 0, (size_t)str_find(id, '_'));
    struct str aws = str_printf(call->arena, "cognito-idp.%.*s.amazonaws.com", STR_FMT(region));
    if (str_eq(host, aws) || str_eq(host, str_concat(call->arena, aws, STR(".cn"))))
        return true;
    const struct identity *identity = call->module;
    const struct listed_pool *pool = pool_directory_find(identity->pools, call->arena, id);
    return pool && str_eq(without_scheme(pool->issuer), name);
}

const struct ci_CognitoIdentityProvider *provider_entry(struct call *call, const struct ci_IdentityPool *doc,
                                                        struct str user_pool, struct str client)
{
    for (size_t i = 0; i < doc->cognito_identity_providers.n; i++) {
        const struct ci_CognitoIdentityProvider *entry = doc->cognito_identity_providers.items[i];
        struct str id;
        if (provider_user_pool(call, entry->provider_name, &id) && str_eq(id, user_pool) &&
            (!client.ptr || str_eq(entry->client_id, client)))
            return entry;
    }
    return NULL;
}

struct str provider_app(const struct ci_IdentityPool *doc, struct str name)
{
    for (size_t i = 0; i < doc->supported_login_providers.n; i++)
        if (str_eq(doc->supported_login_providers.items[i].key, name))
            return doc->supported_login_providers.items[i].value;
    return STR_NONE;
}

/* Of the pool's, by ARN or by the URL in it. */
static bool oidc_of(const struct ci_IdentityPool *doc, struct str name, struct provider *out)
{
    for (size_t i = 0; i < doc->open_id_connect_provider_arns.n; i++) {
        struct str arn = doc->open_id_connect_provider_arns.items[i], account, url;
        if (!provider_arn(arn, "oidc-provider", &account, &url) || (!str_eq(arn, name) && !str_eq(url, name)))
            continue;
        *out = (struct provider){ .kind = PROVIDER_OIDC, .name = url, .arn = arn, .account = account, .configured = true };
        return true;
    }
    return false;
}

static bool lists(const struct ci_SAMLProviderList *list, struct str arn)
{
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->items[i], arn))
            return true;
    return false;
}

static bool user_pool_of(struct call *call, const struct ci_IdentityPool *doc, struct str name, struct str client,
                         struct provider *out)
{
    struct str id;
    if (!provider_user_pool(call, name, &id))
        return false;
    *out = (struct provider){
        .kind = PROVIDER_USER_POOL, .user_pool = id, .client = client,
        .name = str_printf(call->arena, "cognito-idp.%.*s.amazonaws.com/%.*s",
                           STR_FMT(str_sub(id, 0, (size_t)str_find(id, '_'))), STR_FMT(id)),
        .configured = provider_entry(call, doc, id, client) != NULL,
    };
    return true;
}

struct provider provider_named(struct call *call, const struct ci_IdentityPool *doc, struct str name, bool as_mapping)
{
    struct provider out = { .name = name };
    struct str account, rest;
    if (str_is(name, "cognito-identity.amazonaws.com")) {
        out.kind = PROVIDER_OWN;
        return out;
    }
    ptrdiff_t colon = str_find_last(name, ':'), slash = str_find_last(name, '/');
    if (as_mapping && colon > slash && slash >= 0 &&
        user_pool_of(call, doc, str_sub(name, 0, (size_t)colon), str_from(name, (size_t)colon + 1), &out))
        return out;
    if (user_pool_of(call, doc, name, STR_NONE, &out) || oidc_of(doc, name, &out))
        return out;
    if (provider_public(name)) {
        out.kind = PROVIDER_PUBLIC;
        out.configured = provider_app(doc, name).ptr != NULL;
    } else if (provider_arn(name, "saml-provider", &account, &rest)) {
        out = (struct provider){ .kind = PROVIDER_SAML, .name = name, .arn = name, .account = account,
                                 .configured = lists(&doc->saml_provider_arns, name) };
    }
    return out;
}
