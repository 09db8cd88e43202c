#include "identity/transfer/row.h"

#include "core/base64.h"
#include "core/json.h"

enum { MOST_COLUMNS = 64, DEPTH = 64 };

/* A row with its columns by name, for the places of its secrets. */
struct row {
    struct call *call;
    const struct pool_table *table;
    const struct str *values;
    const struct row_move *move; /* on the way in */
    struct str *why;
};

static struct str value_named(const struct row *row, struct str name)
{
    struct str column;
    bool number;
    for (size_t i = 0; pool_table_column(row->table, i, &column, &number); i++)
        if (str_eq(column, name))
            return row->values[i];
    return STR_NONE;
}

/* "pool-verifier/{pool}/{sub}" with the row's values. */
static struct str place_of(const struct row *row, struct str pattern, const char *member)
{
    struct strbuf buf = strbuf_in(row->call->arena, 128);
    for (size_t i = 0; i < pattern.len; i++) {
        ptrdiff_t end = pattern.ptr[i] == '{' ? str_find(str_from(pattern, i), '}') : -1;
        if (end < 0) {
            strbuf_char(&buf, pattern.ptr[i]);
            continue;
        }
        struct str name = str_sub(pattern, i + 1, (size_t)end - 1);
        strbuf_add(&buf, str_is(name, "member") ? str_of(member ? member : "") : value_named(row, name));
        i += (size_t)end;
    }
    return strbuf_view(&buf);
}

/* ---- out ---- */

static bool is_sealed(struct str text)
{
    return text.len > 40 && str_starts(text, STR("v1."));
}

/* {"$sealed": where, "$plain": what}; NULL: it opens nowhere. */
static json_t *opened(struct row *row, struct str sealed, const char *member, const char *where)
{
    struct str plain;
    for (size_t i = 0; i < COUNT(row->table->places) && row->table->places[i]; i++) {
        struct str pattern = str_of(row->table->places[i]);
        if (!unseal(row->call->sealer, row->call->arena, place_of(row, pattern, member), sealed, &plain))
            continue;
        json_t *shown = json_object();
        json_set_str(shown, "$sealed", pattern);
        json_set_str(shown, "$plain", base64_encode(row->call->arena, plain));
        return shown;
    }
    *row->why = str_printf(row->call->arena, "A secret in %s.%s does not open: it was sealed under another key file, or "
                           "exports do not know its place.", row->table->name, where);
    return NULL;
}

/* Secrets inside a document, opened in place. */
static bool open_inside(struct row *row, json_t *value, int depth)
{
    const char *name;
    json_t *one;
    size_t i;
    void *next;
    if (depth > DEPTH)
        return true;
    json_object_foreach_safe(value, next, name, one) {
        json_t *shown = is_sealed(json_value_str(one)) ? opened(row, json_value_str(one), name, name) : NULL;
        if (shown)
            json_object_set_new(value, name, shown);
        else if (row->why->ptr || !open_inside(row, one, depth + 1))
            return false;
    }
    json_array_foreach(value, i, one) {
        json_t *shown = is_sealed(json_value_str(one)) ? opened(row, json_value_str(one), "", "(a list)") : NULL;
        if (shown)
            json_array_set_new(value, i, shown);
        else if (row->why->ptr || !open_inside(row, one, depth + 1))
            return false;
    }
    return true;
}

static json_t *value_shown(struct row *row, struct str column, bool number, struct str value)
{
    int64_t n;
    if (!value.ptr)
        return json_null();
    if (number)
        return str_i64(value, &n) ? json_integer(n) : json_null();
    if (row->table->json && pool_table_lists(row->table->json, column)) {
        json_t *doc = json_parse(row->call->arena, value, NULL);
        if (!doc)
            *row->why = str_printf(row->call->arena, "A document in %s.%.*s is damaged.", row->table->name, STR_FMT(column));
        return doc && open_inside(row, doc, 0) ? json_incref(doc) : NULL;
    }
    if (!is_sealed(value))
        return json_of(value);
    return opened(row, value, NULL, str_c(row->call->arena, column));
}

json_t *row_shown(struct call *call, const struct pool_table *table, const struct str *values, struct str *why)
{
    struct row row = { .call = call, .table = table, .values = values, .why = why };
    json_t *shown = json_own(call->arena, json_array());
    struct str column;
    bool number;
    *why = STR_NONE;
    json_array_append_new(shown, json_string(table->name));
    for (size_t i = 0; pool_table_column(table, i, &column, &number); i++) {
        json_t *value = value_shown(&row, column, number, values[i]);
        if (!value)
            return NULL;
        json_array_append_new(shown, value);
    }
    return shown;
}

/* ---- in ---- */

static struct str moved(const struct row *row, struct str text)
{
    const struct row_move *move = row->move;
    struct str client = json_value_str(json_at(move->clients, text));
    return str_eq(text, move->old_pool)                          ? move->new_pool
           : move->old_arn.len && str_eq(text, move->old_arn)    ? move->new_arn
           : client.ptr                                          ? client
                                                                 : text;
}

/* Only at places that the table knows. Absent: it is none. */
static struct str sealed_again(struct row *row, const json_t *shown, const char *member)
{
    struct str pattern = json_str(shown, "$sealed"), plain;
    for (size_t i = 0; i < COUNT(row->table->places) && row->table->places[i]; i++)
        if (str_is(pattern, row->table->places[i]) && json_str(shown, "$plain").ptr &&
            base64_decode(row->call->arena, json_str(shown, "$plain"), &plain))
            return seal(row->call->sealer, row->call->arena, place_of(row, pattern, member), plain);
    *row->why = str_printf(row->call->arena, "The export has a secret of %s for a place that is not known here.",
                           row->table->name);
    return STR_NONE;
}

static json_t *moved_inside(struct row *row, json_t *value, const char *member, int depth)
{
    const char *name;
    json_t *one, *fresh;
    size_t i;
    if (json_is_string(value))
        return json_of(moved(row, json_value_str(value)));
    if (depth > DEPTH)
        return json_incref(value);
    if (json_is_object(value) && json_object_get(value, "$sealed"))
        return json_of(sealed_again(row, value, member));
    if (json_is_object(value)) {
        fresh = json_object();
        json_object_foreach(value, name, one)
            json_object_set_new(fresh, name, moved_inside(row, one, name, depth + 1));
        return fresh;
    }
    if (!json_is_array(value))
        return json_incref(value);
    fresh = json_array();
    json_array_foreach(value, i, one)
        json_array_append_new(fresh, moved_inside(row, one, "", depth + 1));
    return fresh;
}

static const json_t *given(const json_t *names, const json_t *row, struct str column)
{
    const json_t *one;
    size_t i;
    json_array_foreach(names, i, one)
        if (str_eq(json_value_str(one), column))
            return json_array_get(row, i + 1);
    return NULL;
}

static bool bad(struct row *row, struct str column)
{
    *row->why = str_printf(row->call->arena, "The export has a %s with a %.*s that makes no sense.", row->table->name,
                           STR_FMT(column));
    return false;
}

/* Texts first: places of secrets and documents name them. */
static bool read_plain(struct row *row, const json_t *names, const json_t *from, struct db_value *values, struct str *texts)
{
    struct str column;
    bool number;
    for (size_t i = 0; pool_table_column(row->table, i, &column, &number); i++) {
        const json_t *value = given(names, from, column);
        values[i] = (struct db_value){ .type = 'n' };
        if (!value || json_is_null(value) || json_is_object(value) || json_is_array(value))
            continue;
        if (number && json_is_integer(value))
            values[i] = (struct db_value){ .type = 'i', .i = json_integer_value(value) };
        else if (!number && json_is_string(value))
            values[i] = (struct db_value){ .type = 's', .s = moved(row, json_value_str(value)) };
        else
            return bad(row, column);
        texts[i] = values[i].s;
    }
    return true;
}

static bool read_rest(struct row *row, const json_t *names, const json_t *from, struct db_value *values)
{
    struct str column;
    bool number;
    for (size_t i = 0; pool_table_column(row->table, i, &column, &number); i++) {
        json_t *value = (json_t *)(uintptr_t)given(names, from, column);
        bool is_doc = row->table->json && pool_table_lists(row->table->json, column);
        if (!json_is_object(value) && !json_is_array(value))
            continue;
        if (number)
            return bad(row, column);
        values[i].type = 's';
        if (is_doc && !json_object_get(value, "$sealed"))
            values[i].s = json_print(row->call->arena, json_own(row->call->arena, moved_inside(row, value, "", 0)));
        else
            values[i].s = sealed_again(row, value, NULL);
        if (row->why->ptr)
            return false;
    }
    return true;
}

bool row_read(struct call *call, const struct pool_table *table, const json_t *names, const json_t *from,
              const struct row_move *move, struct db_value *values, struct str *why)
{
    struct str texts[MOST_COLUMNS] = { { 0 } };
    struct row row = { .call = call, .table = table, .values = texts, .move = move, .why = why };
    *why = STR_NONE;
    if (!json_is_array(from) || !json_is_array(names) || json_array_size(from) != json_array_size(names) + 1 ||
        pool_table_columns(table) > MOST_COLUMNS)
        return bad(&row, STR("row"));
    return read_plain(&row, names, from, values, texts) && read_rest(&row, names, from, values);
}
