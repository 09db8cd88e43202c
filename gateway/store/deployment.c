#include "gateway/store/deployment.h"

#include "gateway/store/docs.h"

static const char SELECT_STAGE[] =
    "SELECT a.account, a.region, s.deployment_id, s.doc FROM rest_stages s"
    " JOIN rest_apis a ON a.id = s.api_id"
    " WHERE s.api_id = $1 AND s.name = $2";
static const char SELECT_API[] = "SELECT api FROM rest_deployments WHERE api_id = $1 AND id = $2";
static const char SELECT_NAMES[] = "SELECT api_id, name FROM rest_stages ORDER BY api_id, name";

static gh_err load_api(struct db *db, struct tx *tx, struct arena *arena, const struct known_deployments *known,
                       struct str api_id, struct str id, json_t **out)
{
    struct rows rows;
    for (size_t i = 0; known && i < COUNT(known->items); i++) {
        if (!known->items[i].api || !str_eq(known->items[i].id, id))
            continue;
        *out = known->items[i].api;
        return NULL;
    }
    rows_open(&rows, db, tx, arena, SELECT_API, "ss", api_id, id);
    return doc_read(&rows, out);
}

gh_err stage_source_load_knowing(struct db *db, struct tx *tx, struct arena *arena, struct str api_id, struct str stage,
                                 const struct known_deployments *known, bool *found, struct stage_source *out)
{
    struct rows rows;
    struct str settings = STR_NONE;
    *out = (struct stage_source){ .api_id = str_copy(arena, api_id), .stage = str_copy(arena, stage) };
    rows_open(&rows, db, tx, arena, SELECT_STAGE, "ss", api_id, stage);
    *found = rows_next(&rows);
    if (*found) {
        out->account = rows_str(&rows, 0);
        out->region = rows_str(&rows, 1);
        out->deployment_id = rows_str(&rows, 2);
        settings = rows_str(&rows, 3);
    }
    gh_err err = rows_close(&rows);
    if (err || !*found)
        return err;
    if ((err = doc_parse(arena, settings, &out->settings)) ||
        (err = load_api(db, tx, arena, known, api_id, out->deployment_id, &out->api)))
        return err;
    *found = out->api != NULL;
    json_t *canary = json_object_get(out->settings, "canarySettings");
    if (!canary || !out->api)
        return NULL;
    out->canary_deployment_id = json_str(canary, "deploymentId");
    if (!str_eq(out->canary_deployment_id, out->deployment_id))
        return load_api(db, tx, arena, known, api_id, out->canary_deployment_id, &out->canary_api);
    out->canary_api = out->api;
    return NULL;
}

gh_err stage_source_load(struct db *db, struct tx *tx, struct arena *arena, struct str api_id,
                         struct str stage, bool *found, struct stage_source *out)
{
    return stage_source_load_knowing(db, tx, arena, api_id, stage, NULL, found, out);
}

gh_err stage_sources_open(struct stage_sources *all, struct db *db, struct arena *arena)
{
    struct rows rows;
    size_t cap = 0;
    *all = (struct stage_sources){ 0 };
    rows_open(&rows, db, NULL, arena, SELECT_NAMES, "");
    while (rows_next(&rows)) {
        if (all->n == cap) {
            size_t grown = cap ? cap * 2 : 32;
            all->names = arena_grow(arena, all->names, cap * sizeof *all->names, grown * sizeof *all->names);
            cap = grown;
        }
        all->names[all->n++] = (struct stage_name){ rows_str(&rows, 0), rows_str(&rows, 1) };
    }
    return rows_close(&rows);
}

bool stage_sources_next(struct stage_sources *all)
{
    if (all->at == all->n)
        return false;
    all->api_id = all->names[all->at].api_id;
    all->stage = all->names[all->at].stage;
    all->at++;
    return true;
}
