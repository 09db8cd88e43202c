/* A row of the credential report for each user, and one for root. */
#pragma once

#include "identity/iam/iam.h"

/* The whole of it: AWS's header, <root_account>, users in order of their names without regard to case; lines end in LF,
 * the last one in nothing (seen). */
gh_err credential_report_write(struct call *call, struct str *csv);
