#include "gateway/store/usage_plan.h"

static const char SELECT[] = "SELECT doc FROM usage_plans WHERE id = $1 AND account = $2 AND region = $3";
static const char SAVE[] = "INSERT INTO usage_plans (id, account, region, created_us, doc) VALUES ($1, $2, $3, $4, $5)"
                           " ON CONFLICT (id) DO UPDATE SET doc = excluded.doc";
static const char LIST[] =
    "SELECT doc FROM usage_plans WHERE account = $1 AND region = $2 ORDER BY created_us, id";
static const char NUMBER[] = "SELECT count(*) FROM usage_plans WHERE account = $1 AND region = $2";
static const char FIND[] = "SELECT account, region, doc FROM usage_plans WHERE id = $1";
static const char IDS[] = "SELECT id FROM usage_plans ORDER BY id";
static const char IDS_OF[] = "SELECT id FROM usage_plans WHERE account = $1 ORDER BY id";
static const char HAS_KEY[] = "SELECT key_id FROM usage_plan_keys WHERE plan_id = $1 AND key_id = $2";
static const char KEY_ADD[] = "INSERT INTO usage_plan_keys (plan_id, key_id, created_us) VALUES ($1, $2, $3)";
static const char KEY_REMOVE[] = "DELETE FROM usage_plan_keys WHERE plan_id = $1 AND key_id = $2";
static const char KEYS[] = "SELECT key_id FROM usage_plan_keys WHERE plan_id = $1 ORDER BY created_us, key_id";
static const char PLANS_OF[] = "SELECT plan_id FROM usage_plan_keys WHERE key_id = $1 ORDER BY plan_id";
static const char KEYS_PAGE[] =
    "SELECT k.doc, m.created_us FROM usage_plan_keys m JOIN api_keys k ON k.id = m.key_id"
    " WHERE m.plan_id = $1 AND k.account = $2 AND k.region = $3"
    " AND (m.created_us < $4 OR (m.created_us = $4 AND k.id < $5)) AND substr(k.name, 1, length($6)) = $6"
    " ORDER BY m.created_us DESC, k.id DESC LIMIT $7";
static const char SHARING[] =
    "SELECT DISTINCT o.plan_id FROM usage_plan_keys m JOIN usage_plan_keys o ON o.key_id = m.key_id"
    " WHERE m.plan_id = $1 AND o.plan_id <> $1 ORDER BY o.plan_id";
static const char COMMON[] = "SELECT m.key_id FROM usage_plan_keys m JOIN usage_plan_keys o ON o.key_id = m.key_id"
                             " WHERE m.plan_id = $1 AND o.plan_id = $2 ORDER BY m.key_id LIMIT 1";
static const char *const DELETES[] = {
    "DELETE FROM usage_plans WHERE id = $1",
    "DELETE FROM usage_plan_keys WHERE plan_id = $1",
    "DELETE FROM usage_quotas WHERE plan_id = $1",
    "DELETE FROM usage_days WHERE plan_id = $1",
};
static const char ACCOUNT[] = "SELECT doc FROM gateway_accounts WHERE account = $1 AND region = $2";
static const char ACCOUNT_SAVE[] = "INSERT INTO gateway_accounts (account, region, doc) VALUES ($1, $2, $3)"
                                   " ON CONFLICT (account, region) DO UPDATE SET doc = excluded.doc";
static const char ACCOUNT_DELETE[] = "DELETE FROM gateway_accounts WHERE account = $1";

gh_err plan_load(struct db *db, struct tx *tx, struct arena *arena, struct api_key plan, json_t **out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, SELECT, "sss", plan.id, plan.account, plan.region);
    return doc_read(&rows, out);
}

void plan_save(struct tx *tx, struct api_key plan, int64_t created_us, const json_t *doc)
{
    tx_run(tx, SAVE, "sssis", plan.id, plan.account, plan.region, created_us, json_print(tx->arena, doc));
}

void plan_delete(struct tx *tx, struct str id)
{
    for (size_t i = 0; i < COUNT(DELETES); i++)
        tx_run(tx, DELETES[i], "s", id);
}

gh_err plan_list(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str region,
                 struct docs *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, LIST, "ss", account, region);
    return docs_read(&rows, out);
}

gh_err plan_count(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str region, size_t *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, NUMBER, "ss", account, region);
    *out = rows_next(&rows) ? (size_t)rows_i64(&rows, 0) : 0;
    return rows_close(&rows);
}

gh_err plan_find(struct db *db, struct arena *arena, struct str id, struct plan_row *out)
{
    struct rows rows;
    struct str text = STR_NONE;
    *out = (struct plan_row){ 0 };
    rows_open(&rows, db, NULL, arena, FIND, "s", id);
    if (rows_next(&rows)) {
        out->account = rows_str(&rows, 0);
        out->region = rows_str(&rows, 1);
        text = rows_str(&rows, 2);
    }
    gh_err err = rows_close(&rows);
    return err || !text.ptr ? err : doc_parse(arena, text, &out->doc);
}

gh_err plan_ids(struct db *db, struct arena *arena, struct id_list *out)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena, IDS, "");
    return ids_read(&rows, out);
}

gh_err plan_ids_of(struct db *db, struct arena *arena, struct str account, struct id_list *out)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena, IDS_OF, "s", account);
    return ids_read(&rows, out);
}

gh_err plan_has_key(struct db *db, struct tx *tx, struct arena *arena, struct str plan_id, struct str key_id, bool *out)
{
    struct str found;
    gh_err err = db_find(db, tx, arena, &found, HAS_KEY, "ss", plan_id, key_id);
    *out = found.ptr != NULL;
    return err;
}

void plan_key_add(struct tx *tx, struct str plan_id, struct str key_id, int64_t created_us)
{
    tx_run(tx, KEY_ADD, "ssi", plan_id, key_id, created_us);
}

void plan_key_remove(struct tx *tx, struct str plan_id, struct str key_id)
{
    tx_run(tx, KEY_REMOVE, "ss", plan_id, key_id);
}

gh_err plan_keys(struct db *db, struct tx *tx, struct arena *arena, struct str plan_id, struct id_list *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, KEYS, "s", plan_id);
    return ids_read(&rows, out);
}

gh_err plans_of_key(struct db *db, struct tx *tx, struct arena *arena, struct str key_id, struct id_list *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, PLANS_OF, "s", key_id);
    return ids_read(&rows, out);
}

gh_err plan_keys_page(struct db *db, struct arena *arena, struct str plan_id, const struct apikey_query *q,
                      struct apikey_page *out)
{
    struct rows rows;
    struct str before = q->before_id.ptr ? q->before_id : STR(""), prefix = q->name_prefix.ptr ? q->name_prefix : STR("");
    rows_open(&rows, db, NULL, arena, KEYS_PAGE, "sssissi", plan_id, q->account, q->region, q->before_us, before, prefix,
              q->limit + 1);
    return apikey_page_read(&rows, q->limit, out);
}

gh_err plans_sharing_keys(struct db *db, struct tx *tx, struct arena *arena, struct str plan_id, struct id_list *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, SHARING, "s", plan_id);
    return ids_read(&rows, out);
}

gh_err plans_common_key(struct db *db, struct tx *tx, struct arena *arena, struct str plan_id, struct str other_id,
                        struct str *key_id)
{
    return db_find(db, tx, arena, key_id, COMMON, "ss", plan_id, other_id);
}

gh_err account_load(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str region,
                    json_t **out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, ACCOUNT, "ss", account, region);
    return doc_read(&rows, out);
}

void account_save(struct tx *tx, struct str account, struct str region, const json_t *doc)
{
    tx_run(tx, ACCOUNT_SAVE, "sss", account, region, json_print(tx->arena, doc));
}

void account_delete(struct tx *tx, struct str account)
{
    tx_run(tx, ACCOUNT_DELETE, "s", account);
}
