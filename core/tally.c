#include "core/tally.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/log.h"
#include "core/map.h"

enum { SHARDS = 16 };

struct shard {
    pthread_mutex_t lock;
    struct map *rows;
};

struct tally {
    struct tally_spec spec;
    pthread_t thread;
    pthread_mutex_t writing; /* one writer, and whoever reads waits for it */
    pthread_mutex_t lock;    /* of closing */
    pthread_cond_t ends;
    bool closing;
    struct shard shards[SHARDS];
};

void tally_note(struct tally *tally, struct str key, const void *note)
{
    struct shard *shard = &tally->shards[str_hash(key) % SHARDS];
    pthread_mutex_lock(&shard->lock);
    void *row = map_get(shard->rows, key);
    if (row || map_count(shard->rows) < tally->spec.most) {
        void *kept = tally->spec.merge(row, note);
        if (kept != row)
            free(map_set(shard->rows, key, kept));
    }
    pthread_mutex_unlock(&shard->lock);
}

/* ---- writing ---- */

static struct map *take(struct shard *shard)
{
    struct map *fresh = map_new();
    pthread_mutex_lock(&shard->lock);
    struct map *rows = shard->rows;
    shard->rows = fresh;
    pthread_mutex_unlock(&shard->lock);
    return rows;
}

static bool is_empty(struct tally *tally)
{
    size_t n = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&tally->shards[i].lock);
        n += map_count(tally->shards[i].rows);
        pthread_mutex_unlock(&tally->shards[i].lock);
    }
    return n == 0;
}

static void put_all(struct tally *tally, struct tx *tx)
{
    for (size_t i = 0; i < SHARDS; i++) {
        struct map *rows = take(&tally->shards[i]);
        struct str key;
        void *row;
        for (size_t at = 0; map_each(rows, &at, &key, &row);)
            tally->spec.put(tx, row);
        map_free(rows, free);
    }
}

gh_err tally_write(struct tally *tally, struct arena *arena)
{
    gh_err err = NULL;
    pthread_mutex_lock(&tally->writing);
    if (!is_empty(tally)) {
        struct tx tx;
        tx_begin(&tx, tally->spec.db, arena);
        put_all(tally, &tx);
        err = tx_commit(&tx);
        tx_rollback(&tx);
    }
    pthread_mutex_unlock(&tally->writing);
    return err;
}

static void report(const struct tally *tally, const char *doing, gh_err err)
{
    if (err)
        log_at(LOG_WARN, "notes could not be kept", { "notes", str_of(tally->spec.what) },
               { "doing", str_of(doing) }, { "error", err->message });
}

static void write_now(struct tally *tally)
{
    struct arena *arena = arena_new(4096);
    report(tally, "writing", tally_write(tally, arena));
    arena_free(arena);
}

static void prune(struct tally *tally)
{
    struct arena *arena = arena_new(1024);
    struct tx tx;
    tx_begin(&tx, tally->spec.db, arena);
    tally->spec.prune(&tx, tally->spec.ctx);
    gh_err err = tx_commit(&tx);
    tx_rollback(&tx);
    report(tally, "forgetting", err);
    arena_free(arena);
}

static void *write_now_and_then(void *ptr)
{
    struct tally *tally = ptr;
    prune(tally);
    pthread_mutex_lock(&tally->lock);
    while (!tally->closing) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += tally->spec.every_s;
        pthread_cond_timedwait(&tally->ends, &tally->lock, &until);
        pthread_mutex_unlock(&tally->lock);
        write_now(tally);
        pthread_mutex_lock(&tally->lock);
    }
    pthread_mutex_unlock(&tally->lock);
    return NULL;
}

/* ---- reading what waits ---- */

void tally_hold(struct tally *tally)
{
    pthread_mutex_lock(&tally->writing);
}

void tally_release(struct tally *tally)
{
    pthread_mutex_unlock(&tally->writing);
}

void tally_each(struct tally *tally, void (*fn)(const void *row, void *ctx), void *ctx)
{
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &tally->shards[i];
        struct str key;
        void *row;
        pthread_mutex_lock(&shard->lock);
        for (size_t at = 0; map_each(shard->rows, &at, &key, &row);)
            fn(row, ctx);
        pthread_mutex_unlock(&shard->lock);
    }
}

/* ---- start and end ---- */

struct tally *tally_open(const struct tally_spec *spec)
{
    struct tally *tally = calloc(1, sizeof *tally);
    if (!tally)
        abort();
    tally->spec = *spec;
    pthread_mutex_init(&tally->writing, NULL);
    pthread_mutex_init(&tally->lock, NULL);
    pthread_cond_init(&tally->ends, NULL);
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&tally->shards[i].lock, NULL);
        tally->shards[i].rows = map_new();
    }
    if (pthread_create(&tally->thread, NULL, write_now_and_then, tally) != 0)
        abort();
    return tally;
}

void tally_close(struct tally *tally)
{
    if (!tally)
        return;
    pthread_mutex_lock(&tally->lock);
    tally->closing = true;
    pthread_cond_signal(&tally->ends);
    pthread_mutex_unlock(&tally->lock);
    pthread_join(tally->thread, NULL);
    write_now(tally);
    for (size_t i = 0; i < SHARDS; i++) {
        map_free(tally->shards[i].rows, free);
        pthread_mutex_destroy(&tally->shards[i].lock);
    }
    pthread_mutex_destroy(&tally->writing);
    pthread_mutex_destroy(&tally->lock);
    pthread_cond_destroy(&tally->ends);
    free(tally);
}
