/* "API Gateway throttles requests using the token bucket algorithm": the method's limit, then the
 * account's. A request that a later bucket refuses costs the earlier ones nothing. */
#include "gateway/request.h"

static enum gw_next throttle_enter(struct gw_request *r)
{
    struct bucket *buckets[] = { r->method->bucket, r->snapshot->account_bucket };
    const char *const names[] = { r->method->bucket_is_default ? "stage limit" : "method limit", "account limit" };
    int64_t now_us = r->mark_us; /* when the last step ended */
    for (size_t i = 0; i < COUNT(buckets); i++) {
        if (!buckets[i] || bucket_take(buckets[i], now_us))
            continue;
        for (size_t taken = 0; taken < i; taken++)
            if (buckets[taken])
                bucket_give(buckets[taken]);
        trace_note(&r->trace, "throttled by the",
                   str_printf(r->arena, "%s: %g a second, burst %lld", names[i], buckets[i]->limit.rate_per_s,
                              (long long)buckets[i]->limit.burst));
        gateway_count(r->home, COUNT_THROTTLED);
        return gw_fail(r, RESPONSE_THROTTLED);
    }
    return GW_NEXT;
}

const struct gw_step step_throttle = { "throttle", throttle_enter, NULL, true, .guards = true };
