#include "identity/store/guard_rail.h"

gh_err guard_rail_list(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct guard_rail_list *out)
{
    struct rows rows;
    size_t cap = 8;
    *out = (struct guard_rail_list){ .items = ARENA_ARRAY(arena, struct guard_rail, cap) };
    rows_open(&rows, db, tx, arena,
              "SELECT kind, name, document, changed_us FROM guard_rail WHERE account = $1 ORDER BY kind, name", "s", account);
    while (rows_next(&rows)) {
        if (out->n == cap) {
            out->items = arena_grow(arena, out->items, cap * sizeof *out->items, 2 * cap * sizeof *out->items);
            cap *= 2;
        }
        out->items[out->n++] = (struct guard_rail){ rows_str(&rows, 0), rows_str(&rows, 1), rows_str(&rows, 2),
                                                    rows_i64(&rows, 3) };
    }
    return rows_close(&rows);
}

void guard_rail_put(struct tx *tx, struct str account, const struct guard_rail *one)
{
    tx_run(tx,
           "INSERT INTO guard_rail (account, kind, name, document, changed_us) VALUES ($1, $2, $3, $4, $5) "
           "ON CONFLICT (account, kind, name) DO UPDATE SET document = excluded.document, changed_us = excluded.changed_us",
           "ssssi", account, one->kind, one->name, one->document, one->changed_us);
}

void guard_rail_delete(struct tx *tx, struct str account, struct str kind, struct str name)
{
    tx_run(tx, "DELETE FROM guard_rail WHERE account = $1 AND kind = $2 AND name = $3", "sss", account, kind, name);
}

gh_err guard_rail_accounts(struct db *db, struct arena *arena, struct str *lines)
{
    struct rows rows;
    struct strbuf buf = strbuf_in(arena, 256);
    rows_open(&rows, db, NULL, arena, "SELECT DISTINCT account FROM guard_rail", "");
    while (rows_next(&rows)) {
        strbuf_add(&buf, rows_str(&rows, 0));
        strbuf_char(&buf, '\n');
    }
    *lines = strbuf_view(&buf);
    return rows_close(&rows);
}
