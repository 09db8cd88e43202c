/* The inside of a policy_set: its documents, and every statement of theirs in order. */
#pragma once

#include "policy/document.h"

struct placed {
    const struct policy *policy;
    const struct statement *statement; /* of it */
};

struct policy_index;
struct policy_set {
    struct arena *arena;
    struct policy **policies;
    size_t n, cap;
    struct placed *all;         /* in the order of the documents */
    size_t n_all, cap_all;
    struct policy_index *index; /* NULL: so few statements that looking at each is quicker */
};
