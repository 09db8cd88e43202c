/* Stale while revalidate: the client has the old answer at once, and a request of our own fetches the new one.
 *
 * It is the client's request again, without its connection: the same method, target, headers and caller,
 * from the mapping on, on the loop and the snapshot it came to. Who signed it, or sent a body, fetches the
 * new answer himself, as the first who misses does: neither is ours to repeat. */
#include "core/http_local.h"
#include "gateway/stage/cache.h"

struct refresh {
    struct gateway *gateway;
    struct gw_loop *home;
    struct gw_entry *entry;
    const struct gw_method *method;
    struct str api_id, stage, path, request_path;
    struct gw_caller caller;
    struct gw_caching caching;
    const struct gw_step *steps[GW_MAX_STEPS];
    size_t n_steps;
};

static enum gw_next enter(struct gw_request *r)
{
    struct refresh *f = (struct refresh *)(void *)((char *)r->caching - offsetof(struct refresh, caching));
    r->entry = f->entry;
    r->snapshot = f->method->snapshot;
    r->method = f->method;
    r->request_path = f->request_path;
    r->caller = f->caller;
    r->body = STR("");
    route_find(r->snapshot->routes, r->http_method, r->path, &r->match);
    trace_name(&r->trace, r->http_method, r->api_id, r->stage, r->path, r->request_id);
    trace_note(&r->trace, "cache", STR("fetches a stale answer anew"));
    return GW_NEXT;
}

static enum gw_next leave(struct gw_request *r)
{
    r->trace.status = r->status;
    trace_keep(&r->home->traces, &r->trace);
    if (!r->replied)
        http_reply(r->x, r->failed ? 504 : r->status, NULL, STR(""));
    r->replied = true;
    return GW_NEXT;
}

static const struct gw_step step_enter = { "refresh", enter, NULL, true };
static const struct gw_step step_leave = { "end", leave, NULL };

/* The method's own, from behind the cache to the keeping of the answer. */
static void build_steps(struct refresh *f)
{
    size_t at = 0;
    f->steps[f->n_steps++] = &step_accept;
    f->steps[f->n_steps++] = &step_enter;
    while (f->method->steps[at] != &step_cache)
        at++;
    while (++at < f->method->tail)
        f->steps[f->n_steps++] = f->method->steps[at];
    f->steps[f->n_steps++] = &step_cache_keep;
    f->steps[f->n_steps++] = &step_leave;
}

static void serve(void *ctx, struct http_exchange *x)
{
    struct refresh *f = ctx;
    struct gw_request *r = ARENA_NEW(x->arena, struct gw_request);
    r->gateway = f->gateway;
    r->home = f->home;
    r->x = x;
    r->arena = x->arena;
    r->api_id = f->api_id;
    r->stage = f->stage;
    r->path = f->path;
    r->background = true;
    r->caching = &f->caching;
    f->caching.r = r;
    x->user = r;
    pipeline_start_with(r, f->steps, f->n_steps);
}

static void done(void *ctx, struct http_exchange *x, bool complete)
{
    struct gateway *gateway = ((struct refresh *)ctx)->gateway;
    gateway_exchange_done(gateway, x, complete);
    atomic_fetch_sub_explicit(&gateway->in_background, 1, memory_order_release);
}

static struct gw_caller copy_caller(struct arena *arena, const struct gw_caller *from)
{
    struct gw_caller copy = *from;
    copy.principal_id = from->principal_id.ptr ? str_copy(arena, from->principal_id) : STR_NONE;
    copy.context = from->context ? json_own(arena, json_deep_copy(from->context)) : NULL;
    copy.claims = from->claims ? json_own(arena, json_deep_copy(from->claims)) : NULL;
    return copy;
}

static void copy_headers(struct arena *arena, const struct http_headers *from, struct http_headers *to)
{
    for (size_t i = 0; i < from->n; i++)
        http_header_add(arena, to, str_copy(arena, from->items[i].name), str_copy(arena, from->items[i].value));
}

bool stage_cache_refresh(struct gw_request *r)
{
    const struct gw_caching *c = r->caching;
    if (r->caller.credential || r->x->has_body || r->custom_domain.ptr)
        return false;
    struct arena *arena = arena_new(8192);
    struct refresh *f = ARENA_NEW(arena, struct refresh);
    struct http_headers *headers = ARENA_NEW(arena, struct http_headers);
    *f = (struct refresh){ .gateway = r->gateway, .home = r->home, .entry = r->entry, .method = r->method,
                           .api_id = str_copy(arena, r->api_id), .stage = str_copy(arena, r->stage),
                           .path = str_copy(arena, r->path), .request_path = str_copy(arena, r->request_path),
                           .caller = copy_caller(arena, &r->caller) };
    f->caching = (struct gw_caching){ .rule = c->rule, .sealer = c->sealer, .key = str_copy(arena, c->key),
                                      .looked_up = str_copy(arena, c->looked_up), .flight = c->flight, .keep = true,
                                      .counted = true };
    build_steps(f);
    copy_headers(arena, &r->x->headers, headers);
    const struct http_local_request request = { .method = str_copy(arena, r->http_method),
                                                .target = str_copy(arena, r->x->target),
                                                .host = str_copy(arena, r->x->host),
                                                .headers = headers,
                                                .peer_ip = str_copy(arena, r->x->peer_ip) };
    r->caching->flight = NULL;
    r->entry->in_flight++;
    atomic_fetch_add_explicit(&r->gateway->in_background, 1, memory_order_relaxed);
    http_local_detach(r->x->loop, arena, &request, serve, done, f);
    return true;
}
