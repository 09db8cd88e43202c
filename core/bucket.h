/* Token bucket arithmetic: pure, exact, shared by all loops.
 *
 * The state is one 64-bit word, the time at which the bucket would be full again if nothing more
 * were taken ("theoretical arrival time", as in GCRA). Taking is a compare-and-swap on it, so a
 * limit is exact however many loops take at once. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct bucket {
    double rate_per_s;         /* tokens refilled a second; < 0: unlimited */
    int64_t burst;             /* tokens a full bucket holds */
    int64_t cost_ns;           /* nanoseconds of refill that one token stands for */
    _Atomic int64_t full_at_ns; /* monotonic */
};

void bucket_init(struct bucket *bucket, double rate_per_s, int64_t burst);
/* Takes one token; false when there is none. rate 0 or burst 0 refuses everything. */
bool bucket_take(struct bucket *bucket, int64_t now_us);
/* Gives one back: a later bucket refused the same request. */
void bucket_give(struct bucket *bucket);
/* Whole tokens left, for traces; INT64_MAX when unlimited. */
int64_t bucket_left(const struct bucket *bucket, int64_t now_us);
