#include "identity/access/enforcement.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/log.h"
#include "core/map.h"

enum {
    SHARDS = 16,
    MOST_PENDING = 512,       /* a shard: more kinds of use than that in a second are not counted */
    MOST_TEXT = 2048,         /* owner, action and resource of one */
};

/* A kind of use, waiting to be written. */
struct pending {
    struct asking use; /* views into bytes[] */
    char bytes[];
};

struct shard {
    pthread_mutex_t lock;
    struct map *rows; /* "owner action resource service" -> struct pending */
};

struct enforcement {
    struct identity *identity;
    bool soft;
    pthread_t thread;
    pthread_mutex_t writing; /* one writer, and whoever reads waits for it */
    pthread_mutex_t lock;    /* of closing */
    pthread_cond_t ends;
    bool closing;
    struct shard shards[SHARDS];
};

/* ---- noting ---- */

static struct pending *pending_new(const struct asking *from)
{
    struct asking use = *from;
    struct str *parts[] = { &use.owner, &use.account, &use.principal, &use.action, &use.resource, &use.passed_to, &use.reason };
    size_t total = 0;
    for (size_t i = 0; i < COUNT(parts); i++)
        total += parts[i]->len;
    struct pending *row = calloc(1, sizeof *row + total);
    if (!row)
        abort();
    char *at = row->bytes;
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (parts[i]->len)
            memcpy(at, parts[i]->ptr, parts[i]->len);
        *parts[i] = (struct str){ at, parts[i]->len };
        at += parts[i]->len;
    }
    row->use = use;
    return row;
}

static void count(struct asking *use, const struct asking *one)
{
    use->allowed += one->allowed;
    use->spared += one->spared;
    use->refused += one->refused;
    use->at_s = one->at_s;
}

static void note(struct enforcement *enforcement, const struct asking *one)
{
    const struct str parts[] = { one->owner, one->action, one->resource, one->passed_to };
    char text[MOST_TEXT];
    size_t len = 0;
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (len + parts[i].len + 1 > sizeof text)
            return;
        if (parts[i].len)
            memcpy(text + len, parts[i].ptr, parts[i].len);
        len += parts[i].len;
        text[len++] = ' ';
    }
    struct str key = { text, len };
    struct shard *shard = &enforcement->shards[str_hash(key) % SHARDS];
    pthread_mutex_lock(&shard->lock);
    struct pending *row = map_get(shard->rows, key);
    if (row && (str_eq(row->use.reason, one->reason) || !one->reason.len)) {
        count(&row->use, one);
    } else if (row || map_count(shard->rows) < MOST_PENDING) {
        struct pending *fresh = pending_new(one); /* with the latest reason */
        if (row)
            count(&fresh->use, &(struct asking){ .allowed = row->use.allowed, .spared = row->use.spared,
                                                     .refused = row->use.refused, .at_s = one->at_s });
        free(map_set(shard->rows, key, fresh));
    }
    pthread_mutex_unlock(&shard->lock);
}

/* Whose policies these are: the user or role, not its session. */
static struct str owner_arn(const struct credential *credential)
{
    if (credential->role_arn.ptr)
        return credential->role_arn;
    return credential->maker_arn.ptr ? credential->maker_arn : credential->principal.arn;
}

bool enforcement_settle(struct identity *identity, struct arena *arena, const struct credential *credential,
                        const struct policy_request *request, const struct policy_decision *decision, bool allowed)
{
    struct enforcement *enforcement = identity->enforcement;
    if (!enforcement || !credential || !credential->owner.len || (credential->root && allowed))
        return allowed;
    bool spared = !allowed && enforcement->soft;
    const struct policy_key *service = policy_context_find(request->keys, request->n_keys, STR("iam:PassedToService"));
    const struct asking one = {
        .owner = credential->owner,
        .account = credential->principal.account,
        .principal = owner_arn(credential),
        .action = request->action,
        .resource = request->resource.ptr ? request->resource : STR("*"),
        .passed_to = service && service->n ? service->values[0] : STR(""),
        .reason = allowed ? STR("") : policy_reason(arena, request, decision),
        .allowed = allowed,
        .spared = spared,
        .refused = !allowed && !spared,
        .at_s = env_now_s(identity->env),
    };
    note(enforcement, &one);
    if (spared)
        log_at(LOG_WARN, "would be refused", { "principal", credential->principal.arn }, { "action", one.action },
               { "resource", one.resource }, { "reason", one.reason });
    return allowed || spared;
}

struct str enforcement_mode(const struct identity *identity)
{
    return !identity->enforcement ? STR("not noted") : identity->enforcement->soft ? STR("soft") : STR("enforced");
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
        asking_add(tx, &row->use);
        asking_trim(tx, row->use.owner, USES_KEPT);
    }
}

static bool is_empty(struct enforcement *enforcement)
{
    size_t n = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&enforcement->shards[i].lock);
        n += map_count(enforcement->shards[i].rows);
        pthread_mutex_unlock(&enforcement->shards[i].lock);
    }
    return n == 0;
}

gh_err enforcement_write(struct identity *identity, struct arena *arena)
{
    struct enforcement *enforcement = identity->enforcement;
    gh_err err = NULL;
    if (!enforcement)
        return NULL;
    pthread_mutex_lock(&enforcement->writing);
    if (!is_empty(enforcement)) {
        struct tx tx;
        tx_begin(&tx, identity->db, arena);
        for (size_t i = 0; i < SHARDS; i++) {
            struct map *rows = take(&enforcement->shards[i]);
            put_rows(&tx, rows);
            map_free(rows, free);
        }
        err = tx_commit(&tx);
        tx_rollback(&tx);
    }
    pthread_mutex_unlock(&enforcement->writing);
    return err;
}

static void write_now(struct enforcement *enforcement)
{
    struct arena *arena = arena_new(4096);
    gh_err err = enforcement_write(enforcement->identity, arena);
    if (err)
        log_at(LOG_WARN, "what principals asked for could not be written", { "error", err->message });
    arena_free(arena);
}

static void forget_the_gone(struct enforcement *enforcement)
{
    struct arena *arena = arena_new(1024);
    struct tx tx;
    tx_begin(&tx, enforcement->identity->db, arena);
    asking_prune(&tx);
    gh_err err = tx_commit(&tx);
    tx_rollback(&tx);
    if (err)
        log_at(LOG_WARN, "what deleted principals asked for could not be forgotten", { "error", err->message });
    arena_free(arena);
}

static void *write_now_and_then(void *ptr)
{
    struct enforcement *enforcement = ptr;
    forget_the_gone(enforcement);
    pthread_mutex_lock(&enforcement->lock);
    while (!enforcement->closing) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 1;
        pthread_cond_timedwait(&enforcement->ends, &enforcement->lock, &until);
        pthread_mutex_unlock(&enforcement->lock);
        write_now(enforcement);
        pthread_mutex_lock(&enforcement->lock);
    }
    pthread_mutex_unlock(&enforcement->lock);
    return NULL;
}

/* ---- start and end ---- */

struct enforcement *enforcement_open(struct identity *identity, bool soft)
{
    struct enforcement *enforcement = calloc(1, sizeof *enforcement);
    if (!enforcement)
        abort();
    enforcement->identity = identity;
    enforcement->soft = soft;
    pthread_mutex_init(&enforcement->writing, NULL);
    pthread_mutex_init(&enforcement->lock, NULL);
    pthread_cond_init(&enforcement->ends, NULL);
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&enforcement->shards[i].lock, NULL);
        enforcement->shards[i].rows = map_new();
    }
    if (pthread_create(&enforcement->thread, NULL, write_now_and_then, enforcement) != 0)
        abort();
    return enforcement;
}

void enforcement_close(struct enforcement *enforcement)
{
    if (!enforcement)
        return;
    pthread_mutex_lock(&enforcement->lock);
    enforcement->closing = true;
    pthread_cond_signal(&enforcement->ends);
    pthread_mutex_unlock(&enforcement->lock);
    pthread_join(enforcement->thread, NULL);
    write_now(enforcement);
    for (size_t i = 0; i < SHARDS; i++) {
        map_free(enforcement->shards[i].rows, free);
        pthread_mutex_destroy(&enforcement->shards[i].lock);
    }
    pthread_mutex_destroy(&enforcement->writing);
    pthread_mutex_destroy(&enforcement->lock);
    pthread_cond_destroy(&enforcement->ends);
    free(enforcement);
}
