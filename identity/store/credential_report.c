#include "identity/store/credential_report.h"

gh_err credential_report_find(struct db *db, struct tx *tx, struct arena *arena, struct str account,
                              struct credential_report *out, bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena,
              "SELECT started_us, made_us, content FROM iam_credential_report WHERE account = $1", "s", account);
    *found = rows_next(&rows);
    if (*found)
        *out = (struct credential_report){ rows_i64(&rows, 0), rows_i64(&rows, 1), rows_str(&rows, 2) };
    return rows_close(&rows);
}

void credential_report_put(struct tx *tx, struct str account, const struct credential_report *report)
{
    tx_run(tx,
           "INSERT INTO iam_credential_report (account, started_us, made_us, content) VALUES ($1, $2, $3, $4) "
           "ON CONFLICT (account) DO UPDATE SET started_us = excluded.started_us, made_us = excluded.made_us, "
           "content = excluded.content",
           "siis", account, report->started_us, report->made_us, report->content);
}
