/* One evaluator for everything that asks "may this happen". Pure: no I/O, no clock.
 * (Shape agreed for the layers above; the owner of policy/ refines it.) */
#pragma once

#include "core/arena.h"
#include "core/str.h"

struct policy_set;      /* the compiled policies of one principal, immutable, reference-counted */

/* One condition key of a request: "aws:SourceIp" -> values. Names are compared without case. */
struct policy_key {
    struct str name;
    const struct str *values;
    size_t n;
};

struct policy_request {
    struct str principal_arn, account;
    struct str action;   /* "execute-api:Invoke" */
    struct str resource; /* ARN */
    const struct policy_key *keys;
    size_t n_keys;
};

struct policy_decision {
    enum { POLICY_IMPLICIT_DENY, POLICY_ALLOW, POLICY_EXPLICIT_DENY } effect;
    struct str policy_name;  /* of the deciding statement; absent on implicit deny */
    struct str policy_type;  /* "identity-based", later "resource-based", "permissions-boundary", … */
    struct str sid;          /* or absent */
    int statement;           /* index in its policy, -1 */
    struct str reason;       /* a sentence for people and traces */
};
