/* The last step: counters, the trace record, the access log line. */
#include <inttypes.h>

#include "core/log.h"
#include "core/time.h"
#include "gateway/stage/access_log.h"
#include "gateway/stage/stage.h"
#include "gateway/record/stage_metrics.h"
#include "gateway/watch.h"

static void count(struct gw_request *r, int64_t us)
{
    static const int64_t bounds_us[LATENCY_BUCKETS - 1] = { 100,   250,   500,    1000,   2500,   5000,   10000,
                                                            25000, 50000, 100000, 250000, 1000000, 5000000 };
    struct gw_counters *c = &r->home->counters;
    int class = r->status / 100;
    if (class >= 2 && class <= 5)
        gateway_count(r->home, COUNT_2XX + class - 2);
    if (r->failed && (r->failure == RESPONSE_INTEGRATION_FAILURE || r->failure == RESPONSE_INTEGRATION_TIMEOUT))
        gateway_count(r->home, COUNT_INTEGRATION_ERRORS);
    size_t bucket = 0;
    while (bucket < LATENCY_BUCKETS - 1 && us > bounds_us[bucket])
        bucket++;
    atomic_fetch_add_explicit(&c->latency[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->latency_sum_us, (uint64_t)us, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->counts[COUNT_BYTES_OUT], (uint64_t)r->reply_bytes, memory_order_relaxed);
}

/* A failure that is not the client's gets a line even without an access log. */
static void complain(struct gw_request *r)
{
    struct str why = r->integration_error.ptr ? r->integration_error : str_of(response_kinds[r->failure].name);
    log_at(LOG_WARN, "request failed", { "request_id", r->request_id }, { "api", r->api_id }, { "stage", r->stage },
           { "path", r->path }, { "response", str_of(response_kinds[r->failure].name) }, { "why", why },
           { "trace", { r->trace.id, TRACE_ID } });
}

static enum gw_next log_enter(struct gw_request *r)
{
    int64_t us = r->mark_us - r->x->started_us;
    r->trace.status = r->status;
    r->trace.total_us = (uint32_t)us;
    r->trace.integration_us = (uint32_t)r->answer.latency_us;
    if (!r->trial) {
        count(r, us);
        stage_metrics_count(r, us);
        if (r->snapshot && r->snapshot->watch)
            watch_count(r);
    }
    if (r->failed && r->status >= 500)
        complain(r);
    if (r->snapshot && r->snapshot->access_log)
        access_log_write(r, us);
    if (r->snapshot && r->snapshot->record && !r->trial)
        recording_keep(r);
    trace_keep(&r->home->traces, &r->trace);
    return GW_NEXT;
}

const struct gw_step step_log = { "log", log_enter, NULL };
