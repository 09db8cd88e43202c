#include "identity/tokens/key_stock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/digest.h"
#include "core/key.h"
#include "core/log.h"
#include "identity/tokens/rotate.h"

enum {
    MOST = 4, /* filled up to this as soon as less than a pair is left */
    FIRST_PRIORITY = 5,
    LAST_PRIORITY = 19 /* the first pair is wanted soon, the rest is not */
};

/* A stocked key in an arena of its own. */
struct stocked {
    struct arena *arena;
    struct stored_key key;
};

/* A pool whose next keys are due. */
struct rotation {
    struct rotation *next;
    int64_t from_s;
    size_t len;
    char pool[];
};

struct key_stock {
    struct identity *identity;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    atomic_bool closing;
    int target; /* a pair until somebody makes a pool: who never does should not pay */
    struct stocked keys[MOST];
    int n;
    struct rotation *asked;
};

static void *keep_stocked(void *ptr);
static bool make(struct identity *identity, struct arena *arena, const atomic_bool *stop,
                 struct stored_key *out);
static struct str place_of(struct arena *arena, struct str kid);
static void copy_key(struct arena *arena, const struct stored_key *from, struct stored_key *to);

const char *key_use_name(enum key_use use)
{
    return use == KEY_FOR_ID ? "id" : "access";
}

struct key_stock *key_stock_open(struct identity *identity)
{
    struct key_stock *stock = calloc(1, sizeof *stock);
    if (!stock)
        abort();
    stock->identity = identity;
    stock->target = KEY_USES;
    atomic_init(&stock->closing, false);
    pthread_mutex_init(&stock->lock, NULL);
    pthread_cond_init(&stock->changed, NULL);
    if (pthread_create(&stock->thread, NULL, keep_stocked, stock) != 0)
        abort();
    return stock;
}

void key_stock_close(struct key_stock *stock)
{
    if (!stock)
        return;
    pthread_mutex_lock(&stock->lock);
    atomic_store(&stock->closing, true);
    pthread_cond_signal(&stock->changed);
    pthread_mutex_unlock(&stock->lock);
    pthread_join(stock->thread, NULL);
    while (stock->n > 0)
        arena_free(stock->keys[--stock->n].arena);
    for (struct rotation *next, *one = stock->asked; one; one = next) {
        next = one->next;
        free(one);
    }
    pthread_mutex_destroy(&stock->lock);
    pthread_cond_destroy(&stock->changed);
    free(stock);
}

/* ---- taking ---- */

static bool take_ready(struct key_stock *stock, struct arena *arena, struct stored_key *out)
{
    pthread_mutex_lock(&stock->lock);
    bool found = stock->n > 0;
    if (found) {
        struct stocked *one = &stock->keys[--stock->n];
        copy_key(arena, &one->key, out);
        arena_free(one->arena);
    }
    if (stock->n < KEY_USES) {
        stock->target = MOST;
        pthread_cond_signal(&stock->changed);
    }
    pthread_mutex_unlock(&stock->lock);
    return found;
}

/* When the stock is empty, one key is made here while the background makes the other. */
bool key_stock_take(struct key_stock *stock, struct arena *arena, struct stored_key out[KEY_USES])
{
    for (int taken = 0; taken < KEY_USES; taken++)
        if (!key_stock_take_one(stock, arena, &out[taken]))
            return false;
    return true;
}

int key_stock_ready(struct key_stock *stock)
{
    pthread_mutex_lock(&stock->lock);
    int n = stock->n;
    pthread_mutex_unlock(&stock->lock);
    return n;
}

bool key_stock_take_one(struct key_stock *stock, struct arena *arena, struct stored_key *out)
{
    return take_ready(stock, arena, out) || make(stock->identity, arena, NULL, out);
}

void key_stock_ask_rotation(struct key_stock *stock, struct str pool, int64_t from_s)
{
    struct rotation *one = malloc(sizeof *one + pool.len);
    if (!one)
        abort();
    one->from_s = from_s;
    one->len = pool.len;
    memcpy(one->pool, pool.ptr, pool.len);
    pthread_mutex_lock(&stock->lock);
    one->next = stock->asked;
    stock->asked = one;
    pthread_cond_signal(&stock->changed);
    pthread_mutex_unlock(&stock->lock);
}

struct key *stored_key_open(const struct sealer *sealer, const struct stored_key *stored)
{
    struct arena *arena = arena_new(8192);
    struct str der;
    struct key *key = NULL;
    if (unseal(sealer, arena, place_of(arena, stored->kid), stored->sealed, &der)) {
        key = key_from_private_der(der);
        digest_wipe((void *)(uintptr_t)der.ptr, der.len);
    }
    arena_free(arena);
    return key;
}

static bool make(struct identity *identity, struct arena *arena, const atomic_bool *stop,
                 struct stored_key *out)
{
    *out = (struct stored_key){ .from_s = 0 }; /* when it begins to sign is for whoever takes it */
    struct key *key = key_rsa_generate(stop);
    if (!key)
        return false;
    uint8_t print[SHA256_BYTES];
    key_thumbprint(arena, key, print);
    out->kid = base64_encode(arena, digest_str(print, sizeof print));
    out->modulus = key_modulus(arena, key);
    out->exponent = key_exponent(arena, key);
    struct str der = key_private_der(arena, key);
    out->sealed = seal(identity->sealer, arena, place_of(arena, out->kid), der);
    digest_wipe((void *)(uintptr_t)der.ptr, der.len);
    key_free(key);
    return out->sealed.ptr != NULL;
}

static struct str place_of(struct arena *arena, struct str kid)
{
    return str_concat(arena, STR("pool-key/"), kid);
}

static void copy_key(struct arena *arena, const struct stored_key *from, struct stored_key *to)
{
    *to = (struct stored_key){ str_copy(arena, from->kid), str_copy(arena, from->modulus),
                               str_copy(arena, from->exponent), str_copy(arena, from->sealed), 0 };
}

/* ---- the background ---- */

static void put(struct key_stock *stock, const struct stored_key *key)
{
    struct stocked *one = &stock->keys[stock->n++];
    one->arena = arena_new(8 * 1024);
    copy_key(one->arena, key, &one->key);
}

/* What an earlier run left in stock. */
static void load(struct key_stock *stock)
{
    struct arena *arena = arena_new(32 * 1024);
    struct stored_key keys[MOST];
    size_t n;
    if (!store_key_stock(stock->identity->db, arena, MOST, keys, &n)) {
        pthread_mutex_lock(&stock->lock);
        for (size_t i = 0; i < n; i++)
            put(stock, &keys[i]);
        pthread_mutex_unlock(&stock->lock);
    }
    arena_free(arena);
}

static void lower_priority(int to)
{
    if (setpriority(PRIO_PROCESS, (id_t)gettid(), to) != 0)
        log_plain(LOG_DEBUG, "the key maker keeps its priority");
}

/* One more key. False: it cannot be made or kept, so better wait until somebody asks again. */
static bool add_one(struct key_stock *stock)
{
    struct arena *arena = arena_new(16 * 1024);
    struct stored_key key;
    bool made = make(stock->identity, arena, &stock->closing, &key);
    if (made) {
        struct tx tx;
        tx_begin(&tx, stock->identity->db, arena);
        store_key_put(&tx, &key, STR_NONE, NULL);
        made = tx_commit(&tx) == NULL;
    }
    pthread_mutex_lock(&stock->lock);
    if (made && stock->n < MOST)
        put(stock, &key);
    pthread_mutex_unlock(&stock->lock);
    arena_free(arena);
    return made;
}

/* What fails is asked for again by the next sign-in: the pool is as it was. */
static void rotate(struct key_stock *stock, struct rotation *one)
{
    struct arena *arena = arena_new(32 * 1024);
    struct pool_directory *directory = stock->identity->pools;
    struct str pool = { one->pool, one->len };
    gh_err err = keys_rotate(directory, arena, pool, one->from_s, env_now_s(stock->identity->env));
    if (err) {
        log_at(LOG_ERROR, "the signing keys of a user pool were not rotated", { "pool", pool }, { "why", err->message });
        err = pool_directory_reload(directory, arena, pool);
    }
    if (err)
        log_at(LOG_ERROR, "the signing keys of a user pool cannot be read", { "pool", pool }, { "why", err->message });
    arena_free(arena);
    free(one);
}

static void *keep_stocked(void *ptr)
{
    struct key_stock *stock = ptr;
    bool able = true;
    lower_priority(FIRST_PRIORITY);
    load(stock);
    pthread_mutex_lock(&stock->lock);
    while (!atomic_load(&stock->closing)) {
        struct rotation *due = stock->asked;
        if (due) {
            stock->asked = due->next;
            pthread_mutex_unlock(&stock->lock);
            rotate(stock, due);
            pthread_mutex_lock(&stock->lock);
            continue;
        }
        if (stock->n >= stock->target || !able) {
            pthread_cond_wait(&stock->changed, &stock->lock);
            able = true;
            continue;
        }
        bool first = stock->n < KEY_USES;
        pthread_mutex_unlock(&stock->lock);
        if (!first)
            lower_priority(LAST_PRIORITY);
        able = add_one(stock);
        pthread_mutex_lock(&stock->lock);
    }
    pthread_mutex_unlock(&stock->lock);
    return NULL;
}
