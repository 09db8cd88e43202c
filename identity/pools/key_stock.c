#include "identity/pools/key_stock.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/digest.h"
#include "core/key.h"
#include "core/log.h"

enum { TARGET = 4, LOWEST_PRIORITY = 19 };

struct key_stock {
    struct identity *identity;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool closing, short_of; /* short_of: somebody took one */
};

static void *keep_stocked(void *ptr);
static bool make(struct identity *identity, struct arena *arena, struct stored_key *out);
static struct str place_of(struct arena *arena, struct str kid);

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
    stock->short_of = true; /* look once at start */
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
    stock->closing = true;
    pthread_cond_signal(&stock->changed);
    pthread_mutex_unlock(&stock->lock);
    pthread_join(stock->thread, NULL);
    pthread_mutex_destroy(&stock->lock);
    pthread_cond_destroy(&stock->changed);
    free(stock);
}

static void wake(struct key_stock *stock)
{
    pthread_mutex_lock(&stock->lock);
    stock->short_of = true;
    pthread_cond_signal(&stock->changed);
    pthread_mutex_unlock(&stock->lock);
}

static bool take_ready(struct tx *tx, struct arena *arena, struct str pool, enum key_use use,
                       struct stored_key *out)
{
    struct rows rows;
    bool found = false;
    rows_open(&rows, tx->db, tx, arena,
              "SELECT kid, modulus, exponent, sealed FROM pool_keys WHERE pool IS NULL LIMIT 1", "");
    if (rows_next(&rows)) {
        *out = (struct stored_key){ rows_str(&rows, 0), rows_str(&rows, 1), rows_str(&rows, 2),
                                    rows_str(&rows, 3) };
        found = true;
    }
    gh_err err = rows_close(&rows);
    if (err)
        tx->err = err;
    if (found)
        tx_run(tx, "UPDATE pool_keys SET pool = $2, purpose = $3 WHERE kid = $1", "sss", out->kid, pool,
               str_of(key_use_name(use)));
    return found && !tx->err;
}

bool key_stock_take(struct key_stock *stock, struct tx *tx, struct arena *arena, struct str pool,
                    enum key_use use, struct stored_key *out)
{
    wake(stock);
    if (tx->err || take_ready(tx, arena, pool, use, out))
        return !tx->err;
    if (tx->err || !make(stock->identity, arena, out))
        return false;
    tx_run(tx,
           "INSERT INTO pool_keys (kid, pool, purpose, modulus, exponent, sealed) VALUES ($1, $2, $3, $4, "
           "$5, $6)",
           "ssssss", out->kid, pool, str_of(key_use_name(use)), out->modulus, out->exponent, out->sealed);
    return !tx->err;
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

static bool make(struct identity *identity, struct arena *arena, struct stored_key *out)
{
    struct key *key = key_rsa_generate();
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

static int64_t in_stock(struct db *db, struct arena *arena)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena, "SELECT COUNT(*) FROM pool_keys WHERE pool IS NULL", "");
    int64_t n = rows_next(&rows) ? rows_i64(&rows, 0) : 0;
    return rows_close(&rows) ? TARGET : n; /* storage refuses: the next taker will say so */
}

/* One more key, unless there are enough. */
static bool add_one(struct key_stock *stock)
{
    struct arena *arena = arena_new(16 * 1024);
    struct stored_key key;
    struct identity *identity = stock->identity;
    bool added = in_stock(identity->db, arena) < TARGET && make(identity, arena, &key) &&
                 !db_run(identity->db, arena,
                         "INSERT INTO pool_keys (kid, modulus, exponent, sealed) VALUES ($1, $2, $3, $4)",
                         "ssss", key.kid, key.modulus, key.exponent, key.sealed);
    arena_free(arena);
    return added;
}

static void *keep_stocked(void *ptr)
{
    struct key_stock *stock = ptr;
    if (setpriority(PRIO_PROCESS, (id_t)gettid(), LOWEST_PRIORITY) != 0)
        log_plain(LOG_DEBUG, "the key maker keeps its priority");
    pthread_mutex_lock(&stock->lock);
    while (!stock->closing) {
        if (!stock->short_of) {
            pthread_cond_wait(&stock->changed, &stock->lock);
            continue;
        }
        pthread_mutex_unlock(&stock->lock);
        bool more = add_one(stock);
        pthread_mutex_lock(&stock->lock);
        stock->short_of = stock->short_of && more;
    }
    pthread_mutex_unlock(&stock->lock);
    return NULL;
}
