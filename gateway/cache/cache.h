/* Answers that are kept: one cache a stage, in shards with a lock each, under a budget of bytes.
 *
 * What is evicted is chosen by SIEVE: entries stand in order of arrival, a hit only sets a mark, and
 * a hand that walks from the oldest to the newest takes away what has none. A hit moves nothing in
 * any list, one pass over many cold keys does not push out the warm ones, and there is one list to
 * keep right instead of S3-FIFO's three.
 *
 * Equal misses make one call: whoever misses first leads a flight, the others queue up behind it and
 * are told on their own loop how it ended. A leader that fails hands the flight to the next.
 *
 * Nothing here knows HTTP or the pipeline; a key is bytes. Any thread. */
#pragma once

#include "core/loop.h"
#include "core/str.h"

/* "The maximum size of a response that can be cached is 1048576 bytes." */
#define CACHE_MAX_BODY 1048576

struct arena;
struct cache;
struct cache_flight;
struct cache_sealer;

struct cache_entry {
    struct cache_entry *chain;         /* in its bucket */
    struct cache_entry *newer, *older; /* in its shard, by arrival */
    _Atomic unsigned references;
    bool visited;
    uint64_t hash;
    size_t bytes;                      /* what it counts for in the budget */
    int64_t stored_us, fresh_until_us, stale_until_us;
    int status;
    struct str key;
    struct str head;                   /* header lines, each with its CR LF; not while sealed */
    struct str body;
    struct str tag_list;               /* separated by single spaces */
    struct str etag;                   /* absent: none */
    struct str vary;                   /* present: no answer, but the headers that choose among answers */
    const struct cache_sealer *sealer; /* NULL: head and body are in clear */
    size_t head_bytes;
};

/* An entry made of copies, in one block; the caller holds it. sealer NULL: kept in clear. */
struct cache_entry *cache_entry_new(const struct cache_entry *from, const struct cache_sealer *sealer);
void cache_entry_unref(struct cache_entry *entry);
/* Head and body: views of the entry, or opened into the arena. False: it does not open (its memory was hurt). */
bool cache_entry_open(const struct cache_entry *entry, struct arena *arena, struct str *head, struct str *body);

struct cache *cache_new(size_t limit_bytes);
struct cache *cache_ref(struct cache *cache);
void cache_unref(struct cache *cache);
void cache_set_limit(struct cache *cache, size_t limit_bytes); /* evicts at once what is too much */
size_t cache_bytes(const struct cache *cache);
size_t cache_limit(const struct cache *cache);
size_t cache_count(struct cache *cache);

/* --- looking --- */

enum cache_turn {
    CACHE_HIT,     /* *entry is held for the caller */
    CACHE_STALE,   /* so it is, past its time; somebody fetches another one already */
    CACHE_REFRESH, /* so it is, and the caller leads *flight to replace it */
    CACHE_MISS,    /* nothing, and no waiter was given */
    CACHE_LEAD,    /* nothing: the caller leads *flight and must end it with cache_land or cache_hand_on */
    CACHE_WAIT,    /* somebody fetches it: waiter->fn will be called */
};

enum cache_news {
    CACHE_LOOK_AGAIN, /* it is there now, or was for a moment */
    CACHE_GO_ALONE,   /* the answer is of a kind that is not kept: no use to queue up for it */
    CACHE_LEAD_NOW,   /* the leader failed: waiter->flight is yours */
};

/* In a queue of a flight. On the heap, for it may outlive the request that waits. */
struct cache_waiter {
    struct loop_task task; /* private */
    struct loop *loop;
    void (*fn)(struct cache_waiter *waiter); /* on the loop, once; frees the waiter */
    void *user;
    enum cache_news news;
    struct cache_flight *flight; /* with CACHE_LEAD_NOW */
    /* private */
    struct cache *cache;
    struct cache_waiter *next, *prev;
    struct cache_flight *queued;
    uint64_t hash;
};

/* waiter NULL: only looks. now_us: of the clock that entries are dated by. */
enum cache_turn cache_look(struct cache *cache, struct str key, int64_t now_us, struct cache_waiter *waiter,
                           struct cache_entry **entry, struct cache_flight **flight);
/* Out of the queue. True: fn will not be called, the waiter is the caller's to free. */
bool cache_leave(struct cache_waiter *waiter);

/* --- ends of a flight --- */

/* Keeps `entry` (of the flight's key, or NULL) and `beside` (of another, or NULL) unless the flight's
 * key was invalidated meanwhile, and tells everyone. The caller's references stay the caller's. */
void cache_land(struct cache *cache, struct cache_flight *flight, struct cache_entry *entry,
                struct cache_entry *beside, enum cache_news news);
/* The leader gives up: the next in the queue leads. */
void cache_hand_on(struct cache *cache, struct cache_flight *flight);
/* Without a flight: an answer that somebody fetched for himself. */
void cache_put(struct cache *cache, struct cache_entry *entry);

/* --- forgetting; the number of entries that went. What is under way for them is not kept either. --- */
size_t cache_drop(struct cache *cache, struct str key);
size_t cache_flush(struct cache *cache);
size_t cache_purge_tag(struct cache *cache, struct str tag);

/* --- numbers --- */
enum cache_counter { CACHE_HITS, CACHE_MISSES, CACHE_EVICTIONS, CACHE_COUNTERS };
void cache_count_miss(struct cache *cache, struct str key); /* by who goes alone; others are counted in cache_look */
uint64_t cache_total(struct cache *cache, enum cache_counter counter);

/* --- sealing: AES-256-GCM under a key of this process that nothing else knows --- */
struct cache_sealer *cache_sealer_new(const struct env *env);
void cache_sealer_free(struct cache_sealer *sealer);
/* For entries whose key must not stand in clear either. 64 hex digits in the arena. */
struct str cache_sealed_key(const struct cache_sealer *sealer, struct arena *arena, struct str key);
