/* What STS's operations share. */
#pragma once

#include "gen/sts.h"
#include "identity/access/principals.h"
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

/* Who it is in the audit record of an unsigned call: "SAMLUser" or "WebIdentityUser", and the role's account. */
void sts_audit_federated(struct call *call, const char *type, struct str principal_id, struct str user, struct str provider,
                         struct str account);
/* A session that was issued, as answers describe it. */
struct sts_Credentials *sts_credentials(struct call *call, const struct session *session);
/* Of who asked for a MinimumSessionTokenSize. */
void sts_token_size(const struct session *session, struct opt_i64 *bytes, struct opt_i64 *percent);

struct tags sts_tags(struct call *call, const struct sts_tagListType *tags);
const struct str *sts_policy_arns(struct call *call, const struct sts_policyDescriptorListType *arns);
/* "Duplicate tag keys found…"; aws: is reserved. */
gh_err sts_check_tags(struct call *call, struct tags tags);
/* MalformedPolicyDocument. */
gh_err sts_check_policy(struct call *call, struct str policy);
/* Managed policies of that account, or AWS's, that exist. */
gh_err sts_check_policy_arns(struct call *call, struct str account, const struct str *arns, size_t n);
/* SerialNumber and TokenCode: both or none. *given: a device of the caller's said so. */
gh_err sts_check_mfa(struct call *call, struct str serial_number, struct str token_code, bool *given);
/* A percentage of what a token may hold of policies and tags. */
int64_t sts_packed_size(const struct session *session);
/* PackedPolicyTooLarge. */
gh_err sts_check_packed(struct call *call, const struct session *session);
