#include "gateway/ops/jwt_configuration.h"

#include "core/document_fetch.h"
#include "core/ip.h"
#include "core/key.h"
#include "core/uri.h"
#include "gateway/state.h"

/* Ours, so that a token costs a bounded look; AWS's: 50 audiences of an HTTP API's authorizer. */
enum { ISSUERS_MAX = 20, AUDIENCES_MAX = 50, CLAIMS_MAX = 20, VALUES_MAX = 50, TEXT_MAX = 1024 };

static gh_err check_members(struct call *call, const json_t *object, const char *what,
                            const char *const *known, size_t n);
static gh_err check_list(struct call *call, const json_t *list, const char *name, size_t max);
static gh_err check_claims(struct call *call, const json_t *claims);
static gh_err check_issuer_url(struct call *call, struct str issuer);
static gh_err check_algorithms(struct call *call, const json_t *list);
static gh_err discover(struct call *call, json_t *issuer);

static gh_err check_issuer(struct call *call, const json_t *issuer)
{
    static const char *const members[] = { "issuer", "audiences", "additionalClaims" };
    gh_err err = check_members(call, issuer, "issuers", members, COUNT(members));
    if (!err)
        err = check_issuer_url(call, json_str(issuer, "issuer"));
    if (!err)
        err = check_list(call, json_object_get(issuer, "audiences"), "audiences", AUDIENCES_MAX);
    return err ? err : check_claims(call, json_object_get(issuer, "additionalClaims"));
}

gh_err jwt_configuration_take(struct call *call, const json_t *given, json_t **out)
{
    static const char *const members[] = { "issuers", "defaultAlgorithms" };
    gh_err err = check_members(call, given, "jwtConfiguration", members, COUNT(members));
    json_t *issuers = json_object_get(given, "issuers"), *one, *other;
    size_t i, k;
    if (!err && (!json_array_size(issuers) || json_array_size(issuers) > ISSUERS_MAX))
        err = ops_bad_request(call, "Invalid JWT configuration: issuers must be a list of 1 to %d issuers",
                              ISSUERS_MAX);
    json_array_foreach(issuers, i, one) {
        if (err || (err = check_issuer(call, one)))
            return err;
        for (k = 0; k < i; k++) {
            other = json_array_get(issuers, k);
            if (str_eq(json_str(one, "issuer"), json_str(other, "issuer")))
                return ops_bad_request(call, "Invalid JWT configuration: issuer %.*s is there more than once",
                                       STR_FMT(json_str(one, "issuer")));
        }
    }
    if (!err)
        err = check_algorithms(call, json_object_get(given, "defaultAlgorithms"));
    *out = json_own(call->arena, json_deep_copy(given));
    json_array_foreach(json_object_get(*out, "issuers"), i, one)
        if (!err)
            err = discover(call, one);
    return err;
}

static gh_err check_members(struct call *call, const json_t *object, const char *what,
                            const char *const *known, size_t n)
{
    const char *name;
    json_t *value;
    if (!json_is_object(object))
        return ops_bad_request(call, "Invalid JWT configuration: %s is no object", what);
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        size_t i = 0;
        while (i < n && strcmp(name, known[i]) != 0)
            i++;
        if (i == n)
            return ops_bad_request(call, "Invalid JWT configuration: %s has no member %s", what, name);
    }
    return NULL;
}

/* At least one text, each once. */
static gh_err check_list(struct call *call, const json_t *list, const char *name, size_t max)
{
    size_t n = json_array_size(list);
    if (n == 0 || n > max)
        return ops_bad_request(call, "Invalid JWT configuration: %s must be a list of 1 to %zu texts", name,
                               max);
    for (size_t i = 0; i < n; i++) {
        struct str text = json_value_str(json_array_get(list, i));
        if (!text.len || text.len > TEXT_MAX)
            return ops_bad_request(call, "Invalid JWT configuration: %s must be texts of 1 to %d bytes", name,
                                   TEXT_MAX);
        for (size_t k = 0; k < i; k++)
            if (str_eq(text, json_value_str(json_array_get(list, k))))
                return ops_bad_request(call, "Invalid JWT configuration: %s holds %.*s more than once", name,
                                       STR_FMT(text));
    }
    return NULL;
}

static gh_err check_claim(struct call *call, const json_t *claim)
{
    static const char *const members[] = { "claimName", "format", "required", "expectedValues" };
    static const char *const own[] = { "iss", "aud", "exp", "nbf", "iat", "scope", "scp" };
    struct str name = json_str(claim, "claimName");
    const json_t *required = json_object_get(claim, "required"),
                 *values = json_object_get(claim, "expectedValues");
    gh_err err = check_members(call, claim, "additionalClaims", members, COUNT(members));
    if (err)
        return err;
    if (!name.len || name.len > TEXT_MAX)
        return ops_bad_request(call, "Invalid JWT configuration: claimName is required");
    for (size_t i = 0; i < COUNT(own); i++)
        if (str_is(name, own[i]))
            return ops_bad_request(call, "Invalid JWT configuration: %s cannot be an additional claim",
                                   own[i]);
    if (!str_is(json_str(claim, "format"), "SINGLE_STRING"))
        return ops_bad_request(
            call, "Invalid JWT configuration: the format of claim %.*s must be SINGLE_STRING", STR_FMT(name));
    if (required && !json_is_boolean(required))
        return ops_bad_request(call, "Invalid JWT configuration: required is true or false");
    return values && (!json_is_array(values) || json_array_size(values))
               ? check_list(call, values, "expectedValues", VALUES_MAX)
               : NULL;
}

static gh_err check_claims(struct call *call, const json_t *claims)
{
    json_t *one;
    size_t i, k;
    if (claims && (!json_is_array(claims) || json_array_size(claims) > CLAIMS_MAX))
        return ops_bad_request(
            call, "Invalid JWT configuration: additionalClaims must be a list of at most %d", CLAIMS_MAX);
    json_array_foreach(claims, i, one) {
        gh_err err = check_claim(call, one);
        if (err)
            return err;
        for (k = 0; k < i; k++)
            if (str_eq(json_str(one, "claimName"), json_str(json_array_get(claims, k), "claimName")))
                return ops_bad_request(call, "Invalid JWT configuration: claim %.*s is there more than once",
                                       STR_FMT(json_str(one, "claimName")));
    }
    return NULL;
}

static gh_err check_algorithms(struct call *call, const json_t *list)
{
    gh_err err = check_list(call, list, "defaultAlgorithms", 6);
    json_t *one;
    size_t i;
    json_array_foreach(list, i, one) {
        enum key_alg alg;
        if (!err && !key_alg_of(json_value_str(one), &alg))
            err = ops_bad_request(
                call,
                "Invalid JWT configuration: algorithm %.*s is not one of RS256, RS384, RS512, "
                "ES256, ES384, ES512",
                STR_FMT(json_value_str(one)));
    }
    return err;
}

/* --- addresses --- */

static bool is_loopback(struct str host)
{
    struct ip ip;
    return str_is(host, "localhost") || (ip_parse(host, &ip) && ip_scope(&ip) == IP_LOOPBACK);
}

/* https; in dev mode also http on this machine, where tests run their issuers. */
static bool may_ask(struct call *call, struct str url)
{
    const struct gateway *gateway = call->module;
    struct uri uri;
    if (!uri_parse(call->arena, url, &uri) || uri.userinfo.ptr || uri.fragment.ptr)
        return false;
    return str_is(uri.scheme, "https") || (gateway->config.dev && is_loopback(uri.host));
}

/* "The issuer must be an absolute https URL with no query string or fragment." */
static gh_err check_issuer_url(struct call *call, struct str issuer)
{
    if (issuer.len && issuer.len <= TEXT_MAX && str_find(issuer, '?') < 0 && str_find(issuer, '#') < 0 &&
        (gateway_issues(call->module, issuer) || may_ask(call, issuer)))
        return NULL;
    return ops_bad_request(
        call,
        "Invalid JWT configuration: issuer must be an absolute https URL with no query string "
        "or fragment: %.*s",
        STR_FMT(issuer));
}

static gh_err unreachable(struct call *call, struct str issuer, struct str url, struct str why)
{
    return ops_bad_request(
        call,
        "Caught exception when connecting to %.*s for issuer %.*s. Please try again later. "
        "Error: %.*s",
        STR_FMT(url), STR_FMT(issuer), STR_FMT(why));
}

/* A pool of ours needs no network to be asked. */
static struct str read_document(struct call *call, struct str issuer, struct str url, struct str *why)
{
    struct gateway *gateway = call->module;
    struct str text = STR_NONE;
    if (!gateway_issues(gateway, issuer))
        return document_fetch_wait(gateway->loops[0].loop, gateway->loops[0].client, call->arena, url, why);
    struct str pool = str_from(issuer, gateway->config.base_url.len + 1);
    if (!identity_discovery(gateway->config.identity, call->arena, pool, &text))
        *why = STR("there is no such user pool");
    return text;
}

static gh_err discover(struct call *call, json_t *issuer)
{
    struct str name = json_str(issuer, "issuer"), why = STR_NONE,
               path = STR("/.well-known/openid-configuration");
    struct str base = str_ends(name, STR("/")) ? str_sub(name, 0, name.len - 1) : name;
    struct str url = str_concat(call->arena, base, path), text = read_document(call, name, url, &why);
    if (!text.ptr)
        return unreachable(call, name, url, why);
    json_t *document = json_parse(call->arena, text, NULL);
    struct str jwks_uri = json_str(document, "jwks_uri");
    if (!str_eq(json_str(document, "issuer"), name))
        return unreachable(call, name, url, STR("the document is another issuer's, or none"));
    if (jwks_uri.len > TEXT_MAX || (!gateway_issues(call->module, name) && !may_ask(call, jwks_uri)))
        return unreachable(call, name, url, STR("its jwks_uri is no https address"));
    json_set_str(issuer, "jwksUri", jwks_uri);
    return NULL;
}
