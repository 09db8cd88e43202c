/* How long an answer may take to come: in all, and between two of its pieces.
 *
 * "You can stream your response for up to 15 minutes. Your streams are subject to idle timeouts. For Regional or
 * private endpoints, the timeout is 5 minutes. For edge-optimized endpoints, the timeout is 30 seconds." A client
 * that does not read is not the endpoint's silence: meanwhile the idle time stands still. */
#include "gateway/stage/stage.h"

static void out_of_time(struct timer *timer)
{
    struct gw_request *r = (struct gw_request *)((char *)timer - offsetof(struct gw_request, deadline));
    r->flow_expired(r, "the integration's timeout has passed");
}

static void too_quiet(struct timer *timer)
{
    struct gw_request *r = (struct gw_request *)((char *)timer - offsetof(struct gw_request, quiet));
    r->flow_expired(r, "the endpoint sent nothing for the stream's idle time");
}

void stage_flow_begin(struct gw_request *r, int64_t left_us, int64_t idle_us,
                      void (*expired)(struct gw_request *r, const char *why))
{
    r->flow_expired = expired;
    r->idle_us = idle_us;
    timer_start(r->x->loop, &r->deadline, left_us > 0 ? left_us : 0, out_of_time);
    if (idle_us)
        timer_start(r->x->loop, &r->quiet, idle_us, too_quiet);
}

void stage_flow_moved(struct gw_request *r)
{
    if (r->idle_us && r->flow_expired)
        timer_start(r->x->loop, &r->quiet, r->idle_us, too_quiet);
}

void stage_flow_held(struct gw_request *r)
{
    timer_stop(r->x->loop, &r->quiet);
}

void stage_flow_end(struct gw_request *r)
{
    timer_stop(r->x->loop, &r->deadline);
    timer_stop(r->x->loop, &r->quiet);
    r->flow_expired = NULL;
}
