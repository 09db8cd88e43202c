/* Which user, group or role an IAM operation is about. */
#pragma once

#include "core/db.h"
#include "policy/eval.h"

/* Operations name things without their path; policies mean the whole ARN. Fills in the real ARN and
 * the tags (aws:ResourceTag, iam:ResourceTag) of what is there; for a name that nobody has, the
 * denial says "user bob". Reads the database for actions of iam, does nothing for others. */
void iam_resource(struct db *db, struct arena *arena, struct policy_request *request, struct policy_context *context);
