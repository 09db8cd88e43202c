/* Whoever names a role for API Gateway to act in must be allowed to hand it on. */
#pragma once

#include "wire/call.h"

/* role: as the caller wrote it; absent, the caller's own credentials and what it was before need no asking.
 * Errors: AccessDeniedException, "… is not authorized to perform: iam:PassRole on resource: ROLE …". */
gh_err ops_check_pass_role(struct call *call, struct str role, struct str before);
