/* The policy of a REST API, as AWS takes it, keeps it and shows it. */
#pragma once

#include "gateway/ops/ops.h"

/* In: the document, plain or with its quotes escaped ("jsonEscapedPolicyDocument"). Out: what is kept
 * (a plain document; "execute-api:/stage/GET/x" written out, lists of one as their element); absent
 * when `given` is empty.
 * Errors: BadRequestException in AWS's words; AccessDeniedException: "apigateway:UpdateRestApiPolicy". */
gh_err resource_policy_take(struct call *call, struct str api_id, struct str given, struct str *kept);
/* May the caller set the policy? `resource`: "/restapis/{id}", or "/restapis" for a new API. */
gh_err resource_policy_may(struct call *call, struct str resource);
/* As answers have it: {\"Version\":…, with every quote and slash escaped once more. */
struct str resource_policy_shown(struct arena *arena, struct str kept);
