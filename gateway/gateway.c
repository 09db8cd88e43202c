/* The data plane's front door: gateway/gateway.h. */
#include "gateway/gateway.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "core/issuer.h"
#include "core/log.h"
#include "core/uri.h"
#include "gateway/domain/publish.h"
#include "core/token_cache.h"
#include "gateway/usage/limits.h"
#include "gateway/publish.h"
#include "gateway/cache/caches.h"
#include "gateway/request.h"
#include "gateway/record/stage_metrics.h"
#include "gateway/record/loop_log.h"
#include "gateway/compile/material.h"
#include "gateway/backend/outside.h"
#include "gateway/backend/role.h"
#include "gateway/stage/stage.h"
#include "gateway/state.h"

bool gateway_aws_limits(const struct gateway *gateway)
{
    return gateway->config.aws_limits;
}

static bool open_loop(struct gateway *gateway, size_t number)
{
    struct gw_loop *home = &gateway->loops[number];
    home->gateway = gateway;
    home->number = number;
    home->loop = gateway->config.loops[number];
    home->stages = map_new();
    home->roles = map_new();
    const struct gw_outside *outside = gateway->config.outside;
    const struct http_client_config config = { .jobs = gateway->config.jobs,
                                               .guard = outside ? outside->guard : NULL,
                                               .trust = outside ? outside->trust : NULL };
    home->client = http_client_new(home->loop, &config);
    if (!home->client || !trace_ring_init(&home->traces))
        return false;
    return true;
}

/* A stage that no longer compiles (written by another version) is not served, and says so; the
 * others are. */
static void load_stage(struct gateway *gateway, struct str api_id, struct str stage)
{
    struct arena *arena = arena_new(64 * 1024);
    struct stage_source source;
    struct str why = STR_NONE;
    struct snapshot *snapshot = NULL;
    bool found = false;
    gh_err err = stage_source_load(gateway->config.db, NULL, arena, api_id, stage, &found, &source);
    if (!err && found)
        err = material_add(gateway, NULL, arena, &source);
    if (!err && found)
        snapshot = snapshot_compile(&source, gateway->config.partition, arena, &why);
    if (snapshot) {
        limits_share(gateway->limits, snapshot);
        struct str key = str_printf(arena, "%.*s/%.*s", STR_FMT(api_id), STR_FMT(stage));
        stage_metrics_attach(gateway->metrics, snapshot);
        caches_attach_stage(gateway->caches, key, snapshot);
        for (size_t i = 0; i < gateway->n_loops; i++)
            gateway_install(&gateway->loops[i], key, snapshot_ref(snapshot));
        snapshot_unref(snapshot);
    } else if (err || found) {
        log_at(LOG_ERROR, "stage is not served", { "api", api_id }, { "stage", stage },
               { "why", err ? err->message : why });
    }
    arena_free(arena);
}

static bool load_all(struct gateway *gateway, struct str *why)
{
    struct arena *arena = arena_new(16 * 1024);
    struct stage_sources all;
    gh_err err = stage_sources_open(&all, gateway->config.db, arena);
    while (!err && stage_sources_next(&all))
        load_stage(gateway, all.api_id, all.stage);
    if (err)
        *why = str_copy(gateway->arena, err->message);
    arena_free(arena);
    return !err;
}

struct gateway *gateway_open(const struct gateway_config *config, struct arena *arena, struct str *why)
{
    struct gateway *gateway = ARENA_NEW(arena, struct gateway);
    gateway->config = *config;
    gateway->arena = arena;
    gateway->n_loops = config->n_loops;
    gateway->loops = ARENA_ARRAY(arena, struct gw_loop, config->n_loops);
    gateway->auth_cache = auth_cache_new();
    gateway->issuers = issuers_new(gateway->config.env);
    gateway->jwt_cache = token_cache_new();
    gateway->metrics = stage_metrics_table_new(config->n_loops);
    gateway->caches = caches_new(config->cache_bytes, config->env);
    pthread_mutex_init(&gateway->publishing, NULL);
    pthread_mutex_init(&gateway->publishing_domains, NULL);
    gateway->files = (struct certificate_files){ config->certificates, config->truststores, config->env, config->dev };
    struct uri own;
    gateway->own_host = uri_parse(arena, config->base_url, &own) ? own.host : STR("");
    gateway->limits = limits_new(config->account_rate_per_s, config->account_burst);
    bool good = true;
    for (size_t i = 0; i < config->n_loops && good; i++)
        good = open_loop(gateway, i);
    if (!good)
        *why = STR("no descriptors or memory left for the gateway's loops");
    gateway->usage = usage_open(gateway);
    gh_err err = good ? usage_load(gateway) : NULL;
    if (err)
        *why = err->message;
    if (good && !err && load_all(gateway, why) && gateway_load_domains(gateway, why)) {
        gateway->link_watch = link_watch_start(gateway);
        return gateway;
    }
    gateway_close(gateway);
    return NULL;
}

static void free_entry(void *ptr)
{
    struct gw_entry *entry = ptr;
    snapshot_unref(entry->snapshot);
    free(entry);
}

void gateway_close(struct gateway *gateway)
{
    if (!gateway)
        return;
    usage_close(gateway);
    link_watch_stop(gateway->link_watch);
    for (size_t i = 0; i < gateway->n_loops; i++) {
        struct gw_loop *home = &gateway->loops[i];
        if (!home->stages)
            continue;
        loop_log_flush(home);
        if (home->client)
            http_client_free(home->client);
        roles_free(home);
        map_free(home->stages, free_entry);
        domain_table_unref(home->domains);
        trace_ring_free(&home->traces);
        recording_ring_free(&home->recordings);
        free(home->log);
    }
    auth_cache_free(gateway->auth_cache);
    token_cache_free(gateway->jwt_cache);
    issuers_free(gateway->issuers);
    limits_free(gateway->limits);
    stage_metrics_table_free(gateway->metrics);
    domain_table_unref(gateway->domains);
    pthread_mutex_destroy(&gateway->publishing_domains);
    caches_free(gateway->caches);
    pthread_mutex_destroy(&gateway->publishing);
}

struct gw_loop *gateway_loop(struct gateway *gateway, const struct loop *loop)
{
    for (size_t i = 0; i < gateway->n_loops; i++)
        if (gateway->loops[i].loop == loop)
            return &gateway->loops[i];
    return NULL;
}

bool gateway_issues(const struct gateway *gateway, struct str issuer)
{
    struct str base = gateway->config.base_url;
    return issuer.len > base.len + 1 && str_starts(issuer, base) && issuer.ptr[base.len] == '/';
}

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

/* xoshiro256++ (Blackman, Vigna), seeded by the kernel: a system call a request would be dear. */
void gateway_random(struct gw_loop *home, uint64_t *out, size_t words)
{
    uint64_t *s = home->random;
    if (home->random_left < words) {
        env_random(home->gateway->config.env, s, sizeof home->random);
        home->random_left = 1u << 20;
    }
    home->random_left -= (unsigned)words;
    for (size_t i = 0; i < words; i++) {
        out[i] = rotate(s[0] + s[3], 23) + s[0];
        uint64_t t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = rotate(s[3], 45);
    }
}

const struct gw_clock *gateway_clock(struct gw_loop *home, int64_t wall_us)
{
    time_t second = (time_t)(wall_us / 1000000);
    struct tm tm;
    if (home->clock.second != second) {
        home->clock.second = second;
        gmtime_r(&second, &tm);
        strftime(home->clock.clf, sizeof home->clock.clf, "%d/%b/%Y:%H:%M:%S +0000", &tm);
        strftime(home->clock.iso, sizeof home->clock.iso, "%Y-%m-%dT%H:%M:%S", &tm);
    }
    return &home->clock;
}

void gateway_count(struct gw_loop *home, int counter)
{
    atomic_fetch_add_explicit(&home->counters.counts[counter], 1, memory_order_relaxed);
}

static struct gw_request *take_request(struct gateway *gateway, struct http_exchange *x, struct str api_id,
                                       struct str stage, struct str path)
{
    struct gw_request *r = arena_alloc(x->arena, sizeof *r, _Alignof(struct gw_request));
    memset(r, 0, offsetof(struct gw_request, match)); /* what follows is large and set up by its users */
    r->match.n_params = 0;
    r->gateway = gateway;
    r->home = gateway_loop(gateway, x->loop);
    r->x = x;
    r->arena = x->arena;
    r->api_id = api_id;
    r->stage = stage;
    r->path = path.len ? path : STR("/");
    x->user = r;
    return r;
}

void gateway_serve(struct gateway *gateway, struct http_exchange *x, struct str api_id, struct str stage,
                   struct str path)
{
    pipeline_start(take_request(gateway, x, api_id, stage, path));
}

static const struct domain *domain_of(struct gateway *gateway, struct http_exchange *x)
{
    const struct domain_table *table = gateway_loop(gateway, x->loop)->domains;
    if (!map_count(table->by_name) || str_eq(x->host, gateway->own_host))
        return NULL;
    return domain_find(table, x->host);
}

bool gateway_has_domain(struct gateway *gateway, struct http_exchange *x)
{
    return domain_of(gateway, x) != NULL;
}

struct tls_sites *gateway_tls_sites(struct gateway *gateway, const struct loop *loop)
{
    return gateway_loop(gateway, loop)->domains->sites;
}

/* "The /ping and /sping paths are reserved for the service health check." */
static bool answers_ping(struct http_exchange *x)
{
    struct http_headers headers = { 0 };
    if (!str_is(x->path, "/ping") && !str_is(x->path, "/sping"))
        return false;
    http_header_add(x->arena, &headers, STR("Content-Type"), STR("text/plain"));
    http_reply(x, 200, &headers, STR("healthy"));
    return true;
}

/* The table may be another one before the answer is out: what is kept of it is copied. */
void gateway_serve_domain(struct gateway *gateway, struct http_exchange *x)
{
    const struct domain *domain = domain_of(gateway, x);
    const struct domain_visit visit = { x->host, x->tls, x->peer_ip, http_header_get(&x->headers, "User-Agent"),
                                        http_header_get(&x->headers, "Referer"), env_now_s(gateway->config.env),
                                        gateway->config.partition };
    struct domain_match match = { STR(""), STR(""), x->path, STR(""), STR_NONE };
    const char *why = domain_turns_away(domain, &visit, x->arena);
    if (!why && answers_ping(x))
        return;
    if (!why && (!x->path.len || x->path.ptr[0] != '/' || !domain_route(domain, &x->headers, x->path, &match)))
        why = "no base path mapping or routing rule of the domain fits";
    struct str stage = match.stage.ptr ? str_copy(x->arena, match.stage) : STR_NONE;
    struct gw_request *r = take_request(gateway, x, str_copy(x->arena, match.api_id), stage, match.path);
    r->custom_domain = str_copy(x->arena, domain->name);
    r->base_path = str_copy(x->arena, match.base_path);
    r->routing_rule = match.rule_id.ptr ? str_copy(x->arena, match.rule_id) : STR_NONE;
    r->turned_away = why;
    pipeline_start(r);
}

static void abandon(struct gw_request *r)
{
    r->abandoned = true;
    stage_flow_end(r);
    stage_http_forget(r);
    stage_call_forget(r);
    issuer_forget(&r->issuer_asker);
    role_forget(r);
    stage_cache_forget(r);
    usage_forget(r);
    pipeline_abandon(r);
}

/* Nobody waits for the answer: the endpoint is let go at once, not when its time is up. */
void gateway_exchange_gone(struct gateway *gateway, struct http_exchange *x)
{
    (void)gateway;
    struct gw_request *r = x->user;
    if (r && !r->finished)
        abandon(r);
    http_abort(x);
}

void gateway_exchange_done(struct gateway *gateway, struct http_exchange *x, bool complete)
{
    (void)gateway;
    struct gw_request *r = x->user;
    if (!r)
        return;
    x->user = NULL;
    if (!complete && !r->finished)
        abandon(r);
    stage_flow_end(r);
    stage_coding_forget(r);
    stage_call_forget(r);
    usage_forget(r);
    issuer_forget(&r->issuer_asker);
    if (r->entry)
        gateway_leave(r->entry);
}

bool gateway_is_idle(const struct gateway *gateway)
{
    return atomic_load_explicit(&gateway->in_background, memory_order_acquire) == 0;
}

bool gateway_purge(struct gateway *gateway, struct str api_id, struct str stage, struct str tag, struct str key,
                   size_t *gone)
{
    struct arena *arena = arena_new(1024);
    struct str name = str_printf(arena, "%.*s/%.*s", STR_FMT(api_id), STR_FMT(stage));
    struct cache *caches[] = { caches_find(gateway->caches, name),
                               caches_find(gateway->caches, str_concat(arena, name, STR("/canary"))) };
    bool found = false;
    *gone = 0;
    for (size_t i = 0; i < COUNT(caches); i++) {
        found |= caches[i] != NULL;
        if (caches[i] && tag.ptr)
            *gone += cache_purge_tag(caches[i], tag);
        else if (caches[i] && key.ptr)
            *gone += cache_drop(caches[i], key) +
                     cache_drop(caches[i], cache_sealed_key(caches_sealer(gateway->caches), arena, key));
        else if (caches[i])
            *gone += cache_flush(caches[i]);
        cache_unref(caches[i]);
    }
    arena_free(arena);
    return found;
}

struct str gateway_trace(struct gateway *gateway, struct arena *arena, struct str trace_id)
{
    return trace_find(&gateway->loops[0].traces, gateway->n_loops, sizeof(struct gw_loop), arena, trace_id);
}

static uint64_t total(const struct gateway *gateway, int counter)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < gateway->n_loops; i++)
        sum += atomic_load_explicit(&gateway->loops[i].counters.counts[counter], memory_order_relaxed);
    return sum;
}

static void add_latency(const struct gateway *gateway, struct strbuf *out)
{
    static const char *const bounds[LATENCY_BUCKETS] = { "0.0001", "0.00025", "0.0005", "0.001", "0.0025",
                                                         "0.005",  "0.01",    "0.025",  "0.05",  "0.1",
                                                         "0.25",   "1",       "5",      "+Inf" };
    uint64_t sum = 0, sum_us = 0;
    strbuf_add(out, STR("# TYPE gatehouse_gateway_request_seconds histogram\n"));
    for (size_t b = 0; b < LATENCY_BUCKETS; b++) {
        for (size_t i = 0; i < gateway->n_loops; i++)
            sum += atomic_load_explicit(&gateway->loops[i].counters.latency[b], memory_order_relaxed);
        strbuf_printf(out, "gatehouse_gateway_request_seconds_bucket{le=\"%s\"} %" PRIu64 "\n", bounds[b], sum);
    }
    for (size_t i = 0; i < gateway->n_loops; i++)
        sum_us += atomic_load_explicit(&gateway->loops[i].counters.latency_sum_us, memory_order_relaxed);
    strbuf_printf(out, "gatehouse_gateway_request_seconds_sum %.6f\ngatehouse_gateway_request_seconds_count %" PRIu64 "\n",
                  (double)sum_us / 1e6, sum);
}

/* CloudWatch's CacheHitCount and CacheMissCount, and what one's own memory is used for. */
static void add_cache(void *ctx, struct str api_stage, struct cache *cache)
{
    struct strbuf *out = ctx;
    struct str stage = api_stage, api;
    str_split(&stage, '/', &api);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = { { "hits_total", cache_total(cache, CACHE_HITS) },
                 { "misses_total", cache_total(cache, CACHE_MISSES) },
                 { "evictions_total", cache_total(cache, CACHE_EVICTIONS) },
                 { "entries", cache_count(cache) },
                 { "bytes", cache_bytes(cache) },
                 { "limit_bytes", cache_limit(cache) } };
    for (size_t i = 0; i < COUNT(rows); i++)
        strbuf_printf(out, "gatehouse_gateway_cache_%s{api=\"%.*s\",stage=\"%.*s\"} %" PRIu64 "\n", rows[i].name,
                      STR_FMT(api), STR_FMT(stage), rows[i].value);
}

void gateway_metrics(struct gateway *gateway, struct strbuf *out)
{
    static const struct {
        int counter;
        const char *name, *labels;
    } rows[] = {
        { COUNT_REQUESTS, "gatehouse_gateway_requests_total", "" },
        { COUNT_2XX, "gatehouse_gateway_answers_total", "{class=\"2xx\"}" },
        { COUNT_3XX, "gatehouse_gateway_answers_total", "{class=\"3xx\"}" },
        { COUNT_4XX, "gatehouse_gateway_answers_total", "{class=\"4xx\"}" },
        { COUNT_5XX, "gatehouse_gateway_answers_total", "{class=\"5xx\"}" },
        { COUNT_THROTTLED, "gatehouse_gateway_throttled_total", "" },
        { COUNT_AUTH_HITS, "gatehouse_gateway_authorizer_cache_total", "{result=\"hit\"}" },
        { COUNT_AUTH_MISSES, "gatehouse_gateway_authorizer_cache_total", "{result=\"miss\"}" },
        { COUNT_INTEGRATION_ERRORS, "gatehouse_gateway_integration_errors_total", "" },
        { COUNT_BYTES_OUT, "gatehouse_gateway_body_bytes_total", "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (i == 0 || strcmp(rows[i].name, rows[i - 1].name) != 0)
            strbuf_printf(out, "# TYPE %s counter\n", rows[i].name);
        strbuf_printf(out, "%s%s %" PRIu64 "\n", rows[i].name, rows[i].labels, total(gateway, rows[i].counter));
    }
    strbuf_printf(out, "# TYPE gatehouse_gateway_deployments_taken_back_total counter\n"
                       "gatehouse_gateway_deployments_taken_back_total %" PRIu64 "\n",
                  atomic_load_explicit(&gateway->taken_back, memory_order_relaxed));
    caches_each(gateway->caches, add_cache, out);
    add_latency(gateway, out);
    stage_metrics_print(gateway->metrics, out);
}
