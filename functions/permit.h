/* May this caller run this function? "To grant permission to another account or a service, use the
 * function's resource-based policy": what AddPermission wrote, compiled when the route is read. */
#pragma once

#include "core/invoke.h"
#include "policy/eval.h"

struct permit_target {
    struct str account, region, name;
    struct str qualifier; /* "$LATEST": the function itself */
    struct str partition;
};

/* False: *why, in the arena, is for people: who was not let in, and how to change that. */
bool permit(struct arena *arena, const struct invoke_caller *caller, const struct permit_target *target,
            const struct policy_set *policy, int64_t now_s, struct str *why);
