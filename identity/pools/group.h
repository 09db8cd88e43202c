/* Groups of a pool, for who makes them beside CreateGroup. */
#pragma once

#include "identity/pools/pool.h"

/* A group with nothing but its name, in the transaction. */
gh_err group_make(struct call *call, struct tx *tx, const struct pool *pool, struct str name);
