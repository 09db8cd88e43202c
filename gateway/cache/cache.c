/* The table: buckets and order of arrival, budget and eviction. Flights are cache_flight.c's. */
#include "gateway/cache/cache.h"

#include <stdlib.h>

#include "gateway/cache/table.h"

#define FIRST_BUCKETS 64

struct cache *cache_new(size_t limit_bytes)
{
    struct cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        abort();
    atomic_init(&cache->references, 1);
    atomic_init(&cache->limit, limit_bytes);
    for (size_t i = 0; i < CACHE_SHARDS; i++) {
        struct cache_shard *shard = &cache->shards[i];
        pthread_mutex_init(&shard->lock, NULL);
        shard->flights = map_new();
        shard->cap = FIRST_BUCKETS;
        shard->buckets = calloc(shard->cap, sizeof *shard->buckets);
        if (!shard->buckets)
            abort();
    }
    return cache;
}

struct cache *cache_ref(struct cache *cache)
{
    atomic_fetch_add_explicit(&cache->references, 1, memory_order_relaxed);
    return cache;
}

void cache_unref(struct cache *cache)
{
    if (!cache || atomic_fetch_sub_explicit(&cache->references, 1, memory_order_acq_rel) != 1)
        return;
    cache_flush(cache);
    for (size_t i = 0; i < CACHE_SHARDS; i++) {
        map_free(cache->shards[i].flights, NULL); /* empty: whoever leads or waits holds the cache */
        free(cache->shards[i].buckets);
        pthread_mutex_destroy(&cache->shards[i].lock);
    }
    free(cache);
}

size_t cache_bytes(const struct cache *cache)
{
    return atomic_load_explicit(&cache->bytes, memory_order_relaxed);
}

size_t cache_limit(const struct cache *cache)
{
    return atomic_load_explicit(&cache->limit, memory_order_relaxed);
}

size_t cache_count(struct cache *cache)
{
    size_t n = 0;
    for (size_t i = 0; i < CACHE_SHARDS; i++) {
        pthread_mutex_lock(&cache->shards[i].lock);
        n += cache->shards[i].n;
        pthread_mutex_unlock(&cache->shards[i].lock);
    }
    return n;
}

/* --- one shard, under its lock --- */

static struct cache_entry **place_of(struct cache_shard *shard, struct str key, uint64_t hash)
{
    struct cache_entry **at = &shard->buckets[hash & (shard->cap - 1)];
    while (*at && ((*at)->hash != hash || !str_eq((*at)->key, key)))
        at = &(*at)->chain;
    return at;
}

struct cache_entry *cache_find(struct cache_shard *shard, struct str key, uint64_t hash)
{
    return *place_of(shard, key, hash);
}

static void grow(struct cache_shard *shard)
{
    size_t cap = shard->cap * 2;
    struct cache_entry **buckets = calloc(cap, sizeof *buckets);
    if (!buckets)
        abort();
    for (struct cache_entry *e = shard->newest; e; e = e->older) {
        e->chain = buckets[e->hash & (cap - 1)];
        buckets[e->hash & (cap - 1)] = e;
    }
    free(shard->buckets);
    shard->buckets = buckets;
    shard->cap = cap;
}

static void take_out(struct cache *cache, struct cache_shard *shard, struct cache_entry *entry)
{
    struct cache_entry **at = &shard->buckets[entry->hash & (shard->cap - 1)];
    while (*at != entry)
        at = &(*at)->chain;
    *at = entry->chain;
    if (shard->hand == entry)
        shard->hand = entry->newer;
    *(entry->newer ? &entry->newer->older : &shard->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &shard->oldest) = entry->newer;
    shard->n--;
    atomic_fetch_sub_explicit(&cache->bytes, entry->bytes, memory_order_relaxed);
    cache_entry_unref(entry);
}

/* Takes a reference of its own. */
void cache_insert(struct cache *cache, struct cache_shard *shard, struct cache_entry *entry)
{
    struct cache_entry *before = cache_find(shard, entry->key, entry->hash);
    if (before) {
        entry->visited = before->visited; /* as warm as what it replaces */
        take_out(cache, shard, before);
    }
    if (shard->n >= shard->cap)
        grow(shard);
    atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
    entry->chain = shard->buckets[entry->hash & (shard->cap - 1)];
    shard->buckets[entry->hash & (shard->cap - 1)] = entry;
    entry->newer = NULL;
    entry->older = shard->newest;
    *(shard->newest ? &shard->newest->newer : &shard->oldest) = entry;
    shard->newest = entry;
    shard->n++;
    atomic_fetch_add_explicit(&cache->bytes, entry->bytes, memory_order_relaxed);
}

/* SIEVE's hand: from where it stands towards the newest, and again from the oldest. False: nothing to take. */
static bool evict_one(struct cache *cache, struct cache_shard *shard, const struct cache_entry *keep)
{
    struct cache_entry *at = shard->hand ? shard->hand : shard->oldest;
    for (size_t steps = 0; at && steps <= 2 * shard->n; steps++) {
        struct cache_entry *next = at->newer ? at->newer : shard->oldest;
        if (at != keep && !at->visited) {
            shard->hand = at->newer;
            take_out(cache, shard, at);
            shard->counts[CACHE_EVICTIONS]++;
            return true;
        }
        at->visited = false;
        at = next;
    }
    return false;
}

static bool is_over(const struct cache *cache)
{
    return cache_bytes(cache) > atomic_load_explicit(&cache->limit, memory_order_relaxed);
}

/* From the shard of `hash` on, through all of them if need be. */
void cache_trim(struct cache *cache, uint64_t hash, const struct cache_entry *keep)
{
    struct cache_shard *first = cache_shard_of(cache, hash);
    for (size_t i = 0; i < CACHE_SHARDS && is_over(cache); i++) {
        struct cache_shard *shard = &cache->shards[((size_t)(first - cache->shards) + i) % CACHE_SHARDS];
        pthread_mutex_lock(&shard->lock);
        while (is_over(cache) && evict_one(cache, shard, keep))
            ;
        pthread_mutex_unlock(&shard->lock);
    }
}

/* --- for everyone --- */

void cache_set_limit(struct cache *cache, size_t limit_bytes)
{
    atomic_store_explicit(&cache->limit, limit_bytes, memory_order_relaxed);
    cache_trim(cache, 0, NULL);
}

void cache_put(struct cache *cache, struct cache_entry *entry)
{
    struct cache_shard *shard = cache_shard_of(cache, entry->hash);
    if (entry->bytes > atomic_load_explicit(&cache->limit, memory_order_relaxed))
        return;
    pthread_mutex_lock(&shard->lock);
    cache_insert(cache, shard, entry);
    pthread_mutex_unlock(&shard->lock);
    cache_trim(cache, entry->hash, entry);
}

size_t cache_drop(struct cache *cache, struct str key)
{
    uint64_t hash = str_hash(key);
    struct cache_shard *shard = cache_shard_of(cache, hash);
    pthread_mutex_lock(&shard->lock);
    struct cache_entry *entry = cache_find(shard, key, hash);
    if (entry)
        take_out(cache, shard, entry);
    struct cache_flight *flight = map_get(shard->flights, key);
    if (flight)
        cache_supersede(shard, flight);
    pthread_mutex_unlock(&shard->lock);
    return entry != NULL;
}

static bool has_tag(const struct cache_entry *entry, struct str tag)
{
    struct str rest = entry->tag_list, one;
    while (rest.len && str_split(&rest, ' ', &one))
        if (str_eq(one, tag))
            return true;
    return false;
}

/* What is being fetched may be what goes: nobody knows yet. */
static void supersede_all(struct cache_shard *shard)
{
    struct str key;
    void *flight;
    for (size_t at = 0; map_each(shard->flights, &at, &key, &flight); at = 0)
        cache_supersede(shard, flight);
}

/* Loops look things up in the shard meanwhile: they find it empty, and do not wait until all is freed. */
static size_t flush_shard(struct cache *cache, struct cache_shard *shard)
{
    struct cache_entry **buckets = calloc(FIRST_BUCKETS, sizeof *buckets), **before;
    size_t gone, bytes = 0;
    if (!buckets)
        abort();
    pthread_mutex_lock(&shard->lock);
    struct cache_entry *all = shard->newest;
    gone = shard->n;
    before = shard->buckets;
    shard->buckets = buckets;
    shard->cap = FIRST_BUCKETS;
    shard->n = 0;
    shard->newest = shard->oldest = shard->hand = NULL;
    supersede_all(shard);
    pthread_mutex_unlock(&shard->lock);
    for (struct cache_entry *e = all, *older; e; e = older) {
        older = e->older;
        bytes += e->bytes;
        cache_entry_unref(e);
    }
    free(before);
    atomic_fetch_sub_explicit(&cache->bytes, bytes, memory_order_relaxed);
    return gone;
}

size_t cache_flush(struct cache *cache)
{
    size_t gone = 0;
    for (size_t i = 0; i < CACHE_SHARDS; i++)
        gone += flush_shard(cache, &cache->shards[i]);
    return gone;
}

size_t cache_purge_tag(struct cache *cache, struct str tag)
{
    size_t gone = 0;
    for (size_t i = 0; i < CACHE_SHARDS; i++) {
        struct cache_shard *shard = &cache->shards[i];
        pthread_mutex_lock(&shard->lock);
        for (struct cache_entry *e = shard->newest, *older; e; e = older) {
            older = e->older;
            if (!has_tag(e, tag))
                continue;
            take_out(cache, shard, e);
            gone++;
        }
        supersede_all(shard);
        pthread_mutex_unlock(&shard->lock);
    }
    return gone;
}

void cache_count_miss(struct cache *cache, struct str key)
{
    struct cache_shard *shard = cache_shard_of(cache, str_hash(key));
    pthread_mutex_lock(&shard->lock);
    shard->counts[CACHE_MISSES]++;
    pthread_mutex_unlock(&shard->lock);
}

uint64_t cache_total(struct cache *cache, enum cache_counter counter)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < CACHE_SHARDS; i++) {
        pthread_mutex_lock(&cache->shards[i].lock);
        sum += cache->shards[i].counts[counter];
        pthread_mutex_unlock(&cache->shards[i].lock);
    }
    return sum;
}
