#include "identity/store/login_profile.h"

gh_err login_profile_find(struct db *db, struct tx *tx, struct arena *arena, struct str owner,
                          struct login_profile *out, bool *found)
{
    struct rows rows;
    struct str why;
    rows_open(&rows, db, tx, arena,
              "SELECT owner, account, created_us, changed_us, used_us, reset_required, hash, before_it, failures, "
              "failed_us FROM iam_login_profile WHERE owner = $1",
              "s", owner);
    *found = rows_next(&rows);
    if (*found)
        *out = (struct login_profile){
            .owner = rows_str(&rows, 0), .account = rows_str(&rows, 1), .created_us = rows_i64(&rows, 2),
            .changed_us = rows_i64(&rows, 3), .used_us = rows_i64(&rows, 4),
            .reset_required = rows_i64(&rows, 5) != 0, .hash = rows_str(&rows, 6),
            .before = json_parse(arena, rows_str(&rows, 7), &why), .failures = rows_i64(&rows, 8),
            .failed_us = rows_i64(&rows, 9),
        };
    return rows_close(&rows);
}

gh_err login_profile_uses(struct db *db, struct arena *arena, struct str account, struct login_uses *out)
{
    struct rows rows;
    size_t room = 16;
    *out = (struct login_uses){ .items = ARENA_ARRAY(arena, struct login_use, room) };
    rows_open(&rows, db, NULL, arena,
              "SELECT owner, used_us FROM iam_login_profile WHERE account = $1 AND used_us > 0", "s", account);
    while (rows_next(&rows)) {
        if (out->n == room) {
            out->items = arena_grow(arena, out->items, room * sizeof *out->items, 2 * room * sizeof *out->items);
            room *= 2;
        }
        out->items[out->n++] = (struct login_use){ rows_str(&rows, 0), rows_i64(&rows, 1) };
    }
    return rows_close(&rows);
}

static struct str print_before(struct arena *arena, const struct login_profile *profile)
{
    return profile->before ? json_print(arena, profile->before) : STR("[]");
}

void login_profile_insert(struct tx *tx, const struct login_profile *profile)
{
    tx_run(tx,
           "INSERT INTO iam_login_profile (owner, account, created_us, changed_us, used_us, reset_required, hash, "
           "before_it, failures, failed_us) VALUES ($1, $2, $3, $4, 0, $5, $6, $7, 0, 0)",
           "ssiiiss", profile->owner, profile->account, profile->created_us, profile->changed_us,
           (int64_t)profile->reset_required, profile->hash, print_before(tx->arena, profile));
}

void login_profile_update(struct tx *tx, const struct login_profile *profile)
{
    tx_run(tx,
           "UPDATE iam_login_profile SET changed_us = $1, reset_required = $2, hash = $3, before_it = $4, "
           "failures = $5, failed_us = $6 WHERE owner = $7",
           "iissiis", profile->changed_us, (int64_t)profile->reset_required, profile->hash,
           print_before(tx->arena, profile), profile->failures, profile->failed_us, profile->owner);
}

void login_profile_set_failures(struct tx *tx, const struct login_profile *profile)
{
    tx_run(tx, "UPDATE iam_login_profile SET failures = $1, failed_us = $2 WHERE owner = $3 AND hash = $4", "iiss",
           profile->failures, profile->failed_us, profile->owner, profile->hash);
}

void login_profile_set_used(struct tx *tx, const struct login_profile *profile)
{
    tx_run(tx, "UPDATE iam_login_profile SET used_us = $1 WHERE owner = $2 AND hash = $3", "iss", profile->used_us,
           profile->owner, profile->hash);
}

void login_profile_delete(struct tx *tx, struct str owner)
{
    tx_run(tx, "DELETE FROM iam_login_profile WHERE owner = $1", "s", owner);
}
