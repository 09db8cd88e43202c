/* Which statements of a set can match a request, without looking at the others.
 *
 * Each statement is filed under the fixed beginnings of its actions ("s3:get") and, within those, of its
 * resources ("arn:aws:s3:::b/"). A request meets the statements that are filed under a beginning of its own
 * action and resource: all that can match are among them, and a few more; statement_fit has the word. */
#pragma once

#include "policy/set.h"

/* The statements that a request has to be compared with, in the order of their documents. */
struct candidates {
    const struct policy_set *set;
    size_t policy, statement; /* the next one */
};
void candidates_find(struct arena *arena, const struct policy_set *set, const struct prepared *prepared,
                     struct candidates *out);
/* NULL: no more. *policy: of which it is; its number there is the distance from policy->statements. */
const struct statement *candidates_next(struct candidates *candidates, const struct policy **policy);
