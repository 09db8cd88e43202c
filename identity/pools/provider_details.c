/* What each type of identity provider must say of itself, and what is known without being told. */
#include "identity/pools/provider.h"

#include "core/json.h"
#include "core/uri.h"

struct pair_text {
    const char *key, *value;
};

static const struct type {
    const char *name;
    bool social;             /* there is one of it, named as its type */
    const char *required[5]; /* NULL-terminated */
    const char *missing;
    struct pair_text known[7];
    const char *username; /* the claim that becomes the user's name */
} types[] = {
    { "Google", true, { "client_id", "client_secret", "authorize_scopes" },
      "clientId, clientSecret and authorizeScopes are all required idp details.",
      { { "attributes_url", "https://people.googleapis.com/v1/people/me?personFields=" },
        { "attributes_url_add_attributes", "true" },
        { "authorize_url", "https://accounts.google.com/o/oauth2/v2/auth" },
        { "oidc_issuer", "https://accounts.google.com" },
        { "token_request_method", "POST" },
        { "token_url", "https://www.googleapis.com/oauth2/v4/token" } },
      "sub" },
    { "Facebook", true, { "client_id", "client_secret", "authorize_scopes" },
      "clientId, clientSecret and authorizeScopes are all required idp details.",
      { { "attributes_url_add_attributes", "true" }, { "token_request_method", "GET" } },
      "id" },
    { "LoginWithAmazon", true, { "client_id", "client_secret", "authorize_scopes" },
      "clientId, clientSecret and authorizeScopes are all required idp details.",
      { { "attributes_url", "https://api.amazon.com/user/profile" },
        { "attributes_url_add_attributes", "false" },
        { "authorize_url", "https://www.amazon.com/ap/oa" },
        { "token_request_method", "POST" },
        { "token_url", "https://api.amazon.com/auth/o2/token" } },
      "user_id" },
    { "SignInWithApple", true, { "client_id", "team_id", "key_id", "private_key" },
      "clientId, privateKey, teamId, and keyId are all required idp details.",
      { { "attributes_url_add_attributes", "false" },
        { "authorize_url", "https://appleid.apple.com/auth/authorize" },
        { "oidc_issuer", "https://appleid.apple.com" },
        { "token_request_method", "POST" },
        { "token_url", "https://appleid.apple.com/auth/token" } },
      "sub" },
    { "OIDC", false, { "client_id", "authorize_scopes", "oidc_issuer", "attributes_request_method" },
      "clientId, authorizeScopes, oidcIssuer and attributesRequestMethod are all required idp details.",
      { { "attributes_url_add_attributes", "false" } },
      "sub" },
    { "SAML", false, { NULL }, "", { { NULL, NULL } }, NULL }, /* the NameID */
};

static const struct type *type_of(struct str name)
{
    for (size_t i = 0; i < COUNT(types); i++)
        if (str_is(name, types[i].name))
            return &types[i];
    return NULL;
}

struct str provider_detail(const struct idp_IdentityProviderType *provider, const char *key)
{
    for (size_t i = 0; i < provider->provider_details.n; i++)
        if (str_is(provider->provider_details.items[i].key, key))
            return provider->provider_details.items[i].value;
    return STR_NONE;
}

bool provider_detail_is_secret(struct str key)
{
    return str_is(key, "client_secret") || str_is(key, "private_key");
}

static gh_err invalid(struct call *call, const char *message)
{
    return gh_fail(call->arena, &idp_InvalidParameterException, "%s", message);
}

static gh_err check_oidc(struct call *call, const struct idp_IdentityProviderType *provider)
{
    static const char *const endpoints[] = { "oidc_issuer", "authorize_url", "token_url", "attributes_url", "jwks_uri" };
    for (size_t i = 0; i < COUNT(endpoints); i++) {
        struct str url = provider_detail(provider, endpoints[i]);
        if (url.ptr && !str_starts(url, STR("https://")))
            return invalid(call, "OIDC endpoint must start with https://");
    }
    struct str method = provider_detail(provider, "attributes_request_method");
    if (!str_is(method, "GET") && !str_is(method, "POST"))
        return invalid(call, "attributes_request_method must be GET or POST.");
    return NULL;
}

static gh_err check_saml(struct call *call, const struct idp_IdentityProviderType *provider)
{
    static const char *const flags[] = { "IDPSignout", "IDPInit", "EncryptedResponses" };
    struct str url = provider_detail(provider, "MetadataURL"), file = provider_detail(provider, "MetadataFile");
    if (url.len && file.len)
        return invalid(call, "Only one of the MetadataURL or MetadataFile should be provided.");
    if (!url.len && !file.len)
        return invalid(call, "At least one of the MetadataURL or MetadataFile should be provided.");
    if (url.len && !str_starts(url, STR("https://")) && !str_starts(url, STR("http://")))
        return invalid(call, "MetadataURL is not a URL.");
    if (file.len && (str_trim(file).ptr[0] != '<' || str_find_str(file, STR("EntityDescriptor")) < 0))
        return invalid(call, "MetadataFile is not SAML metadata: an EntityDescriptor in XML.");
    for (size_t i = 0; i < COUNT(flags); i++) {
        struct str value = provider_detail(provider, flags[i]);
        if (value.ptr && !str_is(value, "true") && !str_is(value, "false"))
            return gh_fail(call->arena, &idp_InvalidParameterException, "%s must be true or false.", flags[i]);
    }
    struct str algorithm = provider_detail(provider, "RequestSigningAlgorithm");
    if (algorithm.ptr && !str_is(algorithm, "rsa-sha256"))
        return invalid(call, "RequestSigningAlgorithm must be rsa-sha256.");
    return NULL;
}

/* "AttributeMapping contains invalid mapping: [custom:x]": the keys that the pool's schema does not have. */
static gh_err check_mapping(struct call *call, const struct pool *pool, const struct idp_IdentityProviderType *provider)
{
    struct strbuf bad = strbuf_in(call->arena, 64);
    for (size_t i = 0; i < provider->attribute_mapping.n; i++) {
        struct str key = provider->attribute_mapping.items[i].key, value = provider->attribute_mapping.items[i].value;
        bool ours = str_is(key, "username") ||
                    (pool_attribute(pool, key) && !str_is(key, "sub") && !str_is(key, "identities"));
        if (ours && value.len && value.len <= 2048)
            continue;
        strbuf_printf(&bad, "%s%.*s", bad.len ? ", " : "", STR_FMT(key));
    }
    if (!bad.len)
        return NULL;
    return gh_fail(call->arena, &idp_InvalidParameterException, "AttributeMapping contains invalid mapping: [%.*s]",
                   STR_FMT(strbuf_view(&bad)));
}

gh_err provider_check(struct call *call, const struct pool *pool, const struct idp_IdentityProviderType *provider)
{
    const struct type *type = type_of(provider->provider_type), *named = type_of(provider->provider_name);
    bool other_social = named && named->social && named != type;
    if (other_social || (type->social && named != type))
        return gh_fail(call->arena, &idp_InvalidParameterException, "Provider %.*s cannot be of type %s.",
                       STR_FMT(provider->provider_name), type->name);
    for (size_t i = 0; type->required[i]; i++)
        if (!provider_detail(provider, type->required[i]).len)
            return invalid(call, type->missing);
    if (provider->acr_mapping.n && !str_is(provider->provider_type, "OIDC"))
        return invalid(call, "AcrMapping is supported for OIDC identity providers only.");
    gh_err err = NULL;
    if (str_is(provider->provider_type, "OIDC"))
        err = check_oidc(call, provider);
    else if (str_is(provider->provider_type, "SAML"))
        err = check_saml(call, provider);
    return err ? err : check_mapping(call, pool, provider);
}

static void add_detail(struct idp_ProviderDetailsType *details, struct str key, struct str value)
{
    for (size_t i = 0; i < details->n; i++)
        if (str_eq(details->items[i].key, key))
            return;
    details->items[details->n++] = (struct idp_ProviderDetailsType_entry){ key, value };
}

/* Facebook's addresses have the version of its API in them. */
static void add_facebook(struct call *call, struct idp_IdentityProviderType *provider)
{
    struct idp_ProviderDetailsType *details = &provider->provider_details;
    struct str version = provider_detail(provider, "api_version");
    if (!version.len)
        version = STR("v17.0");
    add_detail(details, STR("api_version"), version);
    add_detail(details, STR("attributes_url"),
               str_printf(call->arena, "https://graph.facebook.com/%.*s/me?fields=", STR_FMT(version)));
    add_detail(details, STR("authorize_url"),
               str_printf(call->arena, "https://www.facebook.com/%.*s/dialog/oauth", STR_FMT(version)));
    add_detail(details, STR("token_url"),
               str_printf(call->arena, "https://graph.facebook.com/%.*s/oauth/access_token", STR_FMT(version)));
}

void provider_complete(struct call *call, struct idp_IdentityProviderType *provider)
{
    enum { MOST_ADDED = 8 };
    const struct type *type = type_of(provider->provider_type);
    struct idp_ProviderDetailsType *details = &provider->provider_details, given = *details;
    details->items = arena_zalloc(call->arena, (given.n + MOST_ADDED) * sizeof *details->items);
    if (given.n)
        memcpy(details->items, given.items, given.n * sizeof *given.items);
    for (size_t i = 0; i < COUNT(type->known) && type->known[i].key; i++)
        add_detail(details, str_of(type->known[i].key), str_of(type->known[i].value));
    if (str_is(provider->provider_type, "Facebook"))
        add_facebook(call, provider);

    struct idp_AttributeMappingType *mapping = &provider->attribute_mapping, mapped = *mapping;
    mapping->set = true;
    if (!type->username)
        return;
    for (size_t i = 0; i < mapped.n; i++)
        if (str_is(mapped.items[i].key, "username"))
            return;
    mapping->items = arena_zalloc(call->arena, (mapped.n + 1) * sizeof *mapping->items);
    if (mapped.n)
        memcpy(mapping->items, mapped.items, mapped.n * sizeof *mapped.items);
    mapping->items[mapping->n++] =
        (struct idp_AttributeMappingType_entry){ STR("username"), str_of(type->username) };
}
