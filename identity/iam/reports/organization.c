/* What AWS Organizations switches on for all of its accounts. The accounts of a Gatehouse stand each for itself: these
 * operations answer as they do on AWS for an account that is in no organization. */
#include "identity/iam/iam.h"

static gh_err no_organization(struct call *call)
{
    return gh_fail(call->arena, &iam_OrganizationNotFoundException,
                   "The request was rejected because no organization is associated with your account.");
}

#define WITHOUT_ORGANIZATION(Operation)                                                                                  \
    gh_err iam_##Operation(struct call *call, const struct iam_##Operation##_in *in, struct iam_##Operation##_out *out)  \
    {                                                                                                                    \
        (void)in, (void)out;                                                                                             \
        return no_organization(call);                                                                                    \
    }

WITHOUT_ORGANIZATION(ListOrganizationsFeatures)
WITHOUT_ORGANIZATION(EnableOrganizationsRootCredentialsManagement)
WITHOUT_ORGANIZATION(DisableOrganizationsRootCredentialsManagement)
WITHOUT_ORGANIZATION(EnableOrganizationsRootSessions)
WITHOUT_ORGANIZATION(DisableOrganizationsRootSessions)

/* No report was ever made: there is nothing to make one of. */
gh_err iam_GetOrganizationsAccessReport(struct call *call, const struct iam_GetOrganizationsAccessReport_in *in,
                                        struct iam_GetOrganizationsAccessReport_out *out)
{
    (void)out;
    return gh_fail(call->arena, &iam_NoSuchEntityException, "The job with id %.*s cannot be found.", STR_FMT(in->job_id));
}
