/* What is wrong or unwise with a policy document, named as IAM Access Analyzer's ValidatePolicy names it.
 *
 * Where the grammar stops at the first error (policy_check), this goes on: each finding has a code, a
 * sentence, and the place it is about. Names of actions, resources and keys are checked for the services of
 * services.json; about others nothing is said. Pure. */
#pragma once

#include "core/json_place.h"
#include "policy/eval.h"

enum policy_finding_type { FINDING_ERROR, FINDING_SECURITY_WARNING, FINDING_WARNING, FINDING_SUGGESTION };
const char *policy_finding_type_name(enum policy_finding_type type); /* "SECURITY_WARNING" */

struct policy_finding {
    enum policy_finding_type type;
    const char *code; /* "INVALID_ACTION" */
    struct str details;
    const struct json_step *path;
    size_t n_path;
    struct json_spot spot;             /* in the document; both 0 when it is no JSON */
    struct policy_position begin, end; /* lines from 1, columns from 1 */
};

/* In the order of their places, at most a thousand. Of a document that is no JSON, one finding says where it
 * breaks. */
size_t policy_lint(struct arena *arena, enum policy_use use, struct str document,
                   struct policy_finding **out);
