#include "gateway/store/client_certificate.h"

static const char ONE[] = "SELECT doc FROM client_certificates WHERE id = $1 AND account = $2 AND region = $3";
static const char ALL[] = "SELECT doc FROM client_certificates WHERE account = $1 AND region = $2 ORDER BY id";
static const char KEY[] = "SELECT key FROM client_certificates WHERE id = $1";
static const char INSERT[] = "INSERT INTO client_certificates (id, account, region, doc, key) VALUES ($1, $2, $3, $4, $5)";
static const char SAVE[] = "UPDATE client_certificates SET doc = $2 WHERE id = $1";
static const char DELETE[] = "DELETE FROM client_certificates WHERE id = $1";
static const char DELETE_ALL[] = "DELETE FROM client_certificates WHERE account = $1";
static const char USED_BY[] = "SELECT api_id, name FROM rest_stages WHERE instr(doc, $1) > 0 LIMIT 1";

static struct str place(struct arena *arena, struct str id)
{
    return str_concat(arena, STR("gateway/client-certificate/"), id);
}

gh_err certificate_load(struct db *db, struct tx *tx, struct arena *arena, struct api_key key, json_t **out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, ONE, "sss", key.id, key.account, key.region);
    return doc_read(&rows, out);
}

gh_err certificate_list(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str region,
                        struct docs *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, ALL, "ss", account, region);
    return docs_read(&rows, out);
}

gh_err certificate_key(struct db *db, const struct sealer *sealer, struct arena *arena, struct str id, struct str *pem)
{
    struct rows rows;
    *pem = STR_NONE;
    rows_open(&rows, db, NULL, arena, KEY, "s", id);
    if (rows_next(&rows) && !unseal(sealer, arena, place(arena, id), rows_str(&rows, 0), pem))
        *pem = STR_NONE;
    return rows_close(&rows);
}

void certificate_insert(struct tx *tx, const struct sealer *sealer, struct api_key key, const json_t *doc, struct str pem)
{
    tx_run(tx, INSERT, "sssss", key.id, key.account, key.region, json_print(tx->arena, doc),
           seal(sealer, tx->arena, place(tx->arena, key.id), pem));
}

void certificate_save(struct tx *tx, struct str id, const json_t *doc)
{
    tx_run(tx, SAVE, "ss", id, json_print(tx->arena, doc));
}

void certificate_delete(struct tx *tx, struct str id)
{
    tx_run(tx, DELETE, "s", id);
}

void certificate_delete_all(struct tx *tx, struct str account)
{
    tx_run(tx, DELETE_ALL, "s", account);
}

gh_err certificate_used_by(struct db *db, struct tx *tx, struct arena *arena, struct str id, struct str *where)
{
    struct rows rows;
    *where = STR_NONE;
    rows_open(&rows, db, tx, arena, USED_BY, "s",
              str_printf(arena, "\"clientCertificateId\":\"%.*s\"", STR_FMT(id)));
    if (rows_next(&rows)) {
        struct str api = rows_str(&rows, 0), stage = rows_str(&rows, 1);
        *where = str_printf(arena, "%.*s/%.*s", STR_FMT(api), STR_FMT(stage));
    }
    return rows_close(&rows);
}
