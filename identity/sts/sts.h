/* What STS's operations share. */
#pragma once

#include "gen/sts.h"
#include "identity/principals.h"
#include "identity/sts/session.h"
#include "wire/call.h"

extern const struct gh_kind STS_VALIDATION_ERROR;   /* ValidationError 400 */
extern const struct gh_kind STS_ACCESS_DENIED;      /* AccessDenied 403 */
extern const struct gh_kind STS_INVALID_PARAMETER;  /* InvalidParameterValue 400 */

/* Who calls: never NULL in a signed operation. */
static inline const struct credential *sts_caller(const struct call *call)
{
    return call->credential;
}

/* Issues the session and describes it. */
struct sts_Credentials *sts_issue(struct call *call, struct session *session);
/* "Duplicate tag keys found…"; aws: is reserved. */
gh_err sts_check_tags(struct call *call, const struct sts_tagListType *tags);
/* MalformedPolicyDocument. */
gh_err sts_check_policy(struct call *call, struct str policy);
/* No MFA device exists here, so none can be valid. */
gh_err sts_check_mfa(struct call *call, struct str serial_number, struct str token_code);
void sts_copy_policy_arns(struct call *call, const struct sts_policyDescriptorListType *arns, struct session *session);
/* A percentage of what a token may hold of policies and tags. */
int64_t sts_packed_size(const struct session *session);
