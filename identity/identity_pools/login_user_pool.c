/* ID tokens of user pools. */
#include "identity/identity_pools/login_check.h"
#include "identity/store/user.h"
#include "identity/tokens/directory.h"

/* "If ServerSideTokenCheck is true, the identity pool checks with the user pool that the user has not been globally
 * signed out or disabled before it hands out credentials." */
static gh_err server_side_check(const struct login_check *check, struct str issuer, struct str sub)
{
    struct call *call = check->call;
    struct verified_token token;
    struct user user;
    bool found;
    gh_err err = store_user_find(call->db, NULL, call->arena, check->provider.user_pool, USER_BY_SUB, sub, &user, &found);
    if (err)
        return err;
    enum token_verdict verdict =
        identity_verify_issued(call->module, call->arena, check->token, issuer, true, call->now_us / 1000000, &token);
    return found && user.enabled && verdict == TOKEN_OK ? NULL : login_invalid(call, "Server side token check failed.");
}

/* "aud" is a string, or in derived tokens a list. */
static const struct ci_CognitoIdentityProvider *entry_for(const struct login_check *check, const json_t *audience)
{
    const struct ci_CognitoIdentityProvider *entry = NULL;
    size_t n = json_is_array(audience) ? json_array_size(audience) : 1;
    for (size_t i = 0; i < n && !entry; i++) {
        struct str client = json_value_str(json_is_array(audience) ? json_array_get(audience, i) : audience);
        if (client.ptr)
            entry = provider_entry(check->call, check->pool->doc, check->provider.user_pool, client);
    }
    return entry;
}

static gh_err verify(const struct login_check *check, struct str issuer, struct verified_token *out)
{
    struct call *call = check->call;
    const json_t *peeked;
    gh_err err;
    if (!login_peek(check, &peeked, &err))
        return err;
    if (!str_eq(json_str(peeked, "iss"), issuer))
        return login_invalid(call, "Issuer doesn't match providerName");
    switch (identity_verify_issued(call->module, call->arena, check->token, issuer, false, call->now_us / 1000000, out)) {
    case TOKEN_OK:
        return NULL;
    case TOKEN_EXPIRED:
        return login_expired(call, peeked);
    case TOKEN_MALFORMED:
        return login_invalid(call, "Not a valid OpenId Connect identity token.");
    default:
        return login_invalid(call, "Couldn't verify signed token.");
    }
}

gh_err login_check_user_pool(const struct login_check *check, struct login *out)
{
    struct call *call = check->call;
    const struct identity *identity = call->module;
    const struct listed_pool *issuer = pool_directory_find(identity->pools, call->arena, check->provider.user_pool);
    struct verified_token token = { 0 };
    if (!issuer)
        return login_invalid(call, "Couldn't verify signed token.");
    gh_err err = verify(check, issuer->issuer, &token);
    if (err)
        return err;
    const json_t *audience = json_object_get(token.claims, "aud");
    if (!audience)
        return login_invalid(call, "Missing a required claim: aud");
    const struct ci_CognitoIdentityProvider *entry = entry_for(check, audience);
    if (!entry || !str_is(token.token_use, "id"))
        return login_unsupported(call);
    if (entry->server_side_token_check.value)
        err = server_side_check(check, issuer->issuer, token.sub);
    if (err)
        return err;
    out->provider.client = entry->client_id;
    out->key.subject = token.sub;
    out->claims = token.claims;
    out->amr = str_printf(call->arena, "%.*s:CognitoSignIn:%.*s", STR_FMT(out->key.provider), STR_FMT(token.sub));
    return NULL;
}
