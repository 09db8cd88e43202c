/* What cache.c and cache_flight.c share; nobody else needs it. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "core/map.h"
#include "gateway/cache/cache.h"

#define CACHE_SHARDS 16

struct cache_shard {
    pthread_mutex_t lock;
    struct cache_entry **buckets;
    size_t n, cap;                        /* cap is a power of two */
    struct cache_entry *newest, *oldest, *hand;
    struct map *flights;                  /* key -> struct cache_flight */
    uint64_t counts[CACHE_COUNTERS];
    char apart[64];                       /* the next shard's lock is in another cache line */
};

struct cache {
    atomic_uint references;
    atomic_size_t bytes, limit;
    struct cache_shard shards[CACHE_SHARDS];
};

struct cache_flight {
    struct str key;
    uint64_t hash;
    bool superseded;                      /* no longer in the shard's table: what it brings is too old */
    struct cache_waiter *first, *last;
};

static inline struct cache_shard *cache_shard_of(struct cache *cache, uint64_t hash)
{
    return &cache->shards[hash >> 32 & (CACHE_SHARDS - 1)];
}

/* Under the shard's lock. */
struct cache_entry *cache_find(struct cache_shard *shard, struct str key, uint64_t hash);
void cache_insert(struct cache *cache, struct cache_shard *shard, struct cache_entry *entry);
void cache_supersede(struct cache_shard *shard, struct cache_flight *flight);
/* Not under a lock. */
void cache_trim(struct cache *cache, uint64_t hash, const struct cache_entry *keep);
