#include "identity/store/identity_login.h"

#define COLUMNS "id, pool, created_us, modified_us, disabled, merged_into"

static struct identity_row row_of(struct rows *rows)
{
    return (struct identity_row){ rows_str(rows, 0), rows_str(rows, 1), rows_i64(rows, 2),
                                  rows_i64(rows, 3), rows_i64(rows, 4) != 0, rows_str(rows, 5) };
}

gh_err store_identity_find(struct db *db, struct tx *tx, struct arena *arena, struct str id, struct identity_row *out,
                           bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, "SELECT " COLUMNS " FROM identity_pool_identities WHERE id = $1", "s", id);
    *found = rows_next(&rows);
    if (*found)
        *out = row_of(&rows);
    return rows_close(&rows);
}

gh_err store_identity_list(struct db *db, struct arena *arena, struct str pool, bool hide_disabled, struct str after,
                           int64_t limit, struct identity_row **out, size_t *n)
{
    struct rows rows;
    *out = ARENA_ARRAY(arena, struct identity_row, limit);
    *n = 0;
    rows_open(&rows, db, NULL, arena,
              "SELECT " COLUMNS " FROM identity_pool_identities WHERE pool = $1 AND id > $2 AND disabled <= $3"
              " ORDER BY id LIMIT $4",
              "ssii", pool, after.ptr ? after : STR(""), (int64_t)(hide_disabled ? 0 : 1), limit);
    while (*n < (size_t)limit && rows_next(&rows))
        (*out)[(*n)++] = row_of(&rows);
    return rows_close(&rows);
}

void store_identity_insert(struct tx *tx, const struct identity_row *row)
{
    tx_run(tx, "INSERT INTO identity_pool_identities (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6)", "ssiiis", row->id,
           row->pool, row->created_us, row->modified_us, (int64_t)row->disabled, row->merged_into);
}

void store_identity_touch(struct tx *tx, struct str id, int64_t now_us)
{
    tx_run(tx, "UPDATE identity_pool_identities SET modified_us = $2 WHERE id = $1", "si", id, now_us);
}

void store_identity_disable(struct tx *tx, struct str id, int64_t now_us)
{
    tx_run(tx, "UPDATE identity_pool_identities SET disabled = 1, modified_us = $2 WHERE id = $1", "si", id, now_us);
}

void store_identity_delete(struct tx *tx, struct str id)
{
    tx_run(tx, "DELETE FROM identity_pool_logins WHERE identity = $1", "s", id);
    tx_run(tx, "UPDATE identity_pool_identities SET merged_into = NULL WHERE merged_into = $1", "s", id);
    tx_run(tx, "DELETE FROM identity_pool_identities WHERE id = $1", "s", id);
}

void store_identity_merge(struct tx *tx, struct str from, struct str to, int64_t now_us)
{
    tx_run(tx, "UPDATE identity_pool_logins SET identity = $2 WHERE identity = $1", "ss", from, to);
    tx_run(tx, "UPDATE identity_pool_identities SET merged_into = $2 WHERE merged_into = $1", "ss", from, to);
    tx_run(tx, "UPDATE identity_pool_identities SET disabled = 1, merged_into = $2, modified_us = $3 WHERE id = $1", "ssi",
           from, to, now_us);
    store_identity_touch(tx, to, now_us);
}

/* ---- logins ---- */

gh_err store_login_owner(struct db *db, struct tx *tx, struct arena *arena, struct str pool, const struct login_key *key,
                         struct str *identity)
{
    return db_find(db, tx, arena, identity,
                   "SELECT identity FROM identity_pool_logins"
                   " WHERE pool = $1 AND developer = $2 AND provider = $3 AND subject = $4",
                   "siss", pool, (int64_t)key->developer, key->provider, key->subject);
}

gh_err store_login_list(struct db *db, struct tx *tx, struct arena *arena, struct str identity, int64_t developer,
                        struct str after_subject, int64_t limit, struct login_row **out, size_t *n)
{
    struct rows rows;
    *out = ARENA_ARRAY(arena, struct login_row, limit);
    *n = 0;
    rows_open(&rows, db, tx, arena,
              "SELECT developer, provider, subject, identity FROM identity_pool_logins"
              " WHERE identity = $1 AND ($2 < 0 OR developer = $2) AND subject > $3"
              " ORDER BY developer, provider, subject LIMIT $4",
              "sisi", identity, developer, after_subject.ptr ? after_subject : STR(""), limit);
    while (*n < (size_t)limit && rows_next(&rows))
        (*out)[(*n)++] = (struct login_row){ { rows_i64(&rows, 0) != 0, rows_str(&rows, 1), rows_str(&rows, 2) },
                                             rows_str(&rows, 3) };
    return rows_close(&rows);
}

void store_login_put(struct tx *tx, struct str pool, const struct login_key *key, struct str identity, int64_t now_us)
{
    tx_run(tx,
           "INSERT INTO identity_pool_logins (pool, developer, provider, subject, identity, created_us)"
           " VALUES ($1, $2, $3, $4, $5, $6)",
           "sisssi", pool, (int64_t)key->developer, key->provider, key->subject, identity, now_us);
}

void store_login_drop(struct tx *tx, struct str pool, const struct login_key *key)
{
    tx_run(tx, "DELETE FROM identity_pool_logins WHERE pool = $1 AND developer = $2 AND provider = $3 AND subject = $4",
           "siss", pool, (int64_t)key->developer, key->provider, key->subject);
}
