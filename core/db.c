#include "core/db.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"

enum { MAX_BATCH = 64, BUSY_MS = 5000 };

struct statement {
    const char *sql; /* static: compared by address */
    sqlite3_stmt *stmt;
};

struct conn {
    struct db *db;
    struct conn *next;
    sqlite3 *sqlite;
    struct statement *statements;
    size_t n, cap;
};

/* Transactions that share one commit. Whoever ends last without a successor waiting commits for
 * all; the others sleep until `done`. Guarded by db->state. */
struct batch {
    int users;
    bool done;
    int result; /* SQLite's code of the commit */
};

struct db {
    const char *path;
    pthread_mutex_t turn;  /* held by the one transaction that is writing */
    pthread_mutex_t state; /* guards what follows */
    pthread_cond_t committed;
    struct batch *batch;   /* open batch, NULL: none */
    int batch_size;
    atomic_int waiting;    /* transactions at the gate */
    struct conn *writer;
    struct conn *readers;  /* list, for closing */
    pthread_key_t reader_key;
};

/* ---- connections ---- */

static struct conn *conn_open(struct db *db, bool writer)
{
    struct conn *conn = calloc(1, sizeof *conn);
    if (!conn)
        abort();
    conn->db = db;
    int flags = SQLITE_OPEN_NOMUTEX | (writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE);
    if (sqlite3_open_v2(db->path, &conn->sqlite, flags, NULL) != SQLITE_OK) {
        sqlite3_close_v2(conn->sqlite);
        free(conn);
        return NULL;
    }
    sqlite3_extended_result_codes(conn->sqlite, 1);
    sqlite3_busy_timeout(conn->sqlite, BUSY_MS);
    if (!writer)
        sqlite3_exec(conn->sqlite, "PRAGMA query_only = 1", NULL, NULL, NULL);
    return conn;
}

static void conn_close(struct conn *conn)
{
    if (!conn)
        return;
    for (size_t i = 0; i < conn->n; i++)
        sqlite3_finalize(conn->statements[i].stmt);
    free(conn->statements);
    sqlite3_close_v2(conn->sqlite);
    free(conn);
}

/* A thread has ended: its reader goes with it. */
static void reader_gone(void *ptr)
{
    struct conn *conn = ptr;
    struct db *db = conn->db;
    pthread_mutex_lock(&db->state);
    for (struct conn **at = &db->readers; *at; at = &(*at)->next) {
        if (*at == conn) {
            *at = conn->next;
            break;
        }
    }
    pthread_mutex_unlock(&db->state);
    conn_close(conn);
}

static struct conn *reader(struct db *db)
{
    struct conn *conn = pthread_getspecific(db->reader_key);
    if (conn)
        return conn;
    conn = conn_open(db, false);
    if (!conn)
        return NULL;
    pthread_mutex_lock(&db->state);
    conn->next = db->readers;
    db->readers = conn;
    pthread_mutex_unlock(&db->state);
    pthread_setspecific(db->reader_key, conn);
    return conn;
}

static sqlite3_stmt *statement(struct conn *conn, const char *sql)
{
    for (size_t i = 0; i < conn->n; i++)
        if (conn->statements[i].sql == sql && !sqlite3_stmt_busy(conn->statements[i].stmt))
            return conn->statements[i].stmt;
    sqlite3_stmt *stmt;
    if (sqlite3_prepare_v3(conn->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK)
        return NULL;
    if (conn->n == conn->cap) {
        conn->cap = conn->cap ? conn->cap * 2 : 32;
        conn->statements = realloc(conn->statements, conn->cap * sizeof *conn->statements);
        if (!conn->statements)
            abort();
    }
    conn->statements[conn->n++] = (struct statement){ sql, stmt };
    return stmt;
}

static gh_err failure(struct arena *arena, sqlite3 *sqlite, int code, const char *doing)
{
    const char *text = sqlite ? sqlite3_errmsg(sqlite) : sqlite3_errstr(code);
    log_at(LOG_ERROR, "storage", { "doing", str_of(doing) }, { "error", str_of(text) });
    switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        return gh_fail(arena, &GH_UNAVAILABLE, "The data folder cannot be written: %s.", text);
    default:
        return gh_fail(arena, &GH_INTERNAL, "Storage: %s.", text);
    }
}

static void bind_all(sqlite3_stmt *stmt, const char *types, va_list args)
{
    char name[16];
    for (int i = 0; types[i]; i++) {
        snprintf(name, sizeof name, "$%d", i + 1);
        int index = sqlite3_bind_parameter_index(stmt, name);
        if (types[i] == 'i') {
            sqlite3_bind_int64(stmt, index, va_arg(args, int64_t));
        } else if (types[i] == 's') {
            struct str s = va_arg(args, struct str);
            if (s.ptr)
                sqlite3_bind_text(stmt, index, s.ptr, (int)s.len, SQLITE_TRANSIENT);
            else
                sqlite3_bind_null(stmt, index);
        } else {
            sqlite3_bind_null(stmt, index);
        }
    }
}

/* ---- opening ---- */

static bool writer_ready(struct db *db)
{
    return db->writer && sqlite3_exec(db->writer->sqlite,
                                      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = 1;"
                                      "PRAGMA wal_autocheckpoint = 2000;",
                                      NULL, NULL, NULL) == SQLITE_OK;
}

struct db *db_open(const char *path, struct arena *arena, struct str *why, int *code)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* SQLite would make it by umask */
    if (fd < 0) {
        *why = str_printf(arena, "cannot open %s: %m", path);
        *code = 2;
        return NULL;
    }
    close(fd);
    struct db *db = calloc(1, sizeof *db);
    if (!db)
        abort();
    db->path = strdup(path);
    pthread_mutex_init(&db->turn, NULL);
    pthread_mutex_init(&db->state, NULL);
    pthread_cond_init(&db->committed, NULL);
    pthread_key_create(&db->reader_key, reader_gone);
    db->writer = conn_open(db, true);
    if (!writer_ready(db)) {
        int sqlite_code = db->writer ? sqlite3_errcode(db->writer->sqlite) & 0xff : SQLITE_CANTOPEN;
        *code = sqlite_code == SQLITE_NOTADB || sqlite_code == SQLITE_CORRUPT ? 3 : 2;
        *why = str_printf(arena, "%s: %s", path, db->writer ? sqlite3_errmsg(db->writer->sqlite) : "cannot open");
        db_close(db);
        return NULL;
    }
    return db;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    pthread_key_delete(db->reader_key);
    while (db->readers) {
        struct conn *conn = db->readers;
        db->readers = conn->next;
        conn_close(conn);
    }
    conn_close(db->writer);
    pthread_mutex_destroy(&db->turn);
    pthread_mutex_destroy(&db->state);
    pthread_cond_destroy(&db->committed);
    free((char *)db->path);
    free(db);
}

/* ---- writing ---- */

static int run_sql(struct conn *conn, const char *sql)
{
    sqlite3_stmt *stmt = statement(conn, sql);
    if (!stmt)
        return sqlite3_errcode(conn->sqlite);
    int code = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

void tx_begin(struct tx *tx, struct db *db, struct arena *arena)
{
    *tx = (struct tx){ .db = db, .arena = arena };
    atomic_fetch_add(&db->waiting, 1);
    pthread_mutex_lock(&db->turn);
    atomic_fetch_sub(&db->waiting, 1);
    int code = SQLITE_OK;
    pthread_mutex_lock(&db->state);
    if (!db->batch) {
        code = run_sql(db->writer, "BEGIN IMMEDIATE");
        if (code == SQLITE_OK) {
            db->batch = calloc(1, sizeof *db->batch);
            if (!db->batch)
                abort();
            db->batch_size = 0;
        }
    }
    pthread_mutex_unlock(&db->state);
    if (code == SQLITE_OK)
        code = run_sql(db->writer, "SAVEPOINT one");
    tx->open = true;
    if (code != SQLITE_OK)
        tx->err = failure(arena, db->writer->sqlite, code, "begin");
}

/* Steps a statement of the writer whose parameters stand. */
static void run_bound(struct tx *tx, sqlite3_stmt *stmt, const char *sql)
{
    struct conn *writer = tx->db->writer;
    int code = stmt ? SQLITE_OK : sqlite3_errcode(writer->sqlite);
    if (stmt) {
        do
            code = sqlite3_step(stmt);
        while (code == SQLITE_ROW);
        sqlite3_reset(stmt);
        sqlite3_clear_bindings(stmt);
    }
    tx->changes = sqlite3_changes64(writer->sqlite);
    if (code != SQLITE_DONE)
        tx->err = failure(tx->arena, writer->sqlite, code, sql);
}

static void run_with(struct tx *tx, const char *sql, const char *types, va_list args)
{
    if (tx->err)
        return;
    sqlite3_stmt *stmt = statement(tx->db->writer, sql);
    if (stmt)
        bind_all(stmt, types, args);
    run_bound(tx, stmt, sql);
}

void tx_run_values(struct tx *tx, const char *sql, const struct db_value *values, size_t n)
{
    if (tx->err)
        return;
    sqlite3_stmt *stmt = statement(tx->db->writer, sql);
    for (size_t i = 0; stmt && i < n; i++) {
        if (values[i].type == 'i')
            sqlite3_bind_int64(stmt, (int)i + 1, values[i].i);
        else if (values[i].type == 's' && values[i].s.ptr)
            sqlite3_bind_text(stmt, (int)i + 1, values[i].s.ptr, (int)values[i].s.len, SQLITE_TRANSIENT);
        else
            sqlite3_bind_null(stmt, (int)i + 1);
    }
    run_bound(tx, stmt, sql);
}

void tx_run(struct tx *tx, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    run_with(tx, sql, types, args);
    va_end(args);
}

void tx_script(struct tx *tx, const char *sql)
{
    if (tx->err)
        return;
    int code = sqlite3_exec(tx->db->writer->sqlite, sql, NULL, NULL, NULL);
    if (code != SQLITE_OK)
        tx->err = failure(tx->arena, tx->db->writer->sqlite, code, "script");
}

/* Ends a turn at the writer: commits the batch unless somebody stands at the gate who will. Waits
 * for the batch's commit and gives its result. Errors like SQLITE_FULL may have undone the
 * whole transaction behind our back: then the batch has failed for everybody in it. */
static int end_turn(struct db *db, bool wait)
{
    pthread_mutex_lock(&db->state);
    struct batch *batch = db->batch;
    int result = SQLITE_FULL;
    if (batch) {
        batch->users++;
        bool undone = sqlite3_get_autocommit(db->writer->sqlite);
        if (undone || atomic_load(&db->waiting) == 0 || ++db->batch_size >= MAX_BATCH) {
            batch->result = undone ? SQLITE_FULL : run_sql(db->writer, "COMMIT");
            if (batch->result != SQLITE_OK && !sqlite3_get_autocommit(db->writer->sqlite))
                run_sql(db->writer, "ROLLBACK");
            batch->done = true;
            db->batch = NULL;
            pthread_cond_broadcast(&db->committed);
        }
    }
    pthread_mutex_unlock(&db->turn);
    if (batch) {
        while (wait && !batch->done)
            pthread_cond_wait(&db->committed, &db->state);
        result = batch->result;
        if (--batch->users == 0 && batch->done)
            free(batch);
    }
    pthread_mutex_unlock(&db->state);
    return result;
}

gh_err tx_commit(struct tx *tx)
{
    if (tx->err) {
        gh_err err = tx->err;
        tx_rollback(tx);
        return err;
    }
    int code = run_sql(tx->db->writer, "RELEASE one");
    if (code != SQLITE_OK) {
        tx->err = failure(tx->arena, tx->db->writer->sqlite, code, "release");
        gh_err err = tx->err;
        tx_rollback(tx);
        return err;
    }
    tx->open = false;
    code = end_turn(tx->db, true);
    return code == SQLITE_OK ? NULL : failure(tx->arena, NULL, code, "commit");
}

void tx_rollback(struct tx *tx)
{
    if (!tx->open)
        return;
    tx->open = false;
    if (!sqlite3_get_autocommit(tx->db->writer->sqlite)) {
        run_sql(tx->db->writer, "ROLLBACK TO one");
        run_sql(tx->db->writer, "RELEASE one");
    }
    end_turn(tx->db, false);
}

gh_err db_run(struct db *db, struct arena *arena, const char *sql, const char *types, ...)
{
    struct tx tx;
    va_list args;
    tx_begin(&tx, db, arena);
    va_start(args, types);
    run_with(&tx, sql, types, args);
    va_end(args);
    return tx_commit(&tx);
}

/* ---- reading ---- */

static void open_with(struct rows *rows, struct db *db, struct tx *tx, struct arena *arena, const char *sql,
                      const char *types, va_list args)
{
    *rows = (struct rows){ .db = db, .arena = arena };
    struct conn *conn = tx ? db->writer : reader(db);
    sqlite3_stmt *stmt = conn ? statement(conn, sql) : NULL;
    if (!stmt) {
        rows->err = failure(arena, conn ? conn->sqlite : NULL, conn ? sqlite3_errcode(conn->sqlite) : SQLITE_CANTOPEN,
                            sql);
        rows->done = true;
        return;
    }
    bind_all(stmt, types, args);
    rows->statement = stmt;
}

void rows_open(struct rows *rows, struct db *db, struct tx *tx, struct arena *arena, const char *sql,
               const char *types, ...)
{
    va_list args;
    va_start(args, types);
    open_with(rows, db, tx, arena, sql, types, args);
    va_end(args);
}

bool rows_next(struct rows *rows)
{
    if (rows->done)
        return false;
    int code = sqlite3_step(rows->statement);
    if (code == SQLITE_ROW)
        return true;
    rows->done = true;
    if (code != SQLITE_DONE)
        rows->err = failure(rows->arena, sqlite3_db_handle(rows->statement), code, sqlite3_sql(rows->statement));
    return false;
}

struct str rows_str(struct rows *rows, int column)
{
    const char *text = (const char *)sqlite3_column_text(rows->statement, column);
    if (!text)
        return STR_NONE;
    return str_copy(rows->arena, (struct str){ text, (size_t)sqlite3_column_bytes(rows->statement, column) });
}

int64_t rows_i64(struct rows *rows, int column)
{
    return sqlite3_column_int64(rows->statement, column);
}

gh_err rows_close(struct rows *rows)
{
    if (rows->statement) {
        sqlite3_reset(rows->statement);
        sqlite3_clear_bindings(rows->statement);
        rows->statement = NULL;
    }
    rows->done = true;
    return rows->err;
}

gh_err db_find(struct db *db, struct tx *tx, struct arena *arena, struct str *out, const char *sql, const char *types,
               ...)
{
    struct rows rows;
    va_list args;
    va_start(args, types);
    open_with(&rows, db, tx, arena, sql, types, args);
    va_end(args);
    *out = rows_next(&rows) ? rows_str(&rows, 0) : STR_NONE;
    return rows_close(&rows);
}

struct str db_check(struct db *db, struct arena *arena)
{
    struct str answer;
    gh_err err = db_find(db, NULL, arena, &answer, "PRAGMA quick_check(1)", "");
    return err ? err->message : answer;
}
