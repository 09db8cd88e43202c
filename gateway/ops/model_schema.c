/* Checks of a model's schema, and its flattened form. */
#include "gateway/ops/model_schema.h"

#include "core/json_tree.h"
#include "gateway/compile/models.h"

/* Keywords beyond these are "unsupported": reported of example, discriminator, readOnly … */
static const char *const known[] = {
    "$ref", "$schema", "additionalItems", "additionalProperties", "allOf", "anyOf", "default", "definitions",
    "dependencies", "description", "enum", "exclusiveMaximum", "exclusiveMinimum", "format", "id", "items",
    "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum",
    "multipleOf", "not", "oneOf", "pattern", "patternProperties", "properties", "required", "title", "type",
    "uniqueItems",
};

struct survey {
    struct arena *arena;
    const json_t *api;
    struct strbuf unknown;     /* "a","b" */
    bool foreign;              /* a reference that is neither # nor a model's */
    struct str missing;        /* a model that is not there */
};

static bool is_known(struct str name)
{
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_is(name, known[i]))
            return true;
    return false;
}

static void look_at_reference(struct survey *s, struct str ref)
{
    struct str api_id, name = model_reference(ref, &api_id);
    if (ref.len && ref.ptr[0] == '#')
        return;
    if (!name.ptr || !str_eq(api_id, json_str(s->api, "id")))
        s->foreign = true;
    else if (!json_at(json_object_get(s->api, "models"), name))
        s->missing = name;
}

static void look_at(struct survey *s, const struct jt *schema);

static void look_into(struct survey *s, struct str keyword, const struct jt *value)
{
    bool by_name = str_is(keyword, "properties") || str_is(keyword, "patternProperties") ||
                   str_is(keyword, "definitions") || str_is(keyword, "dependencies");
    bool data = str_is(keyword, "enum") || str_is(keyword, "default");
    if (value->kind == JT_ARRAY && !data)
        for (uint32_t i = 0; i < value->n; i++)
            look_at(s, &value->items[i]);
    else if (value->kind == JT_OBJECT && by_name)
        for (uint32_t i = 0; i < value->n; i++)
            look_at(s, &value->object->members[i].value);
    else if (!data)
        look_at(s, value);
}

static void look_at(struct survey *s, const struct jt *schema)
{
    if (schema->kind != JT_OBJECT)
        return;
    for (uint32_t i = 0; i < schema->n; i++) {
        const struct jt_member *m = &schema->object->members[i];
        if (str_is(m->name, "$ref") && m->value.kind == JT_STRING)
            look_at_reference(s, jt_text(&m->value));
        if (is_known(m->name)) {
            look_into(s, m->name, &m->value);
        } else {
            if (s->unknown.len)
                strbuf_char(&s->unknown, ',');
            json_quote(&s->unknown, m->name);
        }
    }
}

struct str model_schema_errors(struct arena *arena, const json_t *api, struct str schema)
{
    struct str why = STR_NONE;
    const struct jt *tree = jt_parse(arena, schema, &why);
    if (!tree || tree->kind != JT_OBJECT)
        return STR("Invalid model schema specified");
    struct survey s = { .arena = arena, .api = api, .unknown = strbuf_in(arena, 64) };
    look_at(&s, tree);
    if (s.unknown.len)
        return str_printf(arena, "Invalid model schema specified. Unsupported keyword(s): [%s]",
                          strbuf_view(&s.unknown).ptr);
    if (!jsonschema_is_schema(arena, tree, &why))
        return s.foreign ? STR("Invalid model schema specified, Model reference must be in canonical form")
                         : STR("Invalid model schema specified");
    if (s.foreign)
        return STR("Model reference must be in canonical form");
    if (s.missing.ptr)
        return str_printf(arena, "Invalid model specified: %.*s", STR_FMT(s.missing));
    return model_compile_text(arena, api, schema, &why) ? STR_NONE : STR("Invalid model schema specified");
}

/* --- flattening --- */

struct flattener {
    struct arena *arena;
    const json_t *api;
    json_t *definitions;
};

static void flatten(struct flattener *f, json_t *value, int depth);

/* The model stands in the definitions, once. */
static void bring_in(struct flattener *f, struct str name)
{
    if (json_at(f->definitions, name))
        return;
    const json_t *model = json_at(json_object_get(f->api, "models"), name);
    json_t *schema = model ? json_deep_copy(json_parse(f->arena, json_str(model, "schema"), NULL)) : NULL;
    if (!schema)
        return;
    json_object_setn_new(f->definitions, name.ptr, name.len, schema);
    flatten(f, schema, 0);
}

static void flatten(struct flattener *f, json_t *value, int depth)
{
    const char *key;
    json_t *child;
    size_t i;
    if (depth > 500)
        return;
    struct str api_id, name = model_reference(json_str(value, "$ref"), &api_id);
    if (name.ptr) {
        bring_in(f, name);
        json_set_str(value, "$ref", str_printf(f->arena, "#/definitions/%.*s", STR_FMT(name)));
    }
    json_array_foreach(value, i, child)
        flatten(f, child, depth + 1);
    json_object_foreach(value, key, child)
        flatten(f, child, depth + 1);
}

json_t *model_flattened(struct arena *arena, const json_t *api, const json_t *model)
{
    json_t *schema = json_parse(arena, json_str(model, "schema"), NULL);
    json_t *copy = json_own(arena, json_deep_copy(model));
    if (!json_is_object(schema))
        return copy;
    struct flattener f = { arena, api, json_own(arena, json_object()) };
    flatten(&f, schema, 0);
    if (json_object_size(f.definitions)) {
        json_t *own = json_object_get(schema, "definitions");
        if (json_is_object(own))
            json_object_update_missing(own, f.definitions);
        else
            json_object_set(schema, "definitions", f.definitions);
    }
    json_set_str(copy, "schema", json_print(arena, schema));
    return copy;
}
