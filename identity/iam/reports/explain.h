/* POST /_gatehouse/policy/explain: policy/order.h's question, answered with policy/why.h's JSON and its text. */
#pragma once

#include "wire/call.h"

/* ctx: struct str *, the body. A principal of the caller's account is asked with all that it has: its policies,
 * boundary and tags, the guard rails, and a role's trust policy when it is to be assumed; identity policies of the
 * question stand beside its own, others in their place. Who asks needs iam:SimulatePrincipalPolicy on it; with
 * policies alone iam:SimulateCustomPolicy. Errors: InvalidInput, NoSuchEntity, AccessDenied. */
gh_err explain_run(struct call *call, void *ctx, struct str *json);
