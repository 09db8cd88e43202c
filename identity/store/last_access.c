#include "identity/store/last_access.h"

/* A clock that was set back must not hide what came after. */
void last_access_put(struct tx *tx, const struct accessed *one)
{
    tx_run(tx,
           "INSERT INTO iam_last_access (owner, service, action, region, at_s) VALUES ($1, $2, $3, $4, $5) "
           "ON CONFLICT (owner, service, action) DO UPDATE SET region = excluded.region, at_s = excluded.at_s",
           "ssssi", one->owner, one->service, one->action, one->region, one->at_s);
}

void last_access_put_key(struct tx *tx, struct str key_id, const struct accessed *one)
{
    tx_run(tx,
           "INSERT INTO iam_key_last_access (key_id, service, region, at_s) VALUES ($1, $2, $3, $4) "
           "ON CONFLICT (key_id) DO UPDATE SET service = excluded.service, region = excluded.region, "
           "at_s = excluded.at_s",
           "sssi", key_id, one->service, one->region, one->at_s);
}

static void read_row(struct rows *rows, struct accessed *out)
{
    *out = (struct accessed){ rows_str(rows, 0), rows_str(rows, 1), rows_str(rows, 2), rows_str(rows, 3),
                              rows_i64(rows, 4) };
}

gh_err last_access_list(struct db *db, struct arena *arena, struct str owner, int64_t since_s, struct accesses *out)
{
    struct rows rows;
    size_t cap = 16;
    *out = (struct accesses){ .items = ARENA_ARRAY(arena, struct accessed, cap) };
    rows_open(&rows, db, NULL, arena,
              "SELECT owner, service, action, region, at_s FROM iam_last_access WHERE owner = $1 AND at_s >= $2 "
              "ORDER BY at_s DESC, service, action",
              "si", owner, since_s);
    while (rows_next(&rows)) {
        if (out->n == cap) {
            out->items = arena_grow(arena, out->items, cap * sizeof *out->items, 2 * cap * sizeof *out->items);
            cap *= 2;
        }
        read_row(&rows, &out->items[out->n++]);
    }
    return rows_close(&rows);
}

gh_err last_access_find(struct db *db, struct arena *arena, struct str owner, struct accessed *out)
{
    struct rows rows;
    *out = (struct accessed){ 0 };
    rows_open(&rows, db, NULL, arena,
              "SELECT owner, service, action, region, at_s FROM iam_last_access WHERE owner = $1 "
              "ORDER BY at_s DESC LIMIT 1",
              "s", owner);
    if (rows_next(&rows))
        read_row(&rows, out);
    return rows_close(&rows);
}

gh_err last_access_find_key(struct db *db, struct arena *arena, struct str key_id, struct accessed *out)
{
    struct rows rows;
    *out = (struct accessed){ 0 };
    rows_open(&rows, db, NULL, arena,
              "SELECT NULL, service, NULL, region, at_s FROM iam_key_last_access WHERE key_id = $1", "s", key_id);
    if (rows_next(&rows))
        read_row(&rows, out);
    return rows_close(&rows);
}

void last_access_prune(struct tx *tx, int64_t since_s)
{
    tx_run(tx,
           "DELETE FROM iam_last_access WHERE at_s < $1 OR (length(owner) <> 12 AND owner NOT IN "
           "(SELECT id FROM iam_entity))",
           "i", since_s);
    tx_run(tx, "DELETE FROM iam_key_last_access WHERE key_id NOT IN (SELECT id FROM iam_access_key)", "");
}

gh_err access_report_find(struct db *db, struct arena *arena, struct str account, struct str id, struct str *doc)
{
    return db_find(db, NULL, arena, doc, "SELECT doc FROM iam_access_report WHERE id = $1 AND account = $2", "ss", id,
                   account);
}

void access_report_insert(struct tx *tx, struct str account, struct str id, int64_t created_us, struct str doc,
                          int64_t keep_from_us)
{
    tx_run(tx, "DELETE FROM iam_access_report WHERE account = $1 AND created_us < $2", "si", account, keep_from_us);
    tx_run(tx, "INSERT INTO iam_access_report (id, account, created_us, doc) VALUES ($1, $2, $3, $4)", "ssis", id,
           account, created_us, doc);
}
