/* Which program on this machine runs which runtime: nodejs20.x runs on the node that is there. */
#pragma once

#include "core/env.h"
#include "core/json.h"

struct interpreter {
    const char *runtime;   /* "python3.12" */
    const char *bootstrap; /* file in the runtime folder; NULL: the package brings its own */
    bool found;
    char path[512];        /* "/usr/bin/python3.11" */
    char version[64];      /* "3.11.2", "v20.20.2" */
    char prefix[512];      /* to be shown inside the sandbox when it is not below /usr; else "" */
};

/* Looks for all of them and asks each for its version. Blocks some 100 ms. */
void interpreters_find(const struct env *env);
/* NULL: a name we do not serve. Before interpreters_find `found` is false for all. */
const struct interpreter *interpreter_for(struct str runtime);
/* New reference: {"nodejs20.x":{"path","version"},…}, those that were found. */
json_t *interpreters_describe(void);
