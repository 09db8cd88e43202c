/* "The status you want to assign: Active or Inactive"; the model's enumeration has a third, that nobody sets. */
#pragma once

#include "identity/iam/iam.h"

gh_err credential_status_check(struct call *call, struct str status); /* InvalidInput */
