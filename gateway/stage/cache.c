/* The cache's step: after the authorizer, the throttle and validation ("Starting execution"), before the
 * request's mapping. A hit skips mapping and integration; what is kept is the whole answer as the client
 * gets it, but for its ids.
 *
 * Equal misses wait for one call. They wait on this loop's time, at most as long as their own integration
 * would be given; a leader that fails hands its place to the next. */
#include "gateway/cache/caches.h"
#include "gateway/stage/cache.h"
#include "gateway/record/stage_metrics.h"

#include <stdlib.h>

static enum gw_next look(struct gw_request *r);

static const struct gw_cache_rule *rule_of(const struct gw_request *r)
{
    const struct gw_cache_plan *plan = r->method->cache;
    for (size_t i = 0; i < plan->n_rules; i++)
        if (str_eq(plan->rules[i].verb, r->http_method))
            return &plan->rules[i];
    return NULL;
}

/* Of entries' dates: it moves with the test clock, and not when the machine's clock is set. */
int64_t stage_cache_now_us(const struct gw_request *r)
{
    bool has_waited = r->caching && r->caching->give_up_us;
    return (has_waited ? env_monotonic_us(r->gateway->config.env) : r->mark_us) + env_system_offset_us();
}

static struct str name_in_table(struct gw_request *r, struct str key)
{
    return r->caching->sealer ? cache_sealed_key(r->caching->sealer, r->arena, key) : key;
}

/* --- a hit --- */

static void unref(void *entry)
{
    cache_entry_unref(entry);
}

static bool matches(struct str candidates, struct str etag)
{
    struct str one;
    while (str_split(&candidates, ',', &one)) {
        one = str_trim(one);
        if (str_starts(one, STR("W/"))) /* If-None-Match compares weakly (RFC 9110, 13.1.2) */
            one = str_from(one, 2);
        if (str_is(one, "*") || str_eq(one, etag))
            return true;
    }
    return false;
}

void stage_cache_conditional(struct gw_request *r, struct str etag)
{
    struct str wanted = http_header_get(&r->x->headers, "If-None-Match");
    bool reads = str_is(r->http_method, "GET") || str_is(r->http_method, "HEAD");
    if (r->replied || !r->snapshot->caching.etag || !etag.ptr || r->status != 200 || !reads || !wanted.ptr || !matches(wanted, etag))
        return;
    trace_note(&r->trace, "If-None-Match", STR("the client has it already"));
    r->status = 304;
    r->reply = STR("");
}

static void add_age(struct gw_request *r, const struct cache_entry *entry)
{
    struct strbuf age = strbuf_in(r->arena, 20);
    int64_t age_us = stage_cache_now_us(r) - entry->stored_us;
    http_add_number(&age, age_us > 0 ? age_us / 1000000 : 0);
    http_header_add(r->arena, &r->headers, STR("Age"), strbuf_view(&age));
}

static enum gw_next serve(struct gw_request *r, struct cache_entry *entry, const char *how)
{
    struct str head, body;
    if (!cache_entry_open(entry, r->arena, &head, &body)) {
        trace_note(&r->trace, "cache", STR("miss: the sealed entry does not open"));
        return GW_NEXT;
    }
    trace_note(&r->trace, how, r->caching->key);
    stage_metrics_add(r, METRIC_CACHE_HIT, 1);
    r->status = entry->status;
    r->from_cache = true;
    r->reply = body;
    if (r->snapshot->min_compression < 0)
        r->kept_head = head;
    else /* compressing looks at them and adds to them */
        http_header_add_lines(r->arena, &r->headers, head);
    if (r->snapshot->caching.age)
        add_age(r, entry);
    stage_cache_conditional(r, entry->etag);
    return GW_REPLY;
}

/* --- a miss --- */

static enum gw_next go_alone(struct gw_request *r, const char *why)
{
    trace_note(&r->trace, "cache", str_of(why));
    stage_metrics_add(r, METRIC_CACHE_MISS, 1);
    if (!r->caching->counted)
        cache_count_miss(r->snapshot->cache, r->caching->looked_up);
    r->caching->counted = true;
    return GW_NEXT;
}

static enum gw_next lead(struct gw_request *r)
{
    r->caching->keep = r->caching->counted = true;
    stage_metrics_add(r, METRIC_CACHE_MISS, 1);
    trace_note(&r->trace, "cache miss", r->caching->key);
    return GW_NEXT;
}

static void on_timer(struct timer *timer)
{
    struct gw_caching *c = (struct gw_caching *)(void *)((char *)timer - offsetof(struct gw_caching, timer));
    if (c->waiter && !cache_leave(c->waiter))
        return; /* the news is on its way */
    free(c->waiter);
    c->waiter = NULL;
    c->timed_out = true;
    gw_resume(c->r);
}

/* On the waiter's loop; the request may be gone. */
static void on_news(struct cache_waiter *waiter)
{
    struct gw_caching *c = waiter->user;
    if (!c && waiter->news == CACHE_LEAD_NOW)
        cache_hand_on(waiter->cache, waiter->flight);
    if (c) {
        c->waiter = NULL;
        c->news = waiter->news;
        c->flight = waiter->flight;
        timer_stop(c->r->x->loop, &c->timer);
    }
    free(waiter);
    if (c)
        gw_resume(c->r);
}

static enum gw_next wait(struct gw_request *r)
{
    struct gw_caching *c = r->caching;
    int64_t now_us = env_monotonic_us(r->gateway->config.env);
    if (!c->give_up_us)
        c->give_up_us = now_us + (int64_t)r->method->integration->timeout_ms * 1000;
    trace_note(&r->trace, "cache", STR("waits for an equal request's answer"));
    timer_start(r->x->loop, &c->timer, c->give_up_us > now_us ? c->give_up_us - now_us : 0, on_timer);
    return GW_WAIT;
}

static enum gw_next join(struct gw_request *r)
{
    struct gw_caching *c = r->caching;
    struct cache_entry *entry = NULL;
    struct cache_waiter *waiter = calloc(1, sizeof *waiter);
    if (!waiter)
        abort();
    *waiter = (struct cache_waiter){ .loop = r->x->loop, .fn = on_news, .user = c };
    c->waiter = waiter;
    enum cache_turn turn = cache_look(r->snapshot->cache, c->looked_up, stage_cache_now_us(r), waiter, &entry, &c->flight);
    if (turn == CACHE_WAIT)
        return wait(r);
    c->waiter = NULL;
    free(waiter);
    if (turn == CACHE_LEAD)
        return lead(r);
    if (turn == CACHE_REFRESH) { /* it has just grown stale */
        cache_entry_unref(entry);
        return lead(r);
    }
    arena_defer(r->arena, unref, entry);
    return serve(r, entry, "cache hit");
}

static enum gw_next look(struct gw_request *r)
{
    struct gw_caching *c = r->caching;
    struct cache_entry *entry = NULL;
    c->looked_up = name_in_table(r, c->key);
    for (int depth = 0; depth < 2; depth++) {
        enum cache_turn turn =
            cache_look(r->snapshot->cache, c->looked_up, stage_cache_now_us(r), NULL, &entry, &c->flight);
        if (turn == CACHE_MISS)
            return join(r);
        arena_defer(r->arena, unref, entry);
        if (entry->vary.ptr && depth == 0) { /* which of several: by headers of the request */
            c->looked_up = name_in_table(r, stage_cache_variant(r, c->key, entry->vary));
            continue;
        }
        if (turn == CACHE_REFRESH && !stage_cache_refresh(r)) {
            trace_note(&r->trace, "cache stale, fetching it anew", c->key);
            stage_metrics_add(r, METRIC_CACHE_MISS, 1);
            c->keep = true;
            return GW_NEXT;
        }
        return serve(r, entry, turn == CACHE_HIT ? "cache hit" : "cache hit, stale");
    }
    return go_alone(r, "bypass: the entry cannot be chosen");
}

/* --- the step --- */

static enum gw_next refuse_wish(struct gw_request *r, struct cache_wish_case *of)
{
    trace_note(&r->trace, "cache", STR("Cache-Control: max-age=0 without execute-api:InvalidateCache"));
    if (r->caching->rule->refusal == CACHE_REFUSAL_403)
        return stage_policy_denied(r, &of->request, &of->decision);
    if (r->caching->rule->refusal == CACHE_REFUSAL_WARNS)
        r->caching->unauthorized = true;
    return look(r);
}

/* "This replaces the existing cache entry with the new response": the old one goes at once, and what is
 * under way since before the wish is not kept. */
static enum gw_next fetch_anew(struct gw_request *r)
{
    struct gw_caching *c = r->caching;
    struct cache_entry *entry = NULL;
    c->looked_up = name_in_table(r, c->key);
    if (cache_look(r->snapshot->cache, c->looked_up, stage_cache_now_us(r), NULL, &entry, NULL) != CACHE_MISS) {
        arena_defer(r->arena, unref, entry);
        if (entry->vary.ptr)
            c->looked_up = name_in_table(r, stage_cache_variant(r, c->key, entry->vary));
    }
    cache_drop(r->snapshot->cache, c->looked_up);
    c->keep = true;
    return go_alone(r, "invalidated: the client asked for a fresh answer");
}

static enum gw_next cache_enter(struct gw_request *r)
{
    const struct gw_cache_rule *rule = rule_of(r);
    struct cache_wish_case of;
    if (!rule || !r->snapshot->cache)
        return GW_NEXT;
    struct gw_caching *c = r->caching = ARENA_NEW(r->arena, struct gw_caching);
    c->r = r;
    c->rule = rule;
    c->sealer = rule->sealed ? caches_sealer(r->gateway->caches) : NULL;
    c->key = stage_cache_key(r);
    switch (stage_cache_wish(r, rule, &of)) {
    case CACHE_WISH_GRANTED:
        return fetch_anew(r);
    case CACHE_WISH_REFUSED:
        return refuse_wish(r, &of);
    default:
        return look(r);
    }
}

static enum gw_next cache_resume(struct gw_request *r)
{
    struct gw_caching *c = r->caching;
    if (c->timed_out) {
        r->integration_error = STR("Execution failed due to a timeout error: the equal request waited for gave no answer");
        return gw_fail(r, RESPONSE_INTEGRATION_TIMEOUT);
    }
    if (c->news == CACHE_LEAD_NOW) {
        cache_count_miss(r->snapshot->cache, c->looked_up);
        return lead(r);
    }
    return c->news == CACHE_GO_ALONE ? go_alone(r, "bypass: answers like the one it waited for are not kept") : look(r);
}

void stage_cache_forget(struct gw_request *r)
{
    struct gw_caching *c = r->caching;
    if (!c)
        return;
    timer_stop(r->x->loop, &c->timer);
    if (c->waiter && cache_leave(c->waiter))
        free(c->waiter);
    else if (c->waiter)
        c->waiter->user = NULL;
    c->waiter = NULL;
    if (c->flight)
        cache_hand_on(r->snapshot->cache, c->flight);
    c->flight = NULL;
}

const struct gw_step step_cache = { "cache", cache_enter, cache_resume };
