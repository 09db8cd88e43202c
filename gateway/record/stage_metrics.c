#include "gateway/record/stage_metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/map.h"
#include "gateway/request.h"

struct counts {
    _Atomic uint64_t of[METRIC_N];
} __attribute__((aligned(64)));

struct stage_metrics {
    char *labels;      /* ApiName="shop",Stage="prod" */
    atomic_int references; /* of the table and of snapshots */
    struct counts loops[];
};

struct stage_metrics_table {
    pthread_mutex_t lock;
    size_t n_loops;
    struct map *series; /* "api/stage/" or "api/stage/GET /pets" -> struct stage_metrics */
};

struct stage_metrics_table *stage_metrics_table_new(size_t n_loops)
{
    struct stage_metrics_table *table = calloc(1, sizeof *table);
    if (!table)
        abort();
    pthread_mutex_init(&table->lock, NULL);
    table->n_loops = n_loops;
    table->series = map_new();
    return table;
}

static void unref(void *ptr)
{
    struct stage_metrics *series = ptr;
    if (atomic_fetch_sub(&series->references, 1) != 1)
        return;
    free(series->labels);
    free(series);
}

void stage_metrics_table_free(struct stage_metrics_table *table)
{
    map_free(table->series, unref);
    pthread_mutex_destroy(&table->lock);
    free(table);
}

/* A label's value: backslash, quote and line end are escaped. */
static void add_label(struct strbuf *out, const char *name, struct str value)
{
    strbuf_printf(out, "%s%s=\"", out->len ? "," : "", name);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '\\' || c == '"')
            strbuf_char(out, '\\');
        strbuf_add(out, c == '\n' ? STR("\\n") : (struct str){ value.ptr + i, 1 });
    }
    strbuf_char(out, '"');
}

static struct stage_metrics *series_of(struct stage_metrics_table *table, const struct snapshot *s,
                                       const struct gw_method *method, struct arena *arena)
{
    struct strbuf labels = strbuf_in(arena, 128);
    struct str stage = s->is_canary ? str_concat(arena, s->stage, STR("/Canary")) : s->stage;
    struct str key = str_printf(arena, "%.*s/%.*s/", STR_FMT(s->api_id), STR_FMT(stage));
    add_label(&labels, "ApiName", s->api_name);
    add_label(&labels, "ApiId", s->api_id);
    add_label(&labels, "Stage", stage);
    if (method) {
        key = str_printf(arena, "%.*s%.*s %.*s", STR_FMT(key), STR_FMT(method->http_method), STR_FMT(method->resource_path));
        add_label(&labels, "Method", method->http_method);
        add_label(&labels, "Resource", method->resource_path);
    }
    struct stage_metrics *series = map_get(table->series, key);
    if (!series) {
        series = aligned_alloc(64, (sizeof *series + table->n_loops * sizeof(struct counts) + 63) / 64 * 64);
        if (!series)
            abort();
        memset((void *)series, 0, sizeof *series + table->n_loops * sizeof(struct counts));
        atomic_init(&series->references, 1);
        map_set(table->series, key, series);
    }
    free(series->labels);
    series->labels = strdup(strbuf_view(&labels).ptr);
    atomic_fetch_add(&series->references, 1);
    arena_defer(s->arena, unref, series);
    return series;
}

static void attach(struct stage_metrics_table *table, struct snapshot *snapshot, struct arena *arena)
{
    snapshot->metrics = series_of(table, snapshot, NULL, arena);
    for (size_t i = 0; i < snapshot->n_methods; i++)
        if (snapshot->methods[i].detailed_metrics)
            snapshot->methods[i].metrics = series_of(table, snapshot, &snapshot->methods[i], arena);
}

void stage_metrics_attach(struct stage_metrics_table *table, struct snapshot *snapshot)
{
    struct arena *arena = arena_new(1024);
    pthread_mutex_lock(&table->lock);
    attach(table, snapshot, arena);
    if (snapshot->canary)
        attach(table, snapshot->canary, arena);
    pthread_mutex_unlock(&table->lock);
    arena_free(arena);
}

/* Requests may still be counted on its last snapshot, which holds it. */
void stage_metrics_forget(struct stage_metrics_table *table, struct str api_id, struct str stage)
{
    struct arena *arena = arena_new(256);
    struct str key, prefix = stage.ptr ? str_printf(arena, "%.*s/%.*s/", STR_FMT(api_id), STR_FMT(stage))
                                       : str_printf(arena, "%.*s/", STR_FMT(api_id));
    void *value;
    pthread_mutex_lock(&table->lock);
    for (size_t at = 0; map_each(table->series, &at, &key, &value);) {
        if (!str_starts(key, prefix))
            continue;
        unref(map_remove(table->series, str_copy(arena, key)));
        at = 0; /* the table changed: from the front */
    }
    pthread_mutex_unlock(&table->lock);
    arena_free(arena);
}

static void add(struct stage_metrics *series, size_t loop, enum stage_metric metric, uint64_t n)
{
    if (series)
        atomic_fetch_add_explicit(&series->loops[loop].of[metric], n, memory_order_relaxed);
}

void stage_metrics_add(struct gw_request *r, enum stage_metric metric, uint64_t n)
{
    if (!r->snapshot)
        return;
    add(r->snapshot->metrics, r->home->number, metric, n);
    if (r->method)
        add(r->method->metrics, r->home->number, metric, n);
}

void stage_metrics_count(struct gw_request *r, int64_t us)
{
    stage_metrics_add(r, METRIC_COUNT, 1);
    stage_metrics_add(r, METRIC_LATENCY_US, us > 0 ? (uint64_t)us : 0);
    if (r->status >= 400 && r->status < 600)
        stage_metrics_add(r, r->status < 500 ? METRIC_4XX : METRIC_5XX, 1);
    if (r->integrated) {
        stage_metrics_add(r, METRIC_INTEGRATED, 1);
        stage_metrics_add(r, METRIC_INTEGRATION_US, (uint64_t)(r->answer.latency_us > 0 ? r->answer.latency_us : 0));
    }
}

static uint64_t sum(const struct stage_metrics_table *table, const struct stage_metrics *series, enum stage_metric metric)
{
    uint64_t all = 0;
    for (size_t i = 0; i < table->n_loops; i++)
        all += atomic_load_explicit(&series->loops[i].of[metric], memory_order_relaxed);
    return all;
}

/* CloudWatch's names; a latency is the sum of milliseconds, beside the number of samples. */
static const struct {
    const char *name;
    enum stage_metric metric;
    bool milliseconds;
} shown[] = {
    { "Count", METRIC_COUNT, false },
    { "4XXError", METRIC_4XX, false },
    { "5XXError", METRIC_5XX, false },
    { "CacheHitCount", METRIC_CACHE_HIT, false },
    { "CacheMissCount", METRIC_CACHE_MISS, false },
    { "Latency_sum", METRIC_LATENCY_US, true },
    { "Latency_count", METRIC_COUNT, false },
    { "IntegrationLatency_sum", METRIC_INTEGRATION_US, true },
    { "IntegrationLatency_count", METRIC_INTEGRATED, false },
};

void stage_metrics_print(struct stage_metrics_table *table, struct strbuf *out)
{
    struct str key;
    void *value;
    pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < COUNT(shown); i++) {
        strbuf_printf(out, "# TYPE aws_apigateway_%s counter\n", shown[i].name);
        for (size_t at = 0; map_each(table->series, &at, &key, &value);) {
            const struct stage_metrics *series = value;
            uint64_t n = sum(table, series, shown[i].metric);
            if (shown[i].milliseconds)
                strbuf_printf(out, "aws_apigateway_%s{%s} %.3f\n", shown[i].name, series->labels, (double)n / 1000);
            else
                strbuf_printf(out, "aws_apigateway_%s{%s} %" PRIu64 "\n", shown[i].name, series->labels, n);
        }
    }
    pthread_mutex_unlock(&table->lock);
}
