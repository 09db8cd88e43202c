/* Rows of import jobs, their files and logs. Ids of jobs are unique over all pools. */
#pragma once

#include "core/db.h"

enum { IMPORT_PIECE_BYTES = 192 * 1024 };

struct import_job {
    struct str pool, id, account, region;
    struct str status;
    struct str upload; /* absent: no file yet */
    struct str doc;
    int64_t created_us;
    int64_t bytes, line, imported, skipped, failed;
};

void store_import_insert(struct tx *tx, const struct import_job *job);
gh_err store_import_find(struct db *db, struct tx *tx, struct arena *arena, struct str pool, struct str id,
                         struct import_job *out, bool *found);
/* Newest first, those older than (before_us, before_id); before_us 0: from the newest. */
gh_err store_import_list(struct db *db, struct arena *arena, struct str pool, int64_t before_us, struct str before_id,
                         int64_t limit, struct import_job **out, size_t *n);
gh_err store_import_count(struct tx *tx, struct str pool, int64_t *n);
/* The oldest one that is Pending, InProgress or Stopping; account or pool absent: of any. */
gh_err store_import_active(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str pool,
                           struct import_job *out, bool *found);
/* Status, doc, place and counters. tx->changes 0: it is gone. */
void store_import_save(struct tx *tx, const struct import_job *job);
/* One that never got going: status Created and older. */
gh_err store_import_stale(struct db *db, struct arena *arena, int64_t before_us, struct import_job *out, bool *found);

gh_err store_import_put_piece(struct db *db, struct arena *arena, struct str pool, struct str job, struct str upload,
                              int64_t seq, struct str base64);
/* *out absent: behind the last. */
gh_err store_import_piece(struct db *db, struct arena *arena, struct str job, struct str upload, int64_t seq,
                          struct str *out);
/* The upload is whole: it is the file now, while the job is Created. tx->changes 0: it is not. */
void store_import_uploaded(struct tx *tx, struct str job, struct str upload);
/* A few pieces of the job, those of `keep` (may be absent) not; tx->changes 0: all are gone. */
void store_import_drop_pieces(struct tx *tx, struct str job, struct str keep);

void store_import_log(struct tx *tx, const struct import_job *job, int64_t line, struct str text);
/* In order, after that line. */
gh_err store_import_log_list(struct db *db, struct arena *arena, struct str job, int64_t after, int64_t limit,
                             int64_t *lines, struct str *texts, size_t *n);
