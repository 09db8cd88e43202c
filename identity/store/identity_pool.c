#include "identity/store/identity_pool.h"

#define COLUMNS "id, account, region, doc, roles, created_us"

static struct identity_pool_row row_of(struct rows *rows)
{
    return (struct identity_pool_row){ rows_str(rows, 0), rows_str(rows, 1), rows_str(rows, 2),
                                       rows_str(rows, 3), rows_str(rows, 4), rows_i64(rows, 5) };
}

gh_err store_identity_pool_find(struct db *db, struct tx *tx, struct arena *arena, struct str id,
                                struct identity_pool_row *out, bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, "SELECT " COLUMNS " FROM identity_pools WHERE id = $1", "s", id);
    *found = rows_next(&rows);
    if (*found)
        *out = row_of(&rows);
    return rows_close(&rows);
}

gh_err store_identity_pool_list(struct db *db, struct arena *arena, struct str account, struct str region,
                                struct str after, int64_t limit, struct identity_pool_row **out, size_t *n)
{
    struct rows rows;
    *out = ARENA_ARRAY(arena, struct identity_pool_row, limit);
    *n = 0;
    rows_open(&rows, db, NULL, arena,
              "SELECT " COLUMNS " FROM identity_pools WHERE account = $1 AND region = $2 AND id > $3"
              " ORDER BY id LIMIT $4",
              "sssi", account, region, after.ptr ? after : STR(""), limit);
    while (*n < (size_t)limit && rows_next(&rows))
        (*out)[(*n)++] = row_of(&rows);
    return rows_close(&rows);
}

gh_err store_identity_pool_count(struct tx *tx, struct str account, struct str region, int64_t *n)
{
    struct rows rows;
    rows_open(&rows, tx->db, tx, tx->arena, "SELECT COUNT(*) FROM identity_pools WHERE account = $1 AND region = $2",
              "ss", account, region);
    *n = rows_next(&rows) ? rows_i64(&rows, 0) : 0;
    return rows_close(&rows);
}

void store_identity_pool_insert(struct tx *tx, const struct identity_pool_row *row)
{
    tx_run(tx, "INSERT INTO identity_pools (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6)", "sssssi", row->id,
           row->account, row->region, row->doc, row->roles, row->created_us);
}

void store_identity_pool_update(struct tx *tx, struct str id, struct str doc)
{
    tx_run(tx, "UPDATE identity_pools SET doc = $2 WHERE id = $1", "ss", id, doc);
}

void store_identity_pool_update_roles(struct tx *tx, struct str id, struct str roles)
{
    tx_run(tx, "UPDATE identity_pools SET roles = $2 WHERE id = $1", "ss", id, roles);
}

void store_identity_pool_delete(struct tx *tx, struct str id)
{
    tx_run(tx, "DELETE FROM identity_pool_logins WHERE pool = $1", "s", id);
    tx_run(tx, "DELETE FROM identity_pool_identities WHERE pool = $1", "s", id);
    tx_run(tx, "DELETE FROM identity_pool_tag_maps WHERE pool = $1", "s", id);
    tx_run(tx, "DELETE FROM identity_pools WHERE id = $1", "s", id);
}

#define OF_ACCOUNT "(SELECT id FROM identity_pools WHERE account = $1)"

void store_identity_pool_delete_all(struct tx *tx, struct str account)
{
    tx_run(tx, "DELETE FROM identity_pool_logins WHERE pool IN " OF_ACCOUNT, "s", account);
    tx_run(tx, "DELETE FROM identity_pool_identities WHERE pool IN " OF_ACCOUNT, "s", account);
    tx_run(tx, "DELETE FROM identity_pool_tag_maps WHERE pool IN " OF_ACCOUNT, "s", account);
    tx_run(tx, "DELETE FROM identity_pools WHERE account = $1", "s", account);
}

/* ---- tag maps ---- */

gh_err store_tag_map_find(struct db *db, struct tx *tx, struct arena *arena, struct str pool, struct str provider,
                          struct str *doc)
{
    return db_find(db, tx, arena, doc, "SELECT doc FROM identity_pool_tag_maps WHERE pool = $1 AND provider = $2", "ss",
                   pool, provider);
}

void store_tag_map_put(struct tx *tx, struct str pool, struct str provider, struct str doc)
{
    tx_run(tx,
           "INSERT INTO identity_pool_tag_maps (pool, provider, doc) VALUES ($1, $2, $3)"
           " ON CONFLICT (pool, provider) DO UPDATE SET doc = excluded.doc",
           "sss", pool, provider, doc);
}

/* ---- the key ---- */

gh_err store_identity_key_find(struct db *db, struct tx *tx, struct arena *arena, struct stored_key *out)
{
    struct rows rows;
    *out = (struct stored_key){ .from_s = 0 };
    rows_open(&rows, db, tx, arena,
              "SELECT kid, modulus, exponent, sealed FROM identity_pool_keys ORDER BY created_us DESC, kid LIMIT 1", "");
    if (rows_next(&rows))
        *out = (struct stored_key){ rows_str(&rows, 0), rows_str(&rows, 1), rows_str(&rows, 2), rows_str(&rows, 3), 0 };
    return rows_close(&rows);
}

void store_identity_key_put(struct tx *tx, const struct stored_key *key, int64_t now_us)
{
    tx_run(tx, "DELETE FROM pool_keys WHERE kid = $1 AND pool IS NULL", "s", key->kid);
    tx_run(tx,
           "INSERT INTO identity_pool_keys (kid, modulus, exponent, sealed, created_us) VALUES ($1, $2, $3, $4, $5)",
           "ssssi", key->kid, key->modulus, key->exponent, key->sealed, now_us);
}
