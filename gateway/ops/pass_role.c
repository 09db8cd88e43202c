#include "gateway/ops/pass_role.h"

#include "gateway/state.h"
#include "policy/eval.h"
#include "wire/resource.h"

static const struct gh_kind access_denied = { "AccessDeniedException", 403, false, NULL };

gh_err ops_check_pass_role(struct call *call, struct str role, struct str before)
{
    struct gateway *gateway = call->module;
    struct policy_decision decision;
    bool caller = str_ends(role, STR(":user/*"));
    if (!role.len || caller || str_eq(role, before) || !call->credential)
        return NULL;
    const struct credential *credential = call->credential;
    if (credential->secret.ptr && resource_is_foreign(call, role)) /* not of dev mode's root, whose roles need not exist */
        return gh_fail(call->arena, &access_denied, "Cross-account pass role is not allowed.");
    struct policy_context context = policy_context_in(call->arena);
    policy_context_add_request(&context, call->now_us / 1000000, call->source_ip, call->user_agent, STR_NONE, false,
                               call->region);
    policy_context_add(&context, "iam:PassedToService", STR("apigateway.amazonaws.com"));
    /* A stage variable may become any role. */
    bool any = str_find_str(role, STR("${")) >= 0;
    struct policy_request ask = { .action = STR("iam:PassRole"), .resource = any ? STR("*") : role, .shown_resource = role,
                                  .keys = context.keys, .n_keys = context.n };
    if (identity_allows(gateway->config.identity, call->arena, call->credential, &ask, &decision))
        return NULL;
    return gh_fail(call->arena, &access_denied, "%.*s", STR_FMT(policy_denial(call->arena, &ask, &decision)));
}
