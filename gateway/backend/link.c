#include "gateway/backend/link.h"

#include <stdlib.h>

#include "core/log.h"
#include "core/uri.h"
#include "gateway/backend/outside.h"
#include "gateway/state.h"

/* One backend under watch. */
struct look {
    struct link_watch *watch;
    struct gw_link *link;
    struct gw_backend *backend;
    struct arena *arena;       /* of one call */
    struct http_call *call;    /* while it is under way */
    struct timer timer;
};

struct link_watch {
    struct gw_loop *home;
    struct look *looks;
    size_t n;
};

static void look_now(struct timer *timer);
static void looked(struct http_call *call, enum http_failure failure);

/* --- what the operator says --- */

static bool parse_backend(struct arena *arena, struct str text, struct gw_backend *out)
{
    struct uri uri;
    bool url = str_starts(text, STR("http://"));
    if (!url)
        text = str_printf(arena, "http://%.*s", STR_FMT(text));
    if (!uri_parse(arena, text, &uri) || !str_is(uri.scheme, "http") || !uri.host.len || uri.userinfo.ptr || uri.fragment.ptr ||
        (!url && (!uri.has_port || uri.path.len || uri.query.ptr)))
        return false;
    out->host = str_copy(arena, uri.host);
    out->port = uri.port;
    if (url)
        out->path = str_printf(arena, "%.*s%s%.*s", STR_FMT(uri.path.len ? uri.path : STR("/")), uri.query.ptr ? "?" : "",
                               STR_FMT(uri.query));
    return true;
}

bool link_parse(struct arena *arena, struct str text, struct gw_link *out)
{
    ptrdiff_t equals = str_find(text, '=');
    struct str rest = equals > 0 ? str_from(text, (size_t)equals + 1) : STR_NONE, one;
    *out = (struct gw_link){ .name = equals > 0 ? str_copy(arena, str_sub(text, 0, (size_t)equals)) : STR_NONE };
    out->backends = ARENA_ARRAY(arena, struct gw_backend, LINK_BACKENDS);
    while (rest.len && str_split(&rest, ',', &one)) {
        if (out->n == LINK_BACKENDS || !parse_backend(arena, one, &out->backends[out->n]))
            return false;
        out->n++;
    }
    return out->n > 0;
}

/* --- whose turn it is --- */

static bool is_healthy(const struct gw_backend *backend)
{
    return atomic_load_explicit(&backend->failures, memory_order_relaxed) < LINK_UNHEALTHY_AFTER;
}

struct gw_backend *link_take(struct gw_link *link)
{
    unsigned turn = atomic_fetch_add_explicit(&link->turn, 1, memory_order_relaxed);
    for (size_t i = 0; i < link->n; i++) {
        struct gw_backend *backend = &link->backends[(turn + i) % link->n];
        if (is_healthy(backend))
            return backend;
    }
    return &link->backends[link->n ? turn % link->n : 0]; /* there is one: link_parse */
}

size_t link_healthy(const struct gw_link *link)
{
    size_t n = 0;
    for (size_t i = 0; i < link->n; i++)
        n += is_healthy(&link->backends[i]);
    return n;
}

void link_report_down(struct gw_backend *backend)
{
    atomic_store_explicit(&backend->failures, LINK_UNHEALTHY_AFTER, memory_order_relaxed);
}

/* --- looking after them --- */

static void note(struct look *look, bool good)
{
    struct gw_backend *backend = look->backend;
    bool before = is_healthy(backend);
    if (good)
        atomic_store_explicit(&backend->failures, 0, memory_order_relaxed);
    else if (before)
        atomic_fetch_add_explicit(&backend->failures, 1, memory_order_relaxed);
    if (before != is_healthy(backend))
        log_at(LOG_WARN, good ? "a target is healthy again" : "a target is not healthy", { "vpc_link", look->link->name },
               { "host", backend->host }, { "port", str_printf(look->arena, "%u", backend->port) });
}

static void look_now(struct timer *timer)
{
    struct look *look = (struct look *)((char *)timer - offsetof(struct look, timer));
    struct gw_backend *backend = look->backend;
    arena_reset(look->arena);
    struct http_call *call = ARENA_NEW(look->arena, struct http_call);
    *call = (struct http_call){
        .scheme = STR("http"),
        .host = backend->host,
        .port = backend->port,
        .method = STR("GET"),
        .target = backend->path.ptr ? backend->path : STR("/"),
        .connect_only = !backend->path.ptr,
        .unguarded = true,
        .timeout_ms = LINK_TIMEOUT_MS,
        .arena = look->arena,
        .user = look,
        .on_done = looked,
    };
    look->call = call;
    http_call_start(look->watch->home->client, call);
}

static void looked(struct http_call *call, enum http_failure failure)
{
    struct look *look = call->user;
    look->call = NULL;
    if (failure == HTTP_CANCELLED)
        return;
    note(look, failure == HTTP_OK && (call->connect_only || (call->status >= 200 && call->status < 400)));
    timer_start(look->watch->home->loop, &look->timer, LINK_EVERY_MS * INT64_C(1000), look_now);
}

struct link_watch *link_watch_start(struct gateway *gateway)
{
    struct gw_outside *outside = gateway->config.outside;
    size_t n = 0;
    for (size_t i = 0; outside && i < outside->n_links; i++)
        n += outside->links[i].n;
    if (n == 0)
        return NULL;
    struct link_watch *watch = ARENA_NEW(gateway->arena, struct link_watch);
    watch->home = &gateway->loops[0];
    watch->looks = ARENA_ARRAY(gateway->arena, struct look, n);
    for (size_t i = 0; i < outside->n_links; i++)
        for (size_t k = 0; k < outside->links[i].n; k++) {
            struct look *look = &watch->looks[watch->n++];
            *look = (struct look){ .watch = watch, .link = &outside->links[i], .arena = arena_new(1024),
                                   .backend = &outside->links[i].backends[k] };
            timer_start(watch->home->loop, &look->timer, 0, look_now);
        }
    return watch;
}

void link_watch_stop(struct link_watch *watch)
{
    for (size_t i = 0; watch && i < watch->n; i++) {
        timer_stop(watch->home->loop, &watch->looks[i].timer);
        if (watch->looks[i].call)
            http_call_cancel(watch->looks[i].call);
        arena_free(watch->looks[i].arena);
    }
}
