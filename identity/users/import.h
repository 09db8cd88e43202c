/* User import jobs: the file comes by a link of ours, is kept in pieces, and one background thread imports it, a batch of
 * rows a transaction. Where it stands is written in that transaction: after a kill it goes on from there. */
#pragma once

#include "identity/pools/pool.h"
#include "identity/store/user_import.h"
#include "identity/users/csv.h"
#include "identity/users/user.h"

enum { IMPORT_EXPIRES_S = 24 * 3600 };

/* ---- import_job.c ---- */
/* The columns that a file for this pool has: cognito:username first. `hashes`: and one of password hashes. */
size_t import_columns(struct call *call, const struct pool *pool, bool hashes, struct csv_column **out);
/* "UserImportInProgressException": when a job runs in the pool. */
gh_err import_check_idle(struct call *call, struct tx *tx, const struct pool *pool);
struct str import_log_path(struct arena *arena, struct str pool, struct str job);
bool import_is_stale(const struct import_job *job, int64_t now_us);

/* ---- import_row.c ---- */
enum import_outcome { IMPORT_READY, IMPORT_SKIPPED, IMPORT_FAILED, IMPORT_BLANK };
struct import_row {
    int64_t line;
    enum import_outcome outcome;
    struct str why; /* of what was not imported: never a value of the file */
    struct user user;
};
/* A line becomes a user, not yet inserted. algorithm: of the job's hashes, or absent. */
void import_row_read(struct call *call, const struct pool *pool, const struct csv_column *columns, size_t n_columns,
                     struct str algorithm, struct str line, struct import_row *out);
/* Inserts it; what turns out to be there already is skipped. */
void import_row_insert(struct call *call, struct tx *tx, const struct pool *pool, struct import_row *row);

/* ---- import_run.c ---- */
struct importer *importer_open(struct identity *identity);
void importer_close(struct importer *importer); /* ends after the batch under way */
void importer_wake(struct importer *importer);  /* a job is Pending */
