/* What an app client's members are when left out, and what AWS refuses. */
#include "identity/pools/client.h"

#include "identity/pools/provider.h"

static const struct {
    const char *name;
    int64_t seconds;
} units[] = { { "seconds", 1 }, { "minutes", 60 }, { "hours", 3600 }, { "days", 86400 } };

bool validity_s(const struct opt_i64 *value, struct str unit, const char *default_unit, int64_t default_s,
                int64_t *out)
{
    *out = default_s;
    if (!value->set || value->value == 0)
        return true; /* "0 = default 30 days" */
    if (!unit.ptr)
        unit = str_of(default_unit);
    for (size_t i = 0; i < COUNT(units); i++)
        if (str_is(unit, units[i].name)) {
            *out = value->value * units[i].seconds;
            return true;
        }
    return false;
}

void client_set_defaults(struct idp_UserPoolClientType *doc)
{
    if (!doc->refresh_token_validity.set)
        doc->refresh_token_validity = some_i64(30);
    if (!doc->enable_token_revocation.set)
        doc->enable_token_revocation = some_bool(true);
    if (!doc->enable_propagate_additional_user_context_data.set)
        doc->enable_propagate_additional_user_context_data = some_bool(false);
    if (!doc->auth_session_validity.set)
        doc->auth_session_validity = some_i64(3);
    if (!doc->allowed_oauth_flows_user_pool_client.set)
        doc->allowed_oauth_flows_user_pool_client = some_bool(false);
}

static gh_err check_lifetimes(struct call *call, const struct idp_UserPoolClientType *doc)
{
    const struct idp_TokenValidityUnitsType none = { 0 }, *unit = doc->token_validity_units
                                                                      ? doc->token_validity_units
                                                                      : &none;
    int64_t access, id, refresh;
    validity_s(&doc->access_token_validity, unit->access_token, "hours", 3600, &access);
    validity_s(&doc->id_token_validity, unit->id_token, "hours", 3600, &id);
    validity_s(&doc->refresh_token_validity, unit->refresh_token, "days", 30 * 86400, &refresh);
    if (access < 300 || access > 86400 || id < 300 || id > 86400 || refresh < 3600 ||
        refresh > INT64_C(315360000))
        return gh_fail(call->arena, &idp_InvalidParameterException, "Invalid range for token validity.");
    if (refresh < access || refresh < id)
        return gh_fail(
            call->arena, &idp_InvalidParameterException,
            "Access and Id Token expiration times must be less than or equal to refresh token expiration "
            "times.");
    return NULL;
}

/* A client of GetClientToken has a secret and no other flow. */
static gh_err check_client_token(struct call *call, const struct idp_UserPoolClientType *doc)
{
    bool has = false;
    for (size_t i = 0; i < doc->explicit_auth_flows.n; i++)
        has |= str_is(doc->explicit_auth_flows.items[i], "ALLOW_CLIENT_TOKEN_AUTH");
    if (has && doc->explicit_auth_flows.n > 1)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "ALLOW_CLIENT_TOKEN_AUTH cannot be used with other auth flows.");
    if (has && !doc->client_secret.ptr)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "ALLOW_CLIENT_TOKEN_AUTH cannot be used if client does not have a client secret.");
    return NULL;
}

static gh_err check_flows(struct call *call, const struct idp_UserPoolClientType *doc)
{
    const struct idp_ExplicitAuthFlowsListType *flows = &doc->explicit_auth_flows;
    size_t allow = 0;
    for (size_t i = 0; i < flows->n; i++)
        allow += str_starts(flows->items[i], STR("ALLOW_"));
    if (allow > 0 && allow < flows->n)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Auth flow name with prefix 'ALLOW' cannot be used with legacy auth flow names.");
    return check_client_token(call, doc);
}

static gh_err check_rotation(struct call *call, const struct pool *pool, const struct idp_UserPoolClientType *doc)
{
    if (!doc->refresh_token_rotation || !str_is(doc->refresh_token_rotation->feature, "ENABLED"))
        return NULL;
    if (str_is(pool->doc->user_pool_tier, "LITE"))
        return gh_fail(call->arena, &idp_FeatureUnavailableInTierException,
                       "The following feature is not available for the LITE pricing tier configured: Refresh token "
                       "rotation");
    for (size_t i = 0; i < doc->explicit_auth_flows.n; i++)
        if (str_is(doc->explicit_auth_flows.items[i], "ALLOW_REFRESH_TOKEN_AUTH"))
            return gh_fail(call->arena, &idp_InvalidParameterException,
                           "ALLOW_REFRESH_TOKEN_AUTH is not a permitted ExplicitAuthFlow when refresh token rotation "
                           "is enabled.");
    return NULL;
}

static gh_err check_attributes(struct call *call, const struct pool *pool,
                               const struct idp_UserPoolClientType *doc)
{
    for (size_t i = 0; i < doc->read_attributes.n; i++)
        if (!pool_attribute(pool, doc->read_attributes.items[i]))
            return gh_fail(call->arena, &idp_InvalidParameterException,
                           "Invalid read attributes specified while creating a client");
    for (size_t i = 0; i < doc->write_attributes.n; i++) {
        struct str name = doc->write_attributes.items[i];
        if (!pool_attribute(pool, name) || str_is(name, "sub") || str_is(name, "email_verified") ||
            str_is(name, "phone_number_verified"))
            return gh_fail(call->arena, &idp_InvalidParameterException,
                           "Invalid write attributes specified while creating a client");
    }
    return NULL;
}

gh_err client_check_settings(struct call *call, const struct pool *pool,
                             const struct idp_UserPoolClientType *doc)
{
    for (size_t i = 0; i < doc->supported_identity_providers.n; i++) {
        struct str name = doc->supported_identity_providers.items[i];
        struct idp_IdentityProviderType provider;
        bool found = str_is(name, "COGNITO");
        gh_err err = found ? NULL : provider_find(call, NULL, pool, name, &provider, &found);
        if (!err && !found)
            err = gh_fail(call->arena, &idp_InvalidParameterException,
                          "The provider %.*s does not exist for User Pool %.*s.", STR_FMT(name), STR_FMT(pool->id));
        if (err)
            return err;
    }
    if (doc->enable_propagate_additional_user_context_data.value && !doc->client_secret.ptr)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Client Secret is required to set EnablePropagateAdditionalUserContextData as true");
    gh_err err = check_flows(call, doc);
    if (!err)
        err = client_check_oauth(call, pool, doc);
    if (!err)
        err = check_rotation(call, pool, doc);
    if (!err)
        err = check_lifetimes(call, doc);
    return err ? err : check_attributes(call, pool, doc);
}
