#include "identity/key_id.h"
#include "identity/sts/sts.h"

gh_err sts_GetCallerIdentity(struct call *call, const struct sts_GetCallerIdentity_in *in,
                             struct sts_GetCallerIdentity_out *out)
{
    (void)in;
    out->user_id = call->principal->id;
    out->account = call->principal->account;
    out->arn = call->principal->arn;
    return NULL;
}

gh_err sts_GetAccessKeyInfo(struct call *call, const struct sts_GetAccessKeyInfo_in *in,
                            struct sts_GetAccessKeyInfo_out *out)
{
    if (key_id_account(call->arena, in->access_key_id, &out->account))
        return NULL;
    return gh_fail(call->arena, &STS_VALIDATION_ERROR, "Invalid access key: %.*s", STR_FMT(in->access_key_id));
}

/* Refusals here say their reason in clear, so no encoded message of ours exists. */
gh_err sts_DecodeAuthorizationMessage(struct call *call, const struct sts_DecodeAuthorizationMessage_in *in,
                                      struct sts_DecodeAuthorizationMessage_out *out)
{
    (void)in, (void)out;
    return gh_fail(call->arena, &sts_InvalidAuthorizationMessageException, "Message is invalid");
}
