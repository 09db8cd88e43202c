/* Who asks in a simulation, and whose the resource is. */
#pragma once

#include "gen/iam.h"
#include "identity/store/iam_entity.h"
#include "wire/call.h"

struct simulated_order {
    struct str caller_arn, resource_owner, resource_policy, handling;
    const struct iam_ResourceNameListType *resources;
};
struct simulated_scene {
    struct str principal_arn, role_arn, account; /* absent: nobody in particular */
    bool cross_account;
};
/* source: of SimulatePrincipalPolicy; NULL: policies alone. Errors: InvalidInput. */
gh_err simulated_scene(struct call *call, const struct simulated_order *order, const struct entity *source,
                       struct simulated_scene *out);
