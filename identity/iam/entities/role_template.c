/* Role templates belong to AWS's services, which make them; no operation makes one, and no such service runs here. */
#include "identity/iam/iam.h"

static gh_err no_template(struct call *call, struct str arn)
{
    if (!str_starts(arn, STR("arn:")))
        return gh_fail(call->arena, &iam_InvalidInputException, "ARN %.*s is not valid.", STR_FMT(arn));
    return gh_fail(call->arena, &iam_NoSuchEntityException, "Role template %.*s cannot be found.", STR_FMT(arn));
}

gh_err iam_GetRoleTemplateVersion(struct call *call, const struct iam_GetRoleTemplateVersion_in *in,
                                  struct iam_GetRoleTemplateVersion_out *out)
{
    (void)out;
    return no_template(call, in->template_arn);
}

gh_err iam_AcquireRole(struct call *call, const struct iam_AcquireRole_in *in, struct iam_AcquireRole_out *out)
{
    (void)out;
    return no_template(call, in->template_arn);
}
