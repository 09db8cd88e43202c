#include "identity/store/user_import.h"

enum { DROPPED_AT_ONCE = 16 };

#define COLUMNS "pool, id, account, region, status, upload, doc, created_us, bytes, line, imported, skipped, failed"
#define ACTIVE  "status IN ('Pending', 'InProgress', 'Stopping')"

static struct import_job job_of(struct rows *rows)
{
    return (struct import_job){
        .pool = rows_str(rows, 0),
        .id = rows_str(rows, 1),
        .account = rows_str(rows, 2),
        .region = rows_str(rows, 3),
        .status = rows_str(rows, 4),
        .upload = rows_str(rows, 5),
        .doc = rows_str(rows, 6),
        .created_us = rows_i64(rows, 7),
        .bytes = rows_i64(rows, 8),
        .line = rows_i64(rows, 9),
        .imported = rows_i64(rows, 10),
        .skipped = rows_i64(rows, 11),
        .failed = rows_i64(rows, 12),
    };
}

static gh_err one(struct rows *rows, struct import_job *out, bool *found)
{
    *found = rows_next(rows);
    if (*found)
        *out = job_of(rows);
    return rows_close(rows);
}

void store_import_insert(struct tx *tx, const struct import_job *job)
{
    tx_run(tx,
           "INSERT INTO pool_imports (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, 0, 0)", "sssssssi",
           job->pool, job->id, job->account, job->region, job->status, job->upload, job->doc, job->created_us);
}

gh_err store_import_find(struct db *db, struct tx *tx, struct arena *arena, struct str pool, struct str id,
                         struct import_job *out, bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, "SELECT " COLUMNS " FROM pool_imports WHERE pool = $1 AND id = $2", "ss", pool, id);
    return one(&rows, out, found);
}

gh_err store_import_list(struct db *db, struct arena *arena, struct str pool, int64_t before_us, struct str before_id,
                         int64_t limit, struct import_job **out, size_t *n)
{
    struct rows rows;
    *out = ARENA_ARRAY(arena, struct import_job, limit);
    *n = 0;
    rows_open(&rows, db, NULL, arena,
              "SELECT " COLUMNS " FROM pool_imports WHERE pool = $1 AND (created_us, id) < ($2, $3)"
              " ORDER BY created_us DESC, id DESC LIMIT $4",
              "sisi", pool, before_us ? before_us : INT64_MAX, before_id.ptr ? before_id : STR(""), limit);
    while (*n < (size_t)limit && rows_next(&rows))
        (*out)[(*n)++] = job_of(&rows);
    return rows_close(&rows);
}

gh_err store_import_count(struct tx *tx, struct str pool, int64_t *n)
{
    struct rows rows;
    rows_open(&rows, tx->db, tx, tx->arena, "SELECT COUNT(*) FROM pool_imports WHERE pool = $1", "s", pool);
    *n = rows_next(&rows) ? rows_i64(&rows, 0) : 0;
    return rows_close(&rows);
}

gh_err store_import_active(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str pool,
                           struct import_job *out, bool *found)
{
    struct rows rows;
    if (pool.ptr)
        rows_open(&rows, db, tx, arena,
                  "SELECT " COLUMNS " FROM pool_imports WHERE " ACTIVE " AND pool = $1 ORDER BY created_us LIMIT 1", "s", pool);
    else if (account.ptr)
        rows_open(&rows, db, tx, arena,
                  "SELECT " COLUMNS " FROM pool_imports WHERE " ACTIVE " AND account = $1 ORDER BY created_us LIMIT 1", "s",
                  account);
    else
        rows_open(&rows, db, tx, arena,
                  "SELECT " COLUMNS " FROM pool_imports WHERE " ACTIVE " ORDER BY created_us LIMIT 1", "");
    return one(&rows, out, found);
}

void store_import_save(struct tx *tx, const struct import_job *job)
{
    tx_run(tx,
           "UPDATE pool_imports SET status = $3, doc = $4, bytes = $5, line = $6, imported = $7, skipped = $8, failed = $9"
           " WHERE pool = $1 AND id = $2",
           "ssssiiiii", job->pool, job->id, job->status, job->doc, job->bytes, job->line, job->imported, job->skipped,
           job->failed);
}

gh_err store_import_stale(struct db *db, struct arena *arena, int64_t before_us, struct import_job *out, bool *found)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena,
              "SELECT " COLUMNS " FROM pool_imports WHERE status = 'Created' AND created_us <= $1 ORDER BY created_us LIMIT 1",
              "i", before_us);
    return one(&rows, out, found);
}

gh_err store_import_put_piece(struct db *db, struct arena *arena, struct str pool, struct str job, struct str upload,
                              int64_t seq, struct str base64)
{
    return db_run(db, arena, "INSERT INTO pool_import_pieces (pool, job, upload, seq, bytes) VALUES ($1, $2, $3, $4, $5)",
                  "sssis", pool, job, upload, seq, base64);
}

gh_err store_import_piece(struct db *db, struct arena *arena, struct str job, struct str upload, int64_t seq,
                          struct str *out)
{
    return db_find(db, NULL, arena, out,
                   "SELECT bytes FROM pool_import_pieces WHERE job = $1 AND upload = $2 AND seq = $3", "ssi", job, upload, seq);
}

void store_import_uploaded(struct tx *tx, struct str job, struct str upload)
{
    tx_run(tx, "UPDATE pool_imports SET upload = $2 WHERE id = $1 AND status = 'Created'", "ss", job, upload);
}

void store_import_drop_pieces(struct tx *tx, struct str job, struct str keep)
{
    tx_run(tx,
           "DELETE FROM pool_import_pieces WHERE job = $1 AND (upload, seq) IN (SELECT upload, seq FROM pool_import_pieces"
           " WHERE job = $1 AND upload <> $2 ORDER BY upload, seq LIMIT $3)",
           "ssi", job, keep.ptr ? keep : STR(""), (int64_t)DROPPED_AT_ONCE);
}

void store_import_log(struct tx *tx, const struct import_job *job, int64_t line, struct str text)
{
    tx_run(tx, "INSERT INTO pool_import_log (pool, job, line, text) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", "ssis",
           job->pool, job->id, line, text);
}

gh_err store_import_log_list(struct db *db, struct arena *arena, struct str job, int64_t after, int64_t limit,
                             int64_t *lines, struct str *texts, size_t *n)
{
    struct rows rows;
    *n = 0;
    rows_open(&rows, db, NULL, arena,
              "SELECT line, text FROM pool_import_log WHERE job = $1 AND line > $2 ORDER BY line LIMIT $3", "sii", job, after,
              limit);
    while (*n < (size_t)limit && rows_next(&rows)) {
        lines[*n] = rows_i64(&rows, 0);
        texts[(*n)++] = rows_str(&rows, 1);
    }
    return rows_close(&rows);
}
