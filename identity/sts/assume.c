/* AssumeRole: the caller's policies and the role's trust policy put together. */
#include "identity/sts/role_session.h"

gh_err sts_AssumeRole(struct call *call, const struct sts_AssumeRole_in *in, struct sts_AssumeRole_out *out)
{
    const struct credential *caller = sts_caller(call);
    struct str external_id = in->external_id;
    const struct policy_key asked = { STR("sts:ExternalId"), &external_id, 1 };
    struct role_request r = {
        .call = call,
        .action = "sts:AssumeRole",
        .role_arn = in->role_arn,
        .session_name = in->role_session_name,
        .caller = caller,
        .keys = &asked,
        .n_keys = external_id.ptr ? 1 : 0,
        .policy = in->policy,
        .policy_arns = sts_policy_arns(call, &in->policy_arns),
        .n_policy_arns = in->policy_arns.n,
        .passed = sts_tags(call, &in->tags),
        .passed_transitive = in->transitive_tag_keys.items,
        .n_passed_transitive = in->transitive_tag_keys.n,
        .source_identity = in->source_identity,
        .duration_s = in->duration_seconds,
        .token_size = in->minimum_session_token_size.value,
    };
    struct session session;
    gh_err err = role_session_prepare(&r);
    /* Root with a key that was issued; the key nobody made, in dev mode, may assume roles. */
    if (!err && caller->root && caller->secret.ptr)
        err = gh_fail(call->arena, &STS_ACCESS_DENIED, "Roles may not be assumed by root accounts.");
    if (!err)
        err = sts_check_mfa(call, in->serial_number, in->token_code, &r.mfa);
    if (!err)
        err = role_session_grant(&r, &session);
    if (err)
        return err;
    out->credentials = sts_credentials(call, &session);
    out->assumed_role_user = role_session_user(call, &session);
    out->source_identity = session.source_identity;
    out->packed_policy_size = role_session_packed(&r, &session);
    sts_token_size(&session, &out->session_token_size, &out->session_token_utilization);
    return NULL;
}
