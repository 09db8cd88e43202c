#include "identity/identity_pools/login.h"

#include "core/jwt.h"
#include "identity/identity_pools/login_check.h"

gh_err login_invalid(struct call *call, const char *why, ...)
{
    va_list args;
    va_start(args, why);
    struct str text = str_vprintf(call->arena, why, args);
    va_end(args);
    return gh_fail(call->arena, &ci_NotAuthorizedException, "Invalid login token. %.*s", STR_FMT(text));
}

gh_err login_unsupported(struct call *call)
{
    return gh_fail(call->arena, &ci_NotAuthorizedException, "Token is not from a supported provider of this identity pool.");
}

bool login_peek(const struct login_check *check, const json_t **claims, gh_err *err)
{
    struct jwt jwt;
    *claims = jwt_read(check->call->arena, check->token, &jwt) ? jwt_peek(check->call->arena, &jwt) : NULL;
    if (!*claims)
        *err = login_invalid(check->call, "Not a valid OpenId Connect identity token.");
    return *claims != NULL;
}

gh_err login_expired(struct call *call, const json_t *claims)
{
    return login_invalid(call, "Token expired: %lld >= %lld", (long long)(call->now_us / 1000000),
                         (long long)json_i64(claims, "exp", 0));
}

struct str login_claim_text(struct arena *arena, const json_t *claim)
{
    struct str text = json_value_str(claim);
    return text.ptr ? text : claim ? json_print(arena, claim) : STR_NONE;
}

/* ---- a token of our own ---- */

static gh_err check_own(const struct login_check *check, struct logins *out)
{
    struct call *call = check->call;
    struct identity_token *token = ARENA_NEW(call->arena, struct identity_token);
    const json_t *peeked;
    gh_err err;
    if (!login_peek(check, &peeked, &err))
        return err;
    switch (identity_token_verify(call->module, call->arena, check->token, call->now_us / 1000000, token)) {
    case TOKEN_OK:
        break;
    case TOKEN_EXPIRED:
        return login_expired(call, peeked);
    case TOKEN_WRONG_ISSUER:
        return login_invalid(call, "Issuer doesn't match providerName");
    default:
        return login_invalid(call, "Couldn't verify signed token.");
    }
    if (!str_eq(token->pool, check->pool->id))
        return login_invalid(call, "Incorrect token audience.");
    if (!token->n_amr || !str_is(token->amr[0], "authenticated"))
        return login_invalid(call, "Not a token of an authenticated identity.");
    out->own = token;
    return NULL;
}

/* ---- all of them ---- */

static gh_err check_nobody(const struct login_check *check, struct login *out)
{
    (void)out;
    struct jwt jwt;
    if (jwt_read(check->call->arena, check->token, &jwt))
        return login_unsupported(check->call);
    return gh_fail(check->call->arena, &ci_InvalidParameterException, "Please provide a valid public provider.");
}

static gh_err (*const checks[])(const struct login_check *check, struct login *out) = {
    [PROVIDER_NONE] = check_nobody,
    [PROVIDER_USER_POOL] = login_check_user_pool,
    [PROVIDER_PUBLIC] = login_check_public,
    [PROVIDER_OIDC] = login_check_oidc,
    [PROVIDER_SAML] = login_check_saml,
};

/* A user pool can be named in two ways: the same login twice is one. *same: it is there already. "One login a provider." */
static gh_err compare(struct call *call, const struct logins *known, const struct login *login, bool *same)
{
    *same = false;
    for (size_t i = 0; i < known->n; i++) {
        if (!str_eq(known->items[i].key.provider, login->key.provider))
            continue;
        *same = str_eq(known->items[i].key.subject, login->key.subject);
        if (!*same)
            return gh_fail(call->arena, &ci_ResourceConflictException, "Login is already linked to another account.");
    }
    return NULL;
}

gh_err logins_verify(struct call *call, const struct identity_pool *pool, const struct ci_LoginsMap *given, bool own,
                     struct logins *out)
{
    *out = (struct logins){ .items = ARENA_ARRAY(call->arena, struct login, given->n + 1) };
    for (size_t i = 0; i < given->n; i++) {
        const struct login_check check = { call, pool, given->items[i].key, given->items[i].value,
                                           provider_named(call, pool->doc, given->items[i].key, false) };
        struct login *login = &out->items[out->n];
        bool same = false;
        gh_err err;
        *login = (struct login){ .provider = check.provider, .key.provider = check.provider.name };
        if (check.provider.kind == PROVIDER_OWN)
            err = own ? check_own(&check, out) : login_invalid(call, "Can't pass in a Cognito token.");
        else if (check.provider.kind != PROVIDER_NONE && !check.provider.configured)
            err = login_unsupported(call);
        else
            err = checks[check.provider.kind](&check, login);
        if (!err && check.provider.kind != PROVIDER_OWN)
            err = compare(call, out, login, &same);
        if (err)
            return err;
        out->n += check.provider.kind != PROVIDER_OWN && !same;
    }
    return NULL;
}

void logins_amr(struct call *call, const struct logins *logins, const struct str **amr, size_t *n)
{
    struct str *list = ARENA_ARRAY(call->arena, struct str, 1 + 2 * logins->n + (logins->own ? logins->own->n_amr : 0));
    *n = 0;
    *amr = list;
    list[(*n)++] = logins_prove(logins) ? STR("authenticated") : STR("unauthenticated");
    for (size_t i = 1; logins->own && i < logins->own->n_amr; i++)
        list[(*n)++] = logins->own->amr[i];
    for (size_t i = 0; i < logins->n; i++) {
        list[(*n)++] = logins->items[i].key.provider;
        list[(*n)++] = logins->items[i].amr;
    }
}

struct login login_of_developer(struct call *call, const struct identity_pool *pool, struct str user)
{
    struct str name = pool->doc->developer_provider_name;
    return (struct login){
        .provider = { .name = name },
        .key = { .developer = true, .provider = name, .subject = user },
        .amr = str_printf(call->arena, "%.*s:%.*s:%.*s", STR_FMT(name), STR_FMT(pool->id), STR_FMT(user)),
    };
}
