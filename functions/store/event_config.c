#include "functions/store/event_config.h"

#include "wire/codec_json.h"

static const char find[] =
    "SELECT doc FROM function_event_configs WHERE account = $1 AND region = $2 AND name = $3 AND qualifier = $4";
static const char save[] =
    "INSERT INTO function_event_configs (account, region, name, qualifier, doc) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (account, region, name, qualifier) DO UPDATE SET doc = $5";
static const char drop[] =
    "DELETE FROM function_event_configs WHERE account = $1 AND region = $2 AND name = $3 AND qualifier = $4";
static const char list[] =
    "SELECT doc, qualifier FROM function_event_configs WHERE account = $1 AND region = $2 AND name = $3 "
    "AND qualifier > $4 ORDER BY qualifier LIMIT $5";

gh_err event_config_find(struct db *db, struct tx *tx, struct arena *arena, const struct function_id *id,
                         struct str qualifier, struct lambda_FunctionEventInvokeConfig *out, bool *found)
{
    struct str doc;
    gh_err err = db_find(db, tx, arena, &doc, find, "ssss", id->account, id->region, id->name, qualifier);
    *found = !err && doc.ptr && shape_parse(arena, &lambda_shape_FunctionEventInvokeConfig, doc, out);
    return err;
}

void event_config_save(struct tx *tx, const struct function_id *id, struct str qualifier,
                       const struct lambda_FunctionEventInvokeConfig *config)
{
    tx_run(tx, save, "sssss", id->account, id->region, id->name, qualifier,
           shape_print(tx->arena, &lambda_shape_FunctionEventInvokeConfig, config));
}

void event_config_delete(struct tx *tx, const struct function_id *id, struct str qualifier)
{
    tx_run(tx, drop, "ssss", id->account, id->region, id->name, qualifier);
}

gh_err event_config_list(struct db *db, struct arena *arena, const struct function_id *id, struct str marker,
                         int64_t limit, struct lambda_FunctionEventInvokeConfig *out, size_t *n, struct str *last)
{
    struct rows rows;
    *n = 0;
    rows_open(&rows, db, NULL, arena, list, "ssssi", id->account, id->region, id->name, marker.ptr ? marker : STR(""), limit);
    while (rows_next(&rows) && shape_parse(arena, &lambda_shape_FunctionEventInvokeConfig, rows_str(&rows, 0), &out[*n])) {
        *last = rows_str(&rows, 1);
        ++*n;
    }
    return rows_close(&rows);
}

bool event_config_limits(struct db *db, struct arena *arena, struct str account, struct str region, struct str name,
                         struct str qualifier, int64_t *max_retries, int64_t *max_age_s)
{
    struct lambda_FunctionEventInvokeConfig config;
    struct function_id id = { account, region, name };
    bool found;
    gh_err err = event_config_find(db, NULL, arena, &id, qualifier.ptr ? qualifier : STR("$LATEST"), &config, &found);
    if (err)
        return false;
    if (found && config.maximum_retry_attempts.set)
        *max_retries = config.maximum_retry_attempts.value;
    if (found && config.maximum_event_age_in_seconds.set)
        *max_age_s = config.maximum_event_age_in_seconds.value;
    return true;
}
