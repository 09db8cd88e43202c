#include "identity/store/pool_record.h"

#define COLUMNS "pool, kind, name, owner, doc, created_us"

static struct pool_record record_of(struct rows *rows)
{
    return (struct pool_record){ rows_str(rows, 0), rows_str(rows, 1), rows_str(rows, 2),
                                 rows_str(rows, 3), rows_str(rows, 4), rows_i64(rows, 5) };
}

static gh_err one(struct rows *rows, struct pool_record *out, bool *found)
{
    *found = rows_next(rows);
    if (*found)
        *out = record_of(rows);
    return rows_close(rows);
}

static gh_err several(struct rows *rows, int64_t limit, struct pool_record **out, size_t *n)
{
    *out = ARENA_ARRAY(rows->arena, struct pool_record, limit);
    *n = 0;
    while (*n < (size_t)limit && rows_next(rows))
        (*out)[(*n)++] = record_of(rows);
    return rows_close(rows);
}

gh_err store_record_find(struct db *db, struct tx *tx, struct arena *arena, struct str pool, const char *kind,
                         struct str name, struct pool_record *out, bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena,
              "SELECT " COLUMNS " FROM pool_records WHERE pool = $1 AND kind = $2 AND name = $3", "sss", pool,
              str_of(kind), name);
    return one(&rows, out, found);
}

gh_err store_record_domain(struct db *db, struct tx *tx, struct arena *arena, struct str name, struct pool_record *out,
                           bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, "SELECT " COLUMNS " FROM pool_records WHERE name = $1 AND kind = 'domain'", "s", name);
    return one(&rows, out, found);
}

gh_err store_record_list(struct db *db, struct tx *tx, struct arena *arena, struct str pool, const char *kind,
                         struct str after, int64_t limit, struct pool_record **out, size_t *n)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena,
              "SELECT " COLUMNS " FROM pool_records WHERE pool = $1 AND kind = $2 AND name > $3 ORDER BY name LIMIT $4",
              "sssi", pool, str_of(kind), after.ptr ? after : STR(""), limit);
    return several(&rows, limit, out, n);
}

gh_err store_record_of_owner(struct db *db, struct tx *tx, struct arena *arena, struct str pool, const char *kind,
                             struct str owner, int64_t limit, struct pool_record **out, size_t *n)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena,
              "SELECT " COLUMNS " FROM pool_records WHERE pool = $1 AND owner = $2 AND kind = $3 ORDER BY name LIMIT $4",
              "sssi", pool, owner, str_of(kind), limit);
    return several(&rows, limit, out, n);
}

gh_err store_record_count(struct tx *tx, struct str pool, const char *kind, int64_t *n)
{
    struct rows rows;
    rows_open(&rows, tx->db, tx, tx->arena, "SELECT COUNT(*) FROM pool_records WHERE pool = $1 AND kind = $2", "ss", pool,
              str_of(kind));
    *n = rows_next(&rows) ? rows_i64(&rows, 0) : 0;
    return rows_close(&rows);
}

static struct str owner_of(const struct pool_record *record)
{
    return record->owner.ptr ? record->owner : STR("");
}

void store_record_insert(struct tx *tx, const struct pool_record *record)
{
    tx_run(tx,
           "INSERT INTO pool_records (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING", "sssssi",
           record->pool, record->kind, record->name, owner_of(record), record->doc, record->created_us);
}

void store_record_put(struct tx *tx, const struct pool_record *record)
{
    tx_run(tx,
           "INSERT INTO pool_records (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6)"
           " ON CONFLICT (pool, kind, name) DO UPDATE SET owner = excluded.owner, doc = excluded.doc",
           "sssssi", record->pool, record->kind, record->name, owner_of(record), record->doc, record->created_us);
}

void store_record_delete(struct tx *tx, struct str pool, const char *kind, struct str name)
{
    tx_run(tx, "DELETE FROM pool_records WHERE pool = $1 AND kind = $2 AND name = $3", "sss", pool, str_of(kind), name);
}

void store_record_delete_of_owner(struct tx *tx, struct str pool, const char *kind, struct str owner)
{
    tx_run(tx, "DELETE FROM pool_records WHERE pool = $1 AND owner = $2 AND kind = $3", "sss", pool, owner, str_of(kind));
}

/* ---- provisioned limits ---- */

gh_err store_limit_find(struct db *db, struct arena *arena, struct str account, struct str region, struct str category,
                        int64_t *per_second)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena,
              "SELECT per_second FROM account_limits WHERE account = $1 AND region = $2 AND category = $3", "sss", account,
              region, category);
    *per_second = rows_next(&rows) ? rows_i64(&rows, 0) : -1;
    return rows_close(&rows);
}

gh_err store_limits(struct db *db, struct arena *arena,
                    void (*each)(void *ctx, struct str account, struct str region, struct str category,
                                 int64_t per_second),
                    void *ctx)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena, "SELECT account, region, category, per_second FROM account_limits", "");
    while (rows_next(&rows))
        each(ctx, rows_str(&rows, 0), rows_str(&rows, 1), rows_str(&rows, 2), rows_i64(&rows, 3));
    return rows_close(&rows);
}

void store_limit_put(struct tx *tx, struct str account, struct str region, struct str category, int64_t per_second)
{
    tx_run(tx,
           "INSERT INTO account_limits (account, region, category, per_second) VALUES ($1, $2, $3, $4)"
           " ON CONFLICT (account, region, category) DO UPDATE SET per_second = excluded.per_second",
           "sssi", account, region, category, per_second);
}
