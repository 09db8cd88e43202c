#include "gateway/store/rest_api.h"

#include "gateway/store/docs.h"

static const char API_SELECT[] = "SELECT doc FROM rest_apis WHERE id = $1 AND account = $2 AND region = $3";
static const char API_KNOWN[] = "SELECT 1 FROM rest_apis WHERE id = $1 AND account = $2 AND region = $3";
static const char API_COUNT[] = "SELECT COUNT(*) FROM rest_apis WHERE account = $1 AND region = $2";
static const char API_PAGE[] = "SELECT doc, created_us FROM rest_apis WHERE account = $1 AND region = $2"
                               " AND (created_us > $3 OR (created_us = $3 AND id > $4))"
                               " ORDER BY created_us, id LIMIT $5";
static const char API_KEYS[] = "SELECT region, id FROM rest_apis WHERE account = $1";
static const char API_INSERT[] =
    "INSERT INTO rest_apis (id, account, region, created_us, doc) VALUES ($1, $2, $3, $4, $5)";
static const char API_UPDATE[] = "UPDATE rest_apis SET doc = $2 WHERE id = $1";
static const char *const API_DELETES[] = {
    "DELETE FROM rest_stages WHERE api_id = $1",
    "DELETE FROM rest_deployments WHERE api_id = $1",
    "DELETE FROM rest_documentation WHERE api_id = $1",
    "DELETE FROM rest_apis WHERE id = $1",
};

static const char DEPLOYMENT_SELECT[] = "SELECT doc FROM rest_deployments WHERE api_id = $1 AND id = $2";
static const char DEPLOYMENT_API[] = "SELECT api FROM rest_deployments WHERE api_id = $1 AND id = $2";
static const char DEPLOYMENT_LIST[] =
    "SELECT doc FROM rest_deployments WHERE api_id = $1 ORDER BY created_us, id";
static const char DEPLOYMENT_INSERT[] =
    "INSERT INTO rest_deployments (api_id, id, created_us, doc, api) SELECT $1, $2, $3, $4, doc FROM rest_apis WHERE id = $1";
static const char DEPLOYMENT_UPDATE[] = "UPDATE rest_deployments SET doc = $3 WHERE api_id = $1 AND id = $2";
static const char DEPLOYMENT_DELETE[] = "DELETE FROM rest_deployments WHERE api_id = $1 AND id = $2";

static const char STAGE_SELECT[] = "SELECT doc FROM rest_stages WHERE api_id = $1 AND name = $2";
static const char STAGE_LIST[] = "SELECT doc FROM rest_stages WHERE api_id = $1 ORDER BY name";
static const char STAGE_SAVE[] =
    "INSERT INTO rest_stages (api_id, name, deployment_id, doc) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (api_id, name) DO UPDATE SET deployment_id = excluded.deployment_id, doc = excluded.doc";
static const char STAGE_DELETE[] = "DELETE FROM rest_stages WHERE api_id = $1 AND name = $2";

static const char DOCUMENTATION_SELECT[] =
    "SELECT doc FROM rest_documentation WHERE api_id = $1 AND kind = $2 AND id = $3";
static const char DOCUMENTATION_LIST[] =
    "SELECT doc FROM rest_documentation WHERE api_id = $1 AND kind = $2 ORDER BY id";
static const char DOCUMENTATION_SAVE[] =
    "INSERT INTO rest_documentation (api_id, kind, id, doc) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (api_id, kind, id) DO UPDATE SET doc = excluded.doc";
static const char DOCUMENTATION_DELETE[] =
    "DELETE FROM rest_documentation WHERE api_id = $1 AND kind = $2 AND id = $3";

gh_err api_load(struct db *db, struct tx *tx, struct arena *arena, struct api_key key, json_t **out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, API_SELECT, "sss", key.id, key.account, key.region);
    return doc_read(&rows, out);
}

gh_err api_known(struct db *db, struct tx *tx, struct arena *arena, struct api_key key, json_t **known)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, API_KNOWN, "sss", key.id, key.account, key.region);
    *known = rows_next(&rows) ? json_true() : NULL;
    return rows_close(&rows);
}

gh_err api_count(struct db *db, struct tx *tx, struct arena *arena, struct api_key key, size_t *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, API_COUNT, "ss", key.account, key.region);
    *out = rows_next(&rows) ? (size_t)rows_i64(&rows, 0) : 0;
    return rows_close(&rows);
}

void api_insert(struct tx *tx, struct api_key key, int64_t created_us, const json_t *api)
{
    tx_run(tx, API_INSERT, "sssis", key.id, key.account, key.region, created_us, json_print(tx->arena, api));
}

void api_save(struct tx *tx, struct str id, const json_t *api)
{
    tx_run(tx, API_UPDATE, "ss", id, json_print(tx->arena, api));
}

void api_delete(struct tx *tx, struct str id)
{
    for (size_t i = 0; i < COUNT(API_DELETES); i++)
        tx_run(tx, API_DELETES[i], "s", id);
}

gh_err api_list(struct db *db, struct arena *arena, struct str account, struct str region, int64_t after_us,
                struct str after_id, int64_t limit, struct api_page *out)
{
    struct rows rows;
    gh_err err = NULL;
    *out = (struct api_page){ .docs.items = ARENA_ARRAY(arena, json_t *, limit) };
    rows_open(&rows, db, NULL, arena, API_PAGE, "ssisi", account, region, after_us, after_id, limit + 1);
    while (!err && rows_next(&rows)) {
        out->more = (int64_t)out->docs.n == limit;
        if (out->more)
            break;
        err = doc_parse(arena, rows_str(&rows, 0), &out->docs.items[out->docs.n]);
        out->last_us = rows_i64(&rows, 1);
        out->docs.n += err == NULL;
    }
    gh_err close_err = rows_close(&rows);
    return err ? err : close_err;
}

gh_err api_keys_of(struct db *db, struct arena *arena, struct str account, struct api_keys *out)
{
    struct rows rows;
    size_t cap = 0;
    *out = (struct api_keys){ 0 };
    rows_open(&rows, db, NULL, arena, API_KEYS, "s", account);
    while (rows_next(&rows)) {
        if (out->n == cap) {
            size_t grown = cap ? cap * 2 : 16;
            out->items = arena_grow(arena, out->items, cap * sizeof *out->items, grown * sizeof *out->items);
            cap = grown;
        }
        out->items[out->n++] = (struct api_key){ account, rows_str(&rows, 0), rows_str(&rows, 1) };
    }
    return rows_close(&rows);
}

gh_err deployment_load(struct db *db, struct tx *tx, struct arena *arena, struct str api_id, struct str id,
                       json_t **out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, DEPLOYMENT_SELECT, "ss", api_id, id);
    return doc_read(&rows, out);
}

gh_err deployment_api(struct db *db, struct arena *arena, struct str api_id, struct str id, json_t **out)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena, DEPLOYMENT_API, "ss", api_id, id);
    return doc_read(&rows, out);
}

gh_err deployment_list(struct db *db, struct arena *arena, struct str api_id, struct docs *out)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena, DEPLOYMENT_LIST, "s", api_id);
    return docs_read(&rows, out);
}

void deployment_insert(struct tx *tx, struct str api_id, struct str id, int64_t created_us,
                       const json_t *deployment)
{
    tx_run(tx, DEPLOYMENT_INSERT, "ssis", api_id, id, created_us, json_print(tx->arena, deployment));
}

void deployment_save(struct tx *tx, struct str api_id, struct str id, const json_t *deployment)
{
    tx_run(tx, DEPLOYMENT_UPDATE, "sss", api_id, id, json_print(tx->arena, deployment));
}

void deployment_delete(struct tx *tx, struct str api_id, struct str id)
{
    tx_run(tx, DEPLOYMENT_DELETE, "ss", api_id, id);
}

gh_err stage_load(struct db *db, struct tx *tx, struct arena *arena, struct str api_id, struct str name,
                  json_t **out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, STAGE_SELECT, "ss", api_id, name);
    return doc_read(&rows, out);
}

gh_err stage_list(struct db *db, struct tx *tx, struct arena *arena, struct str api_id, struct docs *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, STAGE_LIST, "s", api_id);
    return docs_read(&rows, out);
}

void stage_save(struct tx *tx, struct str api_id, const json_t *stage)
{
    tx_run(tx, STAGE_SAVE, "ssss", api_id, json_str(stage, "stageName"), json_str(stage, "deploymentId"),
           json_print(tx->arena, stage));
}

void stage_delete(struct tx *tx, struct str api_id, struct str name)
{
    tx_run(tx, STAGE_DELETE, "ss", api_id, name);
}

gh_err documentation_load(struct db *db, struct tx *tx, struct arena *arena, struct str api_id,
                          struct str kind, struct str id, json_t **out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, DOCUMENTATION_SELECT, "sss", api_id, kind, id);
    return doc_read(&rows, out);
}

gh_err documentation_list(struct db *db, struct tx *tx, struct arena *arena, struct str api_id,
                          struct str kind, struct docs *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, DOCUMENTATION_LIST, "ss", api_id, kind);
    return docs_read(&rows, out);
}

void documentation_save(struct tx *tx, struct str api_id, struct str kind, struct str id, const json_t *doc)
{
    tx_run(tx, DOCUMENTATION_SAVE, "ssss", api_id, kind, id, json_print(tx->arena, doc));
}

void documentation_delete(struct tx *tx, struct str api_id, struct str kind, struct str id)
{
    tx_run(tx, DOCUMENTATION_DELETE, "sss", api_id, kind, id);
}
