#include "identity/store/iam_provider.h"

#include "core/log.h"

gh_err provider_doc(struct db *db, struct tx *tx, struct arena *arena, struct str id, struct str *doc)
{
    return db_find(db, tx, arena, doc, "SELECT doc FROM iam_provider WHERE id = $1", "s", id);
}

void provider_put(struct tx *tx, struct str id, struct str doc)
{
    tx_run(tx, "INSERT INTO iam_provider (id, doc) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc",
           "ss", id, doc);
}

/* --- private keys --- */

enum { KEYS_PER_PROVIDER = 2 };

static struct str place(struct arena *arena, struct str id)
{
    return str_concat(arena, STR("iam/provider-key/"), id);
}

gh_err provider_key_list(struct db *db, struct tx *tx, const struct sealer *sealer, struct arena *arena,
                         struct str provider, struct provider_keys *out)
{
    struct rows rows;
    *out = (struct provider_keys){ .items = ARENA_ARRAY(arena, struct provider_key, KEYS_PER_PROVIDER) };
    rows_open(&rows, db, tx, arena,
              "SELECT id, pem, created_us FROM iam_provider_key WHERE provider = $1 ORDER BY created_us, id", "s",
              provider);
    while (out->n < KEYS_PER_PROVIDER && rows_next(&rows)) {
        struct provider_key *key = &out->items[out->n];
        key->id = rows_str(&rows, 0);
        key->created_us = rows_i64(&rows, 2);
        if (unseal(sealer, arena, place(arena, key->id), rows_str(&rows, 1), &key->pem))
            out->n++;
        else
            log_at(LOG_ERROR, "private key of a SAML provider does not open", { "id", key->id });
    }
    return rows_close(&rows);
}

void provider_key_insert(struct tx *tx, const struct sealer *sealer, struct str provider,
                         const struct provider_key *key)
{
    tx_run(tx, "INSERT INTO iam_provider_key (id, provider, pem, created_us) VALUES ($1, $2, $3, $4)", "sssi", key->id,
           provider, seal(sealer, tx->arena, place(tx->arena, key->id), key->pem), key->created_us);
}

void provider_key_delete(struct tx *tx, struct str provider, struct str id)
{
    tx_run(tx, "DELETE FROM iam_provider_key WHERE provider = $1 AND id = $2", "ss", provider, id);
}
