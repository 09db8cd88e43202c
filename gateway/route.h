/* From a path to a method.
 *
 * Segment by segment a literal beats {param}, which beats {greedy+}; within a resource the exact
 * method beats ANY. A trailing slash is ignored in matching. Path values are kept as they were
 * sent, not decoded: recorded, "test%2Balias" stays. */
#pragma once

#include "core/arena.h"
#include "core/str.h"

struct gw_method;
struct route;

#define ROUTE_MAX_PARAMS 32

struct route_match {
    const struct gw_method *method; /* NULL: no method for this verb (the resource may exist) */
    bool resource_found;
    struct {
        struct str name, value;     /* value raw, a view of the path */
    } params[ROUTE_MAX_PARAMS];
    size_t n_params;
};

struct route *route_new(struct arena *arena);
/* path: "/pets/{id}", verb: "GET" or "ANY". False: more than one variable child, greedy not last, … */
bool route_add(struct route *root, struct str path, struct str verb, const struct gw_method *method, const char **why);
/* After the last route_add and before the first route_find. */
void route_seal(struct arena *arena, struct route *root);
/* path: raw, begins with '/'. Any thread. */
void route_find(const struct route *root, struct str verb, struct str path, struct route_match *out);
