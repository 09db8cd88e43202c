#include "identity/store/access_key.h"

#include "core/log.h"

static struct str place(struct arena *arena, struct str id)
{
    return str_concat(arena, STR("iam/access-key/"), id);
}

gh_err access_key_list(struct db *db, struct tx *tx, const struct sealer *sealer, struct arena *arena,
                       struct str owner, struct access_keys *out)
{
    struct rows rows;
    size_t cap = 8;
    *out = (struct access_keys){ .items = ARENA_ARRAY(arena, struct access_key, cap) };
    rows_open(&rows, db, tx, arena,
              "SELECT id, account, owner, secret, status, created_us FROM iam_access_key "
              "WHERE owner = $1 ORDER BY created_us, id",
              "s", owner);
    while (rows_next(&rows)) {
        struct access_key key = { .id = rows_str(&rows, 0), .account = rows_str(&rows, 1), .owner = rows_str(&rows, 2),
                                  .status = rows_str(&rows, 4), .created_us = rows_i64(&rows, 5) };
        if (!unseal(sealer, arena, place(arena, key.id), rows_str(&rows, 3), &key.secret)) {
            log_at(LOG_ERROR, "access key does not open", { "id", key.id });
            continue;
        }
        if (out->n == cap) {
            struct access_key *more = ARENA_ARRAY(arena, struct access_key, 2 * cap);
            memcpy(more, out->items, cap * sizeof *more);
            out->items = more;
            cap *= 2;
        }
        out->items[out->n++] = key;
    }
    return rows_close(&rows);
}

gh_err access_key_owner(struct db *db, struct arena *arena, struct str id, struct str *owner)
{
    return db_find(db, NULL, arena, owner, "SELECT owner FROM iam_access_key WHERE id = $1", "s", id);
}

void access_key_insert(struct tx *tx, const struct sealer *sealer, const struct access_key *key)
{
    tx_run(tx,
           "INSERT INTO iam_access_key (id, account, owner, secret, status, created_us) "
           "VALUES ($1, $2, $3, $4, $5, $6)",
           "sssssi", key->id, key->account, key->owner,
           seal(sealer, tx->arena, place(tx->arena, key->id), key->secret), key->status, key->created_us);
}

void access_key_set_status(struct tx *tx, struct str id, struct str status)
{
    tx_run(tx, "UPDATE iam_access_key SET status = $1 WHERE id = $2", "ss", status, id);
}

void access_key_delete(struct tx *tx, struct str id)
{
    tx_run(tx, "DELETE FROM iam_access_key WHERE id = $1", "s", id);
}
