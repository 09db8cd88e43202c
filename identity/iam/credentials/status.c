#include "identity/iam/credentials/status.h"

gh_err credential_status_check(struct call *call, struct str status)
{
    if (str_is(status, "Active") || str_is(status, "Inactive"))
        return NULL;
    return gh_fail(call->arena, &iam_InvalidInputException, "Status must be Active or Inactive.");
}
