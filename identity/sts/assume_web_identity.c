/* AssumeRoleWithWebIdentity, and what identity pools ask in its name. */
#include "identity/sts/assume.h"

#include "identity/sts/role_session.h"

gh_err sts_web_identity_session(struct call *call, const struct web_session_order *order, struct session *out)
{
    struct role_request r = {
        .call = call,
        .action = "sts:AssumeRoleWithWebIdentity",
        .role_arn = order->role_arn,
        .session_name = order->session_name,
        .federated = order->federated,
        .provider = order->provider.ptr ? order->provider : order->federated,
        .keys = order->keys,
        .n_keys = order->n_keys,
        .kept = order->kept,
        .n_kept = order->n_kept,
        .policy = order->policy,
        .policy_arns = order->policy_arns,
        .n_policy_arns = order->n_policy_arns,
        .passed = order->tags,
        .passed_transitive = order->transitive,
        .n_passed_transitive = order->n_transitive,
        .source_identity = order->source_identity,
        .duration_s = order->duration_s,
        .not_after_s = order->not_after_s,
        .token_size = order->token_size,
    };
    gh_err err = role_session_prepare(&r);
    return err ? err : role_session_grant(&r, out);
}
