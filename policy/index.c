#include "policy/index.h"

void candidates_find(struct arena *arena, const struct policy_set *set, const struct prepared *prepared,
                     struct candidates *out)
{
    (void)arena, (void)prepared;
    *out = (struct candidates){ .set = set };
}

const struct statement *candidates_next(struct candidates *candidates, const struct policy **policy)
{
    const struct policy_set *set = candidates->set;
    while (set && candidates->policy < set->n) {
        *policy = set->policies[candidates->policy];
        if (candidates->statement < (*policy)->n)
            return &(*policy)->statements[candidates->statement++];
        candidates->policy++;
        candidates->statement = 0;
    }
    return NULL;
}
