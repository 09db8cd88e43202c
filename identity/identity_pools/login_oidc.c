/* ID tokens of OpenID Connect providers that IAM has a record of, and of the well-known logins. */
#include "identity/federation/web_identity.h"
#include "identity/identity_pools/login_check.h"

/* What STS says of a token, in identity pools' words. */
static gh_err translate(const struct login_check *check, gh_err err, const json_t *claims)
{
    struct str code = str_of(err->kind->code);
    if (str_starts(code, STR("ExpiredToken")))
        return login_expired(check->call, claims);
    if (str_starts(code, STR("IDPCommunicationError")))
        return gh_fail(check->call->arena, &ci_ExternalServiceException, "%.*s", STR_FMT(err->message));
    return err->kind->status >= 500 ? err : login_invalid(check->call, "Couldn't verify signed token.");
}

static struct str without_scheme(struct str url)
{
    ptrdiff_t at = str_find_str(url, STR("://"));
    return at < 0 ? url : str_from(url, (size_t)at + 3);
}

static gh_err verify(const struct login_check *check, struct str account, struct web_identity *who)
{
    struct call *call = check->call;
    const json_t *claims;
    gh_err err;
    if (!login_peek(check, &claims, &err))
        return err;
    if (!str_eq(without_scheme(json_str(claims, "iss")), check->provider.name))
        return login_invalid(call, "Issuer doesn't match providerName");
    static const char *const required[] = { "aud", "sub", "exp" };
    for (size_t i = 0; i < COUNT(required); i++)
        if (!json_object_get(claims, required[i]))
            return login_invalid(call, "Missing a required claim: %s", required[i]);
    err = web_identity_verify(call, account, check->token, who);
    return err ? translate(check, err, claims) : NULL;
}

gh_err login_check_oidc(const struct login_check *check, struct login *out)
{
    struct call *call = check->call;
    struct web_identity who = { 0 };
    gh_err err = verify(check, check->provider.account, &who);
    if (err)
        return err;
    if (!str_eq(who.provider_arn, check->provider.arn))
        return login_unsupported(call);
    if (!web_identity_meant_for(&who, who.client_ids, who.n_client_ids))
        return login_invalid(call, "Incorrect token audience.");
    out->key.subject = who.subject;
    out->claims = who.claims;
    out->amr = str_printf(call->arena, "%.*s:OIDC:%.*s:%.*s", STR_FMT(check->provider.name), STR_FMT(who.audience),
                          STR_FMT(who.subject));
    return NULL;
}

/* "For Google and Apple, the ID token." */
gh_err login_check_public(const struct login_check *check, struct login *out)
{
    struct call *call = check->call;
    struct web_identity who = { 0 };
    gh_err err = verify(check, check->pool->account, &who);
    if (err)
        return err;
    struct str app = provider_app(check->pool->doc, check->name);
    if (!web_identity_meant_for(&who, &app, 1))
        return login_invalid(call, "Incorrect token audience.");
    out->key.subject = who.subject;
    out->claims = who.claims;
    out->amr = str_printf(call->arena, "%.*s:%.*s:%.*s", STR_FMT(check->name), STR_FMT(app), STR_FMT(who.subject));
    return NULL;
}
