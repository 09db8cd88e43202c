#include "identity/store/passkey.h"

gh_err store_passkey_list(struct db *db, struct tx *tx, struct arena *arena, struct str pool, struct str sub,
                          struct passkey_row **out, size_t *n)
{
    struct rows rows;
    size_t cap = 0;
    *out = NULL;
    *n = 0;
    rows_open(&rows, db, tx, arena,
              "SELECT id, created_us, used_us, counter, doc FROM pool_passkeys WHERE pool = $1 AND sub = $2"
              " ORDER BY created_us, id",
              "ss", pool, sub);
    while (rows_next(&rows)) {
        if (*n == cap) {
            size_t more = cap ? cap * 2 : 4;
            *out = arena_grow(arena, *out, cap * sizeof **out, more * sizeof **out);
            cap = more;
        }
        (*out)[(*n)++] = (struct passkey_row){ pool,
                                               rows_str(&rows, 0),
                                               sub,
                                               rows_i64(&rows, 1),
                                               rows_i64(&rows, 2),
                                               rows_i64(&rows, 3),
                                               rows_str(&rows, 4) };
    }
    return rows_close(&rows);
}

gh_err store_passkey_count(struct db *db, struct tx *tx, struct arena *arena, struct str pool, struct str sub,
                           int64_t *n)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, "SELECT count(*) FROM pool_passkeys WHERE pool = $1 AND sub = $2", "ss",
              pool, sub);
    *n = rows_next(&rows) ? rows_i64(&rows, 0) : 0;
    return rows_close(&rows);
}

void store_passkey_insert(struct tx *tx, const struct passkey_row *row)
{
    tx_run(tx,
           "INSERT INTO pool_passkeys (pool, id, sub, created_us, used_us, counter, doc)"
           " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
           "sssiiis", row->pool, row->id, row->sub, row->created_us, row->used_us, row->counter, row->doc);
}

void store_passkey_used(struct tx *tx, struct str pool, struct str sub, struct str id, int64_t counter,
                        int64_t used_us)
{
    tx_run(tx,
           "UPDATE pool_passkeys SET counter = $4, used_us = $5 WHERE pool = $1 AND sub = $2 AND id = $3"
           " AND (counter < $4 OR (counter = 0 AND $4 = 0))",
           "sssii", pool, sub, id, counter, used_us);
}

void store_passkey_delete(struct tx *tx, struct str pool, struct str sub, struct str id)
{
    tx_run(tx, "DELETE FROM pool_passkeys WHERE pool = $1 AND sub = $2 AND id = $3", "sss", pool, sub, id);
}
