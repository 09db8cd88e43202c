#include "identity/store/session.h"

void store_session_insert(struct tx *tx, struct str mac, const struct session_row *row, int64_t now_s)
{
    tx_run(tx, "DELETE FROM pool_sessions WHERE pool = $1 AND sub = $2 AND expires_s < $3", "ssi", row->pool,
           row->sub, now_s);
    tx_run(
        tx,
        "INSERT INTO pool_sessions (mac, pool, client, sub, origin, event, auth_s, expires_s, revoked, doc)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)",
        "ssssssiis", mac, row->pool, row->client, row->sub, row->origin, row->event, row->auth_s,
        row->expires_s, row->doc);
}

gh_err store_session_find(struct db *db, struct arena *arena, struct str mac, struct session_row *out,
                          bool *found)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena,
              "SELECT pool, client, sub, origin, event, auth_s, expires_s, revoked, doc FROM pool_sessions"
              " WHERE mac = $1",
              "s", mac);
    *found = rows_next(&rows);
    if (*found)
        *out = (struct session_row){ rows_str(&rows, 0), rows_str(&rows, 1),      rows_str(&rows, 2),
                                     rows_str(&rows, 3), rows_str(&rows, 4),      rows_i64(&rows, 5),
                                     rows_i64(&rows, 6), rows_i64(&rows, 7) != 0, rows_str(&rows, 8) };
    return rows_close(&rows);
}

gh_err store_session_origins(struct tx *tx, struct arena *arena, struct str pool, struct str sub,
                             struct str but, struct str **out, size_t *n)
{
    struct rows rows;
    size_t cap = 0;
    *out = NULL;
    *n = 0;
    rows_open(
        &rows, tx->db, tx, arena,
        "SELECT origin FROM pool_sessions WHERE pool = $1 AND sub = $2 AND origin <> $3 AND revoked = 0",
        "sss", pool, sub, but.ptr ? but : STR(""));
    while (rows_next(&rows)) {
        if (*n == cap) {
            size_t more = cap ? cap * 2 : 16;
            *out = arena_grow(arena, *out, cap * sizeof **out, more * sizeof **out);
            cap = more;
        }
        (*out)[(*n)++] = rows_str(&rows, 0);
    }
    return rows_close(&rows);
}

void store_spend(struct tx *tx, struct str mac, int64_t until_s, int64_t now_s, bool *fresh)
{
    tx_run(tx, "DELETE FROM pool_spent WHERE until_s < $1", "i", now_s);
    tx_run(tx, "INSERT INTO pool_spent (mac, until_s) VALUES ($1, $2) ON CONFLICT (mac) DO NOTHING", "si",
           mac, until_s);
    *fresh = !tx->err && tx->changes == 1;
}

gh_err store_tries(struct db *db, struct arena *arena, struct str id, int64_t *tries)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena, "SELECT tries FROM pool_tries WHERE id = $1", "s", id);
    *tries = rows_next(&rows) ? rows_i64(&rows, 0) : 0;
    return rows_close(&rows);
}

void store_tried(struct tx *tx, struct str id, int64_t until_s, int64_t now_s)
{
    tx_run(tx, "DELETE FROM pool_tries WHERE until_s < $1", "i", now_s);
    tx_run(tx,
           "INSERT INTO pool_tries (id, tries, until_s) VALUES ($1, 1, $2)"
           " ON CONFLICT (id) DO UPDATE SET tries = pool_tries.tries + 1, until_s = excluded.until_s",
           "si", id, until_s);
}
