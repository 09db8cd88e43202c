/* The thread that imports. One job at a time; a batch is prepared without the database's writer and inserted in one
 * transaction, which also says how far the job is. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "core/id.h"
#include "core/json.h"
#include "core/log.h"
#include "identity/users/import.h"
#include "identity/users/import_source.h"
#include "wire/codec_json.h"

enum { BATCH = 200, LOG_MOST = 100000, NICE = 10, AWS_MOST_USERS = 500000, RETRY_S = 1 };

struct importer {
    struct identity *identity;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool work;
    atomic_bool closing;
};

/* A job being run. */
struct run {
    struct importer *importer;
    struct arena *arena; /* lives as long as the run */
    struct arena *batch; /* emptied between batches */
    struct import_job job;
    struct idp_UserImportJobType doc;
    struct pool pool;
    struct csv_column *columns;
    size_t n_columns;
    struct import_source *source;
};

enum next { RUN_ON, RUN_OVER };

static struct call call_of(const struct run *run, struct arena *arena)
{
    static const struct principal nobody = { .kind = PRINCIPAL_ROOT };
    struct identity *identity = run->importer->identity;
    return (struct call){ .arena = arena, .env = identity->env, .db = identity->db, .sealer = identity->sealer,
                          .account = run->job.account, .region = run->job.region, .partition = identity->partition,
                          .base_url = identity->base_url, .request_id = run->job.id, .now_us = env_now_us(identity->env),
                          .principal = &nobody, .service = &idp_service, .module = identity };
}

/* ---- the end ---- */

static void drop_file(struct run *run)
{
    int64_t dropped;
    do {
        struct tx tx;
        arena_reset(run->batch);
        tx_begin(&tx, run->importer->identity->db, run->batch);
        store_import_drop_pieces(&tx, run->job.id, STR_NONE);
        dropped = tx.changes;
        if (tx_commit(&tx))
            return;
    } while (dropped > 0);
}

static void set_status(struct run *run, struct arena *arena, const char *status, struct str message)
{
    int64_t now_us = env_now_us(run->importer->identity->env);
    run->job.status = str_of(status);
    if (message.ptr) {
        run->doc.completion_date = some_time_us(now_us);
        run->doc.completion_message = message;
    } else if (!run->doc.start_date.set) {
        run->doc.start_date = some_time_us(now_us);
    }
    run->job.doc = shape_print(arena, &idp_shape_UserImportJobType, &run->doc);
}

/* "CompletionMessage", and where the log can be read. */
static enum next finish(struct run *run, const char *status, const char *message)
{
    struct tx tx;
    set_status(run, run->arena, status,
               str_printf(run->arena, "%s Log: %.*s", message,
                          STR_FMT(import_log_path(run->arena, run->job.pool, run->job.id))));
    tx_begin(&tx, run->importer->identity->db, run->arena);
    store_import_save(&tx, &run->job);
    gh_err err = tx_commit(&tx);
    log_at(LOG_INFO, "user import ended", { "pool", run->job.pool }, { "job", run->job.id }, { "status", str_of(status) },
           { "message", str_of(message) });
    if (!err)
        drop_file(run);
    return RUN_OVER;
}

/* ---- a batch ---- */

/* Reads up to BATCH lines. *ended: there are no more. False: the file cannot be read now. */
static bool read_batch(struct run *run, struct call *call, struct import_row *rows, size_t *n, bool *ended)
{
    struct str line;
    *ended = false;
    for (*n = 0; *n < BATCH;) {
        enum import_read read = import_source_line(run->source, call->arena, &line);
        if (read == IMPORT_BROKEN)
            return false;
        if (read == IMPORT_END) {
            *ended = true;
            return true;
        }
        struct import_row *row = &rows[(*n)++];
        *row = (struct import_row){ .line = ++run->job.line };
        if (read == IMPORT_LINE) {
            import_row_read(call, &run->pool, run->columns, run->n_columns, run->doc.password_hashing_algorithm, line, row);
        } else {
            row->outcome = IMPORT_FAILED;
            row->why = STR("The User Record is longer than 16,000 characters.");
        }
    }
    return true;
}

/* "[FAILED] Line Number 5956 - ...": as AWS's log has it. Those that went well are not written down. */
static void note(struct run *run, struct tx *tx, const struct import_row *row)
{
    if (row->outcome == IMPORT_READY)
        run->job.imported++;
    else if (row->outcome == IMPORT_SKIPPED)
        run->job.skipped++;
    else if (row->outcome == IMPORT_FAILED)
        run->job.failed++;
    bool bad = row->outcome == IMPORT_SKIPPED || row->outcome == IMPORT_FAILED;
    if (!bad || run->job.skipped + run->job.failed > LOG_MOST)
        return;
    store_import_log(tx, &run->job, row->line,
                     str_printf(tx->arena, "[%s] Line Number %lld - %.*s",
                                row->outcome == IMPORT_SKIPPED ? "SKIPPED" : "FAILED", (long long)row->line,
                                STR_FMT(row->why)));
}

/* Has somebody stopped the job, or deleted it with its pool? */
static gh_err ask_status(struct run *run, struct tx *tx, struct str *status)
{
    struct import_job now;
    bool found;
    gh_err err = store_import_find(tx->db, tx, tx->arena, run->job.pool, run->job.id, &now, &found);
    *status = err || !found ? STR_NONE : now.status;
    return err;
}

static gh_err write_batch(struct run *run, struct call *call, struct import_row *rows, size_t n, struct str *status)
{
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = ask_status(run, &tx, status);
    if (err || !str_is(*status, "InProgress")) {
        tx_rollback(&tx);
        return err;
    }
    for (size_t i = 0; i < n && !tx.err; i++) {
        if (rows[i].outcome == IMPORT_READY)
            import_row_insert(call, &tx, &run->pool, &rows[i]);
        note(run, &tx, &rows[i]);
    }
    run->job.bytes = import_source_at(run->source);
    store_import_save(&tx, &run->job);
    return tx_commit(&tx);
}

/* "Too many users have failed or been skipped during the import.": seen when most of them had. */
static enum next complete(struct run *run)
{
    if (run->job.failed + run->job.skipped > run->job.imported)
        return finish(run, "Failed", "Too many users have failed or been skipped during the import.");
    return finish(run, "Succeeded", "The user import job has completed.");
}

static enum next one_batch(struct run *run)
{
    struct import_row rows[BATCH];
    struct str status = STR_NONE;
    size_t n;
    bool ended;
    arena_reset(run->batch);
    struct call call = call_of(run, run->batch);
    if (!read_batch(run, &call, rows, &n, &ended) || write_batch(run, &call, rows, n, &status)) {
        log_at(LOG_WARN, "user import waits for the database", { "pool", run->job.pool }, { "job", run->job.id });
        return RUN_OVER; /* still InProgress: begun again from where it is */
    }
    if (!status.ptr)
        return RUN_OVER;
    if (str_is(status, "Stopping"))
        return finish(run, "Stopped", "The user import job has been stopped.");
    if (run->importer->identity->aws_limits && run->job.imported > AWS_MOST_USERS)
        return finish(run, "Failed", "The file has more than 500,000 users.");
    return ended ? complete(run) : RUN_ON;
}

/* ---- a job ---- */

static enum next read_header(struct run *run)
{
    struct str line = STR_NONE, why = STR("The file is empty.");
    struct call call = call_of(run, run->arena);
    struct import_source *source = import_source_open(call.db, run->job.id, run->job.upload, 0);
    enum import_read read = import_source_line(source, run->arena, &line);
    int64_t at = import_source_at(source);
    import_source_close(source);
    if (read == IMPORT_BROKEN)
        return RUN_OVER;
    run->n_columns = import_columns(&call, &run->pool, run->doc.password_hashing_algorithm.ptr != NULL, &run->columns);
    if (read != IMPORT_LINE || !csv_header(run->arena, line, run->columns, run->n_columns, &why)) {
        struct tx tx;
        tx_begin(&tx, call.db, run->arena);
        store_import_log(&tx, &run->job, 1, str_printf(run->arena, "[FAILED] Line Number 1 - %.*s", STR_FMT(why)));
        (void)tx_commit(&tx);
        return finish(run, "Failed", why.ptr);
    }
    if (run->job.bytes == 0) {
        run->job.bytes = at;
        run->job.line = 1;
    }
    return RUN_ON;
}

/* Pending becomes InProgress; a stop that came before is a stop. */
static enum next begin(struct run *run)
{
    struct call call = call_of(run, run->arena);
    struct str status;
    struct tx tx;
    if (!shape_parse(run->arena, &idp_shape_UserImportJobType, run->job.doc, &run->doc) ||
        pool_find(&call, run->job.pool, &run->pool))
        return finish(run, "Failed", "The user pool is gone.");
    if (read_header(run) == RUN_OVER)
        return RUN_OVER;
    tx_begin(&tx, call.db, run->arena);
    gh_err err = ask_status(run, &tx, &status);
    if (!err && str_is(status, "Pending")) {
        set_status(run, run->arena, "InProgress", STR_NONE);
        store_import_save(&tx, &run->job);
    }
    if (err || tx_commit(&tx) || !status.ptr) {
        tx_rollback(&tx);
        return RUN_OVER;
    }
    return str_is(status, "Stopping") ? finish(run, "Stopped", "The user import job has been stopped.") : RUN_ON;
}

static void run_job(struct importer *importer, struct arena *arena, const struct import_job *job)
{
    struct run *run = ARENA_NEW(arena, struct run);
    *run = (struct run){ .importer = importer, .arena = arena, .batch = arena_new(256 * 1024), .job = *job };
    if (begin(run) == RUN_ON) {
        run->source = import_source_open(importer->identity->db, run->job.id, run->job.upload, run->job.bytes);
        while (!atomic_load(&importer->closing) && one_batch(run) == RUN_ON)
            ;
        import_source_close(run->source);
    }
    arena_free(run->batch);
}

/* ---- the thread ---- */

/* False: there is nothing to do. What could not be finished is tried again soon. */
static bool run_next(struct importer *importer)
{
    struct arena *arena = arena_new(64 * 1024);
    struct import_job job;
    bool found;
    gh_err err = store_import_active(importer->identity->db, NULL, arena, STR_NONE, STR_NONE, &job, &found);
    if (!err && found)
        run_job(importer, arena, &job);
    arena_free(arena);
    return err || found;
}

static void wait_for(struct importer *importer, bool soon)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += RETRY_S;
    pthread_mutex_lock(&importer->lock);
    while (!importer->work && !atomic_load(&importer->closing))
        if (!soon)
            pthread_cond_wait(&importer->changed, &importer->lock);
        else if (pthread_cond_timedwait(&importer->changed, &importer->lock, &until) != 0)
            break;
    importer->work = false;
    pthread_mutex_unlock(&importer->lock);
}

static void *run_importer(void *ptr)
{
    struct importer *importer = ptr;
    setpriority(PRIO_PROCESS, 0, NICE); /* Linux: of this thread alone */
    while (!atomic_load(&importer->closing))
        wait_for(importer, run_next(importer));
    return NULL;
}

struct importer *importer_open(struct identity *identity)
{
    struct importer *importer = calloc(1, sizeof *importer);
    if (!importer)
        abort();
    importer->identity = identity;
    atomic_init(&importer->closing, false);
    pthread_mutex_init(&importer->lock, NULL);
    pthread_cond_init(&importer->changed, NULL);
    if (pthread_create(&importer->thread, NULL, run_importer, importer) != 0)
        abort();
    return importer;
}

void importer_close(struct importer *importer)
{
    if (!importer)
        return;
    pthread_mutex_lock(&importer->lock);
    atomic_store(&importer->closing, true);
    pthread_cond_signal(&importer->changed);
    pthread_mutex_unlock(&importer->lock);
    pthread_join(importer->thread, NULL);
    pthread_mutex_destroy(&importer->lock);
    pthread_cond_destroy(&importer->changed);
    free(importer);
}

void importer_wake(struct importer *importer)
{
    pthread_mutex_lock(&importer->lock);
    importer->work = true;
    pthread_cond_signal(&importer->changed);
    pthread_mutex_unlock(&importer->lock);
}
