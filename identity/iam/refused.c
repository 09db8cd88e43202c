/* Members of IAM's and STS's operations that are not enforced yet, and therefore refused. */
#include "identity/identity.h"

const char *const identity_refused_iam[] = {
    "CreateServiceSpecificCredential.CredentialAgeDays",
    "SimulatePrincipalPolicy.PolicyExclusionList",
    NULL,
};

const char *const identity_refused_sts[] = {
    "AssumeRole.ProvidedContexts",
    "AssumeRoleWithWebIdentity.ProviderId", /* OAuth 2.0 access tokens of Amazon and Facebook: only they can say whose */
    NULL,
};

const char *const identity_left_out[] = {
    /* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one text */
    "iam: CreateDelegationRequest, AssociateDelegationRequest, SendDelegationToken, AcceptDelegationRequest, "
    "RejectDelegationRequest, UpdateDelegationRequest, GetDelegationRequest, ListDelegationRequests, "
    "GetHumanReadableSummary: a delegation request asks for what a policy template says that AWS keeps for its partners; "
    "there are no such templates here, and the summary speaks of such requests only",
    "sts: AssumeRoot: only the management account of an organization may, and there is no organization here",
    "sts: GetDelegatedAccessToken: its trade-in tokens come of delegation requests, which there are none of",
    "iam: GenerateOrganizationsAccessReport: the accounts of a Gatehouse are in no organization",
    NULL,
};
