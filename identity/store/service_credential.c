#include "identity/store/service_credential.h"

static struct str sealed(struct tx *tx, const struct sealer *sealer, struct str id, struct str secret)
{
    return seal(sealer, tx->arena, str_concat(tx->arena, STR("iam/service-credential/"), id), secret);
}

#define SELECT "SELECT id, owner, service, service_user_name, status, created_us FROM iam_service_credential "

static gh_err read_all(struct rows *rows, struct arena *arena, struct service_credentials *out)
{
    size_t cap = 8;
    *out = (struct service_credentials){ .items = ARENA_ARRAY(arena, struct service_credential, cap) };
    while (rows_next(rows)) {
        if (out->n == cap) {
            struct service_credential *more = ARENA_ARRAY(arena, struct service_credential, 2 * cap);
            memcpy(more, out->items, cap * sizeof *more);
            out->items = more;
            cap *= 2;
        }
        out->items[out->n++] = (struct service_credential){
            .id = rows_str(rows, 0), .owner = rows_str(rows, 1), .service = rows_str(rows, 2),
            .service_user_name = rows_str(rows, 3), .status = rows_str(rows, 4), .created_us = rows_i64(rows, 5),
        };
    }
    return rows_close(rows);
}

gh_err service_credential_list(struct db *db, struct tx *tx, struct arena *arena, struct str owner,
                               struct service_credentials *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, SELECT "WHERE owner = $1 ORDER BY id", "s", owner);
    return read_all(&rows, arena, out);
}

gh_err service_credential_list_all(struct db *db, struct arena *arena, struct str account,
                                   struct service_credentials *out)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena,
              SELECT "WHERE owner IN (SELECT id FROM iam_entity WHERE account = $1 AND kind = 'user') ORDER BY id", "s",
              account);
    return read_all(&rows, arena, out);
}

void service_credential_insert(struct tx *tx, const struct sealer *sealer, const struct service_credential *one)
{
    tx_run(tx,
           "INSERT INTO iam_service_credential (id, owner, service, service_user_name, secret, status, created_us) "
           "VALUES ($1, $2, $3, $4, $5, $6, $7)",
           "ssssssi", one->id, one->owner, one->service, one->service_user_name,
           sealed(tx, sealer, one->id, one->secret), one->status, one->created_us);
}

void service_credential_set_status(struct tx *tx, struct str id, struct str status)
{
    tx_run(tx, "UPDATE iam_service_credential SET status = $1 WHERE id = $2", "ss", status, id);
}

void service_credential_set_secret(struct tx *tx, const struct sealer *sealer, struct str id, struct str secret)
{
    tx_run(tx, "UPDATE iam_service_credential SET secret = $1 WHERE id = $2", "ss", sealed(tx, sealer, id, secret), id);
}

void service_credential_delete(struct tx *tx, struct str id)
{
    tx_run(tx, "DELETE FROM iam_service_credential WHERE id = $1", "s", id);
}
