#include "identity/sts/sts.h"

const struct gh_kind STS_VALIDATION_ERROR = { "ValidationError", 400, false, NULL };
const struct gh_kind STS_ACCESS_DENIED = { "AccessDenied", 403, false, NULL };
const struct gh_kind STS_INVALID_PARAMETER = { "InvalidParameterValue", 400, false, NULL };

struct sts_Credentials *sts_issue(struct call *call, struct session *session)
{
    struct sts_Credentials *out = ARENA_NEW(call->arena, struct sts_Credentials);
    out->session_token = session_issue(call->env, call->sealer, call->arena, session);
    out->access_key_id = session->key_id;
    out->secret_access_key = session->secret;
    out->expiration = (struct opt_time){ true, (double)session->expires_s };
    return out;
}

gh_err sts_check_tags(struct call *call, const struct sts_tagListType *tags)
{
    for (size_t i = 0; i < tags->n; i++) {
        if (str_starts_nocase(tags->items[i]->key, STR("aws:")))
            return gh_fail(call->arena, &STS_INVALID_PARAMETER,
                           "System tags cannot be modified: tag keys must not begin with aws:");
        for (size_t j = 0; j < i; j++)
            if (str_eq_nocase(tags->items[i]->key, tags->items[j]->key))
                return gh_fail(call->arena, &STS_INVALID_PARAMETER,
                               "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    }
    return NULL;
}

gh_err sts_check_policy(struct call *call, struct str policy)
{
    struct str why;
    if (!policy.ptr || policy_check(call->arena, POLICY_IDENTITY, policy, &why))
        return NULL;
    return gh_fail(call->arena, &sts_MalformedPolicyDocumentException, "%.*s", STR_FMT(why));
}

gh_err sts_check_mfa(struct call *call, struct str serial_number, struct str token_code)
{
    if (!serial_number.ptr && !token_code.ptr)
        return NULL;
    if (!serial_number.ptr || !token_code.ptr)
        return gh_fail(call->arena, &STS_ACCESS_DENIED,
                       "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.");
    return gh_fail(call->arena, &STS_ACCESS_DENIED,
                   "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial "
                   "number is valid and associated with this user.");
}

void sts_copy_policy_arns(struct call *call, const struct sts_policyDescriptorListType *arns, struct session *session)
{
    struct str *items = ARENA_ARRAY(call->arena, struct str, arns->n);
    for (size_t i = 0; i < arns->n; i++)
        if (arns->items[i]->arn.ptr)
            items[session->n_policy_arns++] = arns->items[i]->arn;
    session->policy_arns = items;
}

int64_t sts_packed_size(const struct session *session)
{
    size_t bytes = session->policy.len;
    for (size_t i = 0; i < session->n_policy_arns; i++)
        bytes += session->policy_arns[i].len;
    for (size_t i = 0; i < session->tags.n; i++)
        bytes += session->tags.items[i].key.len + session->tags.items[i].value.len;
    return (int64_t)((bytes * 100 + 4095) / 4096);
}
