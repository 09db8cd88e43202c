#include "core/option.h"

#include <math.h>
#include <stdlib.h>

const struct option_spec *option_find(const struct option_table *table, const char *name)
{
    for (size_t i = 0; i < table->n; i++)
        if (strcmp(table->specs[i].name, name) == 0)
            return &table->specs[i];
    return NULL;
}

static bool unknown(struct arena *arena, const struct option_table *table, const char *name, struct str *why)
{
    struct strbuf all = strbuf_in(arena, 256);
    for (size_t i = 0; i < table->n; i++)
        strbuf_printf(&all, "%s%s", i ? ", " : "", table->specs[i].name);
    *why = str_printf(arena, "No option is called %s. There are: %.*s", name, STR_FMT(strbuf_view(&all)));
    return false;
}

static bool is_choice(const char *choices, struct str text)
{
    struct str all = str_of(choices), one;
    while (str_split(&all, '|', &one))
        if (str_eq(one, text))
            return true;
    return false;
}

static json_t *read_flag(const json_t *given)
{
    struct str text = json_value_str(given);
    bool on = json_is_true(given) || str_is(text, "true"), off = json_is_false(given) || str_is(text, "false");
    return on || off ? json_boolean(on) : NULL;
}

static json_t *read_number(struct arena *arena, const struct option_spec *option, const json_t *given)
{
    double number = json_number_value(given);
    struct str text = json_value_str(given);
    if (text.len) {
        char *end = NULL;
        number = strtod(str_c(arena, text), &end);
        if (*end)
            return NULL;
    } else if (!json_is_number(given)) {
        return NULL;
    }
    if (!(number >= option->min && number <= option->max)) /* NaN is out of every range */
        return NULL;
    if (option->kind == OPTION_NUMBER)
        return json_real(number);
    return number == floor(number) ? json_integer((json_int_t)number) : NULL;
}

static json_t *read_text(const struct option_spec *option, const json_t *given)
{
    struct str text = json_value_str(given);
    if (!text.len || text.len > (size_t)option->max || (option->choices && !is_choice(option->choices, text)))
        return NULL;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            return NULL;
    return json_of(text);
}

/* A new reference, or NULL: not of the option's kind or out of its range. */
static json_t *read_value(struct arena *arena, const struct option_spec *option, const json_t *given)
{
    if (option->kind == OPTION_FLAG)
        return read_flag(given);
    bool text = option->kind == OPTION_TEXT || option->kind == OPTION_SECRET;
    return text ? read_text(option, given) : read_number(arena, option, given);
}

static bool wrong(struct arena *arena, const struct option_spec *option, struct str *why)
{
    static const char *const kinds[] = { "true or false", "a whole number", "a number", "a text", "a text" };
    if (option->choices)
        *why = str_printf(arena, "Invalid value for option %s: one of %s", option->name, option->choices);
    else if (option->kind == OPTION_COUNT || option->kind == OPTION_NUMBER)
        *why = str_printf(arena, "Invalid value for option %s: %s from %g to %.15g", option->name, kinds[option->kind],
                          option->min, option->max);
    else
        *why = str_printf(arena, "Invalid value for option %s: %s", option->name, kinds[option->kind]);
    return false;
}

bool options_change(struct arena *arena, const struct option_table *table, json_t *options, const json_t *changes,
                    struct str *why)
{
    const char *name;
    json_t *given;
    json_object_foreach((json_t *)changes, name, given) {
        const struct option_spec *option = option_find(table, name);
        if (!option)
            return unknown(arena, table, name, why);
        if (json_is_null(given)) {
            json_object_del(options, name);
            continue;
        }
        json_t *value = read_value(arena, option, given);
        if (!value)
            return wrong(arena, option, why);
        json_object_set_new(options, name, value);
    }
    return true;
}

static json_t *value_of(const json_t *settings, const char *name)
{
    return json_object_get(json_object_get(settings, "options"), name);
}

bool option_flag(const json_t *settings, const char *name)
{
    return json_is_true(value_of(settings, name));
}

int64_t option_count(const json_t *settings, const char *name, int64_t otherwise)
{
    return json_i64(json_object_get(settings, "options"), name, otherwise);
}

double option_number(const json_t *settings, const char *name, double otherwise)
{
    json_t *value = value_of(settings, name);
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

struct str option_text(const json_t *settings, const char *name)
{
    return json_value_str(value_of(settings, name));
}
