/* API keys, and the quotas of their usage plans.
 *
 * "API Gateway reads the key and compares it against the keys in the usage plan. If there is a match,
 * API Gateway throttles the requests according to the plan's request limit and quota. Otherwise, it
 * throws an InvalidKeyParameter exception. As a result, the caller receives a 403 Forbidden response."
 * Methods that need no key do not have these steps: AWS's log says of such a request that it "will
 * not contribute to throttle or quota limits". */
#include "gateway/stage/stage.h"

static struct str given_key(struct gw_request *r)
{
    return r->snapshot->key_from_authorizer ? r->usage_identifier_key
                                            : gw_header_last(&r->x->headers, STR("x-api-key"));
}

static enum gw_next quota_exceeded(struct gw_request *r, const struct usage_meter *meter)
{
    stage_rate_quota(r, meter, true);
    const struct usage_plan *plan = r->usage.match.plan;
    static const char *const per[] = { "day", "week", "month" };
    struct str limit = plan ? str_printf(r->arena, ": %lld a %s", (long long)plan->quota, per[plan->period]) : STR("");
    trace_note(&r->trace, "quota used up",
               str_printf(r->arena, "of key %.*s in usage plan %.*s%.*s", STR_FMT(r->usage.key_id),
                          STR_FMT(r->usage.plan_id), STR_FMT(limit)));
    gateway_count(r->home, COUNT_THROTTLED);
    return gw_fail(r, RESPONSE_QUOTA_EXCEEDED);
}

static enum gw_next usage_enter(struct gw_request *r)
{
    struct usage_match *match = &r->usage.match;
    struct str value = given_key(r);
    const char *why = usage_find(r->home, r->snapshot, value, r->wall_us, match);
    if (why) {
        trace_note(&r->trace, "API key", str_of(why));
        if (match->key)
            trace_note(&r->trace, "id of the key", match->key->id);
        return gw_fail(r, RESPONSE_INVALID_API_KEY);
    }
    if (match->plan->has_quota && r->snapshot->rate_limit_headers) {
        r->rate.quota = match->plan->quota;
        r->rate.quota_ends_us = usage_period_end_us(match->plan->period, r->wall_us);
    }
    r->usage.value = value;
    r->usage.key_id = str_copy(r->arena, match->key->id);
    r->usage.plan_id = str_copy(r->arena, match->plan->id);
    trace_note(&r->trace, "API key", r->usage.key_id);
    trace_note(&r->trace, "usage plan", r->usage.plan_id);
    return usage_exceeded(match->meter, r->wall_us) ? quota_exceeded(r, match->meter) : GW_NEXT;
}

static void release(void *ptr)
{
    usage_meter_unref(ptr);
}

/* The tables may change while it waits: what it needs of them is held. */
static void hold(struct gw_request *r)
{
    if (r->usage.meter)
        return;
    r->usage.meter = r->usage.match.meter;
    atomic_fetch_add_explicit(&r->usage.meter->references, 1, memory_order_relaxed);
    arena_defer(r->arena, release, r->usage.meter);
}

static enum gw_next storage_failed(struct gw_request *r, const char *why)
{
    trace_note(&r->trace, "quota", str_of(why));
    return gw_fail(r, RESPONSE_API_CONFIGURATION_ERROR);
}

static enum gw_next take(struct gw_request *r, struct usage_meter *meter)
{
    switch (usage_take(r->gateway, meter, r->wall_us)) {
    case USAGE_TAKEN:
        stage_rate_quota(r, meter, false);
        return GW_NEXT;
    case USAGE_EXCEEDED:
        return quota_exceeded(r, meter);
    default:
        hold(r);
        r->usage.match = (struct usage_match){ 0 };
        return usage_wait(r, r->usage.meter) ? GW_WAIT : storage_failed(r, "too many jobs wait already");
    }
}

static enum gw_next quota_enter(struct gw_request *r)
{
    return take(r, r->usage.match.meter);
}

static enum gw_next quota_resume(struct gw_request *r)
{
    if (r->usage.outcome == USAGE_FAILED)
        return storage_failed(r, "it can neither be read nor written");
    if (r->usage.outcome == USAGE_GONE) {
        trace_note(&r->trace, "API key", STR("the key has just left its usage plan"));
        return gw_fail(r, RESPONSE_INVALID_API_KEY);
    }
    /* The day may have begun while it waited. */
    int64_t now_us = env_now_us(r->gateway->config.env);
    r->wall_us = usage_day_of(now_us) != usage_day_of(r->wall_us) ? now_us : r->wall_us;
    return take(r, r->usage.meter);
}

const struct gw_step step_usage = { "usage", usage_enter, NULL, true, .guards = true };
const struct gw_step step_quota = { "quota", quota_enter, quota_resume, true, .guards = true };
