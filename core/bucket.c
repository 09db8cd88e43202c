#include "core/bucket.h"

static bool refuses_all(const struct bucket_limit *limit)
{
    return limit->rate_per_s == 0 || limit->burst == 0;
}

struct bucket_limit bucket_limit_of(double rate_per_s, int64_t burst)
{
    static const int64_t most_ns = INT64_MAX / 4; /* 73 years: what a sum with the clock still holds */
    struct bucket_limit limit = { .rate_per_s = rate_per_s, .burst = burst < 0 ? 0 : burst };
    if (rate_per_s <= 0)
        return limit;
    double cost_ns = 1e9 / rate_per_s;
    limit.cost_ns = cost_ns < 1 ? 1 : cost_ns > (double)most_ns ? most_ns : (int64_t)(cost_ns + 0.5);
    if (__builtin_mul_overflow(limit.cost_ns, limit.burst, &limit.capacity_ns) || limit.capacity_ns > most_ns)
        limit.capacity_ns = most_ns;
    return limit;
}

bool bucket_limit_equal(const struct bucket_limit *a, const struct bucket_limit *b)
{
    return a->rate_per_s == b->rate_per_s && a->burst == b->burst;
}

void bucket_init(struct bucket *bucket, double rate_per_s, int64_t burst)
{
    bucket->limit = bucket_limit_of(rate_per_s, burst);
    atomic_init(&bucket->level, BUCKET_FULL);
}

bool bucket_take_level(const struct bucket_limit *limit, bucket_level *level, int64_t now_us)
{
    if (limit->rate_per_s < 0)
        return true;
    if (refuses_all(limit))
        return false;
    int64_t now_ns = now_us * 1000;
    int64_t seen = atomic_load_explicit(level, memory_order_relaxed);
    for (;;) {
        int64_t from = seen > now_ns ? seen : now_ns;
        int64_t next = from + limit->cost_ns;
        if (next - now_ns > limit->capacity_ns)
            return false;
        if (atomic_compare_exchange_weak_explicit(level, &seen, next, memory_order_relaxed, memory_order_relaxed))
            return true;
    }
}

void bucket_give_level(const struct bucket_limit *limit, bucket_level *level)
{
    if (limit->rate_per_s > 0)
        atomic_fetch_sub_explicit(level, limit->cost_ns, memory_order_relaxed);
}

static int64_t owed_ns(const bucket_level *level, int64_t now_us)
{
    return atomic_load_explicit(level, memory_order_relaxed) - now_us * 1000;
}

int64_t bucket_left_level(const struct bucket_limit *limit, const bucket_level *level, int64_t now_us)
{
    if (limit->rate_per_s < 0)
        return INT64_MAX;
    if (refuses_all(limit))
        return 0;
    int64_t owed = owed_ns(level, now_us);
    if (owed <= 0)
        return limit->burst;
    int64_t left = (limit->capacity_ns - owed) / limit->cost_ns;
    return left > 0 ? left : 0;
}

int64_t bucket_wait_us(const struct bucket_limit *limit, const bucket_level *level, int64_t now_us)
{
    if (limit->rate_per_s < 0)
        return 0;
    if (refuses_all(limit))
        return -1;
    int64_t short_ns = owed_ns(level, now_us) + limit->cost_ns - limit->capacity_ns;
    return short_ns <= 0 ? 0 : (short_ns + 999) / 1000;
}
