/* Which statements of a set can match a request, without looking at the others.
 *
 * Each statement is filed under the fixed beginnings of its actions ("s3:get") and, within those, of its
 * resources ("arn:aws:s3:::b/"). A request meets the statements that are filed under a beginning of its own
 * action and resource: all that can match are among them, and a few more; statement_fit has the word. */
#pragma once

#include "policy/set.h"

/* Up to so many statements are looked at one by one. */
#define INDEX_FROM 16

/* Files what was added to set->all since the last time. */
void index_update(struct policy_set *set);
void index_free(struct policy_index *index); /* NULL is fine */

/* The statements that a request has to be compared with, in the order of their documents. */
#define CANDIDATES_LOCAL 16 /* words of 64 statements, without an allocation */
struct candidates {
    const struct policy_set *set;
    size_t next;                    /* the number in set->all to look at */
    uint64_t *more;                 /* a bit for each statement; NULL: in `local` */
    uint64_t local[CANDIDATES_LOCAL];
};
/* set: NULL has none. arena: for sets of more than 1,024 statements, and names longer than any of AWS's. */
void candidates_find(struct arena *arena, const struct policy_set *set, const struct prepared *prepared,
                     struct candidates *out);
/* NULL: no more. *policy: of which it is; its number there is the distance from policy->statements. */
const struct statement *candidates_next(struct candidates *candidates, const struct policy **policy);
