/* "API Gateway throttling-related settings are applied in the following order: 1. Per-client
 * per-method throttling limits that you set for an API stage in a usage plan 2. Per-client throttling
 * limits that you set in a usage plan 3. Default per-method limits and individual per-method limits
 * that you set in API stage settings 4. Account-level throttling". A request that a later bucket
 * refuses costs the earlier ones nothing. */
#include "gateway/stage/stage.h"

struct claim {
    const char *name;
    const struct bucket_limit *limit;
    bucket_level *level;
};

static void add_column(struct claim *claims, size_t *n, const char *name, const struct usage_column *column, uint32_t slot)
{
    if (column)
        claims[(*n)++] = (struct claim){ name, &column->limit, usage_level(column, slot) };
}

static void add_bucket(struct claim *claims, size_t *n, const char *name, struct bucket *bucket)
{
    if (bucket)
        claims[(*n)++] = (struct claim){ name, &bucket->limit, &bucket->level };
}

static size_t gather(struct gw_request *r, struct claim claims[4])
{
    const struct usage_match *match = &r->usage.match;
    size_t n = 0;
    for (size_t i = 0; match->stage && i < match->stage->n_methods; i++) {
        const struct usage_method *method = &match->stage->methods[i];
        if (str_eq(method->path, r->method->resource_path) && str_eq(method->verb, r->method->http_method))
            add_column(claims, &n, "usage plan's method limit", method->column, match->meter->slot);
    }
    if (match->plan)
        add_column(claims, &n, "usage plan's limit", match->plan->client, match->meter->slot);
    add_bucket(claims, &n, r->method->bucket_is_default ? "stage limit" : "method limit", r->method->bucket);
    add_bucket(claims, &n, "account limit", r->snapshot->account_bucket);
    return n;
}

static enum gw_next throttle_enter(struct gw_request *r)
{
    struct claim claims[4];
    size_t n = gather(r, claims), taken = 0;
    int64_t now_us = r->mark_us; /* when the last step ended */
    while (taken < n && bucket_take_level(claims[taken].limit, claims[taken].level, now_us))
        taken++;
    for (size_t i = 0; i < n && i <= taken; i++)
        stage_rate_bucket(r, claims[i].limit, claims[i].level, now_us, i == taken);
    if (taken == n)
        return GW_NEXT;
    for (size_t i = 0; i < taken; i++)
        bucket_give_level(claims[i].limit, claims[i].level);
    trace_note(&r->trace, "throttled by the",
               str_printf(r->arena, "%s: %g a second, burst %lld", claims[taken].name,
                          claims[taken].limit->rate_per_s, (long long)claims[taken].limit->burst));
    gateway_count(r->home, COUNT_THROTTLED);
    return gw_fail(r, RESPONSE_THROTTLED);
}

const struct gw_step step_throttle = { "throttle", throttle_enter, NULL, true, .guards = true };
