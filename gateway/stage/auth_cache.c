/* The policies that Lambda authorizers gave, by API, stage, authorizer and identity values.
 *
 * What is cached is the policy, never the verdict: "the policy is cached for all methods of the
 * stage" and evaluated against each method's ARN. (Caching the verdict opened /beta to who was
 * allowed /alpha in another implementation.) Shards with a lock each; held for a look-up only.
 * Each keeps two generations: a full young one becomes the old one, whose policies are forgotten
 * unless they are asked for; so that strangers' tokens neither fill the memory nor empty the cache. */
#include <stdlib.h>

#include "core/map.h"
#include "gateway/stage/stage.h"
#include "policy/eval.h"

enum { SHARDS = 16, GENERATION = 512 };

struct shard {
    pthread_mutex_t lock;
    struct map *young, *old;
} __attribute__((aligned(64)));

struct auth_cache {
    struct shard shards[SHARDS];
};

struct auth_cache *auth_cache_new(void)
{
    struct auth_cache *cache = aligned_alloc(64, sizeof *cache);
    if (!cache)
        abort();
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&cache->shards[i].lock, NULL);
        cache->shards[i].young = map_new();
        cache->shards[i].old = map_new();
    }
    return cache;
}

void auth_policy_unref(struct auth_policy *policy)
{
    if (policy && atomic_fetch_sub(&policy->references, 1) == 1) {
        policy_set_free(policy->policy);
        arena_free(policy->arena);
    }
}

static void unref(void *policy)
{
    auth_policy_unref(policy);
}

void auth_cache_free(struct auth_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        map_free(cache->shards[i].young, unref);
        map_free(cache->shards[i].old, unref);
        pthread_mutex_destroy(&cache->shards[i].lock);
    }
    free(cache);
}

static struct shard *shard_of(struct auth_cache *cache, struct str key)
{
    return &cache->shards[str_hash(key) >> 32 & (SHARDS - 1)];
}

/* Its lock is held. A full generation is handed out, to be freed without the lock. */
static struct map *make_room(struct shard *shard)
{
    if (map_count(shard->young) < GENERATION)
        return NULL;
    struct map *forgotten = shard->old;
    shard->old = shard->young;
    shard->young = map_new();
    return forgotten;
}

const struct auth_policy *auth_cache_get(struct auth_cache *cache, struct arena *arena, struct str key, int64_t now_us)
{
    struct shard *shard = shard_of(cache, key);
    struct auth_policy *dead = NULL;
    struct map *forgotten = NULL;
    pthread_mutex_lock(&shard->lock);
    struct auth_policy *policy = map_get(shard->young, key);
    if (!policy && (policy = map_remove(shard->old, key))) {
        forgotten = make_room(shard);
        map_set(shard->young, key, policy);
    }
    if (policy && policy->expires_us <= now_us) {
        dead = map_remove(shard->young, key);
        policy = NULL;
    } else if (policy) {
        atomic_fetch_add_explicit(&policy->references, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&shard->lock);
    auth_policy_unref(dead);
    if (forgotten)
        map_free(forgotten, unref);
    if (policy)
        arena_defer(arena, unref, policy);
    return policy;
}

void auth_cache_put(struct auth_cache *cache, struct str key, struct auth_policy *policy)
{
    struct shard *shard = shard_of(cache, key);
    atomic_fetch_add(&policy->references, 1);
    pthread_mutex_lock(&shard->lock);
    struct auth_policy *older = map_remove(shard->old, key);
    struct map *forgotten = make_room(shard);
    struct auth_policy *old = map_set(shard->young, key, policy);
    pthread_mutex_unlock(&shard->lock);
    auth_policy_unref(older);
    auth_policy_unref(old);
    if (forgotten)
        map_free(forgotten, unref);
}

/* With its length, so that no two lists of parts are one key. */
static void add_part(struct strbuf *key, struct str part)
{
    uint32_t len = (uint32_t)part.len;
    strbuf_add(key, (struct str){ (const char *)&len, sizeof len });
    strbuf_add(key, part);
}

struct str auth_cache_key(struct arena *arena, const struct snapshot *snapshot, const struct gw_authorizer *authorizer,
                          const struct str *values, size_t n)
{
    size_t bytes = snapshot->api_id.len + snapshot->stage.len + authorizer->id.len + authorizer->function.len +
                   (n + 4) * (sizeof(uint32_t)) + 1;
    for (size_t i = 0; i < n; i++)
        bytes += values[i].len;
    struct strbuf key = strbuf_in(arena, bytes);
    add_part(&key, snapshot->api_id);
    add_part(&key, snapshot->stage);
    add_part(&key, authorizer->id);
    add_part(&key, authorizer->function);
    for (size_t i = 0; i < n; i++)
        add_part(&key, values[i]);
    return strbuf_view(&key);
}

static struct map *without(struct map *policies, struct str prefix)
{
    struct map *kept = map_new();
    struct str key;
    void *value;
    for (size_t at = 0; map_each(policies, &at, &key, &value);) {
        if (str_starts(key, prefix))
            auth_policy_unref(value);
        else
            map_set(kept, key, value);
    }
    map_free(policies, NULL);
    return kept;
}

void auth_cache_flush(struct auth_cache *cache, struct str api_id, struct str stage)
{
    struct arena *arena = arena_new(512);
    struct strbuf prefix = strbuf_in(arena, api_id.len + stage.len + 16);
    add_part(&prefix, api_id);
    add_part(&prefix, stage);
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        pthread_mutex_lock(&shard->lock);
        shard->young = without(shard->young, strbuf_view(&prefix));
        shard->old = without(shard->old, strbuf_view(&prefix));
        pthread_mutex_unlock(&shard->lock);
    }
    arena_free(arena);
}
