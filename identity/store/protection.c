#include "identity/store/protection.h"

gh_err store_failures(struct db *db, struct arena *arena, struct str pool, struct str who,
                      struct failures_row *out)
{
    struct rows rows;
    *out = (struct failures_row){ 0, 0 };
    rows_open(&rows, db, NULL, arena, "SELECT failures, last_us FROM pool_failures WHERE pool = $1 AND who = $2",
              "ss", pool, who);
    if (rows_next(&rows))
        *out = (struct failures_row){ rows_i64(&rows, 0), rows_i64(&rows, 1) };
    return rows_close(&rows);
}

void store_failed(struct tx *tx, struct str pool, struct str who, int64_t now_us, int64_t forget_us,
                  int64_t forgotten_us)
{
    tx_run(tx, "DELETE FROM pool_failures WHERE forget_us < $1", "i", now_us);
    tx_run(tx,
           "INSERT INTO pool_failures (pool, who, failures, last_us, forget_us) VALUES ($1, $2, 1, $3, $4)"
           " ON CONFLICT (pool, who) DO UPDATE SET failures ="
           " CASE WHEN pool_failures.last_us = $5 THEN 1 ELSE pool_failures.failures + 1 END,"
           " last_us = excluded.last_us, forget_us = excluded.forget_us",
           "ssiii", pool, who, now_us, forget_us, forgotten_us);
}

void store_failures_drop(struct tx *tx, struct str pool, struct str who)
{
    tx_run(tx, "DELETE FROM pool_failures WHERE pool = $1 AND who = $2", "ss", pool, who);
}

void store_attempt(struct tx *tx, struct str pool, struct str who, struct str what, int64_t now_s,
                   int64_t window_s, int64_t *attempts)
{
    struct rows rows;
    tx_run(tx, "DELETE FROM pool_attempts WHERE since_s <= $1", "i", now_s - window_s);
    tx_run(tx,
           "INSERT INTO pool_attempts (pool, who, what, since_s, attempts) VALUES ($1, $2, $3, $4, 1)"
           " ON CONFLICT (pool, who, what) DO UPDATE SET attempts = pool_attempts.attempts + 1",
           "sssi", pool, who, what, now_s);
    *attempts = 0;
    rows_open(&rows, tx->db, tx, tx->arena,
              "SELECT attempts FROM pool_attempts WHERE pool = $1 AND who = $2 AND what = $3", "sss", pool, who,
              what);
    if (rows_next(&rows))
        *attempts = rows_i64(&rows, 0);
    (void)rows_close(&rows); /* an error sticks to the transaction's next step: nothing was counted */
}

gh_err store_attempts(struct db *db, struct arena *arena, struct str pool, struct str who, struct str what,
                      int64_t after_s, int64_t *attempts)
{
    struct rows rows;
    *attempts = 0;
    rows_open(&rows, db, NULL, arena,
              "SELECT attempts FROM pool_attempts WHERE pool = $1 AND who = $2 AND what = $3 AND since_s > $4",
              "sssi", pool, who, what, after_s);
    if (rows_next(&rows))
        *attempts = rows_i64(&rows, 0);
    return rows_close(&rows);
}

gh_err store_risk_find(struct db *db, struct arena *arena, struct str pool, struct str client, struct risk_row *out,
                       bool *found)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena, "SELECT doc, modified_us FROM pool_risk WHERE pool = $1 AND client = $2", "ss",
              pool, client);
    *found = rows_next(&rows);
    if (*found)
        *out = (struct risk_row){ rows_str(&rows, 0), rows_i64(&rows, 1) };
    return rows_close(&rows);
}

void store_risk_put(struct tx *tx, struct str pool, struct str client, const struct risk_row *row)
{
    tx_run(tx, "DELETE FROM pool_risk WHERE pool = $1 AND client = $2", "ss", pool, client);
    if (row)
        tx_run(tx, "INSERT INTO pool_risk (pool, client, modified_us, doc) VALUES ($1, $2, $3, $4)", "ssis", pool,
               client, row->modified_us, row->doc);
}

void store_auth_event_put(struct tx *tx, struct str pool, struct str sub, const struct auth_event_row *row,
                          int64_t forget_us)
{
    tx_run(tx, "DELETE FROM pool_auth_events WHERE pool = $1 AND sub = $2 AND at_us < $3", "ssi", pool, sub, forget_us);
    tx_run(tx, "INSERT INTO pool_auth_events (pool, sub, id, at_us, doc) VALUES ($1, $2, $3, $4, $5)", "sssis", pool,
           sub, row->id, row->at_us, row->doc);
}

void store_auth_event_update(struct tx *tx, struct str pool, struct str sub, struct str id, struct str doc)
{
    tx_run(tx, "UPDATE pool_auth_events SET doc = $4 WHERE pool = $1 AND sub = $2 AND id = $3", "ssss", pool, sub, id,
           doc);
}

static struct auth_event_row event_of(struct rows *rows)
{
    return (struct auth_event_row){ rows_str(rows, 0), rows_str(rows, 1), rows_i64(rows, 2) };
}

gh_err store_auth_event_find(struct db *db, struct tx *tx, struct arena *arena, struct str pool, struct str sub,
                             struct str id, struct auth_event_row *out, bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena,
              "SELECT id, doc, at_us FROM pool_auth_events WHERE pool = $1 AND sub = $2 AND id = $3", "sss", pool, sub,
              id);
    *found = rows_next(&rows);
    if (*found)
        *out = event_of(&rows);
    return rows_close(&rows);
}

gh_err store_auth_event_list(struct db *db, struct arena *arena, struct str pool, struct str sub, int64_t before_us,
                             struct str before_id, int64_t limit, struct auth_event_row **out, size_t *n)
{
    struct rows rows;
    *out = ARENA_ARRAY(arena, struct auth_event_row, limit);
    *n = 0;
    rows_open(&rows, db, NULL, arena,
              "SELECT id, doc, at_us FROM pool_auth_events WHERE pool = $1 AND sub = $2"
              " AND (at_us < $3 OR (at_us = $3 AND id < $4)) ORDER BY at_us DESC, id DESC LIMIT $5",
              "ssisi", pool, sub, before_us, before_id, limit);
    while (*n < (size_t)limit && rows_next(&rows))
        (*out)[(*n)++] = event_of(&rows);
    return rows_close(&rows);
}
