#include "identity/store/outbound_key.h"

static struct str place(struct arena *arena, struct str account, enum key_alg alg)
{
    return str_printf(arena, "sts/outbound/%.*s/%s", STR_FMT(account), key_alg_name(alg));
}

gh_err outbound_key_find(struct db *db, const struct sealer *sealer, struct arena *arena, struct str account,
                         enum key_alg alg, struct outbound_key *out)
{
    struct rows rows;
    *out = (struct outbound_key){ 0 };
    rows_open(&rows, db, NULL, arena, "SELECT kid, private FROM sts_outbound_key WHERE account = $1 AND alg = $2", "ss",
              account, str_of(key_alg_name(alg)));
    if (rows_next(&rows) && unseal(sealer, arena, place(arena, account, alg), rows_str(&rows, 1), &out->der))
        out->kid = rows_str(&rows, 0);
    return rows_close(&rows);
}

gh_err outbound_key_add(struct db *db, const struct sealer *sealer, struct arena *arena, struct str account,
                        enum key_alg alg, const struct outbound_key *key)
{
    return db_run(db, arena,
                  "INSERT INTO sts_outbound_key (account, alg, kid, private) VALUES ($1, $2, $3, $4) "
                  "ON CONFLICT (account, alg) DO NOTHING",
                  "ssss", account, str_of(key_alg_name(alg)), key->kid,
                  seal(sealer, arena, place(arena, account, alg), key->der));
}
