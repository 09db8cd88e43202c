/* Looking, and one call for equal misses. */
#include <stdlib.h>

#include "gateway/cache/table.h"

#define SKEW_US 1000000

static struct cache_flight *flight_new(struct cache_shard *shard, struct str key, uint64_t hash)
{
    struct cache_flight *flight = calloc(1, sizeof *flight + key.len);
    if (!flight)
        abort();
    memcpy(flight + 1, key.ptr, key.len);
    flight->key = (struct str){ (char *)(flight + 1), key.len };
    flight->hash = hash;
    map_set(shard->flights, flight->key, flight);
    return flight;
}

void cache_supersede(struct cache_shard *shard, struct cache_flight *flight)
{
    flight->superseded = true;
    map_remove(shard->flights, flight->key);
}

static void enqueue(struct cache *cache, struct cache_flight *flight, struct cache_waiter *waiter)
{
    waiter->cache = cache_ref(cache);
    waiter->hash = flight->hash;
    waiter->queued = flight;
    waiter->next = NULL;
    waiter->prev = flight->last;
    *(flight->last ? &flight->last->next : &flight->first) = waiter;
    flight->last = waiter;
}

static void dequeue(struct cache_waiter *waiter)
{
    struct cache_flight *flight = waiter->queued;
    *(waiter->prev ? &waiter->prev->next : &flight->first) = waiter->next;
    *(waiter->next ? &waiter->next->prev : &flight->last) = waiter->prev;
    waiter->queued = NULL;
}

/* Past its time but within the grace: the first to come fetches another one. */
static enum cache_turn take_stale(struct cache_shard *shard, struct cache_entry *found, struct cache_flight **flight)
{
    if (!flight || map_get(shard->flights, found->key))
        return CACHE_STALE;
    *flight = flight_new(shard, found->key, found->hash);
    return CACHE_REFRESH;
}

static enum cache_turn look(struct cache *cache, struct cache_shard *shard, struct str key, uint64_t hash,
                            int64_t now_us, struct cache_waiter *waiter, struct cache_entry **entry,
                            struct cache_flight **flight)
{
    struct cache_entry *found = cache_find(shard, key, hash);
    /* Loops read the clock at different moments; a clock that was set back makes the rest dead. */
    if (found && now_us + SKEW_US >= found->stored_us && now_us < found->stale_until_us) {
        atomic_fetch_add_explicit(&found->references, 1, memory_order_relaxed);
        found->visited = true;
        *entry = found;
        if (!found->vary.ptr)
            shard->counts[CACHE_HITS]++;
        return now_us < found->fresh_until_us ? CACHE_HIT : take_stale(shard, found, flight);
    }
    if (!waiter)
        return CACHE_MISS;
    struct cache_flight *before = map_get(shard->flights, key);
    if (before) {
        enqueue(cache, before, waiter);
        return CACHE_WAIT;
    }
    shard->counts[CACHE_MISSES]++; /* who waits will be served from here: a hit */
    *flight = flight_new(shard, key, hash);
    return CACHE_LEAD;
}

enum cache_turn cache_look(struct cache *cache, struct str key, int64_t now_us, struct cache_waiter *waiter,
                           struct cache_entry **entry, struct cache_flight **flight)
{
    uint64_t hash = str_hash(key);
    struct cache_shard *shard = cache_shard_of(cache, hash);
    pthread_mutex_lock(&shard->lock);
    enum cache_turn turn = look(cache, shard, key, hash, now_us, waiter, entry, flight);
    pthread_mutex_unlock(&shard->lock);
    return turn;
}

bool cache_leave(struct cache_waiter *waiter)
{
    struct cache *cache = waiter->cache;
    struct cache_shard *shard = cache_shard_of(cache, waiter->hash);
    pthread_mutex_lock(&shard->lock);
    bool mine = waiter->queued != NULL;
    if (mine)
        dequeue(waiter);
    pthread_mutex_unlock(&shard->lock);
    if (mine)
        cache_unref(cache);
    return mine;
}

static void tell(struct loop_task *task)
{
    struct cache_waiter *waiter = (struct cache_waiter *)(void *)((char *)task - offsetof(struct cache_waiter, task));
    struct cache *cache = waiter->cache;
    waiter->fn(waiter);
    cache_unref(cache);
}

static void post(struct cache_waiter *waiter, enum cache_news news, struct cache_flight *flight)
{
    waiter->news = news;
    waiter->flight = flight;
    waiter->task.fn = tell;
    loop_post(waiter->loop, &waiter->task);
}

/* The flight is over. Answers whether its key was invalidated while it was on its way. */
static bool close_flight(struct cache *cache, struct cache_flight *flight, struct cache_entry *entry)
{
    struct cache_shard *shard = cache_shard_of(cache, flight->hash);
    pthread_mutex_lock(&shard->lock);
    bool superseded = flight->superseded;
    if (!superseded) {
        if (entry)
            cache_insert(cache, shard, entry);
        map_remove(shard->flights, flight->key);
    }
    for (struct cache_waiter *w = flight->first; w; w = w->next)
        w->queued = NULL;
    pthread_mutex_unlock(&shard->lock);
    return superseded;
}

void cache_land(struct cache *cache, struct cache_flight *flight, struct cache_entry *entry,
                struct cache_entry *beside, enum cache_news news)
{
    size_t limit = atomic_load_explicit(&cache->limit, memory_order_relaxed);
    if (entry && entry->bytes > limit) { /* it will never be there: no use to look again */
        entry = NULL;
        news = CACHE_GO_ALONE;
    }
    if (beside) /* first, so that whoever looks in between finds it */
        cache_put(cache, beside);
    bool superseded = close_flight(cache, flight, entry);
    if (beside && superseded)
        cache_drop(cache, beside->key);
    for (struct cache_waiter *waiter = flight->first, *next; waiter; waiter = next) {
        next = waiter->next; /* a posted one may be gone at once */
        post(waiter, superseded ? CACHE_LOOK_AGAIN : news, NULL);
    }
    free(flight);
    if (entry && !superseded)
        cache_trim(cache, entry->hash, entry);
}

void cache_hand_on(struct cache *cache, struct cache_flight *flight)
{
    struct cache_shard *shard = cache_shard_of(cache, flight->hash);
    pthread_mutex_lock(&shard->lock);
    struct cache_waiter *next = flight->first;
    if (next)
        dequeue(next);
    else if (!flight->superseded)
        map_remove(shard->flights, flight->key);
    pthread_mutex_unlock(&shard->lock);
    if (next)
        post(next, CACHE_LEAD_NOW, flight);
    else
        free(flight);
}
