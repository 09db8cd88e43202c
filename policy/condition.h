/* One line of a Condition block: operator, key, values. */
#pragma once

#include "policy/operator.h"

struct condition {
    const struct operator *op;
    enum { EACH_ONE, EACH_FOR_ALL, EACH_FOR_ANY } each; /* ForAllValues:, ForAnyValue: */
    bool if_exists;
    struct str key;
    const struct operand *operands;
    size_t n;
};

/* "ForAnyValue:StringLikeIfExists" taken apart. False: no such operator. */
bool condition_operator(struct str written, struct condition *out);
bool condition_holds(struct arena *arena, const struct condition *condition, const struct policy_request *request);
