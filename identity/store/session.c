#include "identity/store/session.h"

#define COLUMNS                                                                                              \
    "mac, pool, client, sub, origin, event, auth_s, expires_s, revoked, doc, device, seen, active_s, "       \
    "generation, rotated"

void store_session_insert(struct tx *tx, const struct session_row *row)
{
    tx_run(tx,
           "INSERT INTO pool_sessions (" COLUMNS ")"
           " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11, $12, 0, NULL)",
           "ssssssiisssi", row->mac, row->pool, row->client, row->sub, row->origin, row->event, row->auth_s,
           row->expires_s, row->doc, row->device, row->seen, row->active_s);
}

static struct session_row session_of(struct rows *rows)
{
    return (struct session_row){
        .mac = rows_str(rows, 0),
        .pool = rows_str(rows, 1),
        .client = rows_str(rows, 2),
        .sub = rows_str(rows, 3),
        .origin = rows_str(rows, 4),
        .event = rows_str(rows, 5),
        .auth_s = rows_i64(rows, 6),
        .expires_s = rows_i64(rows, 7),
        .revoked = rows_i64(rows, 8) != 0,
        .doc = rows_str(rows, 9),
        .device = rows_str(rows, 10),
        .seen = rows_str(rows, 11),
        .active_s = rows_i64(rows, 12),
        .generation = rows_i64(rows, 13),
        .rotated = rows_str(rows, 14),
    };
}

gh_err store_session_find(struct db *db, struct tx *tx, struct arena *arena, struct str mac,
                          struct session_row *out, bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, "SELECT " COLUMNS " FROM pool_sessions WHERE mac = $1", "s", mac);
    *found = rows_next(&rows);
    if (*found)
        *out = session_of(&rows);
    return rows_close(&rows);
}

gh_err store_session_of_origin(struct db *db, struct arena *arena, struct str pool, struct str sub,
                               struct str origin, int64_t now_s, struct session_row *out, bool *found)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena,
              "SELECT " COLUMNS " FROM pool_sessions"
              " WHERE pool = $1 AND sub = $2 AND origin = $3 AND revoked = 0 AND expires_s > $4",
              "sssi", pool, sub, origin, now_s);
    *found = rows_next(&rows);
    if (*found)
        *out = session_of(&rows);
    return rows_close(&rows);
}

void store_session_rotate(struct tx *tx, const struct session_row *row, struct str rotated, struct str seen,
                          int64_t now_s)
{
    tx_run(tx,
           "UPDATE pool_sessions SET generation = generation + 1, rotated = $3, seen = $4, active_s = $5"
           " WHERE mac = $1 AND generation = $2 AND revoked = 0",
           "sissi", row->mac, row->generation, rotated, seen, now_s);
}

void store_session_seen(struct tx *tx, struct str mac, struct str seen, int64_t active_s)
{
    tx_run(tx, "UPDATE pool_sessions SET seen = $2, active_s = $3 WHERE mac = $1 AND active_s < $3", "ssi",
           mac, seen, active_s);
}

void store_session_sweep(struct tx *tx, int64_t before_s)
{
    tx_run(tx,
           "DELETE FROM pool_sessions WHERE mac IN"
           " (SELECT mac FROM pool_sessions WHERE expires_s < $1 ORDER BY expires_s LIMIT 16)",
           "i", before_s);
}

gh_err store_session_list(struct db *db, struct arena *arena, struct str pool, struct str sub,
                          struct str after, int64_t now_s, int64_t limit, struct session_row **out, size_t *n)
{
    struct rows rows;
    *out = ARENA_ARRAY(arena, struct session_row, limit);
    *n = 0;
    rows_open(&rows, db, NULL, arena,
              "SELECT " COLUMNS
              " FROM pool_sessions WHERE pool = $1 AND sub = $2 AND revoked = 0 AND expires_s > $3"
              " AND origin < $4 ORDER BY origin DESC LIMIT $5",
              "ssisi", pool, sub, now_s, after.ptr ? after : STR("~"), limit);
    while (*n < (size_t)limit && rows_next(&rows))
        (*out)[(*n)++] = session_of(&rows);
    return rows_close(&rows);
}

static gh_err origins_of(struct rows *rows, struct str **out, size_t *n)
{
    size_t cap = 0;
    *out = NULL;
    *n = 0;
    while (rows_next(rows)) {
        if (*n == cap) {
            size_t more = cap ? cap * 2 : 16;
            *out = arena_grow(rows->arena, *out, cap * sizeof **out, more * sizeof **out);
            cap = more;
        }
        (*out)[(*n)++] = rows_str(rows, 0);
    }
    return rows_close(rows);
}

gh_err store_session_surplus(struct tx *tx, struct arena *arena, struct str pool, struct str sub,
                             int64_t now_s, int64_t keep, struct str **out, size_t *n)
{
    struct rows rows;
    rows_open(
        &rows, tx->db, tx, arena,
        "SELECT origin FROM pool_sessions WHERE pool = $1 AND sub = $2 AND revoked = 0 AND expires_s > $3"
        " ORDER BY active_s DESC, origin DESC LIMIT 1000000 OFFSET $4",
        "ssii", pool, sub, now_s, keep);
    return origins_of(&rows, out, n);
}

gh_err store_session_origins(struct tx *tx, struct arena *arena, struct str pool, struct str sub,
                             struct str but, struct str **out, size_t *n)
{
    struct rows rows;
    rows_open(
        &rows, tx->db, tx, arena,
        "SELECT origin FROM pool_sessions WHERE pool = $1 AND sub = $2 AND origin <> $3 AND revoked = 0",
        "sss", pool, sub, but.ptr ? but : STR(""));
    return origins_of(&rows, out, n);
}

void store_spend(struct tx *tx, struct str mac, int64_t until_s, int64_t now_s, bool *fresh)
{
    tx_run(tx, "DELETE FROM pool_spent WHERE until_s < $1", "i", now_s);
    tx_run(tx, "INSERT INTO pool_spent (mac, until_s) VALUES ($1, $2) ON CONFLICT (mac) DO NOTHING", "si",
           mac, until_s);
    *fresh = !tx->err && tx->changes == 1;
}

gh_err store_tries(struct db *db, struct tx *tx, struct arena *arena, struct str id, int64_t *tries)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, "SELECT tries FROM pool_tries WHERE id = $1", "s", id);
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
