#include "identity/store/group.h"

enum { MOST_GROUPS = 100 }; /* "groups/user 100" */

#define COLUMNS "g.pool, g.name, g.role, g.doc, g.precedence, g.precedence IS NOT NULL"

static struct group_row group_of(struct rows *rows)
{
    return (struct group_row){ rows_str(rows, 0), rows_str(rows, 1),      rows_str(rows, 2),
                               rows_str(rows, 3), rows_i64(rows, 5) != 0, rows_i64(rows, 4) };
}

static gh_err collect(struct rows *rows, int64_t limit, struct group_row **out, size_t *n)
{
    *out = ARENA_ARRAY(rows->arena, struct group_row, limit);
    *n = 0;
    while (*n < (size_t)limit && rows_next(rows))
        (*out)[(*n)++] = group_of(rows);
    return rows_close(rows);
}

gh_err store_group_find(struct db *db, struct tx *tx, struct arena *arena, struct str pool, struct str name,
                        struct group_row *out, bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, "SELECT " COLUMNS " FROM pool_groups g WHERE g.pool = $1 AND g.name = $2",
              "ss", pool, name);
    *found = rows_next(&rows);
    if (*found)
        *out = group_of(&rows);
    return rows_close(&rows);
}

gh_err store_group_list(struct db *db, struct arena *arena, struct str pool, struct str after, int64_t limit,
                        struct group_row **out, size_t *n)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena,
              "SELECT " COLUMNS
              " FROM pool_groups g WHERE g.pool = $1 AND g.name > $2 ORDER BY g.name LIMIT $3",
              "ssi", pool, after.ptr ? after : STR(""), limit);
    return collect(&rows, limit, out, n);
}

gh_err store_group_of_user(struct db *db, struct arena *arena, struct str pool, struct str sub,
                           struct group_row **out, size_t *n)
{
    struct rows rows;
    rows_open(
        &rows, db, NULL, arena,
        "SELECT " COLUMNS " FROM pool_members m JOIN pool_groups g ON g.pool = m.pool AND g.name = m.name"
        " WHERE m.pool = $1 AND m.sub = $2 ORDER BY g.precedence IS NULL, g.precedence, g.name LIMIT $3",
        "ssi", pool, sub, (int64_t)MOST_GROUPS);
    return collect(&rows, MOST_GROUPS, out, n);
}

void store_group_put(struct tx *tx, const struct group_row *row)
{
    static const char with[] =
        "INSERT INTO pool_groups (pool, name, role, doc, precedence) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (pool, name) DO UPDATE SET role = excluded.role, doc = excluded.doc,"
        " precedence = excluded.precedence";
    if (row->has_precedence)
        tx_run(tx, with, "ssssi", row->pool, row->name, row->role, row->doc, row->precedence);
    else
        tx_run(tx, with, "ssssn", row->pool, row->name, row->role, row->doc);
}

void store_group_delete(struct tx *tx, struct str pool, struct str name)
{
    tx_run(tx, "DELETE FROM pool_members WHERE pool = $1 AND name = $2", "ss", pool, name);
    tx_run(tx, "DELETE FROM pool_groups WHERE pool = $1 AND name = $2", "ss", pool, name);
}

void store_member_put(struct tx *tx, struct str pool, struct str name, struct str sub)
{
    tx_run(tx, "INSERT INTO pool_members (pool, name, sub) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", "sss",
           pool, name, sub);
}

void store_member_drop(struct tx *tx, struct str pool, struct str name, struct str sub)
{
    tx_run(tx, "DELETE FROM pool_members WHERE pool = $1 AND name = $2 AND sub = $3", "sss", pool, name, sub);
}

gh_err store_member_find(struct db *db, struct arena *arena, struct str pool, struct str name, struct str sub,
                         bool *found)
{
    struct str value;
    gh_err err = db_find(db, NULL, arena, &value,
                         "SELECT name FROM pool_members WHERE pool = $1 AND name = $2 AND sub = $3", "sss", pool, name, sub);
    *found = !err && value.ptr;
    return err;
}

gh_err store_member_list(struct db *db, struct arena *arena, struct str pool, struct str name,
                         struct str after, int64_t limit, struct user **out, size_t *n)
{
    struct rows rows;
    struct str *subs = ARENA_ARRAY(arena, struct str, limit);
    size_t found = 0;
    rows_open(&rows, db, NULL, arena,
              "SELECT sub FROM pool_members WHERE pool = $1 AND name = $2 AND sub > $3 ORDER BY sub LIMIT $4",
              "sssi", pool, name, after.ptr ? after : STR(""), limit);
    while (found < (size_t)limit && rows_next(&rows))
        subs[found++] = rows_str(&rows, 0);
    gh_err err = rows_close(&rows);
    *out = ARENA_ARRAY(arena, struct user, limit);
    *n = 0;
    for (size_t i = 0; i < found && !err; i++) {
        bool exists;
        err = store_user_find(db, NULL, arena, pool, USER_BY_SUB, subs[i], &(*out)[*n], &exists);
        *n += exists;
    }
    return err;
}
