/* The database, as services see it. SQL is written once, in the subset that SQLite and
 * PostgreSQL share: $1 placeholders, TEXT, BIGINT, ON CONFLICT, RETURNING.
 *
 * Blocking: job threads only. Reads see the last commit (each job thread has its own reader).
 * Writes go through one writer; transactions of several threads share one commit to disk (group
 * commit), and tx_commit returns only after that commit: what was acknowledged survives kill -9.
 *
 * Parameters by type letter: s struct str (absent: NULL), i int64_t, n NULL without an argument.
 *     rows_open(&rows, call->db, NULL, "SELECT doc FROM users WHERE pool = $1 AND name = $2", "ss", pool, name);
 * SQL strings must be static: statements are prepared once and kept by pointer. */
#pragma once

#include "core/err.h"
#include "core/env.h"

struct db;

/* path: the database file, created with mode 0600 when missing. NULL: *why says it; *code is the
 * process's exit code: 2 cannot open (also written by a newer version), 3 damaged. */
struct db *db_open(const char *path, struct arena *arena, struct str *why, int *code);
void db_close(struct db *db);

/* One module's numbered steps, run in order, each once, recorded with its checksum; all in one transaction.
 * False: *why (a changed step, or a database written by a newer version). */
struct migration {
    const char *module; /* "identity" */
    int number;         /* 1, 2, 3 … */
    const char *sql;
};
bool db_migrate(struct db *db, const struct migration *steps, size_t n, struct arena *arena, struct str *why,
                int *code);

/* A write transaction. Errors stick: after the first failure the rest does nothing and
 * tx_commit returns it (GH_UNAVAILABLE: disk full or busy; GH_INTERNAL: a bug or damage). */
struct tx {
    struct db *db;
    struct arena *arena;
    gh_err err;
    bool open;
    int64_t changes; /* rows changed by the last tx_run */
};
void tx_begin(struct tx *tx, struct db *db, struct arena *arena); /* waits its turn; keep it short */
void tx_run(struct tx *tx, const char *sql, const char *types, ...);
/* The same with a list: for statements whose parameters come out of a table. */
struct db_value {
    char type; /* 's', 'i' or 'n' */
    struct str s;
    int64_t i;
};
void tx_run_values(struct tx *tx, const char *sql, const struct db_value *values, size_t n);
void tx_script(struct tx *tx, const char *sql); /* several statements without parameters: migrations */
gh_err tx_commit(struct tx *tx);   /* blocks until it is on disk; on error everything is undone */
void tx_rollback(struct tx *tx);   /* no effect after commit: safe on every way out */
/* One statement as a transaction of its own. */
gh_err db_run(struct db *db, struct arena *arena, const char *sql, const char *types, ...);

/* A result being read. Pass the transaction to see its own writes, else NULL. */
struct rows {
    struct db *db;
    struct arena *arena; /* column strings are copied here */
    void *statement;     /* private */
    gh_err err;
    bool done;
};
void rows_open(struct rows *rows, struct db *db, struct tx *tx, struct arena *arena, const char *sql,
               const char *types, ...);
bool rows_next(struct rows *rows);
struct str rows_str(struct rows *rows, int column); /* absent for NULL; lives in the arena */
int64_t rows_i64(struct rows *rows, int column);
gh_err rows_close(struct rows *rows); /* always; the error of any step, NULL when all went well */

/* The first column of the first row; absent when there is none. */
gh_err db_find(struct db *db, struct tx *tx, struct arena *arena, struct str *out, const char *sql,
               const char *types, ...);
/* "ok", or what PRAGMA quick_check says. */
struct str db_check(struct db *db, struct arena *arena);
