/* The inside of a policy_set, for eval.c. */
#pragma once


#include "policy/document.h"

struct policy_set {
    struct arena *arena;
    struct policy **policies;
    size_t n, cap;
};
