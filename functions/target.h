/* What the runtime must know to run one version of a function: read from the store once, then
 * immutable. A route says which target a name and qualifier mean; an alias may have two. */
#pragma once

#include "core/env.h"
#include "core/str.h"

struct db;
struct sealer;

struct target {
    struct arena *arena;       /* its own */
    struct str account, region, name, version, arn; /* arn: without qualifier */
    struct str runtime, handler, role, code;        /* code: hex of the package */
    int timeout_ms;
    int64_t memory_mb, tmp_mb;
    const char *const *variables; /* "NAME=value", NULL-terminated */
    size_t n_variables;
    struct str log_group;
    int64_t reserved;          /* concurrency; -1: none */
};

struct policy_set;

struct route {
    int n;                     /* targets; 0: there is no such function, version or alias */
    struct target *targets[2];
    double second_weight;      /* of targets[1], 0.0–1.0 */
    const struct policy_set *policy; /* who else may call it, compiled; NULL: nobody */
};

/* Job threads. False: the store failed (*why). Targets and policy are on the heap: target_free, policy_set_free. */
bool route_load(struct db *db, const struct sealer *sealer, struct str account, struct str region, struct str name,
                struct str qualifier, struct route *out, struct arena *arena, struct str *why);
void target_free(struct target *target);
