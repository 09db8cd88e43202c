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
