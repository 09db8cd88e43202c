#include "gateway/store/usage.h"

static const char QUOTA[] =
    "SELECT period, starts, quota, remaining FROM usage_quotas WHERE plan_id = $1 AND key_id = $2";
static const char QUOTA_SAVE[] =
    "INSERT INTO usage_quotas (plan_id, key_id, period, starts, quota, remaining) SELECT $1, $2, $3, $4, $5, $6"
    " WHERE EXISTS (SELECT 1 FROM usage_plans WHERE id = $1) AND EXISTS (SELECT 1 FROM api_keys WHERE id = $2)"
    " ON CONFLICT (plan_id, key_id) DO UPDATE SET period = excluded.period, starts = excluded.starts,"
    " quota = excluded.quota, remaining = excluded.remaining";
static const char DAY_ADD[] =
    "INSERT INTO usage_days (plan_id, key_id, day, used, remaining) SELECT $1, $2, $3, $4, $5"
    " WHERE EXISTS (SELECT 1 FROM usage_plans WHERE id = $1) AND EXISTS (SELECT 1 FROM api_keys WHERE id = $2)"
    " ON CONFLICT (plan_id, key_id, day) DO UPDATE SET used = usage_days.used + excluded.used,"
    " remaining = excluded.remaining";
static const char DAYS[] = "SELECT day, used, remaining FROM usage_days WHERE plan_id = $1 AND key_id = $2"
                           " AND day >= $3 AND day <= $4 ORDER BY day";
static const char DAY_BEFORE[] = "SELECT day, used, remaining FROM usage_days WHERE plan_id = $1 AND key_id = $2"
                                 " AND day < $3 ORDER BY day DESC LIMIT 1";
static const char FORGET[] = "DELETE FROM usage_days WHERE day < $1";

gh_err usage_quota_load(struct db *db, struct tx *tx, struct arena *arena, struct str plan_id, struct str key_id,
                        struct usage_quota_row *out)
{
    struct rows rows;
    *out = (struct usage_quota_row){ 0 };
    rows_open(&rows, db, tx, arena, QUOTA, "ss", plan_id, key_id);
    if (rows_next(&rows))
        *out = (struct usage_quota_row){ rows_str(&rows, 0), rows_i64(&rows, 1), rows_i64(&rows, 2),
                                         rows_i64(&rows, 3) };
    return rows_close(&rows);
}

void usage_quota_save(struct tx *tx, struct str plan_id, struct str key_id, const struct usage_quota_row *row)
{
    tx_run(tx, QUOTA_SAVE, "sssiii", plan_id, key_id, row->period, row->starts, row->quota, row->remaining);
}

void usage_day_add(struct tx *tx, struct str plan_id, struct str key_id, int64_t day, int64_t used, int64_t remaining)
{
    tx_run(tx, DAY_ADD, "ssiii", plan_id, key_id, day, used, remaining);
}

static struct usage_day_row row_of(struct rows *rows)
{
    return (struct usage_day_row){ rows_i64(rows, 0), rows_i64(rows, 1), rows_i64(rows, 2) };
}

gh_err usage_days_load(struct db *db, struct arena *arena, struct str plan_id, struct str key_id, int64_t first,
                       int64_t last, struct usage_day_rows *out)
{
    struct rows rows;
    *out = (struct usage_day_rows){ .items = ARENA_ARRAY(arena, struct usage_day_row, last - first + 1) };
    rows_open(&rows, db, NULL, arena, DAYS, "ssii", plan_id, key_id, first, last);
    while (rows_next(&rows))
        out->items[out->n++] = row_of(&rows);
    return rows_close(&rows);
}

gh_err usage_day_before(struct db *db, struct arena *arena, struct str plan_id, struct str key_id, int64_t day,
                        struct usage_day_row *out)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena, DAY_BEFORE, "ssi", plan_id, key_id, day);
    *out = rows_next(&rows) ? row_of(&rows) : (struct usage_day_row){ .day = -1 };
    return rows_close(&rows);
}

void usage_days_forget(struct tx *tx, int64_t before_day)
{
    tx_run(tx, FORGET, "i", before_day);
}
