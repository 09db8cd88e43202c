#include "identity/iam/reports/last_access.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/log.h"
#include "core/map.h"
#include "identity/store/last_access.h"

enum {
    SHARDS = 16,
    WRITTEN_EVERY_S = 5,
    MOST_PENDING = 4096,           /* a shard; more wait for the writer */
    TRACKED_S = 400 * 24 * 3600,   /* "IAM reports activity for at least the last 400 days" */
};

/* One principal's action (or one key), waiting to be written. */
struct pending {
    struct accessed access; /* views into bytes[] */
    struct str key_id;      /* of a key's row; else absent */
    char bytes[];
};

struct shard {
    pthread_mutex_t lock;
    struct map *rows; /* "owner service:Action" or a key id -> struct pending */
};

struct last_access {
    struct identity *identity;
    pthread_t thread;
    pthread_mutex_t writing; /* one writer, and whoever reads waits for it */
    pthread_mutex_t lock;    /* of closing */
    pthread_cond_t ends;
    bool closing;
    struct shard shards[SHARDS];
};

static gh_err write_pending(struct last_access *access, struct arena *arena);

/* ---- noting ---- */

static struct str put(char **at, struct str text)
{
    memcpy(*at, text.ptr, text.len);
    struct str copy = { *at, text.len };
    *at += text.len;
    return copy;
}

static struct pending *pending_new(const struct accessed *from, struct str key_id)
{
    const struct str parts[] = { from->owner, from->service, from->action, from->region, key_id };
    size_t total = 0;
    for (size_t i = 0; i < COUNT(parts); i++)
        total += parts[i].len;
    struct pending *row = calloc(1, sizeof *row + total);
    if (!row)
        abort();
    char *at = row->bytes;
    row->access = (struct accessed){ put(&at, from->owner), put(&at, from->service), put(&at, from->action),
                                     put(&at, from->region), from->at_s };
    row->key_id = key_id.ptr ? put(&at, key_id) : STR_NONE;
    return row;
}

static void note(struct last_access *access, struct str key, const struct accessed *one, struct str key_id)
{
    struct shard *shard = &access->shards[str_hash(key) % SHARDS];
    pthread_mutex_lock(&shard->lock);
    struct pending *row = map_get(shard->rows, key);
    if (row && str_eq(row->access.region, one->region) && str_eq(row->access.service, one->service))
        row->access.at_s = one->at_s;
    else if (row || map_count(shard->rows) < MOST_PENDING)
        free(map_set(shard->rows, key, pending_new(one, key_id)));
    pthread_mutex_unlock(&shard->lock);
}

void last_access_note(struct identity *identity, struct str owner, struct str key_id, struct str region,
                      struct str action, int64_t now_s)
{
    char text[512];
    struct str service, name = action;
    struct last_access *access = identity->last_access;
    if (!access || !owner.len || !str_split(&name, ':', &service) || !name.len || owner.len + action.len + 1 > sizeof text)
        return;
    memcpy(text, owner.ptr, owner.len);
    text[owner.len] = ' ';
    memcpy(text + owner.len + 1, action.ptr, action.len);
    struct accessed one = { owner, service, name, region, now_s };
    note(access, (struct str){ text, owner.len + 1 + action.len }, &one, STR_NONE);
    if (str_starts(key_id, STR("AKIA"))) {
        one.action = STR("");
        note(access, key_id, &one, key_id);
    }
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

static void put_rows(struct tx *tx, const struct map *rows)
{
    struct str key;
    void *value;
    for (size_t at = 0; map_each(rows, &at, &key, &value);) {
        const struct pending *row = value;
        if (row->key_id.ptr)
            last_access_put_key(tx, row->key_id, &row->access);
        else
            last_access_put(tx, &row->access);
    }
}

static bool is_empty(struct last_access *access)
{
    size_t n = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&access->shards[i].lock);
        n += map_count(access->shards[i].rows);
        pthread_mutex_unlock(&access->shards[i].lock);
    }
    return n == 0;
}

/* What cannot be written is lost: the next use says it again. */
static gh_err write_pending(struct last_access *access, struct arena *arena)
{
    gh_err err = NULL;
    if (!access)
        return NULL;
    pthread_mutex_lock(&access->writing);
    if (!is_empty(access)) {
        struct tx tx;
        tx_begin(&tx, access->identity->db, arena);
        for (size_t i = 0; i < SHARDS; i++) {
            struct map *rows = take(&access->shards[i]);
            put_rows(&tx, rows);
            map_free(rows, free);
        }
        err = tx_commit(&tx);
        tx_rollback(&tx);
    }
    pthread_mutex_unlock(&access->writing);
    return err;
}

static void write_now(struct last_access *access)
{
    struct arena *arena = arena_new(4096);
    gh_err err = write_pending(access, arena);
    if (err)
        log_at(LOG_WARN, "last uses could not be written", { "error", err->message });
    arena_free(arena);
}

static void forget_old(struct last_access *access)
{
    struct arena *arena = arena_new(1024);
    struct tx tx;
    tx_begin(&tx, access->identity->db, arena);
    last_access_prune(&tx, env_now_s(access->identity->env) - TRACKED_S);
    gh_err err = tx_commit(&tx);
    tx_rollback(&tx);
    if (err)
        log_at(LOG_WARN, "old last uses could not be forgotten", { "error", err->message });
    arena_free(arena);
}

static void *write_now_and_then(void *ptr)
{
    struct last_access *access = ptr;
    forget_old(access);
    pthread_mutex_lock(&access->lock);
    while (!access->closing) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += WRITTEN_EVERY_S;
        pthread_cond_timedwait(&access->ends, &access->lock, &until);
        pthread_mutex_unlock(&access->lock);
        write_now(access);
        pthread_mutex_lock(&access->lock);
    }
    pthread_mutex_unlock(&access->lock);
    return NULL;
}

/* ---- reading ---- */

gh_err last_access_of(struct identity *identity, struct arena *arena, struct str owner, struct accesses *out)
{
    gh_err err = write_pending(identity->last_access, arena);
    return err ? err : last_access_list(identity->db, arena, owner, env_now_s(identity->env) - TRACKED_S, out);
}

static void keep_later(struct arena *arena, const struct accessed *one, struct accessed *out)
{
    if (one->at_s < out->at_s)
        return;
    *out = (struct accessed){ str_copy(arena, one->owner), str_copy(arena, one->service), str_copy(arena, one->action),
                              str_copy(arena, one->region), one->at_s };
}

/* Of what is not written yet; few rows, since they wait for seconds only. */
static void look_pending(struct last_access *access, struct arena *arena, struct str owner, struct str key_id,
                         struct accessed *out)
{
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &access->shards[i];
        struct str key;
        void *value;
        pthread_mutex_lock(&shard->lock);
        for (size_t at = 0; map_each(shard->rows, &at, &key, &value);) {
            const struct pending *row = value;
            bool fits = key_id.ptr ? row->key_id.ptr && str_eq(row->key_id, key_id)
                                   : !row->key_id.ptr && str_eq(row->access.owner, owner);
            if (fits)
                keep_later(arena, &row->access, out);
        }
        pthread_mutex_unlock(&shard->lock);
    }
}

/* Reading one row costs no commit: GetRole is called often. While somebody writes, rows are in neither place. */
gh_err last_access_latest(struct identity *identity, struct arena *arena, struct str owner, struct accessed *out)
{
    struct last_access *access = identity->last_access;
    if (!access)
        return last_access_find(identity->db, arena, owner, out);
    pthread_mutex_lock(&access->writing);
    gh_err err = last_access_find(identity->db, arena, owner, out);
    if (!err)
        look_pending(access, arena, owner, STR_NONE, out);
    pthread_mutex_unlock(&access->writing);
    return err;
}

gh_err last_access_of_key(struct identity *identity, struct arena *arena, struct str key_id, struct accessed *out)
{
    struct last_access *access = identity->last_access;
    if (!access)
        return last_access_find_key(identity->db, arena, key_id, out);
    pthread_mutex_lock(&access->writing);
    gh_err err = last_access_find_key(identity->db, arena, key_id, out);
    if (!err)
        look_pending(access, arena, STR_NONE, key_id, out);
    pthread_mutex_unlock(&access->writing);
    return err;
}

/* ---- start and end ---- */

struct last_access *last_access_open(struct identity *identity)
{
    struct last_access *access = calloc(1, sizeof *access);
    if (!access)
        abort();
    access->identity = identity;
    pthread_mutex_init(&access->writing, NULL);
    pthread_mutex_init(&access->lock, NULL);
    pthread_cond_init(&access->ends, NULL);
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&access->shards[i].lock, NULL);
        access->shards[i].rows = map_new();
    }
    if (pthread_create(&access->thread, NULL, write_now_and_then, access) != 0)
        abort();
    return access;
}

void last_access_close(struct last_access *access)
{
    if (!access)
        return;
    pthread_mutex_lock(&access->lock);
    access->closing = true;
    pthread_cond_signal(&access->ends);
    pthread_mutex_unlock(&access->lock);
    pthread_join(access->thread, NULL);
    write_now(access);
    for (size_t i = 0; i < SHARDS; i++) {
        map_free(access->shards[i].rows, free);
        pthread_mutex_destroy(&access->shards[i].lock);
    }
    pthread_mutex_destroy(&access->writing);
    pthread_mutex_destroy(&access->lock);
    pthread_cond_destroy(&access->ends);
    free(access);
}
