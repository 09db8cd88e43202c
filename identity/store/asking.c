#include "identity/store/asking.h"

#define COLUMNS "owner, account, principal, action, resource, passed_to, reason, allowed, spared, refused, at_s"

void asking_add(struct tx *tx, const struct asking *use)
{
    tx_run(tx,
           "INSERT INTO iam_asking (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
           "ON CONFLICT (owner, action, resource, passed_to) DO UPDATE SET principal = excluded.principal, "
           "allowed = iam_asking.allowed + excluded.allowed, spared = iam_asking.spared + excluded.spared, "
           "refused = iam_asking.refused + excluded.refused, at_s = excluded.at_s, "
           "reason = CASE WHEN excluded.reason = '' THEN iam_asking.reason ELSE excluded.reason END",
           "sssssssiiii", use->owner, use->account, use->principal, use->action, use->resource, use->passed_to,
           use->reason, use->allowed, use->spared, use->refused, use->at_s);
}

void asking_trim(struct tx *tx, struct str owner, int64_t most)
{
    tx_run(tx,
           "DELETE FROM iam_asking WHERE owner = $1 AND (action, resource, passed_to) IN "
           "(SELECT action, resource, passed_to FROM iam_asking WHERE owner = $1 "
           "ORDER BY at_s DESC, action, resource, passed_to LIMIT 1000000 OFFSET $2)",
           "si", owner, most);
}

void asking_prune(struct tx *tx)
{
    tx_run(tx, "DELETE FROM iam_asking WHERE length(owner) <> 12 AND owner NOT IN (SELECT id FROM iam_entity)", "");
}

static gh_err read_all(struct rows *rows, struct arena *arena, struct askings *out)
{
    size_t cap = 16;
    *out = (struct askings){ .items = ARENA_ARRAY(arena, struct asking, cap) };
    while (rows_next(rows)) {
        if (out->n == cap) {
            out->items = arena_grow(arena, out->items, cap * sizeof *out->items, 2 * cap * sizeof *out->items);
            cap *= 2;
        }
        out->items[out->n++] = (struct asking){
            .owner = rows_str(rows, 0),    .account = rows_str(rows, 1),   .principal = rows_str(rows, 2),
            .action = rows_str(rows, 3),   .resource = rows_str(rows, 4),  .passed_to = rows_str(rows, 5),
            .reason = rows_str(rows, 6),   .allowed = rows_i64(rows, 7),   .spared = rows_i64(rows, 8),
            .refused = rows_i64(rows, 9),  .at_s = rows_i64(rows, 10),
        };
    }
    return rows_close(rows);
}

gh_err asking_list(struct db *db, struct arena *arena, struct str owner, struct askings *out)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena,
              "SELECT " COLUMNS " FROM iam_asking WHERE owner = $1 ORDER BY action, resource, passed_to", "s", owner);
    return read_all(&rows, arena, out);
}

gh_err asking_denials(struct db *db, struct arena *arena, struct str account, struct str owner, int64_t most,
                          struct askings *out)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena,
              "SELECT " COLUMNS " FROM iam_asking WHERE account = $1 AND spared + refused > 0 AND "
              "($2 = '' OR owner = $2) ORDER BY at_s DESC, principal, action, resource LIMIT $3",
              "ssi", account, owner.ptr ? owner : STR(""), most);
    return read_all(&rows, arena, out);
}
