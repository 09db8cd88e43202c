/* The policies that Lambda authorizers gave, by API, stage, authorizer and identity values.
 *
 * What is cached is the policy, never the verdict: "the policy is cached for all methods of the
 * stage" and evaluated against each method's ARN. (Caching the verdict opened /beta to who was
 * allowed /alpha in another implementation.) Shards with a lock each; held for a look-up only. */
#include <stdlib.h>

#include "core/map.h"
#include "gateway/stage/stage.h"
#include "policy/eval.h"

#define SHARDS       16
#define MAX_PER_SHARD 4096

struct shard {
    pthread_mutex_t lock;
    struct map *policies;
};

struct auth_cache {
    struct shard shards[SHARDS];
};

struct auth_cache *auth_cache_new(void)
{
    struct auth_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        abort();
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&cache->shards[i].lock, NULL);
        cache->shards[i].policies = map_new();
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
        map_free(cache->shards[i].policies, unref);
        pthread_mutex_destroy(&cache->shards[i].lock);
    }
    free(cache);
}

static struct shard *shard_of(struct auth_cache *cache, struct str key)
{
    return &cache->shards[str_hash(key) >> 32 & (SHARDS - 1)];
}

const struct auth_policy *auth_cache_get(struct auth_cache *cache, struct arena *arena, struct str key, int64_t now_us)
{
    struct shard *shard = shard_of(cache, key);
    struct auth_policy *dead = NULL;
    pthread_mutex_lock(&shard->lock);
    struct auth_policy *policy = map_get(shard->policies, key);
    if (policy && policy->expires_us <= now_us) {
        dead = map_remove(shard->policies, key);
        policy = NULL;
    } else if (policy) {
        atomic_fetch_add(&policy->references, 1);
    }
    pthread_mutex_unlock(&shard->lock);
    auth_policy_unref(dead);
    if (policy)
        arena_defer(arena, unref, policy);
    return policy;
}

void auth_cache_put(struct auth_cache *cache, struct str key, struct auth_policy *policy)
{
    struct shard *shard = shard_of(cache, key);
    struct map *full = NULL;
    atomic_fetch_add(&policy->references, 1);
    pthread_mutex_lock(&shard->lock);
    if (map_count(shard->policies) >= MAX_PER_SHARD) { /* strangers' tokens must not fill the memory */
        full = shard->policies;
        shard->policies = map_new();
    }
    struct auth_policy *old = map_set(shard->policies, key, policy);
    pthread_mutex_unlock(&shard->lock);
    auth_policy_unref(old);
    if (full)
        map_free(full, unref);
}

static void add_part(struct strbuf *key, struct str part)
{
    strbuf_printf(key, "%zu:", part.len);
    strbuf_add(key, part);
}

struct str auth_cache_key(struct arena *arena, const struct snapshot *snapshot, const struct gw_authorizer *authorizer,
                          const struct str *values, size_t n)
{
    struct strbuf key = strbuf_in(arena, 256);
    add_part(&key, snapshot->api_id);
    add_part(&key, snapshot->stage);
    add_part(&key, authorizer->id);
    add_part(&key, authorizer->function);
    for (size_t i = 0; i < n; i++)
        add_part(&key, values[i]);
    return strbuf_view(&key);
}

void auth_cache_flush(struct auth_cache *cache, struct str api_id, struct str stage)
{
    char start[256];
    int len = snprintf(start, sizeof start, "%zu:%.*s%zu:%.*s", api_id.len, STR_FMT(api_id), stage.len, STR_FMT(stage));
    struct str prefix = { start, len < (int)sizeof start ? (size_t)len : sizeof start - 1 };
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        struct str key;
        void *value;
        pthread_mutex_lock(&shard->lock);
        struct map *kept = map_new();
        for (size_t at = 0; map_each(shard->policies, &at, &key, &value);) {
            if (str_starts(key, prefix))
                auth_policy_unref(value);
            else
                map_set(kept, key, value);
        }
        map_free(shard->policies, NULL);
        shard->policies = kept;
        pthread_mutex_unlock(&shard->lock);
    }
}
