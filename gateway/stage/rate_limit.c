/* Option rateLimitHeaders: RateLimit-Limit, -Remaining and -Reset of the limit that is nearest to
 * being reached (the IETF's drafts of "RateLimit header fields for HTTP", as most clients know them),
 * and Retry-After with a 429. AWS sends none of them. */
#include <inttypes.h>

#include "gateway/stage/stage.h"

static int64_t seconds_up(int64_t us)
{
    return us <= 0 ? 0 : (us + 999999) / 1000000;
}

static void note(struct gw_request *r, int64_t limit, int64_t remaining, int64_t reset_us)
{
    if (r->rate.known && r->rate.remaining <= remaining)
        return;
    r->rate.known = true;
    r->rate.limit = limit;
    r->rate.remaining = remaining < 0 ? 0 : remaining;
    r->rate.reset_s = seconds_up(reset_us);
}

void stage_rate_bucket(struct gw_request *r, const struct bucket_limit *limit, const bucket_level *level, int64_t now_us,
                       bool refused)
{
    if (!r->snapshot->rate_limit_headers || limit->rate_per_s < 0)
        return;
    int64_t full_us = (atomic_load_explicit(level, memory_order_relaxed) - now_us * 1000) / 1000;
    note(r, limit->burst, refused ? 0 : bucket_left_level(limit, level, now_us), full_us);
    int64_t wait_us = refused ? bucket_wait_us(limit, level, now_us) : 0;
    if (refused && wait_us >= 0) /* a limit of 0 is no matter of waiting */
        r->rate.retry_s = wait_us ? seconds_up(wait_us) : 1;
}

void stage_rate_quota(struct gw_request *r, const struct usage_meter *meter, bool refused)
{
    if (!r->snapshot->rate_limit_headers || !r->rate.quota_ends_us)
        return;
    int64_t left_us = r->rate.quota_ends_us - r->wall_us;
    note(r, r->rate.quota, refused ? 0 : atomic_load(&meter->left) + atomic_load(&meter->pool), left_us);
    if (refused)
        r->rate.retry_s = seconds_up(left_us);
}

static void add(struct gw_request *r, struct str name, int64_t value)
{
    http_header_set(r->arena, &r->headers, name, str_printf(r->arena, "%" PRId64, value));
}

void stage_add_rate(struct gw_request *r)
{
    if (!r->rate.known)
        return;
    add(r, STR("RateLimit-Limit"), r->rate.limit);
    add(r, STR("RateLimit-Remaining"), r->rate.remaining);
    add(r, STR("RateLimit-Reset"), r->rate.reset_s);
    if (r->failed && r->rate.retry_s > 0)
        add(r, STR("Retry-After"), r->rate.retry_s);
}
