#include "identity/store/user_key.h"

static void read_row(struct rows *rows, struct user_key *out)
{
    *out = (struct user_key){ .id = rows_str(rows, 0), .owner = rows_str(rows, 1), .body = rows_str(rows, 2),
                              .mark = rows_str(rows, 3), .status = rows_str(rows, 4),
                              .created_us = rows_i64(rows, 5) };
}

static gh_err read_all(struct rows *rows, struct arena *arena, struct user_keys *out)
{
    size_t room = 8;
    *out = (struct user_keys){ .items = ARENA_ARRAY(arena, struct user_key, room) };
    while (rows_next(rows)) {
        if (out->n == room) {
            out->items = arena_grow(arena, out->items, room * sizeof *out->items, 2 * room * sizeof *out->items);
            room *= 2;
        }
        read_row(rows, &out->items[out->n++]);
    }
    return rows_close(rows);
}

gh_err ssh_key_list(struct db *db, struct tx *tx, struct arena *arena, struct str owner, struct user_keys *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena,
              "SELECT id, owner, body, fingerprint, status, created_us FROM iam_ssh_key WHERE owner = $1 ORDER BY id",
              "s", owner);
    return read_all(&rows, arena, out);
}

void ssh_key_insert(struct tx *tx, const struct user_key *key)
{
    tx_run(tx,
           "INSERT INTO iam_ssh_key (id, owner, body, fingerprint, status, created_us) VALUES ($1, $2, $3, $4, $5, $6)",
           "sssssi", key->id, key->owner, key->body, key->mark, key->status, key->created_us);
}

void ssh_key_set_status(struct tx *tx, struct str id, struct str status)
{
    tx_run(tx, "UPDATE iam_ssh_key SET status = $1 WHERE id = $2", "ss", status, id);
}

void ssh_key_delete(struct tx *tx, struct str id)
{
    tx_run(tx, "DELETE FROM iam_ssh_key WHERE id = $1", "s", id);
}

#define CERTIFICATES "SELECT id, owner, body, digest, status, created_us FROM iam_signing_certificate "

gh_err signing_certificate_list(struct db *db, struct tx *tx, struct arena *arena, struct str owner,
                                struct user_keys *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, CERTIFICATES "WHERE owner = $1 ORDER BY id", "s", owner);
    return read_all(&rows, arena, out);
}

gh_err signing_certificate_find(struct db *db, struct tx *tx, struct arena *arena, struct str account,
                                struct str digest, struct user_key *out, bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, CERTIFICATES "WHERE account = $1 AND digest = $2", "ss", account, digest);
    *found = rows_next(&rows);
    if (*found)
        read_row(&rows, out);
    return rows_close(&rows);
}

void signing_certificate_insert(struct tx *tx, struct str account, const struct user_key *certificate)
{
    tx_run(tx,
           "INSERT INTO iam_signing_certificate (id, owner, account, body, digest, status, created_us) "
           "VALUES ($1, $2, $3, $4, $5, $6, $7)",
           "ssssssi", certificate->id, certificate->owner, account, certificate->body, certificate->mark,
           certificate->status, certificate->created_us);
}

void signing_certificate_set_status(struct tx *tx, struct str id, struct str status)
{
    tx_run(tx, "UPDATE iam_signing_certificate SET status = $1 WHERE id = $2", "ss", status, id);
}

void signing_certificate_delete(struct tx *tx, struct str id)
{
    tx_run(tx, "DELETE FROM iam_signing_certificate WHERE id = $1", "s", id);
}
