/* ImportApiKeys: a CSV file of keys.
 *
 * "The imported file must contain the Name and Key columns. The column header names aren't case
 * sensitive, and columns can be in any order." "An API key file can also have the Description,
 * Enabled, or UsagePlanIds column." "Unrecognized columns are permitted, but are ignored." "The same
 * API key can be imported multiple times, with the most recent version overwriting the previous one." */
#include "gateway/ops/apikey.h"

enum { COLUMN_NAME, COLUMN_KEY, COLUMN_DESCRIPTION, COLUMN_ENABLED, COLUMN_PLANS, COLUMNS };
enum { ROWS_MAX = 10000, VALUE_MIN_IMPORTED = 30, PLANS_MAX = 10 };

static const char *const column_names[COLUMNS] = { "name", "key", "description", "enabled", "usageplanids" };

struct import {
    struct call *call;
    struct tx *tx;
    size_t place[64]; /* of the file's columns: which of ours, COLUMNS for none */
    size_t n_places;
    size_t line;
    json_t *ids, *warnings;
    struct str *changed; /* ids */
    size_t n_changed;
    struct map *seen;
    bool fresh; /* some key was not there before */
};

/* One line's fields; false when the text is used up. A field may stand in double or single quotes,
 * doubled inside. */
static bool next_line(struct arena *arena, struct str *rest, struct str *fields, size_t max, size_t *n)
{
    *n = 0;
    if (!rest->len)
        return false;
    for (bool more = true; more;) {
        struct strbuf field = strbuf_in(arena, 32);
        while (rest->len && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t'))
            *rest = str_from(*rest, 1);
        char quote = rest->len && (rest->ptr[0] == '"' || rest->ptr[0] == '\'') ? rest->ptr[0] : '\0';
        if (quote)
            *rest = str_from(*rest, 1);
        bool quoted = quote != '\0';
        for (; rest->len; *rest = str_from(*rest, 1)) {
            char c = rest->ptr[0];
            if (quoted && c == quote && rest->len > 1 && rest->ptr[1] == quote) {
                strbuf_char(&field, c);
                *rest = str_from(*rest, 1);
            } else if (quoted && c == quote) {
                quoted = false;
            } else if (!quoted && (c == ',' || c == '\n' || c == '\r')) {
                break;
            } else {
                strbuf_char(&field, c);
            }
        }
        if (*n < max)
            fields[(*n)++] = quote ? strbuf_view(&field) : str_trim(strbuf_view(&field));
        more = rest->len && rest->ptr[0] == ',';
        if (more)
            *rest = str_from(*rest, 1);
    }
    if (str_starts(*rest, STR("\r\n")))
        *rest = str_from(*rest, 2);
    else if (rest->len)
        *rest = str_from(*rest, 1);
    return true;
}

static void warn(struct import *import, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void warn(struct import *import, const char *fmt, ...)
{
    struct arena *arena = import->call->arena;
    va_list args;
    va_start(args, fmt);
    struct str text = str_vprintf(arena, fmt, args);
    va_end(args);
    json_array_append_new(import->warnings, json_of(str_printf(arena, "line %zu: %.*s", import->line, STR_FMT(text))));
}

static gh_err read_header(struct import *import, struct str *rest)
{
    struct str fields[COUNT(import->place)];
    bool have[COLUMNS + 1] = { false };
    if (str_starts(*rest, STR("\xef\xbb\xbf"))) /* a byte order mark, as spreadsheets write it */
        *rest = str_from(*rest, 3);
    next_line(import->call->arena, rest, fields, COUNT(fields), &import->n_places);
    import->line = 1;
    for (size_t i = 0; i < import->n_places; i++) {
        import->place[i] = COLUMNS;
        for (size_t c = 0; c < COLUMNS; c++)
            if (str_eq_nocase(fields[i], str_of(column_names[c])) && !have[c])
                import->place[i] = c;
        have[import->place[i]] = true;
    }
    if (!have[COLUMN_KEY])
        return ops_bad_request(import->call, "Missing required column 'Key'");
    return have[COLUMN_NAME] ? NULL : ops_bad_request(import->call, "Missing required column 'Name'");
}

/* The key that has the value already, or a fresh one. */
static gh_err find_or_make(struct import *import, struct str value, json_t **key, struct str *id, bool *fresh)
{
    struct call *call = import->call;
    gh_err err = apikey_by_mac(call->db, import->tx, call->arena, apikey_mac(call, value), id);
    *fresh = !err && !id->ptr;
    if (err)
        return err;
    if (!*fresh)
        return apikey_required(call, import->tx, *id, key);
    *id = ops_id(call, 10);
    *key = json_own(call->arena, json_object());
    json_set_str(*key, "id", *id);
    json_set_i64(*key, "createdDate", call->now_us / 1000000);
    json_object_set_new(*key, "stageKeys", json_array());
    return NULL;
}

static gh_err attach(struct import *import, struct str key_id, struct str plans)
{
    struct call one = *import->call, *call = &one;
    struct str plan_id;
    size_t n = 0;
    one.now_us += (int64_t)import->n_changed; /* in the order of the file */
    while (str_split(&plans, ',', &plan_id)) {
        json_t *plan;
        bool member = false;
        plan_id = str_trim(plan_id);
        if (!plan_id.len)
            continue;
        gh_err err = plan_load(call->db, import->tx, call->arena, ops_key(call, plan_id), &plan);
        if (!err && plan)
            err = plan_has_key(call->db, import->tx, call->arena, plan_id, key_id, &member);
        if (!err && plan && !member && n++ < PLANS_MAX)
            err = plan_attach_key(call, import->tx, plan, key_id);
        if (err && err->kind != &apigw_ConflictException)
            return err;
        if (err)
            warn(import, "%.*s", STR_FMT(err->message));
        else if (!plan)
            warn(import, "Invalid Usage Plan ID specified: %.*s", STR_FMT(plan_id));
        else if (n > PLANS_MAX)
            warn(import, "an API key can be in 10 usage plans");
    }
    return NULL;
}

/* A line that cannot be a key is told of and left out. */
static bool usable(struct import *import, const struct str field[COLUMNS], bool *enabled)
{
    struct str on = field[COLUMN_ENABLED];
    *enabled = str_empty(on) || str_eq_nocase(on, STR("true"));
    if (field[COLUMN_KEY].len < VALUE_MIN_IMPORTED) {
        warn(import, "API Key value should be at least 30 characters");
        return false;
    }
    gh_err err = apikey_check_value(import->call, field[COLUMN_KEY]);
    if (err)
        warn(import, "%.*s", STR_FMT(err->message));
    else if (field[COLUMN_NAME].len > 1024)
        warn(import, "Invalid API Key name, can be at most 1024 characters.");
    else if (field[COLUMN_DESCRIPTION].len > 1024)
        warn(import, "Invalid API Key description specified.");
    else if (!*enabled && !str_eq_nocase(on, STR("false")))
        warn(import, "Enabled must be true or false");
    else
        return true;
    return false;
}

static gh_err import_line(struct import *import, const struct str *fields, size_t n)
{
    struct call *call = import->call;
    struct str field[COLUMNS + 1] = { { NULL, 0 } }, id;
    bool enabled, fresh;
    json_t *key;
    for (size_t i = 0; i < n && i < import->n_places; i++)
        field[import->place[i]] = fields[i];
    if (n == 1 && !fields[0].len)
        return NULL; /* an empty line */
    if (!usable(import, field, &enabled))
        return NULL;
    gh_err err = find_or_make(import, field[COLUMN_KEY], &key, &id, &fresh);
    if (err)
        return err;
    json_object_del(key, "name");
    json_object_del(key, "description");
    if (field[COLUMN_NAME].len)
        json_set_str(key, "name", field[COLUMN_NAME]);
    if (field[COLUMN_DESCRIPTION].len)
        json_set_str(key, "description", field[COLUMN_DESCRIPTION]);
    json_set_flag(key, "enabled", enabled);
    json_set_i64(key, "lastUpdatedDate", call->now_us / 1000000);
    apikey_save(import->tx, ops_key(call, id), call->now_us + (int64_t)import->n_changed, key);
    if (fresh) {
        apikey_add_value(call, import->tx, id, field[COLUMN_KEY], 1);
        import->fresh = true;
    }
    if (!map_set(import->seen, id, import)) { /* else the file has it twice */
        json_array_append_new(import->ids, json_of(id));
        import->changed[import->n_changed++] = id;
    }
    return attach(import, id, field[COLUMN_PLANS]);
}

static gh_err import_all(struct import *import, struct str rest)
{
    struct str fields[COUNT(import->place)];
    size_t n;
    gh_err err = read_header(import, &rest);
    while (!err && next_line(import->call->arena, &rest, fields, COUNT(fields), &n)) {
        if (++import->line > ROWS_MAX + 1)
            return ops_bad_request(import->call, "A file may have at most %d API keys", ROWS_MAX);
        err = import_line(import, fields, n);
    }
    if (err || !import->fresh)
        return err;
    return apikey_check_room(import->call, import->tx, 1);
}

gh_err apigw_ImportApiKeys(struct call *call, const struct apigw_ImportApiKeys_in *in, struct apigw_ImportApiKeys_out *out)
{
    struct tx tx;
    struct import import = { .call = call, .tx = &tx, .ids = json_array(), .warnings = json_array() };
    json_t *answer = json_own(call->arena, json_object());
    json_object_set_new(answer, "ids", import.ids);
    json_object_set_new(answer, "warnings", import.warnings);
    import.changed = ARENA_ARRAY(call->arena, struct str, ROWS_MAX + 1);
    import.seen = map_new();
    tx_begin(&tx, call->db, call->arena);
    gh_err err = import_all(&import, in->body);
    map_free(import.seen, NULL);
    if (!err && in->fail_on_warnings.set && in->fail_on_warnings.value && json_array_size(import.warnings))
        err = ops_bad_request(call, "Failed to import API keys due to warnings: %s",
                              json_print(call->arena, import.warnings).ptr);
    if (!(err = ops_finish(&tx, err)))
        err = usage_publish_keys(call->module, call, import.changed, import.n_changed);
    if (!json_array_size(import.warnings))
        json_object_del(answer, "warnings");
    return err ? err : ops_answer(call, answer, out);
}
