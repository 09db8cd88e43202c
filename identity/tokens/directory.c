#include "identity/tokens/directory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/base64.h"
#include "core/log.h"
#include "core/map.h"
#include "identity/tokens/activity.h"
#include "identity/tokens/revocation.h"
#include "core/token_cache.h"

/* A pool's own memory: itself and its parsed keys. */
struct pool_keys {
    struct arena *arena;
    atomic_int references;
    pthread_mutex_t lock; /* for parsing */
    _Atomic(struct key *) signers[KEY_USES], verifiers[KEY_USES];
};

struct pool_index {
    pthread_rwlock_t lock;
    struct map *by_id, *by_kid; /* struct listed_pool; by_id holds the reference */
};

static void pool_release(void *ptr);
static bool load(struct pool_directory *directory, struct arena *arena, struct str *why);

struct pool_directory *pool_directory_open(struct identity *identity, struct arena *arena, struct str *why)
{
    struct pool_directory *directory = calloc(1, sizeof *directory);
    struct pool_index *index = calloc(1, sizeof *index);
    if (!directory || !index)
        abort();
    pthread_rwlock_init(&index->lock, NULL);
    index->by_id = map_new();
    index->by_kid = map_new();
    directory->index = index;
    directory->identity = identity;
    directory->cache = token_cache_new();
    directory->activity = activity_open();
    gh_err err = NULL;
    directory->revocations = revocations_open(identity, arena, &err);
    if (err)
        *why = err->message;
    if (err || !load(directory, arena, why)) {
        pool_directory_close(directory);
        return NULL;
    }
    directory->stock = key_stock_open(identity);
    return directory;
}

void pool_directory_close(struct pool_directory *directory)
{
    if (!directory)
        return;
    key_stock_close(directory->stock);
    activity_close(directory->activity, directory->identity->db);
    token_cache_free(directory->cache);
    revocations_free(directory->revocations);
    map_free(directory->index->by_kid, NULL);
    map_free(directory->index->by_id, pool_release);
    pthread_rwlock_destroy(&directory->index->lock);
    free(directory->index);
    free(directory);
}

static struct str jwk_of(struct arena *arena, const struct stored_key *key)
{
    return str_printf(
        arena,
        "{\"alg\":\"RS256\",\"e\":\"%.*s\",\"kid\":\"%.*s\",\"kty\":\"RSA\",\"n\":\"%.*s\",\"use\":\"sig\"}",
        STR_FMT(key->exponent), STR_FMT(key->kid), STR_FMT(key->modulus));
}

static struct listed_pool *pool_new(const struct identity *identity, struct str id, struct str account,
                                    struct str region, const struct stored_key keys[KEY_USES])
{
    struct arena *arena = arena_new(8 * 1024);
    struct listed_pool *pool = ARENA_NEW(arena, struct listed_pool);
    *pool = (struct listed_pool){
        .id = str_copy(arena, id),
        .account = str_copy(arena, account),
        .region = str_copy(arena, region),
        .arn = str_printf(arena, "arn:%.*s:cognito-idp:%.*s:%.*s:userpool/%.*s", STR_FMT(identity->partition),
                          STR_FMT(region), STR_FMT(account), STR_FMT(id)),
        .issuer = str_printf(arena, "%.*s/%.*s", STR_FMT(identity->base_url), STR_FMT(id)),
        .parsed = ARENA_NEW(arena, struct pool_keys),
    };
    for (int use = 0; use < KEY_USES; use++)
        pool->keys[use] = (struct stored_key){
            str_copy(arena, keys[use].kid),
            str_copy(arena, keys[use].modulus),
            str_copy(arena, keys[use].exponent),
            str_copy(arena, keys[use].sealed),
        };
    pool->jwks = str_printf(arena, "{\"keys\":[%s,%s]}", jwk_of(arena, &pool->keys[KEY_FOR_ID]).ptr,
                            jwk_of(arena, &pool->keys[KEY_FOR_ACCESS]).ptr);
    pool->parsed->arena = arena;
    atomic_init(&pool->parsed->references, 1);
    pthread_mutex_init(&pool->parsed->lock, NULL);
    return pool;
}

static void pool_release(void *ptr)
{
    struct listed_pool *pool = ptr;
    struct pool_keys *keys = pool->parsed;
    if (atomic_fetch_sub(&keys->references, 1) != 1)
        return;
    for (int use = 0; use < KEY_USES; use++) {
        key_free(atomic_load(&keys->signers[use]));
        key_free(atomic_load(&keys->verifiers[use]));
    }
    pthread_mutex_destroy(&keys->lock);
    arena_free(keys->arena);
}

void pool_directory_add(struct pool_directory *directory, struct str id, struct str account,
                        struct str region, const struct stored_key keys[KEY_USES])
{
    struct listed_pool *pool = pool_new(directory->identity, id, account, region, keys);
    struct pool_index *index = directory->index;
    pthread_rwlock_wrlock(&index->lock);
    map_set(index->by_id, pool->id, pool);
    for (int use = 0; use < KEY_USES; use++)
        map_set(index->by_kid, pool->keys[use].kid, pool);
    pthread_rwlock_unlock(&index->lock);
}

void pool_directory_remove(struct pool_directory *directory, struct str id)
{
    struct pool_index *index = directory->index;
    pthread_rwlock_wrlock(&index->lock);
    struct listed_pool *pool = map_remove(index->by_id, id);
    for (int use = 0; pool && use < KEY_USES; use++)
        map_remove(index->by_kid, pool->keys[use].kid);
    pthread_rwlock_unlock(&index->lock);
    token_cache_drop(directory->cache, id);
    if (pool)
        pool_release(pool);
}

static struct listed_pool *find(struct pool_index *index, const struct map *map, struct arena *arena,
                                struct str key)
{
    pthread_rwlock_rdlock(&index->lock);
    struct listed_pool *pool = map_get(map, key);
    if (pool)
        atomic_fetch_add(&pool->parsed->references, 1);
    pthread_rwlock_unlock(&index->lock);
    if (pool)
        arena_defer(arena, pool_release, pool);
    return pool;
}

const struct listed_pool *pool_directory_find(struct pool_directory *directory, struct arena *arena,
                                              struct str id)
{
    return find(directory->index, directory->index->by_id, arena, id);
}

const struct listed_pool *pool_directory_by_kid(struct pool_directory *directory, struct arena *arena,
                                                struct str kid, enum key_use *use)
{
    const struct listed_pool *pool = find(directory->index, directory->index->by_kid, arena, kid);
    if (pool)
        *use = str_eq(pool->keys[KEY_FOR_ID].kid, kid) ? KEY_FOR_ID : KEY_FOR_ACCESS;
    return pool;
}

const struct key *listed_pool_signer(struct pool_directory *directory, const struct listed_pool *pool,
                                     enum key_use use)
{
    struct pool_keys *keys = pool->parsed;
    struct key *key = atomic_load(&keys->signers[use]);
    if (key)
        return key;
    pthread_mutex_lock(&keys->lock);
    key = atomic_load(&keys->signers[use]);
    if (!key) {
        key = stored_key_open(directory->identity->sealer, &pool->keys[use]);
        atomic_store(&keys->signers[use], key);
    }
    pthread_mutex_unlock(&keys->lock);
    if (!key)
        log_at(LOG_ERROR, "a signing key does not open", { "pool", pool->id },
               { "kid", pool->keys[use].kid });
    return key;
}

const struct key *listed_pool_verifier(const struct listed_pool *pool, enum key_use use)
{
    struct pool_keys *keys = pool->parsed;
    struct key *key = atomic_load(&keys->verifiers[use]);
    if (key)
        return key;
    struct arena *arena = arena_new(2048);
    struct str n, e;
    pthread_mutex_lock(&keys->lock);
    key = atomic_load(&keys->verifiers[use]);
    if (!key && base64url_decode(arena, pool->keys[use].modulus, &n) &&
        base64url_decode(arena, pool->keys[use].exponent, &e)) {
        key = key_from_modulus(n, e);
        atomic_store(&keys->verifiers[use], key);
    }
    pthread_mutex_unlock(&keys->lock);
    arena_free(arena);
    return key;
}

/* ---- at start ---- */

static void load_one(void *ctx, const struct keyed_pool *pool)
{
    const struct stored_key keys[KEY_USES] = {
        [KEY_FOR_ID] = pool->id_key, [KEY_FOR_ACCESS] = pool->access_key
    };
    pool_directory_add(ctx, pool->id, pool->account, pool->region, keys);
}

static bool load(struct pool_directory *directory, struct arena *arena, struct str *why)
{
    gh_err err = store_keyed_pools(directory->identity->db, arena, load_one, directory);
    if (err)
        *why = err->message;
    return !err;
}
