#include "identity/store/server_certificate.h"

gh_err server_certificate_find(struct db *db, struct arena *arena, struct str id, struct server_certificate *out)
{
    struct rows rows;
    *out = (struct server_certificate){ .id = id };
    rows_open(&rows, db, NULL, arena, "SELECT body, chain, expires_s FROM iam_server_certificate WHERE id = $1", "s",
              id);
    if (rows_next(&rows))
        *out = (struct server_certificate){ id, rows_str(&rows, 0), rows_str(&rows, 1), rows_i64(&rows, 2) };
    return rows_close(&rows);
}

void server_certificate_insert(struct tx *tx, const struct sealer *sealer, const struct server_certificate *certificate,
                               struct str private_key)
{
    struct str place = str_concat(tx->arena, STR("iam/server-certificate/"), certificate->id);
    tx_run(tx,
           "INSERT INTO iam_server_certificate (id, body, chain, private_key, expires_s) VALUES ($1, $2, $3, $4, $5)",
           "ssssi", certificate->id, certificate->body, certificate->chain,
           seal(sealer, tx->arena, place, private_key), certificate->expires_s);
}
