/* The token buckets of accounts, stages and methods: one a limit, whatever is deployed.
 *
 * A snapshot is immutable and lives from one publication to the next; how much of a limit is used
 * up lives on as long as the limit stays as it is. So snapshots hold buckets of this table, found by
 * what they limit, and a publication that leaves a limit alone finds its bucket at the level it had. */
#pragma once

#include "gateway/snapshot.h"

struct limits;

/* Per account and region, requests of all its APIs together; rate 0: no limit. */
struct limits *limits_new(double account_rate_per_s, int64_t account_burst);
void limits_free(struct limits *limits);

/* Puts the table's buckets in the place of those that were compiled; before the snapshot is
 * published. Control plane: it takes a lock. The buckets live as long as the snapshot. */
void limits_share(struct limits *limits, struct snapshot *snapshot);
