#include "core/bucket.h"

void bucket_init(struct bucket *bucket, double rate_per_s, int64_t burst)
{
    bucket->rate_per_s = rate_per_s;
    bucket->burst = burst < 0 ? 0 : burst;
    bucket->cost_ns = rate_per_s > 0 ? (int64_t)(1e9 / rate_per_s) : 0;
    if (rate_per_s > 0 && bucket->cost_ns < 1)
        bucket->cost_ns = 1;
    atomic_init(&bucket->full_at_ns, INT64_MIN / 2);
}

static bool refuses_all(const struct bucket *bucket)
{
    return bucket->rate_per_s == 0 || bucket->burst == 0;
}

bool bucket_take(struct bucket *bucket, int64_t now_us)
{
    if (bucket->rate_per_s < 0)
        return true;
    if (refuses_all(bucket))
        return false;
    int64_t now_ns = now_us * 1000;
    int64_t capacity_ns = bucket->cost_ns * bucket->burst;
    int64_t seen = atomic_load_explicit(&bucket->full_at_ns, memory_order_relaxed);
    for (;;) {
        int64_t from = seen > now_ns ? seen : now_ns;
        int64_t next = from + bucket->cost_ns;
        if (next - now_ns > capacity_ns)
            return false;
        if (atomic_compare_exchange_weak_explicit(&bucket->full_at_ns, &seen, next, memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    }
}

void bucket_give(struct bucket *bucket)
{
    if (bucket->rate_per_s > 0)
        atomic_fetch_sub_explicit(&bucket->full_at_ns, bucket->cost_ns, memory_order_relaxed);
}

int64_t bucket_left(const struct bucket *bucket, int64_t now_us)
{
    if (bucket->rate_per_s < 0)
        return INT64_MAX;
    if (refuses_all(bucket))
        return 0;
    int64_t owed_ns = atomic_load_explicit(&bucket->full_at_ns, memory_order_relaxed) - now_us * 1000;
    if (owed_ns <= 0)
        return bucket->burst;
    int64_t left = (bucket->cost_ns * bucket->burst - owed_ns) / bucket->cost_ns;
    return left > 0 ? left : 0;
}
