/* Guard rails: what AWS Organizations lets service and resource control policies contain. */
#pragma once

#include "policy/document.h"

static inline bool policy_is_control(enum policy_use use)
{
    return use == POLICY_SERVICE_CONTROL || use == POLICY_RESOURCE_CONTROL;
}

/* What such a policy must not say, beyond what IAM asks of every policy. NULL: nothing is wrong. */
const char *control_fault(enum policy_use use, const struct policy *policy);
/* Organizations answers everything with one sentence; ours goes on to say what is wrong. */
struct str control_refusal(struct arena *arena, struct str why);
