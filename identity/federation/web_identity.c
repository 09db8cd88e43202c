#include "identity/federation/web_identity.h"

#include "core/json.h"
#include "core/jwt.h"
#include "gen/sts.h"
#include "identity/federation/federation.h"
#include "identity/iam/providers/provider.h"
#include "identity/identity_pools/open_id_token.h"

/* Logins whose tokens need no record of the account: "accounts.google.com" is a principal by itself. */
static const struct {
    const char *claim, *issuer, *host;
} logins[] = {
    { "https://accounts.google.com", "https://accounts.google.com", "accounts.google.com" },
    { "accounts.google.com", "https://accounts.google.com", "accounts.google.com" },
    { "https://appleid.apple.com", "https://appleid.apple.com", "appleid.apple.com" },
};

static gh_err invalid(struct call *call, const char *why)
{
    return gh_fail(call->arena, &sts_InvalidIdentityTokenException, "%s", why);
}

static gh_err no_token(struct call *call)
{
    return invalid(call, "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)");
}

static gh_err no_keys(struct call *call)
{
    return invalid(call, "Couldn't retrieve verification key from your identity provider,  please reference "
                         "AssumeRoleWithWebIdentity documentation for requirements");
}

/* --- what the token says of itself --- */

static gh_err read_audiences(struct call *call, struct web_identity *out)
{
    const json_t *aud = json_object_get(out->claims, "aud"), *one;
    size_t i, n = json_is_array(aud) ? json_array_size(aud) : 1;
    struct str *list = ARENA_ARRAY(call->arena, struct str, n + 1), azp = json_str(out->claims, "azp");
    if (json_is_string(aud))
        list[out->n_audiences++] = json_value_str(aud);
    json_array_foreach(aud, i, one)
        if (json_is_string(one))
            list[out->n_audiences++] = json_value_str(one);
    if (!out->n_audiences || out->n_audiences != n)
        return invalid(call, "Missing a required claim: aud");
    out->audiences = list;
    out->audience = azp.len ? azp : list[0];
    return NULL;
}

static gh_err read_claims(struct call *call, struct web_identity *out)
{
    static const struct {
        const char *name;
        bool text;
    } needed[] = { { "iss", true }, { "sub", true }, { "exp", false }, { "iat", false } };
    for (size_t i = 0; i < COUNT(needed); i++) {
        const json_t *value = json_object_get(out->claims, needed[i].name);
        if (needed[i].text ? json_string_length(value) == 0 : !json_is_integer(value))
            return gh_fail(call->arena, &sts_InvalidIdentityTokenException, "Missing a required claim: %s",
                           needed[i].name);
    }
    out->issuer = json_str(out->claims, "iss");
    out->subject = json_str(out->claims, "sub");
    out->expires_s = json_i64(out->claims, "exp", 0);
    ptrdiff_t scheme = str_find_str(out->issuer, STR("://"));
    out->host = scheme < 0 ? out->issuer : str_from(out->issuer, (size_t)scheme + 3);
    return read_audiences(call, out);
}

static gh_err check_time(struct call *call, const json_t *claims)
{
    int64_t now_s = call->now_us / 1000000;
    switch (jwt_check_time(claims, now_s)) {
    case JWT_LIVE:
        return NULL;
    case JWT_EXPIRED:
        return gh_fail(call->arena, &sts_ExpiredTokenException,
                       "Token expired: current date/time %lld must be before the expiration date/time %lld",
                       (long long)now_s, (long long)json_i64(claims, "exp", 0));
    default:
        return invalid(call, "Token is not yet valid, or its iat, nbf or exp is no time");
    }
}

/* --- whose keys --- */

/* A pool of ours is asked in memory; what was revoked is no identity any more. */
static gh_err ask_pool(struct call *call, struct str token, struct web_identity *out)
{
    struct verified_token found;
    int64_t now_s = call->now_us / 1000000;
    gh_err err = check_time(call, out->claims);
    if (err)
        return err;
    if (!str_is(json_str(out->claims, "token_use"), "id"))
        return no_token(call);
    switch (identity_verify_issued(call->module, call->arena, token, out->issuer, true, now_s, &found)) {
    case TOKEN_OK:
        out->pool = true;
        out->claims = found.claims;
        return NULL;
    case TOKEN_REVOKED:
        return gh_fail(call->arena, &sts_IDPRejectedClaimException, "Token has been revoked");
    case TOKEN_MALFORMED:
        return no_token(call);
    default:
        return invalid(call, "Token signature invalid");
    }
}

/* Tokens of GetOpenIdToken: a principal by itself, under AWS's name for it. */
static gh_err ask_identity_pools(struct call *call, struct str token, struct web_identity *out)
{
    struct identity_token found;
    gh_err err = check_time(call, out->claims);
    if (err)
        return err;
    if (identity_token_verify(call->module, call->arena, token, call->now_us / 1000000, &found) != TOKEN_OK)
        return invalid(call, "Token signature invalid");
    out->claims = found.claims;
    out->host = STR(IDENTITY_TOKEN_PROVIDER);
    out->well_known = true;
    return NULL;
}

static gh_err ask_issuer(struct call *call, const struct jwt *jwt, struct str issuer, const struct web_identity *who)
{
    const struct identity *identity = call->module;
    const struct key *key = NULL;
    const char *why = NULL;
    switch (federation_key(identity->federation, call->arena, issuer, jwt->kid, jwt->alg, &key, &why)) {
    case ISSUER_KEY:
        break;
    case ISSUER_DOWN:
        return gh_fail(call->arena, &sts_IDPCommunicationErrorException,
                       "Couldn't retrieve verification key from your identity provider: %s", why ? why : "no answer");
    default:
        return no_keys(call);
    }
    if (!key_verify(key, jwt->alg, jwt->signing_input, jwt->signature))
        return invalid(call, "Token signature invalid");
    return check_time(call, who->claims);
}

static bool is_our_pool(const struct call *call, struct str issuer)
{
    return issuer.len > call->base_url.len + 1 && str_starts(issuer, call->base_url) &&
           issuer.ptr[call->base_url.len] == '/' &&
           !str_starts(str_from(issuer, call->base_url.len), STR("/outbound-")); /* of GetWebIdentityToken */
}

static void find_record(struct call *call, struct str account, struct web_identity *out)
{
    struct oidc_provider record;
    if (!account.len || !oidc_provider_find(call, account, out->issuer, &record) ||
        !str_eq(record.issuer, out->issuer))
        return;
    out->provider_arn = record.arn;
    out->client_ids = record.client_ids;
    out->n_client_ids = record.n_client_ids;
}

static gh_err verify(struct call *call, struct str token, const struct jwt *jwt, struct web_identity *out)
{
    if (str_eq(out->issuer, identity_token_issuer(call->module, call->arena)))
        return ask_identity_pools(call, token, out);
    if (is_our_pool(call, out->issuer))
        return ask_pool(call, token, out);
    for (size_t i = 0; i < COUNT(logins); i++) {
        if (!str_is(out->issuer, logins[i].claim))
            continue;
        out->well_known = true;
        out->host = str_of(logins[i].host);
        return ask_issuer(call, jwt, str_of(logins[i].issuer), out);
    }
    if (!out->provider_arn.ptr)
        return gh_fail(call->arena, &sts_InvalidIdentityTokenException,
                       "No OpenIDConnect provider found in your account for %.*s", STR_FMT(out->issuer));
    return ask_issuer(call, jwt, out->issuer, out);
}

gh_err web_identity_verify(struct call *call, struct str account, struct str token, struct web_identity *out)
{
    struct jwt jwt;
    *out = (struct web_identity){ 0 };
    if (token.len > JWT_MAX_BYTES || !jwt_read(call->arena, token, &jwt))
        return no_token(call);
    out->claims = jwt_peek(call->arena, &jwt);
    if (!out->claims)
        return no_token(call);
    gh_err err = read_claims(call, out);
    if (err)
        return err;
    find_record(call, account, out);
    return verify(call, token, &jwt, out);
}

bool web_identity_meant_for(struct web_identity *who, const struct str *client_ids, size_t n)
{
    struct str azp = json_str(who->claims, "azp");
    for (size_t i = 0; i < n; i++) {
        if (azp.len ? str_eq(azp, client_ids[i]) : false)
            return true;
        for (size_t a = 0; !azp.len && a < who->n_audiences; a++)
            if (str_eq(who->audiences[a], client_ids[i])) {
                who->audience = client_ids[i];
                return true;
            }
    }
    return false;
}
