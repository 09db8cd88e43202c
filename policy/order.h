/* A question as people write it down: who wants what, under which policies. JSON, for Explain and for the
 * command line without a server:
 *
 *     {"principal": "arn:aws:iam::123456789012:user/ann",    or a session, root, "anonymous", "lambda.amazonaws.com"
 *      "action": "lambda:InvokeFunction", "resource": "arn:…",  resource: "*" when it is left out
 *      "resourceAccount": "210987654321",                       the principal's when it is left out
 *      "context": {"aws:SourceIp": "192.0.2.1", "aws:TagKeys": ["a", "b"]},
 *      "policies": {"identity": […], "boundary": …, "session": …, "serviceControl": …, "resourceControl": …,
 *                   "resource": …, "trust": …}}
 *
 * Each of policies is a document, as an object or as text, or {"name", "document"}, or a list of such. FullAWSAccess
 * stands beside service control policies none of which allows anything, and always beside resource control policies. */
#pragma once

#include "core/json.h"
#include "policy/eval.h"

struct policy_order {
    struct policy_layers layers;    /* sets that are let go with the arena; unset where no policies were given */
    struct policy_request request;  /* keys: `context` alone */
    struct str resource_account;    /* or absent */
    bool has_principal;
};
/* False: *why. */
bool policy_order_read(struct arena *arena, const json_t *json, struct policy_order *out, struct str *why);
/* Adds what follows from the principal's ARN and is not given: aws:PrincipalArn, aws:PrincipalAccount, aws:username. */
void policy_order_complete(struct arena *arena, struct policy_order *order);

extern const char POLICY_FULL_ACCESS[], POLICY_RESOURCE_FULL_ACCESS[]; /* what FullAWSAccess and RCPFullAWSAccess say */
