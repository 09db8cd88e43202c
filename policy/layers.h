/* The layers of a decision one by one, for eval.c and why*.c. */
#pragma once

#include "policy/set.h"

/* In AWS's order of evaluation. */
enum layer { LAYER_RESOURCE_CONTROL, LAYER_SERVICE_CONTROL, LAYER_IDENTITY, LAYER_BOUNDARY, LAYER_SESSION, LAYER_RESOURCE, LAYERS };

struct layer_row {
    const char *type; /* "identity-based policy" */
    const struct policy_set *set;
    bool asked;       /* else it is absent, and has no say */
};
void layers_list(const struct policy_layers *layers, struct layer_row rows[LAYERS]);
/* The layers whose allow is needed, a bit each, given what the resource's policy says. */
unsigned layers_required(const struct policy_layers *layers, const struct layer_row rows[LAYERS],
                         const struct policy_decision *resource);
