#include "gateway/cache/caches.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/map.h"
#include "gateway/snapshot.h"

struct slot {
    struct cache *cache;
    size_t nominal_bytes;
};

struct caches {
    pthread_mutex_t lock;
    struct map *slots; /* "api/stage" -> struct slot */
    size_t memory_bytes;
    struct cache_sealer *sealer;
};

struct caches *caches_new(size_t memory_bytes, const struct env *env)
{
    struct caches *caches = calloc(1, sizeof *caches);
    if (!caches)
        abort();
    pthread_mutex_init(&caches->lock, NULL);
    caches->slots = map_new();
    caches->memory_bytes = memory_bytes;
    caches->sealer = cache_sealer_new(env);
    return caches;
}

static void free_slot(void *ptr)
{
    struct slot *slot = ptr;
    if (!slot)
        return;
    cache_unref(slot->cache);
    free(slot);
}

void caches_free(struct caches *caches)
{
    if (!caches)
        return;
    map_free(caches->slots, free_slot);
    cache_sealer_free(caches->sealer);
    pthread_mutex_destroy(&caches->lock);
    free(caches);
}

const struct cache_sealer *caches_sealer(const struct caches *caches)
{
    return caches->sealer;
}

/* Everybody's part, after somebody came or went. Under the lock. */
static void share_out(struct caches *caches)
{
    struct str key;
    void *value;
    double all = 0;
    for (size_t at = 0; map_each(caches->slots, &at, &key, &value);)
        all += (double)((struct slot *)value)->nominal_bytes;
    double part = all > (double)caches->memory_bytes ? (double)caches->memory_bytes / all : 1;
    for (size_t at = 0; map_each(caches->slots, &at, &key, &value);) {
        struct slot *slot = value;
        cache_set_limit(slot->cache, (size_t)((double)slot->nominal_bytes * part));
    }
}

struct cache *caches_attach(struct caches *caches, struct str api_stage, size_t nominal_bytes)
{
    if (!nominal_bytes) {
        pthread_mutex_lock(&caches->lock);
        free_slot(map_remove(caches->slots, api_stage));
        share_out(caches);
        pthread_mutex_unlock(&caches->lock);
        return NULL;
    }
    pthread_mutex_lock(&caches->lock);
    struct slot *slot = map_get(caches->slots, api_stage);
    if (!slot || slot->nominal_bytes != nominal_bytes) {
        struct slot *fresh = calloc(1, sizeof *fresh);
        if (!fresh)
            abort();
        *fresh = (struct slot){ cache_new(0), nominal_bytes };
        free_slot(map_set(caches->slots, api_stage, fresh));
        slot = fresh;
        share_out(caches);
    }
    struct cache *cache = cache_ref(slot->cache);
    pthread_mutex_unlock(&caches->lock);
    return cache;
}

void caches_attach_stage(struct caches *caches, struct str api_stage, struct snapshot *snapshot)
{
    char text[300];
    int len = snprintf(text, sizeof text, "%.*s/canary", STR_FMT(api_stage));
    struct str name = { text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1 };
    struct snapshot *canary = snapshot->canary;
    bool shared = canary && (canary->canary_uses_cache || str_eq(canary->deployment_id, snapshot->deployment_id));
    snapshot->cache = caches_attach(caches, api_stage, snapshot->caching.bytes);
    struct cache *own = caches_attach(caches, name, canary && !shared ? snapshot->caching.bytes : 0);
    if (canary)
        canary->cache = own ? own : snapshot->cache ? cache_ref(snapshot->cache) : NULL;
}

static bool is_under(struct str key, struct str name)
{
    return str_starts(key, name) && (name.len == key.len || name.ptr[name.len - 1] == '/' || key.ptr[name.len] == '/');
}

void caches_detach(struct caches *caches, struct str name)
{
    struct str key;
    void *value;
    pthread_mutex_lock(&caches->lock);
    for (size_t at = 0; map_each(caches->slots, &at, &key, &value);) {
        if (!is_under(key, name))
            continue;
        free_slot(map_remove(caches->slots, key));
        at = 0; /* the table changed: from the front */
    }
    share_out(caches);
    pthread_mutex_unlock(&caches->lock);
}

struct cache *caches_find(struct caches *caches, struct str api_stage)
{
    pthread_mutex_lock(&caches->lock);
    struct slot *slot = map_get(caches->slots, api_stage);
    struct cache *cache = slot ? cache_ref(slot->cache) : NULL;
    pthread_mutex_unlock(&caches->lock);
    return cache;
}

void caches_each(struct caches *caches, void (*fn)(void *ctx, struct str api_stage, struct cache *cache), void *ctx)
{
    struct str key;
    void *value;
    pthread_mutex_lock(&caches->lock);
    for (size_t at = 0; map_each(caches->slots, &at, &key, &value);)
        fn(ctx, key, ((struct slot *)value)->cache);
    pthread_mutex_unlock(&caches->lock);
}

size_t caches_size_of(struct str name)
{
    static const struct {
        const char *name;
        double gib;
    } sizes[] = { { "0.5", 0.5 },   { "1.6", 1.6 },   { "6.1", 6.1 }, { "13.5", 13.5 },
                  { "28.4", 28.4 }, { "58.2", 58.2 }, { "118", 118 }, { "237", 237 } };
    for (size_t i = 0; i < COUNT(sizes); i++)
        if (str_is(name, sizes[i].name))
            return (size_t)(sizes[i].gib * 1024 * 1024 * 1024);
    return 0;
}
