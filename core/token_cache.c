#include "core/token_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/digest.h"
#include "core/map.h"

enum {
    SHARDS = 16,
    SETS = 64,
    WAYS = 4, /* 4,096 tokens, about 4 KiB each */
    TAIL_BYTES = 24
};

struct token_cache_entry {
    struct cached_token found;
    atomic_int references;
    uint64_t hash;
    uint64_t used; /* the shard's tick when last found */
    size_t head;   /* bytes before the signature: no secret */
    size_t len;
    char token[]; /* and behind it the issuer's names */
};

struct shard {
    pthread_mutex_t lock;
    uint64_t tick;
    struct token_cache_entry *sets[SETS][WAYS];
} __attribute__((aligned(64)));

struct token_cache {
    struct shard shards[SHARDS];
};

static void entry_release(void *ptr)
{
    struct token_cache_entry *entry = ptr;
    if (!entry || atomic_fetch_sub_explicit(&entry->references, 1, memory_order_acq_rel) != 1)
        return;
    json_decref(entry->found.claims);
    free(entry);
}

static uint64_t hash_of(struct str token)
{
    return str_hash(str_from(token, token.len > TAIL_BYTES ? token.len - TAIL_BYTES : 0));
}

/* The head may be compared as fast as can be; the signature is what a guesser must not learn. */
static bool same(const struct token_cache_entry *entry, struct str token)
{
    return entry->len == token.len && memcmp(entry->token, token.ptr, entry->head) == 0 &&
           digest_equal((struct str){ entry->token + entry->head, entry->len - entry->head },
                        str_from(token, entry->head));
}

static struct cached_token *hold(struct token_cache_entry *entry, struct arena *arena)
{
    arena_defer(arena, entry_release, entry);
    return &entry->found;
}

struct token_cache *token_cache_new(void)
{
    struct token_cache *cache = aligned_alloc(64, sizeof *cache);
    if (!cache)
        abort();
    memset(cache, 0, sizeof *cache);
    for (int i = 0; i < SHARDS; i++)
        pthread_mutex_init(&cache->shards[i].lock, NULL);
    return cache;
}

void token_cache_free(struct token_cache *cache)
{
    if (!cache)
        return;
    for (int i = 0; i < SHARDS; i++) {
        for (int set = 0; set < SETS; set++)
            for (int way = 0; way < WAYS; way++)
                entry_release(cache->shards[i].sets[set][way]);
        pthread_mutex_destroy(&cache->shards[i].lock);
    }
    free(cache);
}

struct cached_token *token_cache_find(struct token_cache *cache, struct arena *arena, struct str token)
{
    uint64_t hash = hash_of(token);
    struct shard *shard = &cache->shards[hash % SHARDS];
    struct token_cache_entry **set = shard->sets[hash / SHARDS % SETS], *found = NULL;
    pthread_mutex_lock(&shard->lock);
    for (int way = 0; way < WAYS && !found; way++)
        if (set[way] && set[way]->hash == hash && same(set[way], token))
            found = set[way];
    if (found) {
        found->used = ++shard->tick;
        atomic_fetch_add_explicit(&found->references, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&shard->lock);
    return found ? hold(found, arena) : NULL;
}

struct cached_token *token_cache_add(struct token_cache *cache, struct arena *arena, struct str token,
                                     const struct cached_token *fresh)
{
    struct str id = fresh->issuer, arn = fresh->issuer_arn;
    struct token_cache_entry *entry = calloc(1, sizeof *entry + token.len + id.len + arn.len);
    if (!entry)
        abort();
    entry->found = *fresh;
    json_incref(entry->found.claims);
    char *names = entry->token + token.len; /* the other strings point into the claims */
    if (id.len)
        entry->found.issuer = (struct str){ memcpy(names, id.ptr, id.len), id.len };
    if (arn.len)
        entry->found.issuer_arn = (struct str){ memcpy(names + id.len, arn.ptr, arn.len), arn.len };
    atomic_init(&entry->references, 2); /* the cache's and the caller's */
    entry->hash = hash_of(token);
    entry->len = token.len;
    entry->head = (size_t)(str_find_last(token, '.') + 1);
    memcpy(entry->token, token.ptr, token.len);

    struct shard *shard = &cache->shards[entry->hash % SHARDS];
    struct token_cache_entry **set = shard->sets[entry->hash / SHARDS % SETS], **oldest = &set[0];
    pthread_mutex_lock(&shard->lock);
    for (int way = 0; way < WAYS && *oldest; way++)
        if (!set[way] || set[way]->used < (*oldest)->used)
            oldest = &set[way];
    struct token_cache_entry *gone = *oldest;
    entry->used = ++shard->tick;
    *oldest = entry;
    pthread_mutex_unlock(&shard->lock);
    entry_release(gone);
    return hold(entry, arena);
}

void token_cache_drop(struct token_cache *cache, struct str issuer)
{
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        pthread_mutex_lock(&shard->lock);
        for (int set = 0; set < SETS; set++)
            for (int way = 0; way < WAYS; way++) {
                struct token_cache_entry **slot = &shard->sets[set][way];
                if (*slot && str_eq((*slot)->found.issuer, issuer)) {
                    entry_release(*slot);
                    *slot = NULL;
                }
            }
        pthread_mutex_unlock(&shard->lock);
    }
}
