/* GetModelTemplate: a sample template that writes a payload of the model's form. */
#include "gateway/compile/models.h"
#include "gateway/ops/model_schema.h"

#define DEEPEST 10 /* models that hold themselves end here */

struct writer {
    struct arena *arena;
    const json_t *api;
    const json_t *root;
    struct strbuf out;
};

static void write_value(struct writer *w, const json_t *schema, struct str place, int depth);

static void indent(struct writer *w, int depth)
{
    strbuf_char(&w->out, '\n');
    for (int i = 0; i < depth; i++)
        strbuf_add(&w->out, STR("  "));
}

/* Through $ref, to the model or the definition that is meant. */
static const json_t *resolve(struct writer *w, const json_t *schema)
{
    for (int hops = 0; hops < DEEPEST; hops++) {
        struct str ref = json_str(schema, "$ref"), api_id, name = model_reference(ref, &api_id);
        if (name.ptr)
            schema = json_parse(w->arena, json_str(json_at(json_object_get(w->api, "models"), name), "schema"), NULL);
        else if (str_starts(ref, STR("#/definitions/")))
            schema = json_at(json_object_get(w->root, "definitions"), str_from(ref, 14));
        else
            break;
    }
    return schema;
}

static void write_object(struct writer *w, const json_t *schema, struct str place, int depth)
{
    const char *name;
    json_t *child;
    bool first = true;
    strbuf_char(&w->out, '{');
    json_object_foreach(json_object_get(schema, "properties"), name, child) {
        if (!first)
            strbuf_char(&w->out, ',');
        first = false;
        indent(w, depth + 1);
        json_quote(&w->out, str_of(name));
        strbuf_add(&w->out, STR(" : "));
        write_value(w, child, str_printf(w->arena, "%.*s.%s", STR_FMT(place), name), depth + 1);
    }
    indent(w, depth);
    strbuf_char(&w->out, '}');
}

static void write_list(struct writer *w, const json_t *schema, struct str place, int depth)
{
    struct str element = depth ? str_printf(w->arena, "$elem%d", depth) : STR("$elem");
    strbuf_char(&w->out, '[');
    strbuf_printf(&w->out, "\n#foreach(%s in %.*s)", element.ptr, STR_FMT(place));
    indent(w, depth + 1);
    write_value(w, json_object_get(schema, "items"), element, depth + 1);
    strbuf_add(&w->out, STR("#if($foreach.hasNext),#end\n\n#end"));
    indent(w, depth);
    strbuf_char(&w->out, ']');
}

static bool has_type(const json_t *schema, const char *type)
{
    json_t *types = json_object_get(schema, "type"), *one;
    size_t i;
    json_array_foreach(types, i, one)
        if (str_is(json_value_str(one), type))
            return true;
    return str_is(json_value_str(types), type);
}

static void write_value(struct writer *w, const json_t *schema, struct str place, int depth)
{
    schema = resolve(w, schema);
    if (depth > DEEPEST)
        strbuf_add(&w->out, STR("null"));
    else if (has_type(schema, "object") || json_object_get(schema, "properties"))
        write_object(w, schema, place, depth);
    else if (has_type(schema, "array") || json_object_get(schema, "items"))
        write_list(w, schema, place, depth);
    else if (has_type(schema, "number") || has_type(schema, "integer") || has_type(schema, "boolean"))
        strbuf_add(&w->out, place);
    else
        strbuf_printf(&w->out, "\"%.*s\"", STR_FMT(place));
}

struct str model_template(struct arena *arena, const json_t *api, const json_t *model)
{
    const json_t *schema = json_parse(arena, json_str(model, "schema"), NULL);
    struct writer w = { arena, api, schema, strbuf_in(arena, 1024) };
    strbuf_add(&w.out, STR("#set($inputRoot = $input.path('$'))\n"));
    write_value(&w, schema, STR("$inputRoot"), 0);
    return strbuf_view(&w.out);
}
