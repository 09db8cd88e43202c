/* As whom a function or an AWS service is called: the integration's and the authorizer's credentials.
 *
 * Without credentials API Gateway calls as itself, for this API, and the function's own policy decides. A role
 * is assumed and must allow the call; the caller's own credentials are passed through the same way. */
#include "functions/name.h"
#include "gateway/backend/role.h"
#include "gateway/stage/stage.h"
#include "policy/why.h"

static struct invoke_caller as_gateway(struct gw_request *r, struct str source_arn)
{
    return (struct invoke_caller){ .service = STR("apigateway.amazonaws.com"),
                                   .source_arn = source_arn,
                                   .source_account = r->snapshot->account };
}

static struct invoke_caller as_principal(const struct credential *who)
{
    return (struct invoke_caller){ .principal_arn = who->principal.arn,
                                   .role_arn = who->role_arn,
                                   .account = who->principal.account };
}

struct invoke_caller stage_caller(struct gw_request *r)
{
    return r->actor.credential ? as_principal(r->actor.credential) : as_gateway(r, stage_method_arn(r));
}

struct invoke_caller stage_authorizer_caller(struct gw_request *r)
{
    const struct snapshot *s = r->snapshot;
    if (r->authorizer_actor.credential)
        return as_principal(r->authorizer_actor.credential);
    return as_gateway(r, str_printf(r->arena, "arn:%.*s:execute-api:%.*s:%.*s:%.*s/authorizers/%.*s",
                                    STR_FMT(s->partition), STR_FMT(s->region), STR_FMT(s->account), STR_FMT(s->api_id),
                                    STR_FMT(r->method->authorizer->id)));
}

static struct str function_arn(struct gw_request *r, struct str function)
{
    struct function_name name;
    const struct snapshot *s = r->snapshot;
    if (!function_name_parse(function, &name))
        return function;
    return str_printf(r->arena, "arn:%.*s:lambda:%.*s:%.*s:function:%.*s%s%.*s", STR_FMT(s->partition),
                      STR_FMT(name.region.ptr ? name.region : s->region),
                      STR_FMT(name.account.ptr ? name.account : s->account), STR_FMT(name.name),
                      name.qualifier.ptr ? ":" : "", STR_FMT(name.qualifier));
}

/* "its policies must allow lambda:InvokeFunction" */
static bool may_invoke(struct gw_request *r, const struct credential *who, struct str function)
{
    struct policy_decision decision;
    struct policy_context context = policy_context_in(r->arena);
    policy_context_add_request(&context, r->wall_us / 1000000, STR_NONE, STR_NONE, STR_NONE, true, r->snapshot->region);
    struct policy_request ask = { .principal_arn = who->principal.arn,
                                  .account = who->principal.account,
                                  .role_arn = who->role_arn,
                                  .action = STR("lambda:InvokeFunction"),
                                  .resource = function_arn(r, function),
                                  .keys = context.keys,
                                  .n_keys = context.n };
    if (identity_allows(r->gateway->config.identity, r->arena, who, &ask, &decision)) {
        trace_note(&r->trace, "policy", policy_reason(r->arena, &ask, &decision));
        return true;
    }
    const struct identity_target own = { 0 };
    struct policy_why why;
    identity_why(r->gateway->config.identity, r->arena, who, &own, &ask, &why);
    stage_note_why(r, &why);
    return false;
}

/* --- the integration's --- */

static enum gw_next go_on(struct gw_request *r)
{
    const struct gw_integration *in = r->method->integration;
    trace_note(&r->trace, "acts as", r->actor.credential->principal.arn);
    if (in->function.len && !may_invoke(r, r->actor.credential, in->function))
        return stage_call_denied(r);
    return GW_NEXT;
}

static enum gw_next take_role(struct gw_request *r)
{
    switch (role_keys(r, r->method->integration->role, &r->actor)) {
    case ROLE_READY:
        return go_on(r);
    case ROLE_ASKED:
        return GW_WAIT;
    case ROLE_REFUSED:
        break;
    }
    return gw_misconfigured(r, "API Gateway does not have permission to assume the provided role",
                            r->method->integration->role);
}

static enum gw_next role_enter(struct gw_request *r)
{
    if (r->method->integration->acting == ACT_AS_ROLE)
        return take_role(r);
    const struct credential *who = r->caller.credential; /* the method is AWS_IAM's: compile_integration.c */
    r->actor = (struct gw_actor){ r->caller.access_key_id, who->secret,
                                  http_header_get(&r->x->headers, "X-Amz-Security-Token"), who };
    return go_on(r);
}

const struct gw_step step_role = { "role", role_enter, take_role };

/* --- the authorizer's: whether it matters is known when the function is called, not before --- */

static enum gw_next authorizer_role(struct gw_request *r)
{
    const struct gw_authorizer *authorizer = r->method->authorizer;
    enum role_keys result = role_keys(r, authorizer->role, &r->authorizer_actor);
    if (result == ROLE_ASKED)
        return GW_WAIT;
    r->role_asked = false; /* the integration may have another */
    r->authorizer_refused = result == ROLE_REFUSED;
    if (result == ROLE_READY)
        trace_note(&r->trace, "acts as", r->authorizer_actor.credential->principal.arn);
    return GW_NEXT;
}

bool stage_authorizer_may_call(struct gw_request *r)
{
    const struct gw_authorizer *authorizer = r->method->authorizer;
    if (!authorizer->role.len)
        return true;
    return !r->authorizer_refused && may_invoke(r, r->authorizer_actor.credential, authorizer->function);
}

const struct gw_step step_authorizer_role = { "role", authorizer_role, authorizer_role, .guards = true };
