#include "gateway/usage/limits.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/map.h"

struct shared_bucket {
    struct bucket bucket;
    atomic_int references; /* the table's and the snapshots' */
};

struct limits {
    pthread_mutex_t lock;
    struct map *buckets; /* "account 1/us-east-1", "api/stage GET /pets" -> shared_bucket */
    double account_rate_per_s;
    int64_t account_burst;
};

static void drop(void *ptr)
{
    struct shared_bucket *shared = ptr;
    if (shared && atomic_fetch_sub_explicit(&shared->references, 1, memory_order_acq_rel) == 1)
        free(shared);
}

struct limits *limits_new(double account_rate_per_s, int64_t account_burst)
{
    struct limits *limits = calloc(1, sizeof *limits);
    if (!limits)
        abort();
    pthread_mutex_init(&limits->lock, NULL);
    limits->buckets = map_new();
    limits->account_rate_per_s = account_rate_per_s;
    limits->account_burst = account_burst;
    return limits;
}

void limits_free(struct limits *limits)
{
    if (!limits)
        return;
    map_free(limits->buckets, drop);
    pthread_mutex_destroy(&limits->lock);
    free(limits);
}

/* Another limit begins full. */
static struct bucket *find(struct limits *limits, struct str key, const struct bucket_limit *limit, struct arena *user)
{
    struct shared_bucket *shared = map_get(limits->buckets, key);
    if (!shared || !bucket_limit_equal(&shared->bucket.limit, limit)) {
        shared = calloc(1, sizeof *shared);
        if (!shared)
            abort();
        shared->bucket.limit = *limit;
        atomic_init(&shared->bucket.level, BUCKET_FULL);
        atomic_init(&shared->references, 1);
        drop(map_set(limits->buckets, key, shared));
    }
    atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
    arena_defer(user, drop, shared);
    return &shared->bucket;
}

/* Buckets that no snapshot holds any more. References are taken under the lock only, so that a
 * bucket seen with the table's alone stays so. */
static void sweep(struct limits *limits)
{
    struct str doomed[256], key; /* should there be more, the next publication takes them */
    size_t n = 0;
    void *value;
    for (size_t at = 0; n < COUNT(doomed) && map_each(limits->buckets, &at, &key, &value);) {
        const struct shared_bucket *shared = value;
        if (atomic_load_explicit(&shared->references, memory_order_acquire) == 1)
            doomed[n++] = key;
    }
    for (size_t i = 0; i < n; i++)
        drop(map_remove(limits->buckets, doomed[i]));
}

static void share(struct limits *limits, struct snapshot *s)
{
    char text[2048];
    for (size_t i = 0; i < s->n_methods; i++) {
        struct gw_method *method = &s->methods[i];
        if (!method->bucket)
            continue;
        int len = snprintf(text, sizeof text, "%.*s/%.*s %.*s %.*s", STR_FMT(s->api_id), STR_FMT(s->stage),
                           STR_FMT(method->http_method), STR_FMT(method->resource_path));
        if (len < (int)sizeof text)
            method->bucket = find(limits, (struct str){ text, (size_t)len }, &method->bucket->limit, s->arena);
    }
    if (limits->account_rate_per_s > 0) {
        const struct bucket_limit limit = bucket_limit_of(limits->account_rate_per_s, limits->account_burst);
        int len = snprintf(text, sizeof text, "account %.*s/%.*s", STR_FMT(s->account), STR_FMT(s->region));
        s->account_bucket = find(limits, (struct str){ text, (size_t)len }, &limit, s->arena);
    }
}

void limits_share(struct limits *limits, struct snapshot *s)
{
    pthread_mutex_lock(&limits->lock);
    sweep(limits);
    share(limits, s);
    if (s->canary) /* one limit for both */
        share(limits, s->canary);
    pthread_mutex_unlock(&limits->lock);
}
