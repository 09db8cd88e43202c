/* The API's resource policy, and how a request is put before any policy.
 *
 * "Evaluation of the policy involves seeking an explicit allow based on the inbound criteria of the
 * caller. An implicit denial or any explicit denial results in denying the caller." — without
 * authorizer, and after a token was good: "the resource policy is evaluated independently, and an
 * explicit allow is required." — Cognito. "Before calling the Lambda authorizer, API Gateway first
 * evaluates the policy and checks for any explicit denials"; the rest it decides together with what
 * the authorizer says (auth_lambda.c), or with the signer's own policies (auth_iam.c). */
#include "gateway/stage/stage.h"
#include "policy/why.h"

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

/* The notes of a trace are short: one for each thing that an explanation says. */
void stage_note_why(struct gw_request *r, const struct policy_why *why)
{
    trace_note(&r->trace, "policy", policy_reason(r->arena, why->request, &why->decision));
    if (why->nearest.ptr)
        trace_note(&r->trace, "nearest", why->nearest);
    for (size_t i = 0; i < why->n_changes && i < 2; i++)
        trace_note(&r->trace, i ? "and" : "to allow it", why->changes[i].text);
}

bool stage_decide(struct gw_request *r, const struct credential *who, const struct policy_set *policy,
                  struct policy_request *request, struct policy_decision *decision)
{
    struct identity *identity = r->gateway->config.identity;
    const struct identity_target target = { .policy = policy, .account = r->snapshot->account };
    bool allowed = who ? identity_allows_on(identity, r->arena, who, policy, r->snapshot->account, request, decision)
                       : identity_decide(identity, r->arena, NULL, &target, request, decision);
    if (allowed) {
        trace_note(&r->trace, "policy", policy_reason(r->arena, request, decision));
        return true;
    }
    struct policy_why why;
    identity_why(identity, r->arena, who, &target, request, &why);
    stage_note_why(r, &why);
    return false;
}

static enum gw_next judge(struct gw_request *r, bool allow_needed)
{
    struct policy_decision decision;
    bool guarded = identity_has_guard_rails(r->gateway->config.identity);
    struct policy_request request = stage_policy_request(r, r->snapshot->policy_wants_keys || guarded);
    if (request.resource.len > GW_MAX_ARN)
        return stage_uri_too_long(r);
    if (stage_decide(r, NULL, r->snapshot->policy, &request, &decision) ||
        (decision.effect == POLICY_IMPLICIT_DENY && !allow_needed))
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
