/* COGNITO_USER_POOLS: a user pool's token, verified here.
 *
 * Without scopes on the method an ID token is expected, with scopes an access token of which one
 * scope must match. Ours: a revoked session's tokens are refused too, at once. */
#include "gateway/stage/stage.h"

static enum gw_next refuse(struct gw_request *r, const char *why)
{
    trace_note(&r->trace, "token", str_of(why));
    return gw_fail(r, RESPONSE_UNAUTHORIZED);
}

/* Scopes are parted by blanks and compared as they are. */
static bool has_scope(const struct gw_method *method, struct str granted)
{
    struct str one;
    while (str_split(&granted, ' ', &one))
        for (size_t i = 0; i < method->n_scopes; i++)
            if (one.len && str_eq(one, method->scopes[i]))
                return true;
    return false;
}

static struct str audience(const json_t *claims)
{
    struct str aud = json_str(claims, "aud");
    return aud.ptr ? aud : json_str(claims, "client_id");
}

static enum gw_next authorize_enter(struct gw_request *r)
{
    const struct gw_authorizer *authorizer = r->method->authorizer;
    struct str token = STR_NONE;
    if (!stage_take_token(r, &token))
        return gw_fail(r, RESPONSE_UNAUTHORIZED);
    struct verified_token verified;
    enum token_verdict verdict =
        identity_verify_token(r->gateway->config.identity, r->arena, token, authorizer->pool_arns,
                              authorizer->n_pool_arns, authorizer->honour_revocation, r->wall_us / 1000000, &verified);
    if (verdict == TOKEN_EXPIRED) {
        trace_note(&r->trace, "token", str_of(token_verdict_text(verdict)));
        return gw_fail_text(r, RESPONSE_UNAUTHORIZED, STR("The incoming token has expired"));
    }
    if (verdict != TOKEN_OK)
        return refuse(r, token_verdict_text(verdict));
    bool wants_access = r->method->n_scopes > 0;
    if (!str_is(verified.token_use, wants_access ? "access" : "id"))
        return refuse(r, wants_access ? "the method has scopes: an access token is needed"
                                      : "the method has no scopes: an ID token is needed");
    if (authorizer->validation && !regex_matches_whole(authorizer->validation, audience(verified.claims)))
        return refuse(r, "aud does not match identityValidationExpression");
    if (wants_access && !has_scope(r->method, json_str(verified.claims, "scope")))
        return refuse(r, "none of the method's scopes is in the token");
    r->caller.claims = verified.claims;
    trace_note(&r->trace, verified.from_cache ? "token is good (cached), sub" : "token is good, sub", verified.sub);
    return GW_NEXT;
}

const struct gw_step step_auth_cognito = { "authorize", authorize_enter, NULL, .guards = true };
