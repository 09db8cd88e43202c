/* What a pool says of sessions: SetUserPoolSessionConfiguration. Kept in pool->more "sessions":
 * {"tracked": true, "max": 20}. */
#pragma once

#include "identity/pools/pool.h"

struct session_limits {
    bool tracked;         /* "default off: no records kept, token contents unchanged" */
    int64_t max_per_user; /* "over all clients, 1-100, default 20" */
};
struct session_limits session_limits(const struct pool *pool);
