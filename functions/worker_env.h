/* The environment of a function's process, as Lambda sets it. */
#pragma once

#include "functions/fleet.h"

struct worker_env {
    const struct functions *functions;
    const struct target *target;
    const char *code_dir, *runtime_dir; /* as the process sees them */
    uint16_t port;                      /* of its Runtime API */
    struct str key_id, secret, token;   /* absent: the role gave none */
};

/* NULL-terminated, in the arena. `mark` gets the one variable that no other process has. */
const char *const *worker_env_build(const struct worker_env *env, struct arena *arena, char *mark, size_t mark_cap);
/* "Reserved keys": names that functions may not set. */
bool worker_env_is_reserved(struct str name);
