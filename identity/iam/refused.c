/* Members of IAM's and STS's operations that are not enforced yet, and therefore refused. */
#include "identity/identity.h"

const char *const identity_refused_iam[] = {
    "CreateServiceSpecificCredential.CredentialAgeDays",
    "GetAccountAuthorizationDetails.Marker",
    "GetAccountAuthorizationDetails.MaxItems",
    "ListServiceSpecificCredentials.AllUsers",
    "ListServiceSpecificCredentials.MaxItems",
    "ListServiceSpecificCredentials.Marker",
    "SimulateCustomPolicy.CallerArn",
    "SimulateCustomPolicy.OrderedOrganizationPolicyInputList",
    "SimulateCustomPolicy.ResourceHandlingOption",
    "SimulateCustomPolicy.ResourceOwner",
    "SimulateCustomPolicy.ResourcePolicy",
    "SimulatePrincipalPolicy.CallerArn",
    "SimulatePrincipalPolicy.PolicyExclusionList",
    "SimulatePrincipalPolicy.ResourceHandlingOption",
    "SimulatePrincipalPolicy.ResourceOwner",
    "SimulatePrincipalPolicy.ResourcePolicy",
    NULL,
};

const char *const identity_refused_sts[] = {
    "AssumeRole.ProvidedContexts",
    "AssumeRoleWithWebIdentity.ProviderId", /* OAuth 2.0 access tokens of Amazon and Facebook: only they can say whose */
    NULL,
};
