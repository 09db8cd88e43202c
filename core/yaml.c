#include "core/yaml.h"

#include <stdlib.h>
#include <yaml.h>

#define MANY_NODES 100000
#define DEEPEST    100

struct reader {
    struct arena *arena;
    yaml_document_t document;
    size_t nodes;
    struct str why;
};

static bool convert(struct reader *r, int number, int depth, struct yaml *out);

static bool fail(struct reader *r, size_t line, const char *what)
{
    if (!r->why.ptr)
        r->why = str_printf(r->arena, "line %zu: %s", line + 1, what);
    return false;
}

static struct str text_of(struct reader *r, const yaml_node_t *node)
{
    return str_copy(r->arena, (struct str){ (const char *)node->data.scalar.value, node->data.scalar.length });
}

static bool convert_list(struct reader *r, const yaml_node_t *node, int depth, struct yaml *out)
{
    const yaml_node_item_t *from = node->data.sequence.items.start;
    out->kind = YAML_LIST;
    out->n = (size_t)(node->data.sequence.items.top - from);
    out->items = ARENA_ARRAY(r->arena, struct yaml, out->n + 1);
    for (size_t i = 0; i < out->n; i++)
        if (!convert(r, from[i], depth, &out->items[i]))
            return false;
    return true;
}

static bool convert_map(struct reader *r, const yaml_node_t *node, int depth, struct yaml *out)
{
    const yaml_node_pair_t *from = node->data.mapping.pairs.start;
    out->kind = YAML_MAP;
    out->n = (size_t)(node->data.mapping.pairs.top - from);
    out->items = ARENA_ARRAY(r->arena, struct yaml, out->n + 1);
    out->names = ARENA_ARRAY(r->arena, struct str, out->n + 1);
    out->name_lines = ARENA_ARRAY(r->arena, int, out->n + 1);
    for (size_t i = 0; i < out->n; i++) {
        const yaml_node_t *name = yaml_document_get_node(&r->document, from[i].key);
        if (!name || name->type != YAML_SCALAR_NODE)
            return fail(r, node->start_mark.line, "a name is not a plain text");
        out->names[i] = text_of(r, name);
        out->name_lines[i] = (int)name->start_mark.line + 1;
        for (size_t k = 0; k < i; k++)
            if (str_eq(out->names[k], out->names[i]))
                return fail(r, name->start_mark.line, "a name that occurs twice");
        if (!convert(r, from[i].value, depth, &out->items[i]))
            return false;
    }
    return true;
}

static bool convert(struct reader *r, int number, int depth, struct yaml *out)
{
    const yaml_node_t *node = yaml_document_get_node(&r->document, number);
    if (!node || depth > DEEPEST || ++r->nodes > MANY_NODES)
        return fail(r, node ? node->start_mark.line : 0, "too many nodes, or nested too deeply");
    out->line = (int)node->start_mark.line + 1;
    if (node->type == YAML_SEQUENCE_NODE)
        return convert_list(r, node, depth + 1, out);
    if (node->type == YAML_MAPPING_NODE)
        return convert_map(r, node, depth + 1, out);
    out->kind = YAML_TEXT;
    out->text = text_of(r, node);
    out->plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return true;
}

const struct yaml *yaml_parse(struct arena *arena, struct str text, struct str *why)
{
    struct reader r = { .arena = arena };
    yaml_parser_t parser;
    struct yaml *out = ARENA_NEW(arena, struct yaml);
    if (!yaml_parser_initialize(&parser)) {
        *why = STR("out of memory");
        return NULL;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.ptr ? text.ptr : ""), text.len);
    bool good = yaml_parser_load(&parser, &r.document);
    if (!good) {
        fail(&r, parser.problem_mark.line, parser.problem ? parser.problem : "no YAML");
    } else {
        const yaml_node_t *root = yaml_document_get_root_node(&r.document);
        good = root ? convert(&r, 1, 0, out) : fail(&r, 0, "the file is empty");
        yaml_document_delete(&r.document);
    }
    yaml_parser_delete(&parser);
    if (!good)
        *why = r.why;
    return good ? out : NULL;
}

const struct yaml *yaml_get(const struct yaml *map, const char *name)
{
    for (size_t i = 0; map && map->kind == YAML_MAP && i < map->n; i++)
        if (str_is(map->names[i], name))
            return &map->items[i];
    return NULL;
}

static json_t *scalar(const struct yaml *node)
{
    int64_t whole;
    char *end;
    if (!node->plain)
        return json_of(node->text);
    if (!node->text.len || str_is(node->text, "null") || str_is(node->text, "~"))
        return json_null();
    if (str_is(node->text, "true") || str_is(node->text, "false"))
        return json_boolean(node->text.len == 4);
    if (str_i64(node->text, &whole))
        return json_integer(whole);
    double real = strtod(node->text.ptr, &end);
    if (*end == '\0' && strspn(node->text.ptr, "0123456789+-.eE") == node->text.len)
        return json_real(real);
    return json_of(node->text);
}

static json_t *fresh_json(const struct yaml *node)
{
    if (node->kind == YAML_TEXT)
        return scalar(node);
    json_t *out = node->kind == YAML_LIST ? json_array() : json_object();
    for (size_t i = 0; i < node->n; i++) {
        if (node->kind == YAML_LIST)
            json_array_append_new(out, fresh_json(&node->items[i]));
        else
            json_object_setn_new(out, node->names[i].ptr, node->names[i].len, fresh_json(&node->items[i]));
    }
    return out;
}

json_t *yaml_json(struct arena *arena, const struct yaml *node)
{
    return json_own(arena, fresh_json(node));
}
