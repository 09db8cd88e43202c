/* The API's resource policy, and how a request is put before any policy.
 *
 * "Evaluation of the policy involves seeking an explicit allow based on the inbound criteria of the
 * caller. An implicit denial or any explicit denial results in denying the caller." — without
 * authorizer, and after a token was good: "the resource policy is evaluated independently, and an
 * explicit allow is required." — Cognito. "Before calling the Lambda authorizer, API Gateway first
 * evaluates the policy and checks for any explicit denials"; the rest it decides together with what
 * the authorizer says (auth_lambda.c), or with the signer's own policies (auth_iam.c). */
#include "gateway/stage/stage.h"
#include "policy/eval.h"

struct policy_request stage_policy_request(struct gw_request *r, bool with_keys)
{
    struct policy_request request = { .action = STR("execute-api:Invoke"), .resource = stage_method_arn(r) };
    if (!with_keys)
        return request;
    struct policy_context context = policy_context_in(r->arena);
    policy_context_add_request(&context, r->wall_us / 1000000, r->x->peer_ip,
                               http_header_get(&r->x->headers, "User-Agent"),
                               http_header_get(&r->x->headers, "Referer"), r->x->tls != NULL, r->snapshot->region);
    request.keys = context.keys;
    request.n_keys = context.n;
    return request;
}

/* "arn:aws:execute-api:us-east-1:********9012:api/stage/GET/path": how AWS shows the account. */
static struct str masked(struct gw_request *r, struct str arn)
{
    struct str account = r->snapshot->account;
    ptrdiff_t at = str_find_str(arn, account);
    char *copy = (char *)(uintptr_t)str_copy(r->arena, arn).ptr;
    for (size_t i = 0; at >= 0 && i + 4 < account.len; i++)
        copy[(size_t)at + i] = '*';
    return (struct str){ copy, arn.len };
}

enum gw_next stage_policy_denied(struct gw_request *r, struct policy_request *request,
                                 const struct policy_decision *decision)
{
    request->shown_resource = masked(r, request->resource);
    return gw_fail_text(r, RESPONSE_ACCESS_DENIED, policy_denial(r->arena, request, decision));
}

static enum gw_next judge(struct gw_request *r, bool allow_needed)
{
    struct policy_decision decision;
    struct policy_request request = stage_policy_request(r, r->snapshot->policy_wants_keys);
    if (request.resource.len > GW_MAX_ARN)
        return stage_uri_too_long(r);
    enum policy_effect effect =
        policy_set_decide(r->arena, r->snapshot->policy, "resource-based policy", &request, &decision);
    trace_note(&r->trace, "policy", policy_reason(r->arena, &request, &decision));
    if (effect == POLICY_ALLOW || (effect == POLICY_IMPLICIT_DENY && !allow_needed))
        return GW_NEXT;
    return stage_policy_denied(r, &request, &decision);
}

static enum gw_next must_allow(struct gw_request *r)
{
    return judge(r, true);
}

static enum gw_next must_not_deny(struct gw_request *r)
{
    return judge(r, false);
}

const struct gw_step step_policy_allows = { "policy", must_allow, NULL, .guards = true };
const struct gw_step step_policy_spares = { "policy", must_not_deny, NULL, .guards = true };
