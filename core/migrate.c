#include "core/db.h"

/* 64-bit FNV-1a: tells an edited step, guards against nothing else. */
static struct str checksum(struct arena *arena, const char *sql)
{
    uint64_t sum = 14695981039346656037ull;
    for (; *sql; sql++)
        sum = (sum ^ (unsigned char)*sql) * 1099511628211ull;
    return str_printf(arena, "%016llx", (unsigned long long)sum);
}

static bool newer_schema(struct tx *tx, const struct migration *steps, size_t n, struct str *why)
{
    struct rows rows;
    bool newer = false;
    rows_open(&rows, tx->db, tx, tx->arena, "SELECT module, number FROM schema_steps", "");
    while (!newer && rows_next(&rows)) {
        struct str module = rows_str(&rows, 0);
        int64_t number = rows_i64(&rows, 1);
        newer = true;
        for (size_t i = 0; i < n; i++)
            if (str_is(module, steps[i].module) && steps[i].number == number)
                newer = false;
        if (newer)
            *why = str_printf(tx->arena, "the data folder was written by a newer Gatehouse (step %.*s %lld is unknown here)",
                              STR_FMT(module), (long long)number);
    }
    rows_close(&rows);
    return newer;
}

bool db_migrate(struct db *db, const struct migration *steps, size_t n, struct arena *arena, struct str *why, int *code)
{
    struct tx tx;
    bool refused = false;
    tx_begin(&tx, db, arena);
    tx_run(&tx, "CREATE TABLE IF NOT EXISTS schema_steps (module TEXT, number BIGINT, checksum TEXT, "
                "PRIMARY KEY (module, number))", "");
    refused = !tx.err && newer_schema(&tx, steps, n, why);
    for (size_t i = 0; i < n && !refused && !tx.err; i++) {
        struct str done, sum = checksum(arena, steps[i].sql);
        gh_err err = db_find(db, &tx, arena, &done, "SELECT checksum FROM schema_steps WHERE module = $1 AND number = $2",
                             "si", str_of(steps[i].module), (int64_t)steps[i].number);
        if (err)
            tx.err = err;
        if (err || (done.ptr && str_eq(done, sum)))
            continue;
        refused = done.ptr != NULL;
        if (refused) {
            *why = str_printf(arena, "schema step %s %d differs from the one that made this data folder", steps[i].module,
                              steps[i].number);
            continue;
        }
        tx_script(&tx, steps[i].sql);
        tx_run(&tx, "INSERT INTO schema_steps (module, number, checksum) VALUES ($1, $2, $3)", "sis",
               str_of(steps[i].module), (int64_t)steps[i].number, sum);
    }
    *code = 2;
    if (refused) {
        tx_rollback(&tx);
        return false;
    }
    gh_err err = tx_commit(&tx);
    if (!err)
        return true;
    *why = err->message;
    if (err->kind == &GH_INTERNAL)
        *code = 3;
    return false;
}
