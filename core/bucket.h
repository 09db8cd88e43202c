/* Token bucket arithmetic: pure, exact, shared by all loops.
 *
 * The state is one 64-bit word, the time at which the bucket would be full again if nothing more
 * were taken ("theoretical arrival time", as in GCRA). Taking is a compare-and-swap on it, so a
 * limit is exact however many loops take at once. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What is allowed; never changes. */
struct bucket_limit {
    double rate_per_s;         /* tokens refilled a second; < 0: unlimited */
    int64_t burst;             /* tokens a full bucket holds */
    int64_t cost_ns;           /* nanoseconds of refill that one token stands for */
    int64_t capacity_ns;       /* of a whole bucket */
};

/* What has been taken; the monotonic time in nanoseconds at which the bucket is full. */
typedef _Atomic int64_t bucket_level;
#define BUCKET_FULL (INT64_MIN / 2)

struct bucket {
    struct bucket_limit limit;
    bucket_level level;
};

void bucket_init(struct bucket *bucket, double rate_per_s, int64_t burst);
struct bucket_limit bucket_limit_of(double rate_per_s, int64_t burst);
bool bucket_limit_equal(const struct bucket_limit *a, const struct bucket_limit *b);

/* Takes one token; false when there is none. rate 0 or burst 0 refuses everything. */
bool bucket_take_level(const struct bucket_limit *limit, bucket_level *level, int64_t now_us);
/* Gives one back: a later bucket refused the same request. */
void bucket_give_level(const struct bucket_limit *limit, bucket_level *level);
/* Whole tokens left; INT64_MAX when unlimited. */
int64_t bucket_left_level(const struct bucket_limit *limit, const bucket_level *level, int64_t now_us);
/* Microseconds until one token can be taken, 0 when one can now; -1: never. */
int64_t bucket_wait_us(const struct bucket_limit *limit, const bucket_level *level, int64_t now_us);

static inline bool bucket_take(struct bucket *bucket, int64_t now_us)
{
    return bucket_take_level(&bucket->limit, &bucket->level, now_us);
}
static inline void bucket_give(struct bucket *bucket)
{
    bucket_give_level(&bucket->limit, &bucket->level);
}
static inline int64_t bucket_left(const struct bucket *bucket, int64_t now_us)
{
    return bucket_left_level(&bucket->limit, &bucket->level, now_us);
}
