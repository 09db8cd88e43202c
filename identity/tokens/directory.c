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
#include "gen/cognito_idp.h"
#include "wire/shape_memo.h"

enum { MEMO_DOCUMENTS = 1024 }; /* of each kind; about 20 KiB a pool */

/* A pool's own memory: itself and its parsed keys. */
struct parsed_key {
    _Atomic(struct key *) signer, verifier;
};
struct pool_keys {
    struct arena *arena;
    atomic_int references;
    atomic_bool asked;
    pthread_mutex_t lock; /* for parsing */
    struct parsed_key *parsed;
    size_t n;
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
    pthread_mutex_init(&directory->changing, NULL);
    index->by_id = map_new();
    index->by_kid = map_new();
    directory->index = index;
    directory->identity = identity;
    directory->cache = token_cache_new();
    directory->activity = activity_open();
    directory->pool_docs =
        shape_memo_new(&idp_shape_UserPoolType, sizeof(struct idp_UserPoolType), MEMO_DOCUMENTS);
    directory->client_docs =
        shape_memo_new(&idp_shape_UserPoolClientType, sizeof(struct idp_UserPoolClientType), MEMO_DOCUMENTS);
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
    shape_memo_free(directory->pool_docs);
    shape_memo_free(directory->client_docs);
    token_cache_free(directory->cache);
    revocations_free(directory->revocations);
    map_free(directory->index->by_kid, NULL);
    map_free(directory->index->by_id, pool_release);
    pthread_rwlock_destroy(&directory->index->lock);
    pthread_mutex_destroy(&directory->changing);
    free(directory->index);
    free(directory);
}

/* ---- keys by the clock ---- */

enum key_state listed_key_state(const struct listed_key *key, int64_t now_s)
{
    if (now_s < key->from_s)
        return KEY_NEXT;
    if (now_s < key->signs_until_s)
        return KEY_CURRENT;
    return now_s < key->listed_until_s ? KEY_RETIRED : KEY_GONE;
}

const char *key_state_name(enum key_state state)
{
    static const char *const names[] = { "next", "current", "retired", "gone" };
    return names[state];
}

/* Where the clock was set back before the first key: that one. */
const struct listed_key *listed_pool_current(const struct listed_pool *pool, enum key_use use, int64_t now_s)
{
    const struct listed_key *current = NULL;
    for (size_t i = 0; i < pool->n_keys; i++)
        if (pool->keys[i].use == use && (!current || pool->keys[i].from_s <= now_s))
            current = &pool->keys[i];
    return current;
}

bool listed_pool_first_to_ask(const struct listed_pool *pool)
{
    return !atomic_exchange(&pool->private->asked, true);
}

struct str listed_pool_jwks(const struct listed_pool *pool, struct arena *arena, int64_t now_s)
{
    struct strbuf text = strbuf_in(arena, 512 * pool->n_keys + 16);
    const char *between = "{\"keys\":[";
    static const enum key_state order[] = { KEY_CURRENT, KEY_NEXT, KEY_RETIRED };
    for (size_t o = 0; o < COUNT(order); o++)
        for (int use = 0; use < KEY_USES; use++)
            for (size_t i = 0; i < pool->n_keys; i++) {
                const struct listed_key *key = &pool->keys[i];
                if ((int)key->use != use || listed_key_state(key, now_s) != order[o])
                    continue;
                strbuf_add(&text, str_of(between));
                strbuf_add(&text, key->jwk);
                between = ",";
            }
    strbuf_add(&text, STR("]}"));
    return strbuf_view(&text);
}

static struct str jwk_of(struct arena *arena, const struct stored_key *key)
{
    return str_printf(
        arena,
        "{\"alg\":\"RS256\",\"e\":\"%.*s\",\"kid\":\"%.*s\",\"kty\":\"RSA\",\"n\":\"%.*s\",\"use\":\"sig\"}",
        STR_FMT(key->exponent), STR_FMT(key->kid), STR_FMT(key->modulus));
}

static void set_ends(struct listed_key *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        keys[i].signs_until_s = keys[i].listed_until_s = INT64_MAX;
        for (size_t j = i + 1; j < n; j++)
            if (keys[j].use == keys[i].use) {
                keys[i].signs_until_s = keys[j].from_s;
                keys[i].listed_until_s = keys[j].from_s + REVOCATION_HORIZON_S;
                break;
            }
    }
}

/* ---- pools ---- */

static struct listed_pool *pool_new(const struct identity *identity, const struct keyed_pool *of)
{
    struct arena *arena = arena_new(8 * 1024);
    struct listed_pool *pool = ARENA_NEW(arena, struct listed_pool);
    struct listed_key *keys = ARENA_ARRAY(arena, struct listed_key, of->n);
    *pool = (struct listed_pool){
        .id = str_copy(arena, of->id),
        .account = str_copy(arena, of->account),
        .region = str_copy(arena, of->region),
        .arn = str_printf(arena, "arn:%.*s:cognito-idp:%.*s:%.*s:userpool/%.*s", STR_FMT(identity->partition),
                          STR_FMT(of->region), STR_FMT(of->account), STR_FMT(of->id)),
        .issuer = str_printf(arena, "%.*s/%.*s", STR_FMT(identity->base_url), STR_FMT(of->id)),
        .keys = keys,
        .n_keys = of->n,
        .private = ARENA_NEW(arena, struct pool_keys),
    };
    *pool->private = (struct pool_keys){ .arena = arena, .parsed = ARENA_ARRAY(arena, struct parsed_key, of->n), .n = of->n };
    for (size_t i = 0; i < of->n; i++) {
        const struct stored_key *from = &of->keys[i].key;
        keys[i] = (struct listed_key){
            .stored = { str_copy(arena, from->kid), str_copy(arena, from->modulus), str_copy(arena, from->exponent),
                        str_copy(arena, from->sealed), from->from_s },
            .use = str_is(of->keys[i].purpose, key_use_name(KEY_FOR_ID)) ? KEY_FOR_ID : KEY_FOR_ACCESS,
            .from_s = from->from_s,
            .jwk = jwk_of(arena, from),
            .parsed = &pool->private->parsed[i],
        };
    }
    set_ends(keys, of->n);
    atomic_init(&pool->private->references, 1);
    pthread_mutex_init(&pool->private->lock, NULL);
    return pool;
}

static void pool_release(void *ptr)
{
    struct listed_pool *pool = ptr;
    struct pool_keys *private = pool->private;
    if (atomic_fetch_sub(&private->references, 1) != 1)
        return;
    for (size_t i = 0; i < private->n; i++) {
        key_free(atomic_load(&private->parsed[i].signer));
        key_free(atomic_load(&private->parsed[i].verifier));
    }
    pthread_mutex_destroy(&private->lock);
    arena_free(private->arena);
}

/* Takes the place of what was there under that id; NULL: nothing does. */
static void put(struct pool_directory *directory, struct str id, struct listed_pool *pool)
{
    struct pool_index *index = directory->index;
    pthread_rwlock_wrlock(&index->lock);
    struct listed_pool *old = map_remove(index->by_id, id);
    for (size_t i = 0; old && i < old->n_keys; i++)
        map_remove(index->by_kid, old->keys[i].stored.kid);
    for (size_t i = 0; pool && i < pool->n_keys; i++)
        map_set(index->by_kid, pool->keys[i].stored.kid, pool);
    if (pool)
        map_set(index->by_id, pool->id, pool);
    pthread_rwlock_unlock(&index->lock);
    if (old) {
        token_cache_drop(directory->cache, id);
        pool_release(old);
    }
}

void pool_directory_add(struct pool_directory *directory, struct str id, struct str account,
                        struct str region, const struct stored_key keys[KEY_USES])
{
    struct purposed_key purposed[KEY_USES];
    for (int use = 0; use < KEY_USES; use++)
        purposed[use] = (struct purposed_key){ keys[use], str_of(key_use_name((enum key_use)use)) };
    put(directory, id, pool_new(directory->identity, &(struct keyed_pool){ id, account, region, purposed, KEY_USES }));
}

static void load_one(void *ctx, const struct keyed_pool *pool)
{
    struct pool_directory *directory = ctx;
    put(directory, pool->id, pool_new(directory->identity, pool));
}

gh_err pool_directory_reload(struct pool_directory *directory, struct arena *arena, struct str id)
{
    return store_keyed_pools(directory->identity->db, NULL, arena, id, load_one, directory);
}

void pool_directory_remove(struct pool_directory *directory, struct str id)
{
    put(directory, id, NULL);
}

static struct listed_pool *find(struct pool_index *index, const struct map *map, struct arena *arena,
                                struct str key)
{
    pthread_rwlock_rdlock(&index->lock);
    struct listed_pool *pool = map_get(map, key);
    if (pool)
        atomic_fetch_add(&pool->private->references, 1);
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
                                                struct str kid, const struct listed_key **key)
{
    const struct listed_pool *pool = find(directory->index, directory->index->by_kid, arena, kid);
    for (size_t i = 0; pool && i < pool->n_keys; i++)
        if (str_eq(pool->keys[i].stored.kid, kid)) {
            *key = &pool->keys[i];
            return pool;
        }
    return NULL;
}

const struct key *listed_key_signer(struct pool_directory *directory, const struct listed_pool *pool,
                                    const struct listed_key *listed)
{
    struct parsed_key *parsed = listed->parsed;
    struct key *key = atomic_load(&parsed->signer);
    if (key)
        return key;
    pthread_mutex_lock(&pool->private->lock);
    key = atomic_load(&parsed->signer);
    if (!key) {
        key = stored_key_open(directory->identity->sealer, &listed->stored);
        atomic_store(&parsed->signer, key);
    }
    pthread_mutex_unlock(&pool->private->lock);
    if (!key)
        log_at(LOG_ERROR, "a signing key does not open", { "pool", pool->id }, { "kid", listed->stored.kid });
    return key;
}

const struct key *listed_key_verifier(const struct listed_pool *pool, const struct listed_key *listed)
{
    struct parsed_key *parsed = listed->parsed;
    struct key *key = atomic_load(&parsed->verifier);
    if (key)
        return key;
    struct arena *arena = arena_new(2048);
    struct str n, e;
    pthread_mutex_lock(&pool->private->lock);
    key = atomic_load(&parsed->verifier);
    if (!key && base64url_decode(arena, listed->stored.modulus, &n) &&
        base64url_decode(arena, listed->stored.exponent, &e)) {
        key = key_from_modulus(n, e);
        atomic_store(&parsed->verifier, key);
    }
    pthread_mutex_unlock(&pool->private->lock);
    arena_free(arena);
    return key;
}

/* ---- at start ---- */

static bool load(struct pool_directory *directory, struct arena *arena, struct str *why)
{
    gh_err err = store_keyed_pools(directory->identity->db, NULL, arena, STR_NONE, load_one, directory);
    if (err)
        *why = err->message;
    return !err;
}
