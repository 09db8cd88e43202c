#include "identity/store/user.h"

#include "core/json.h"

struct user store_user_of(struct rows *rows)
{
    json_t *doc = json_parse(rows->arena, rows_str(rows, 12), NULL);
    if (!doc)
        doc = json_own(rows->arena, json_object());
    json_t *attributes = json_object_get(doc, "attributes");
    attributes = json_own(rows->arena, attributes ? json_incref(attributes) : json_object());
    json_object_del(doc, "attributes");
    struct user_read *read = ARENA_NEW(rows->arena, struct user_read);
    *read =
        (struct user_read){ rows_str(rows, 4),  rows_i64(rows, 5) != 0, rows_i64(rows, 8), rows_str(rows, 9),
                            rows_str(rows, 10), rows_str(rows, 11),     rows_str(rows, 12) };
    return (struct user){
        .pool = rows_str(rows, 0),
        .folded = rows_str(rows, 1),
        .sub = rows_str(rows, 2),
        .username = rows_str(rows, 3),
        .status = read->status,
        .enabled = read->enabled,
        .created_us = rows_i64(rows, 6),
        .modified_us = rows_i64(rows, 7),
        .password_us = read->password_us,
        .salt = read->salt,
        .verifier = read->verifier,
        .password = read->password,
        .attributes = attributes,
        .more = doc,
        .read = read,
    };
}

gh_err store_user_find(struct db *db, struct tx *tx, struct arena *arena, struct str pool, enum user_by by,
                       struct str value, struct user *out, bool *found)
{
    static const char *const by_sql[] = {
        [USER_BY_NAME] = "SELECT " USER_COLUMNS " FROM pool_users u WHERE u.pool = $1 AND u.folded = $2",
        [USER_BY_SUB] = "SELECT " USER_COLUMNS " FROM pool_users u WHERE u.pool = $1 AND u.sub = $2",
        [USER_BY_ALIAS] = "SELECT " USER_COLUMNS
                          " FROM pool_aliases a JOIN pool_users u ON u.pool = a.pool AND u.sub = a.sub"
                          " WHERE a.pool = $1 AND a.value = $2",
    };
    struct rows rows;
    rows_open(&rows, db, tx, arena, by_sql[by], "ss", pool, value);
    *found = rows_next(&rows);
    if (*found)
        *out = store_user_of(&rows);
    return rows_close(&rows);
}

static struct str doc_of(struct arena *arena, const struct user *user)
{
    json_t *doc = json_own(arena, json_object());
    json_object_set(doc, "attributes", user->attributes);
    json_object_update(doc, user->more);
    return json_print(arena, doc);
}

/* An attribute as its index has it; absent: not set. */
static struct str indexed(struct tx *tx, const struct user *user, const char *name)
{
    struct str value = json_str(user->attributes, name);
    return value.ptr ? str_lower(tx->arena, value) : STR_NONE;
}
#define INDEXED(tx, user)                                                                                    \
    indexed(tx, user, "email"), indexed(tx, user, "phone_number"), indexed(tx, user, "name"),                \
        indexed(tx, user, "given_name"), indexed(tx, user, "family_name"),                                   \
        indexed(tx, user, "preferred_username")

void store_user_insert(struct tx *tx, const struct user *user)
{
    tx_run(tx,
           "INSERT INTO pool_users (pool, folded, sub, username, status, enabled, created_us, modified_us, "
           "password_us, salt, verifier, password, doc, by_email, by_phone_number, by_name, by_given_name, "
           "by_family_name, by_preferred_username)"
           " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)"
           " ON CONFLICT DO NOTHING",
           "sssssiiiissssssssss", user->pool, user->folded, user->sub, user->username, user->status,
           (int64_t)user->enabled, user->created_us, user->modified_us, user->password_us, user->salt,
           user->verifier, user->password, doc_of(tx->arena, user), INDEXED(tx, user));
}

void store_user_update(struct tx *tx, const struct user *user)
{
    tx_run(tx,
           "UPDATE pool_users SET status = $3, enabled = $4, modified_us = $5, password_us = $6, salt = $7,"
           " verifier = $8, password = $9, doc = $10, by_email = $11, by_phone_number = $12, by_name = $13,"
           " by_given_name = $14, by_family_name = $15, by_preferred_username = $16 WHERE pool = $1 AND sub "
           "= $2",
           "sssiiissssssssss", user->pool, user->sub, user->status, (int64_t)user->enabled, user->modified_us,
           user->password_us, user->salt, user->verifier, user->password, doc_of(tx->arena, user),
           INDEXED(tx, user));
}

void store_user_refold(struct tx *tx, struct str pool, struct str sub, struct str folded)
{
    tx_run(tx, "UPDATE pool_users SET folded = $3 WHERE pool = $1 AND sub = $2", "sss", pool, sub, folded);
}

void store_user_delete(struct tx *tx, const struct user *user)
{
    static const char *const statements[] = {
        "DELETE FROM pool_failures WHERE pool = $1 AND who = $2",
        "DELETE FROM pool_attempts WHERE pool = $1 AND who = $2",
        "DELETE FROM pool_auth_events WHERE pool = $1 AND sub = $2",
        "DELETE FROM pool_aliases WHERE pool = $1 AND sub = $2",
        "DELETE FROM pool_codes WHERE pool = $1 AND sub = $2",
        "DELETE FROM pool_members WHERE pool = $1 AND sub = $2",
        "DELETE FROM pool_sessions WHERE pool = $1 AND sub = $2",
        "DELETE FROM pool_devices WHERE pool = $1 AND sub = $2",
        "DELETE FROM pool_passkeys WHERE pool = $1 AND sub = $2",
        "DELETE FROM pool_records WHERE pool = $1 AND owner = $2 AND kind = 'link'",
        "DELETE FROM pool_users WHERE pool = $1 AND sub = $2",
    };
    for (size_t i = 0; i < COUNT(statements); i++)
        tx_run(tx, statements[i], "ss", user->pool, user->sub);
}

gh_err store_alias_owner(struct tx *tx, struct arena *arena, struct str pool, struct str value,
                         struct str *sub)
{
    return db_find(tx->db, tx, arena, sub, "SELECT sub FROM pool_aliases WHERE pool = $1 AND value = $2",
                   "ss", pool, value);
}

void store_alias_put(struct tx *tx, struct str pool, struct str value, struct str attribute, struct str sub)
{
    tx_run(tx,
           "INSERT INTO pool_aliases (pool, value, attribute, sub) VALUES ($1, $2, $3, $4)"
           " ON CONFLICT (pool, value) DO UPDATE SET attribute = excluded.attribute, sub = excluded.sub",
           "ssss", pool, value, attribute, sub);
}

void store_alias_drop(struct tx *tx, struct str pool, struct str sub)
{
    tx_run(tx, "DELETE FROM pool_aliases WHERE pool = $1 AND sub = $2", "ss", pool, sub);
}

void store_alias_drop_all(struct tx *tx, struct str pool)
{
    tx_run(tx, "DELETE FROM pool_aliases WHERE pool = $1", "s", pool);
}

gh_err store_code_find(struct db *db, struct arena *arena, struct str pool, struct str sub,
                       struct str purpose, struct code_row *out, bool *found)
{
    struct rows rows;
    rows_open(
        &rows, db, NULL, arena,
        "SELECT mac, attribute, sent_s, tries FROM pool_codes WHERE pool = $1 AND sub = $2 AND purpose = $3",
        "sss", pool, sub, purpose);
    *found = rows_next(&rows);
    if (*found)
        *out = (struct code_row){ rows_str(&rows, 0), rows_str(&rows, 1), rows_i64(&rows, 2),
                                  rows_i64(&rows, 3) };
    return rows_close(&rows);
}

void store_code_put(struct tx *tx, struct str pool, struct str sub, struct str purpose,
                    const struct code_row *row)
{
    tx_run(
        tx,
        "INSERT INTO pool_codes (pool, sub, purpose, mac, attribute, sent_s, tries) VALUES ($1, $2, $3, $4, "
        "$5, $6, 0)"
        " ON CONFLICT (pool, sub, purpose) DO UPDATE SET mac = excluded.mac, attribute = excluded.attribute,"
        " sent_s = excluded.sent_s, tries = 0",
        "sssssi", pool, sub, purpose, row->mac, row->attribute, row->sent_s);
}

void store_code_forget(struct tx *tx, int64_t before_s)
{
    tx_run(tx, "DELETE FROM pool_codes WHERE sent_s < $1", "i", before_s);
}

void store_code_tried(struct tx *tx, struct str pool, struct str sub, struct str purpose)
{
    tx_run(tx, "UPDATE pool_codes SET tries = tries + 1 WHERE pool = $1 AND sub = $2 AND purpose = $3", "sss",
           pool, sub, purpose);
}

void store_code_drop(struct tx *tx, struct str pool, struct str sub, struct str purpose)
{
    tx_run(tx, "DELETE FROM pool_codes WHERE pool = $1 AND sub = $2 AND purpose = $3", "sss", pool, sub,
           purpose);
}
