#include "identity/store/pool.h"

#include "identity/store/pool_tables.h"

static struct pool_row pool_of(struct rows *rows)
{
    return (struct pool_row){ rows_str(rows, 0), rows_str(rows, 1), rows_str(rows, 2), rows_str(rows, 3),
                              rows_str(rows, 4), rows_i64(rows, 5) };
}

gh_err store_pool_find(struct db *db, struct tx *tx, struct arena *arena, struct str id, struct pool_row *out,
                       bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, "SELECT id, account, region, doc, more, created_us FROM pools WHERE id = $1",
              "s", id);
    *found = rows_next(&rows);
    if (*found)
        *out = pool_of(&rows);
    return rows_close(&rows);
}

gh_err store_pool_list(struct db *db, struct arena *arena, struct str account, struct str region,
                       struct str after, int64_t limit, struct pool_row **out, size_t *n)
{
    struct rows rows;
    *out = ARENA_ARRAY(arena, struct pool_row, limit);
    *n = 0;
    rows_open(&rows, db, NULL, arena,
              "SELECT id, account, region, doc, more, created_us FROM pools"
              " WHERE account = $1 AND region = $2 AND id > $3 ORDER BY id LIMIT $4",
              "sssi", account, region, after.ptr ? after : STR(""), limit);
    while (*n < (size_t)limit && rows_next(&rows))
        (*out)[(*n)++] = pool_of(&rows);
    return rows_close(&rows);
}

gh_err store_pool_users(struct db *db, struct arena *arena, struct str id, int64_t *n)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena, "SELECT COUNT(*) FROM pool_users WHERE pool = $1", "s", id);
    *n = rows_next(&rows) ? rows_i64(&rows, 0) : 0;
    return rows_close(&rows);
}

void store_pool_insert(struct tx *tx, const struct pool_row *row)
{
    tx_run(tx, "INSERT INTO pools (id, account, region, created_us, doc, more) VALUES ($1, $2, $3, $4, $5, $6)",
           "sssiss", row->id, row->account, row->region, row->created_us, row->doc, row->more);
}

void store_pool_update(struct tx *tx, struct str id, struct str doc)
{
    tx_run(tx, "UPDATE pools SET doc = $2 WHERE id = $1", "ss", id, doc);
}

void store_pool_update_more(struct tx *tx, struct str id, struct str more)
{
    tx_run(tx, "UPDATE pools SET more = $2 WHERE id = $1", "ss", id, more);
}

void store_pool_delete(struct tx *tx, struct str id)
{
    store_tables_delete_pool(tx, id);
}

static struct client_row client_of(struct rows *rows)
{
    return (struct client_row){ rows_str(rows, 0), rows_str(rows, 1), rows_str(rows, 2), rows_str(rows, 3),
                                rows_i64(rows, 4) };
}

gh_err store_client_find(struct db *db, struct tx *tx, struct arena *arena, struct str id,
                         struct client_row *out, bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena,
              "SELECT id, pool, secrets, doc, created_us FROM pool_clients WHERE id = $1", "s", id);
    *found = rows_next(&rows);
    if (*found)
        *out = client_of(&rows);
    return rows_close(&rows);
}

gh_err store_client_list(struct db *db, struct arena *arena, struct str pool, struct str after, int64_t limit,
                         struct client_row **out, size_t *n)
{
    struct rows rows;
    *out = ARENA_ARRAY(arena, struct client_row, limit);
    *n = 0;
    rows_open(&rows, db, NULL, arena,
              "SELECT id, pool, secrets, doc, created_us FROM pool_clients WHERE pool = $1 AND id > $2"
              " ORDER BY id LIMIT $3",
              "ssi", pool, after.ptr ? after : STR(""), limit);
    while (*n < (size_t)limit && rows_next(&rows))
        (*out)[(*n)++] = client_of(&rows);
    return rows_close(&rows);
}

void store_client_insert(struct tx *tx, const struct client_row *row)
{
    tx_run(tx, "INSERT INTO pool_clients (id, pool, created_us, secrets, doc) VALUES ($1, $2, $3, $4, $5)",
           "ssiss", row->id, row->pool, row->created_us, row->secrets, row->doc);
}

void store_client_update(struct tx *tx, struct str id, struct str doc)
{
    tx_run(tx, "UPDATE pool_clients SET doc = $2 WHERE id = $1", "ss", id, doc);
}

void store_client_update_secrets(struct tx *tx, struct str id, struct str secrets)
{
    tx_run(tx, "UPDATE pool_clients SET secrets = $2 WHERE id = $1", "ss", id, secrets);
}

void store_client_delete(struct tx *tx, struct str id)
{
    tx_run(tx, "DELETE FROM pool_risk WHERE client = $1", "s", id);
    tx_run(tx, "DELETE FROM pool_sessions WHERE client = $1", "s", id);
    tx_run(tx,
           "DELETE FROM pool_records WHERE pool = (SELECT pool FROM pool_clients WHERE id = $1) AND owner = $1"
           " AND kind IN ('ui', 'branding', 'terms', 'sso-sessions')",
           "s", id);
    tx_run(tx, "DELETE FROM pool_clients WHERE id = $1", "s", id);
}
