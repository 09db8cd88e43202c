/* The domains of a pool: a prefix, a whole name of one's own, or both. */
#pragma once

#include "identity/pools/record.h"

/* Absent: none of that sort. */
gh_err domains_of_pool(struct call *call, struct tx *tx, const struct pool *pool, struct str *prefix, struct str *custom);
