#include "identity/store/token.h"

void store_key_put(struct tx *tx, const struct stored_key *key, struct str pool, const char *purpose)
{
    tx_run(tx,
           "INSERT INTO pool_keys (kid, pool, purpose, modulus, exponent, sealed, from_s) VALUES ($1, $2, $3, $4, "
           "$5, $6, $7)"
           " ON CONFLICT (kid) DO UPDATE SET pool = excluded.pool, purpose = excluded.purpose, from_s = excluded.from_s",
           "ssssssi", key->kid, pool, str_of(purpose), key->modulus, key->exponent, key->sealed, key->from_s);
}

void store_key_delete(struct tx *tx, struct str pool, struct str kid)
{
    tx_run(tx, "DELETE FROM pool_keys WHERE pool = $1 AND kid = $2", "ss", pool, kid);
}

gh_err store_key_stock(struct db *db, struct arena *arena, int64_t limit, struct stored_key *out, size_t *n)
{
    struct rows rows;
    *n = 0;
    rows_open(&rows, db, NULL, arena,
              "SELECT kid, modulus, exponent, sealed FROM pool_keys WHERE pool IS NULL LIMIT $1", "i", limit);
    while (*n < (size_t)limit && rows_next(&rows))
        out[(*n)++] = (struct stored_key){ rows_str(&rows, 0), rows_str(&rows, 1), rows_str(&rows, 2),
                                           rows_str(&rows, 3), 0 };
    return rows_close(&rows);
}

enum { MOST_KEYS = 64 }; /* of a pool; identity/tokens/rotate.c makes no more than 16 */

gh_err store_keyed_pools(struct db *db, struct tx *tx, struct arena *arena, struct str pool,
                         void (*each)(void *ctx, const struct keyed_pool *pool), void *ctx)
{
    struct rows rows;
    struct purposed_key keys[MOST_KEYS];
    struct keyed_pool found = { .keys = keys };
    rows_open(&rows, db, tx, arena,
              "SELECT p.id, p.account, p.region, k.kid, k.modulus, k.exponent, k.sealed, k.from_s, k.purpose"
              " FROM pools p JOIN pool_keys k ON k.pool = p.id WHERE $1 = '' OR p.id = $1"
              " ORDER BY p.id, k.from_s, k.kid",
              "s", pool.ptr ? pool : STR(""));
    while (rows_next(&rows)) {
        struct str id = rows_str(&rows, 0);
        if (found.n && !str_eq(id, found.id)) {
            each(ctx, &found);
            found.n = 0;
        }
        if (found.n == MOST_KEYS)
            continue;
        found.id = id;
        found.account = rows_str(&rows, 1);
        found.region = rows_str(&rows, 2);
        keys[found.n++] = (struct purposed_key){
            { rows_str(&rows, 3), rows_str(&rows, 4), rows_str(&rows, 5), rows_str(&rows, 6), rows_i64(&rows, 7) },
            rows_str(&rows, 8)
        };
    }
    if (found.n)
        each(ctx, &found);
    return rows_close(&rows);
}

void store_revoke_user(struct tx *tx, struct str pool, struct str sub, int64_t stamp_us)
{
    tx_run(tx, "UPDATE pool_sessions SET revoked = 1 WHERE pool = $1 AND sub = $2", "ss", pool, sub);
    tx_run(tx,
           "INSERT INTO pool_epochs (pool, sub, epoch_us) VALUES ($1, $2, $3)"
           " ON CONFLICT (pool, sub) DO UPDATE SET epoch_us = excluded.epoch_us",
           "ssi", pool, sub, stamp_us);
    tx_run(tx, "DELETE FROM pool_epochs WHERE epoch_us < $1", "i",
           stamp_us - REVOCATION_HORIZON_S * INT64_C(1000000));
}

void store_revoke_origin(struct tx *tx, struct str pool, struct str origin, int64_t until_s)
{
    tx_run(tx, "UPDATE pool_sessions SET revoked = 1 WHERE pool = $1 AND origin = $2", "ss", pool, origin);
    tx_run(tx,
           "INSERT INTO pool_revoked (origin, pool, until_s) VALUES ($1, $2, $3) ON CONFLICT (origin) DO "
           "NOTHING",
           "ssi", origin, pool, until_s);
    tx_run(tx, "DELETE FROM pool_revoked WHERE until_s < $1", "i", until_s - REVOCATION_HORIZON_S);
}

gh_err store_epochs(struct db *db, struct arena *arena, int64_t after_us,
                    void (*each)(void *ctx, struct str pool, struct str sub, int64_t epoch_us), void *ctx)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena, "SELECT pool, sub, epoch_us FROM pool_epochs WHERE epoch_us > $1", "i",
              after_us);
    while (rows_next(&rows))
        each(ctx, rows_str(&rows, 0), rows_str(&rows, 1), rows_i64(&rows, 2));
    return rows_close(&rows);
}

gh_err store_revoked(struct db *db, struct arena *arena, int64_t after_s,
                     void (*each)(void *ctx, struct str origin, int64_t until_s), void *ctx)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena, "SELECT origin, until_s FROM pool_revoked WHERE until_s > $1", "i",
              after_s);
    while (rows_next(&rows))
        each(ctx, rows_str(&rows, 0), rows_i64(&rows, 1));
    return rows_close(&rows);
}
