/* Wrong guesses by address: a bucket for each, in a table of fixed size. Who comes to a full row of it takes the
 * place of the one that has guessed wrong the least, so that changing addresses does not wash off another's. */
#include "core/base64.h"
#include "core/bucket.h"
#include "core/ip.h"
#include "core/map.h"
#include "identity/pools/options.h"
#include "identity/protection/guard.h"

#include <pthread.h>
#include <stdlib.h>

enum { ROWS = 4096, WAYS = 8, PER_MINUTE = 60 };

struct entry {
    uint64_t key; /* 0: free */
    bucket_level level;
};
struct throttle {
    pthread_mutex_t lock;
    struct entry entries[ROWS][WAYS]; /* 512 KiB */
};

struct throttle *throttle_new(void)
{
    struct throttle *throttle = calloc(1, sizeof *throttle);
    if (throttle)
        pthread_mutex_init(&throttle->lock, NULL);
    return throttle;
}

void throttle_free(struct throttle *throttle)
{
    if (!throttle)
        return;
    pthread_mutex_destroy(&throttle->lock);
    free(throttle);
}

/* 0: not throttled. Addresses of this machine are not, unless the pool says how many. */
static uint64_t key_of(const struct call *call, const struct pool *pool, struct str text, int64_t *per_minute)
{
    struct ip ip;
    if (!text.ptr || !ip_parse(text, &ip))
        return 0;
    *per_minute = option_count(pool->more, "ipFailuresPerMinute", ip_scope(&ip) == IP_LOOPBACK ? 0 : PER_MINUTE);
    if (*per_minute == 0)
        return 0;
    struct str bytes = { (const char *)ip.bytes, ip.bits == 128 ? 8 : 4 };
    uint64_t key = str_hash(str_printf(call->arena, "%.*s/%s", STR_FMT(pool->id), hex_encode(call->arena, bytes).ptr));
    return key ? key : 1;
}

static struct entry *find(struct throttle *throttle, uint64_t key)
{
    struct entry *row = throttle->entries[key % ROWS];
    for (int i = 0; i < WAYS; i++)
        if (row[i].key == key)
            return &row[i];
    return NULL;
}

/* What is left of a minute's guesses. A level that no guess can have made is of a clock that went back. */
static bool has_some(const struct bucket_limit *limit, const struct entry *entry, int64_t now_us)
{
    bool sane = entry->level <= now_us * 1000 + limit->capacity_ns;
    return !sane || bucket_left_level(limit, &entry->level, now_us) > 0;
}

static struct entry *find_or_take(struct throttle *throttle, uint64_t key)
{
    struct entry *found = find(throttle, key), *row = throttle->entries[key % ROWS];
    if (found)
        return found;
    found = &row[0];
    for (int i = 0; i < WAYS && found->key; i++)
        if (!row[i].key || row[i].level < found->level)
            found = &row[i];
    found->key = key;
    found->level = BUCKET_FULL;
    return found;
}

bool throttle_allows(struct throttle *throttle, const struct call *call, const struct pool *pool, struct str ip)
{
    int64_t per_minute;
    uint64_t key = key_of(call, pool, ip, &per_minute);
    if (!key)
        return true;
    const struct bucket_limit limit = bucket_limit_of((double)per_minute / 60, per_minute);
    pthread_mutex_lock(&throttle->lock);
    const struct entry *entry = find(throttle, key);
    bool allows = !entry || has_some(&limit, entry, call->now_us);
    pthread_mutex_unlock(&throttle->lock);
    return allows;
}

void throttle_count(struct throttle *throttle, const struct call *call, const struct pool *pool, struct str ip)
{
    int64_t per_minute;
    uint64_t key = key_of(call, pool, ip, &per_minute);
    if (!key)
        return;
    const struct bucket_limit limit = bucket_limit_of((double)per_minute / 60, per_minute);
    pthread_mutex_lock(&throttle->lock);
    struct entry *entry = find_or_take(throttle, key);
    if (entry->level > call->now_us * 1000 + limit.capacity_ns)
        entry->level = BUCKET_FULL;
    (void)bucket_take_level(&limit, &entry->level, call->now_us);
    pthread_mutex_unlock(&throttle->lock);
}
