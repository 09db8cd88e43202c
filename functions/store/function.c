#include "functions/store/function.h"

#include "core/json.h"
#include "wire/codec_json.h"

static const char find_function[] =
    "SELECT next_version, reserved, tags FROM functions WHERE account = $1 AND region = $2 AND name = $3";
static const char save_function[] =
    "INSERT INTO functions (account, region, name, next_version, reserved, tags) VALUES ($1, $2, $3, $4, $5, $6) "
    "ON CONFLICT (account, region, name) DO UPDATE SET next_version = $4, reserved = $5, tags = $6";
static const char *const delete_function[] = {
    "DELETE FROM functions WHERE account = $1 AND region = $2 AND name = $3",
    "DELETE FROM function_versions WHERE account = $1 AND region = $2 AND name = $3",
    "DELETE FROM function_aliases WHERE account = $1 AND region = $2 AND name = $3",
    "DELETE FROM function_policies WHERE account = $1 AND region = $2 AND name = $3",
    "DELETE FROM function_event_configs WHERE account = $1 AND region = $2 AND name = $3",
    "DELETE FROM function_events WHERE account = $1 AND region = $2 AND name = $3",
};
#define VERSION_COLUMNS "SELECT version, number, code, code_size, doc, variables, name FROM function_versions "
static const char list_functions[] =
    VERSION_COLUMNS "WHERE account = $1 AND region = $2 AND number = 0 AND name > $3 ORDER BY name LIMIT $4";
static const char usage_of_code[] =
    "SELECT COALESCE(SUM(code_size), 0) FROM function_versions WHERE account = $1 AND region = $2";
static const char usage_of_functions[] =
    "SELECT COUNT(*), COALESCE(SUM(reserved), 0) FROM functions WHERE account = $1 AND region = $2";
static const char find_version[] =
    VERSION_COLUMNS "WHERE account = $1 AND region = $2 AND name = $3 AND version = $4";
static const char list_versions[] =
    VERSION_COLUMNS "WHERE account = $1 AND region = $2 AND name = $3 AND number > $4 ORDER BY number LIMIT $5";
static const char save_version[] =
    "INSERT INTO function_versions (account, region, name, version, number, code, code_size, doc, variables) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
    "ON CONFLICT (account, region, name, version) DO UPDATE SET code = $6, code_size = $7, doc = $8, variables = $9";
static const char drop_version[] =
    "DELETE FROM function_versions WHERE account = $1 AND region = $2 AND name = $3 AND version = $4";
static const char *const drop_version_parts[] = {
    "DELETE FROM function_policies WHERE account = $1 AND region = $2 AND name = $3 AND qualifier = $4",
    "DELETE FROM function_event_configs WHERE account = $1 AND region = $2 AND name = $3 AND qualifier = $4",
};
static const char find_code[] = "SELECT version FROM function_versions WHERE code = $1 LIMIT 1";
static const char find_alias[] =
    "SELECT doc FROM function_aliases WHERE account = $1 AND region = $2 AND name = $3 AND alias = $4";
static const char save_alias[] =
    "INSERT INTO function_aliases (account, region, name, alias, version, doc) VALUES ($1, $2, $3, $4, $5, $6) "
    "ON CONFLICT (account, region, name, alias) DO UPDATE SET version = $5, doc = $6";
static const char drop_alias[] =
    "DELETE FROM function_aliases WHERE account = $1 AND region = $2 AND name = $3 AND alias = $4";
static const char list_aliases[] =
    "SELECT doc FROM function_aliases WHERE account = $1 AND region = $2 AND name = $3 AND alias > $4 "
    "ORDER BY alias LIMIT $5";
static const char list_aliases_of_version[] =
    "SELECT doc FROM function_aliases WHERE account = $1 AND region = $2 AND name = $3 AND alias > $4 "
    "AND version = $6 ORDER BY alias LIMIT $5";

enum { ALL = 1000000 };

static struct str place_of(struct arena *arena, const struct function_id *id, struct str version);
static bool read_version(struct rows *rows, const struct sealer *sealer, struct str account, struct str region,
                         struct version_row *out);
static void read_alias(struct arena *arena, struct str doc, struct alias_row *out);

gh_err function_find(struct db *db, struct tx *tx, struct arena *arena, const struct function_id *id,
                     struct function_row *out, bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, find_function, "sss", id->account, id->region, id->name);
    *found = rows_next(&rows);
    if (*found) {
        struct str reserved = rows_str(&rows, 1);
        *out = (struct function_row){ .id = *id, .next_version = rows_i64(&rows, 0),
                                      .reserved = reserved.ptr ? rows_i64(&rows, 1) : -1, .tags = rows_str(&rows, 2) };
    }
    return rows_close(&rows);
}

void function_save(struct tx *tx, const struct function_row *row)
{
    const struct function_id *id = &row->id;
    if (row->reserved >= 0)
        tx_run(tx, save_function, "sssiis", id->account, id->region, id->name, row->next_version, row->reserved, row->tags);
    else
        tx_run(tx, save_function, "sssins", id->account, id->region, id->name, row->next_version, row->tags);
}

void function_delete(struct tx *tx, const struct function_id *id)
{
    for (size_t i = 0; i < COUNT(delete_function); i++)
        tx_run(tx, delete_function[i], "sss", id->account, id->region, id->name);
}

gh_err function_list(struct db *db, const struct sealer *sealer, struct arena *arena, struct str account,
                     struct str region, struct str marker, int64_t limit, struct version_row **out, size_t *n)
{
    struct rows rows;
    *out = ARENA_ARRAY(arena, struct version_row, limit);
    *n = 0;
    rows_open(&rows, db, NULL, arena, list_functions, "sssi", account, region, marker.ptr ? marker : STR(""), limit);
    while (rows_next(&rows) && read_version(&rows, sealer, account, region, *out + *n))
        ++*n;
    return rows_close(&rows);
}

gh_err function_usage(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str region,
                      int64_t *code_bytes, int64_t *count, int64_t *reserved)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, usage_of_code, "ss", account, region);
    *code_bytes = rows_next(&rows) ? rows_i64(&rows, 0) : 0;
    gh_err err = rows_close(&rows);
    if (err)
        return err;
    rows_open(&rows, db, tx, arena, usage_of_functions, "ss", account, region);
    bool found = rows_next(&rows);
    *count = found ? rows_i64(&rows, 0) : 0;
    *reserved = found ? rows_i64(&rows, 1) : 0;
    return rows_close(&rows);
}

/* ---- versions ---- */

gh_err function_version_find(struct db *db, struct tx *tx, const struct sealer *sealer, struct arena *arena,
                    const struct function_id *id, struct str version, struct version_row *out, bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, find_version, "ssss", id->account, id->region, id->name, version);
    *found = rows_next(&rows) && read_version(&rows, sealer, id->account, id->region, out);
    return rows_close(&rows);
}

gh_err function_version_list(struct db *db, const struct sealer *sealer, struct arena *arena, const struct function_id *id,
                    int64_t after, int64_t limit, struct version_row **out, size_t *n)
{
    struct rows rows;
    size_t cap = 0;
    *out = NULL;
    *n = 0;
    rows_open(&rows, db, NULL, arena, list_versions, "sssii", id->account, id->region, id->name, after,
              limit ? limit : (int64_t)ALL);
    while (rows_next(&rows)) {
        if (*n == cap) {
            cap = cap ? 2 * cap : 8;
            *out = arena_grow(arena, *out, *n * sizeof **out, cap * sizeof **out);
        }
        if (!read_version(&rows, sealer, id->account, id->region, *out + *n))
            break;
        ++*n;
    }
    return rows_close(&rows);
}

static bool read_version(struct rows *rows, const struct sealer *sealer, struct str account, struct str region,
                         struct version_row *out)
{
    struct arena *arena = rows->arena;
    struct str sealed = rows_str(rows, 5), plain;
    *out = (struct version_row){ .version = rows_str(rows, 0), .number = rows_i64(rows, 1), .code = rows_str(rows, 2),
                                 .code_size = rows_i64(rows, 3) };
    struct function_id id = { account, region, rows_str(rows, 6) };
    bool ok = shape_parse(arena, &lambda_shape_FunctionConfiguration, rows_str(rows, 4), &out->config);
    if (ok && sealed.ptr)
        ok = unseal(sealer, arena, place_of(arena, &id, out->version), sealed, &plain) &&
             shape_parse(arena, &lambda_shape_EnvironmentVariables, plain, &out->variables);
    if (!ok)
        rows->err = gh_fail(arena, &GH_INTERNAL, "the stored function %.*s cannot be read", STR_FMT(id.name));
    out->function_arn = out->config.function_arn;
    return ok;
}

void function_version_save(struct tx *tx, const struct sealer *sealer, const struct function_id *id,
                  const struct version_row *row)
{
    struct arena *arena = tx->arena;
    struct lambda_FunctionConfiguration config = row->config;
    struct str sealed = STR_NONE;
    config.environment = NULL;
    if (row->variables.set)
        sealed = seal(sealer, arena, place_of(arena, id, row->version),
                      shape_print(arena, &lambda_shape_EnvironmentVariables, &row->variables));
    tx_run(tx, save_version, "ssssisiss", id->account, id->region, id->name, row->version, row->number, row->code,
           row->code_size, shape_print(arena, &lambda_shape_FunctionConfiguration, &config), sealed);
}

void function_version_delete(struct tx *tx, const struct function_id *id, struct str version)
{
    tx_run(tx, drop_version, "ssss", id->account, id->region, id->name, version);
    for (size_t i = 0; i < COUNT(drop_version_parts); i++)
        tx_run(tx, drop_version_parts[i], "ssss", id->account, id->region, id->name, version);
}

gh_err code_is_used(struct db *db, struct tx *tx, struct arena *arena, struct str code, bool *used)
{
    struct str version;
    gh_err err = db_find(db, tx, arena, &version, find_code, "s", code);
    *used = err || version.ptr;
    return err;
}

/* Names the sealed value's place, so that it opens nowhere else. */
static struct str place_of(struct arena *arena, const struct function_id *id, struct str version)
{
    return str_printf(arena, "function/%.*s/%.*s/%.*s/%.*s/variables", STR_FMT(id->account), STR_FMT(id->region),
                      STR_FMT(id->name), STR_FMT(version));
}

/* ---- aliases ---- */

gh_err alias_find(struct db *db, struct tx *tx, struct arena *arena, const struct function_id *id, struct str alias,
                  struct alias_row *out, bool *found)
{
    struct str doc;
    gh_err err = db_find(db, tx, arena, &doc, find_alias, "ssss", id->account, id->region, id->name, alias);
    *found = !err && doc.ptr;
    if (*found)
        read_alias(arena, doc, out);
    return err;
}

void alias_save(struct tx *tx, const struct function_id *id, const struct lambda_AliasConfiguration *config)
{
    tx_run(tx, save_alias, "ssssss", id->account, id->region, id->name, config->name, config->function_version,
           shape_print(tx->arena, &lambda_shape_AliasConfiguration, config));
}

void alias_delete(struct tx *tx, const struct function_id *id, struct str alias)
{
    tx_run(tx, drop_alias, "ssss", id->account, id->region, id->name, alias);
    for (size_t i = 0; i < COUNT(drop_version_parts); i++)
        tx_run(tx, drop_version_parts[i], "ssss", id->account, id->region, id->name, alias);
}

gh_err alias_list(struct db *db, struct arena *arena, const struct function_id *id, struct str version,
                  struct str marker, int64_t limit, struct alias_row **out, size_t *n)
{
    struct rows rows;
    struct str after = marker.ptr ? marker : STR("");
    *out = ARENA_ARRAY(arena, struct alias_row, limit);
    *n = 0;
    if (version.ptr)
        rows_open(&rows, db, NULL, arena, list_aliases_of_version, "ssssis", id->account, id->region, id->name, after, limit,
                  version);
    else
        rows_open(&rows, db, NULL, arena, list_aliases, "ssssi", id->account, id->region, id->name, after, limit);
    while (rows_next(&rows))
        read_alias(arena, rows_str(&rows, 0), *out + (*n)++);
    return rows_close(&rows);
}

static void read_alias(struct arena *arena, struct str doc, struct alias_row *out)
{
    *out = (struct alias_row){ 0 };
    if (!shape_parse(arena, &lambda_shape_AliasConfiguration, doc, &out->config))
        return;
    out->version = out->config.function_version;
    const struct lambda_AliasRoutingConfiguration *routing = out->config.routing_config;
    if (routing && routing->additional_version_weights.n == 1) {
        out->second_version = routing->additional_version_weights.items[0].key;
        out->second_weight = routing->additional_version_weights.items[0].value.value;
    }
}
