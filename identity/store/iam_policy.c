#include "identity/store/iam_policy.h"

/* Doubles an arena array when it is full. */
static void *room(struct arena *arena, void *items, size_t n, size_t each)
{
    if (n == 0)
        return arena_zalloc(arena, 8 * each);
    if (n < 8 || (n & (n - 1)) != 0)
        return items;
    void *more = arena_zalloc(arena, 2 * n * each);
    memcpy(more, items, n * each);
    return more;
}

gh_err inline_list(struct db *db, struct tx *tx, struct arena *arena, struct str owner, struct named_policies *out)
{
    struct rows rows;
    *out = (struct named_policies){ 0 };
    rows_open(&rows, db, tx, arena, "SELECT name, document FROM iam_inline_policy WHERE owner = $1 ORDER BY name",
              "s", owner);
    while (rows_next(&rows)) {
        out->items = room(arena, out->items, out->n, sizeof *out->items);
        out->items[out->n++] = (struct named_policy){ rows_str(&rows, 0), rows_str(&rows, 1) };
    }
    return rows_close(&rows);
}

gh_err inline_find(struct db *db, struct tx *tx, struct arena *arena, struct str owner, struct str name,
                   struct str *document)
{
    return db_find(db, tx, arena, document, "SELECT document FROM iam_inline_policy WHERE owner = $1 AND name = $2",
                   "ss", owner, name);
}

void inline_put(struct tx *tx, struct str owner, struct str name, struct str document)
{
    tx_run(tx,
           "INSERT INTO iam_inline_policy (owner, name, document) VALUES ($1, $2, $3) "
           "ON CONFLICT (owner, name) DO UPDATE SET document = excluded.document",
           "sss", owner, name, document);
}

void inline_delete(struct tx *tx, struct str owner, struct str name)
{
    tx_run(tx, "DELETE FROM iam_inline_policy WHERE owner = $1 AND name = $2", "ss", owner, name);
}

static gh_err read_arns(struct rows *rows, struct arena *arena, struct arns *out)
{
    *out = (struct arns){ 0 };
    while (rows_next(rows)) {
        out->items = room(arena, out->items, out->n, sizeof *out->items);
        out->items[out->n++] = rows_str(rows, 0);
    }
    return rows_close(rows);
}

gh_err attached_list(struct db *db, struct tx *tx, struct arena *arena, struct str owner, const char *kind,
                     struct arns *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena,
              "SELECT policy_arn FROM iam_attachment WHERE owner = $1 AND kind = $2 ORDER BY policy_arn", "ss", owner,
              str_of(kind));
    return read_arns(&rows, arena, out);
}

gh_err attached_owners(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str policy_arn,
                       const char *kind, struct arns *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena,
              "SELECT owner FROM iam_attachment WHERE account = $1 AND policy_arn = $2 AND kind = $3", "sss", account,
              policy_arn, str_of(kind));
    return read_arns(&rows, arena, out);
}

gh_err attached_count(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str policy_arn,
                      int64_t *attachments, int64_t *boundaries)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena,
              "SELECT COALESCE(SUM(CASE WHEN kind = 'boundary' THEN 0 ELSE 1 END), 0), "
              "COALESCE(SUM(CASE WHEN kind = 'boundary' THEN 1 ELSE 0 END), 0) "
              "FROM iam_attachment WHERE account = $1 AND policy_arn = $2",
              "ss", account, policy_arn);
    bool any = rows_next(&rows);
    *attachments = any ? rows_i64(&rows, 0) : 0;
    *boundaries = any ? rows_i64(&rows, 1) : 0;
    return rows_close(&rows);
}

gh_err attached_uses(struct db *db, struct arena *arena, struct str account, struct attached_uses *out)
{
    struct rows rows;
    size_t cap = 16;
    *out = (struct attached_uses){ .items = ARENA_ARRAY(arena, struct attached_use, cap) };
    rows_open(&rows, db, NULL, arena,
              "SELECT policy_arn, SUM(CASE WHEN kind = 'boundary' THEN 0 ELSE 1 END), "
              "SUM(CASE WHEN kind = 'boundary' THEN 1 ELSE 0 END) FROM iam_attachment WHERE account = $1 "
              "GROUP BY policy_arn",
              "s", account);
    while (rows_next(&rows)) {
        if (out->n == cap) {
            out->items = arena_grow(arena, out->items, cap * sizeof *out->items, 2 * cap * sizeof *out->items);
            cap *= 2;
        }
        out->items[out->n++] = (struct attached_use){ rows_str(&rows, 0), rows_i64(&rows, 1), rows_i64(&rows, 2) };
    }
    return rows_close(&rows);
}

void attached_add(struct tx *tx, struct str owner, const char *kind, struct str account, struct str policy_arn)
{
    tx_run(tx,
           "INSERT INTO iam_attachment (owner, kind, account, policy_arn) VALUES ($1, $2, $3, $4) "
           "ON CONFLICT DO NOTHING",
           "ssss", owner, str_of(kind), account, policy_arn);
}

void attached_remove(struct tx *tx, struct str owner, const char *kind, struct str policy_arn)
{
    tx_run(tx, "DELETE FROM iam_attachment WHERE owner = $1 AND kind = $2 AND policy_arn = $3", "sss", owner,
           str_of(kind), policy_arn);
}

void boundary_clear(struct tx *tx, struct str owner)
{
    tx_run(tx, "DELETE FROM iam_attachment WHERE owner = $1 AND kind = 'boundary'", "s", owner);
}

static struct policy_version read_version(struct rows *rows)
{
    return (struct policy_version){ rows_i64(rows, 0), rows_i64(rows, 1), rows_str(rows, 2) };
}

gh_err version_list(struct db *db, struct tx *tx, struct arena *arena, struct str policy_id,
                    struct policy_versions *out)
{
    struct rows rows;
    *out = (struct policy_versions){ 0 };
    rows_open(&rows, db, tx, arena,
              "SELECT version, created_us, document FROM iam_policy_version WHERE policy = $1 ORDER BY version DESC",
              "s", policy_id);
    while (rows_next(&rows)) {
        out->items = room(arena, out->items, out->n, sizeof *out->items);
        out->items[out->n++] = read_version(&rows);
    }
    return rows_close(&rows);
}

gh_err version_find(struct db *db, struct tx *tx, struct arena *arena, struct str policy_id, int64_t version,
                    struct policy_version *out, bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena,
              "SELECT version, created_us, document FROM iam_policy_version WHERE policy = $1 AND version = $2", "si",
              policy_id, version);
    *found = rows_next(&rows);
    if (*found)
        *out = read_version(&rows);
    return rows_close(&rows);
}

gh_err version_count(struct db *db, struct arena *arena, struct str account, int64_t *out)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena,
              "SELECT COUNT(*) FROM iam_policy_version WHERE policy IN "
              "(SELECT id FROM iam_entity WHERE account = $1 AND kind = 'policy')",
              "s", account);
    *out = rows_next(&rows) ? rows_i64(&rows, 0) : 0;
    return rows_close(&rows);
}

void version_add(struct tx *tx, struct str policy_id, int64_t version, int64_t created_us, struct str document)
{
    tx_run(tx, "INSERT INTO iam_policy_version (policy, version, created_us, document) VALUES ($1, $2, $3, $4)",
           "siis", policy_id, version, created_us, document);
}

void version_delete(struct tx *tx, struct str policy_id, int64_t version)
{
    tx_run(tx, "DELETE FROM iam_policy_version WHERE policy = $1 AND version = $2", "si", policy_id, version);
}
