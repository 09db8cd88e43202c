/* Options beyond AWS of a user pool (core/option.h). They stand in pool->more, so UpdateUserPool leaves them
 * alone, and count from the next call on. A new one is a row in identity/pools/options.c and a reader:
 *
 *     int64_t limit = option_count(pool->more, "lockoutAfterFailures", 5);                            */
#pragma once

#include "core/option.h"
#include "identity/pools/pool.h"

extern const struct option_table pool_options;

/* One of kind OPTION_SECRET, opened; absent: not set, or it does not open (logged). */
struct str pool_option_secret(struct call *call, const struct pool *pool, const char *name);
