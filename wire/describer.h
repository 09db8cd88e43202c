/* Condition keys of a service's resources. */
#pragma once

#include "policy/eval.h"
#include "wire/call.h"

/* What conditions may ask about a resource as it is now. It is read only for a principal whose policies look at
 * such keys. */
struct describer {
    const char *const *keys; /* how those keys begin, NULL-terminated: "aws:ResourceTag/" */
    void (*describe)(struct call *call, struct str resource, struct policy_context *context);
};
