#include "identity/tokens/revocation.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/base64.h"
#include "core/map.h"

enum { SWEEP_EVERY = 4096 };

struct revocations {
    pthread_rwlock_t lock;
    struct map *epochs;  /* "pool/sub" -> int64_t */
    struct map *origins; /* origin_jti -> int64_t, until when it matters */
    int until_sweep;
    _Atomic uint64_t generation;
    _Atomic int64_t last_stamp_us;
};

static void put(struct map *map, struct str key, int64_t value)
{
    int64_t *slot = map_get(map, key);
    if (slot) {
        *slot = value;
        return;
    }
    slot = malloc(sizeof *slot);
    if (!slot)
        abort();
    *slot = value;
    map_set(map, key, slot);
}

static struct str user_key(char buf[256], struct str pool, struct str sub)
{
    size_t a = pool.len < 120 ? pool.len : 120, b = sub.len < 120 ? sub.len : 120;
    memcpy(buf, pool.ptr, a);
    buf[a] = '/';
    memcpy(buf + a + 1, sub.ptr, b);
    return (struct str){ buf, a + 1 + b };
}

static void raise_to(_Atomic int64_t *stamp, int64_t value)
{
    int64_t seen = atomic_load(stamp);
    while (seen < value && !atomic_compare_exchange_weak(stamp, &seen, value))
        ;
}

static void load_epoch(void *ctx, struct str pool, struct str sub, int64_t epoch_us)
{
    struct revocations *r = ctx;
    char buf[256];
    put(r->epochs, user_key(buf, pool, sub), epoch_us);
    raise_to(&r->last_stamp_us, epoch_us);
}

static void load_origin(void *ctx, struct str origin, int64_t until_s)
{
    put(((struct revocations *)ctx)->origins, origin, until_s);
}

struct revocations *revocations_open(struct identity *identity, struct arena *arena, gh_err *err)
{
    struct revocations *r = calloc(1, sizeof *r);
    if (!r)
        abort();
    pthread_rwlock_init(&r->lock, NULL);
    r->epochs = map_new();
    r->origins = map_new();
    r->until_sweep = SWEEP_EVERY;
    atomic_init(&r->generation, 1);
    int64_t now_s = env_now_s(identity->env);
    *err = store_epochs(identity->db, arena, (now_s - REVOCATION_HORIZON_S) * 1000000, load_epoch, r);
    if (!*err)
        *err = store_revoked(identity->db, arena, now_s, load_origin, r);
    if (!*err)
        return r;
    revocations_free(r);
    return NULL;
}

void revocations_free(struct revocations *r)
{
    if (!r)
        return;
    map_free(r->epochs, free);
    map_free(r->origins, free);
    pthread_rwlock_destroy(&r->lock);
    free(r);
}

int64_t revocation_stamp(struct revocations *r, int64_t now_us)
{
    int64_t last = atomic_load(&r->last_stamp_us), next;
    do
        next = now_us > last ? now_us : last + 1;
    while (!atomic_compare_exchange_weak(&r->last_stamp_us, &last, next));
    return next;
}

/* RFC 9562, version 7: 48 bits of milliseconds, then 12 bits that we use for the microseconds within. */
struct str stamp_uuid(const struct env *env, struct arena *arena, int64_t stamp_us)
{
    uint8_t u[16];
    env_random(env, u, sizeof u);
    uint64_t ms = (uint64_t)stamp_us / 1000, us = (uint64_t)stamp_us % 1000;
    for (int i = 0; i < 6; i++)
        u[i] = (uint8_t)(ms >> (40 - 8 * i));
    u[6] = (uint8_t)(0x70 | us >> 8);
    u[7] = (uint8_t)us;
    u[8] = (u[8] & 0x3f) | 0x80;
    struct str hex = hex_encode(arena, (struct str){ (const char *)u, sizeof u });
    return str_printf(arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex.ptr, hex.ptr + 8, hex.ptr + 12, hex.ptr + 16,
                      hex.ptr + 20);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int64_t uuid_stamp(struct str uuid)
{
    if (uuid.len != 36 || uuid.ptr[14] != '7')
        return 0;
    int64_t ms = 0, us = 0;
    for (int i = 0; i < 18; i++) {
        if (i == 8 || i == 13 || i == 14)
            continue;
        int digit = hex_digit(uuid.ptr[i]);
        if (digit < 0)
            return 0;
        if (i < 13)
            ms = ms * 16 + digit;
        else
            us = us * 16 + digit;
    }
    return us < 1000 ? ms * 1000 + us : 0;
}

/* Forgets what is older than `before`. */
static void sweep(struct map **map, int64_t before)
{
    struct map *kept = map_new();
    struct str key;
    void *value;
    for (size_t at = 0; map_each(*map, &at, &key, &value);)
        if (*(int64_t *)value < before)
            free(value);
        else
            map_set(kept, key, value);
    map_free(*map, NULL);
    *map = kept;
}

static void sweep_now_and_then(struct revocations *r, int64_t now_s)
{
    if (--r->until_sweep > 0)
        return;
    r->until_sweep = SWEEP_EVERY;
    sweep(&r->epochs, (now_s - REVOCATION_HORIZON_S) * 1000000);
    sweep(&r->origins, now_s);
}

void revocation_publish_user(struct revocations *r, struct str pool, struct str sub, int64_t stamp_us)
{
    char buf[256];
    pthread_rwlock_wrlock(&r->lock);
    put(r->epochs, user_key(buf, pool, sub), stamp_us);
    sweep_now_and_then(r, stamp_us / 1000000);
    pthread_rwlock_unlock(&r->lock);
    revocation_touch(r);
}

void revocation_publish_origin(struct revocations *r, struct str origin, int64_t until_s)
{
    pthread_rwlock_wrlock(&r->lock);
    put(r->origins, origin, until_s);
    sweep_now_and_then(r, until_s - REVOCATION_HORIZON_S);
    pthread_rwlock_unlock(&r->lock);
    revocation_touch(r);
}

void revocation_touch(struct revocations *r)
{
    atomic_fetch_add(&r->generation, 1);
}

size_t revocation_count(struct revocations *r)
{
    pthread_rwlock_rdlock(&r->lock);
    size_t n = map_count(r->epochs) + map_count(r->origins);
    pthread_rwlock_unlock(&r->lock);
    return n;
}

uint64_t revocation_generation(const struct revocations *r)
{
    return atomic_load_explicit(&r->generation, memory_order_acquire);
}

bool revocation_holds(struct revocations *r, struct str pool, struct str sub, struct str origin,
                      int64_t stamp_us)
{
    char buf[256];
    pthread_rwlock_rdlock(&r->lock);
    const int64_t *epoch = map_get(r->epochs, user_key(buf, pool, sub));
    bool holds = (epoch && stamp_us <= *epoch) || (origin.ptr && map_get(r->origins, origin));
    pthread_rwlock_unlock(&r->lock);
    return holds;
}
