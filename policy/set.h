/* The inside of a policy_set, for eval.c. */
#pragma once

#include <stdatomic.h>

#include "policy/document.h"

struct policy_set {
    atomic_int references;
    struct arena *arena;
    struct policy **policies;
    size_t n, cap;
};
