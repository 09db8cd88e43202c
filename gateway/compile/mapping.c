/* Parameter mappings and templates. */
#include "gateway/compile/compile.h"

static const struct {
    const char *prefix;
    enum source_kind kind;
} sources[] = {
    { "method.request.header.", SOURCE_HEADER },
    { "method.request.multivalueheader.", SOURCE_HEADER_MULTI },
    { "method.request.querystring.", SOURCE_QUERY },
    { "method.request.multivaluequerystring.", SOURCE_QUERY_MULTI },
    { "method.request.path.", SOURCE_PATH },
    { "context.", SOURCE_CONTEXT },
    { "integration.response.header.", SOURCE_ANSWER_HEADER },
    { "integration.response.multivalueheader.", SOURCE_ANSWER_HEADER_MULTI },
};

static bool compile_body(struct compiler *c, struct str text, const char *prefix, enum source_kind kind,
                         struct gw_source *out)
{
    struct str path = str_from(text, strlen(prefix)), why;
    out->kind = kind;
    if (path.len == 0)
        return true;
    if (path.ptr[0] == '.')
        path = str_from(path, 1);
    out->path = jsonpath_compile(c->arena, compile_copy(c, path), &why);
    return out->path || compile_fail(c, "'%.*s': %.*s", STR_FMT(text), STR_FMT(why));
}

bool compile_source(struct compiler *c, struct str text, struct gw_source *out)
{
    *out = (struct gw_source){ 0 };
    if (text.len >= 2 && text.ptr[0] == '\'' && text.ptr[text.len - 1] == '\'') {
        out->name = compile_copy(c, str_sub(text, 1, text.len - 2));
        return true;
    }
    if (str_starts(text, STR("stageVariables."))) { /* fixed for this stage */
        out->name = snapshot_variable(c->snapshot, str_from(text, strlen("stageVariables.")));
        return true;
    }
    for (size_t i = 0; i < COUNT(sources); i++) {
        if (!str_starts(text, str_of(sources[i].prefix)))
            continue;
        out->kind = sources[i].kind;
        out->name = compile_copy(c, str_from(text, strlen(sources[i].prefix)));
        return true;
    }
    if (str_starts(text, STR("method.request.body")))
        return compile_body(c, text, "method.request.body", SOURCE_BODY, out);
    if (str_starts(text, STR("integration.response.body")))
        return compile_body(c, text, "integration.response.body", SOURCE_ANSWER_BODY, out);
    return compile_fail(c, "mapping source '%.*s' is not known", STR_FMT(text));
}

static bool compile_target(struct compiler *c, struct str text, struct gw_mapping *out)
{
    static const struct {
        const char *prefix;
        enum mapping_place place;
    } places[] = { { "header.", TO_HEADER }, { "querystring.", TO_QUERY }, { "path.", TO_PATH } };
    for (size_t i = 0; i < COUNT(places); i++) {
        if (!str_starts(text, str_of(places[i].prefix)))
            continue;
        out->place = places[i].place;
        out->name = compile_copy(c, str_from(text, strlen(places[i].prefix)));
        return true;
    }
    return compile_fail(c, "mapping target '%.*s' is not known", STR_FMT(text));
}

bool compile_mappings(struct compiler *c, const json_t *map, const char *target_prefix, struct gw_mappings *out)
{
    const char *name;
    json_t *value;
    out->items = ARENA_ARRAY(c->arena, struct gw_mapping, json_object_size(map) + 1);
    json_object_foreach((json_t *)(uintptr_t)map, name, value) {
        struct gw_mapping *mapping = &out->items[out->n];
        if (!json_is_string(value))
            continue;
        if (!str_starts(str_of(name), str_of(target_prefix)))
            return compile_fail(c, "mapping target '%s' does not begin with %s", name, target_prefix);
        if (!compile_target(c, str_from(str_of(name), strlen(target_prefix)), mapping) ||
            !compile_source(c, json_value_str(value), &mapping->source))
            return false;
        out->n++;
    }
    return true;
}

bool compile_templates(struct compiler *c, const json_t *map, const char *what, struct gw_templates *out)
{
    const char *name;
    json_t *value;
    out->items = ARENA_ARRAY(c->arena, struct gw_template, json_object_size(map) + 1);
    json_object_foreach((json_t *)(uintptr_t)map, name, value) {
        struct gw_template *tpl = &out->items[out->n++];
        struct vtl_where where;
        tpl->type = str_lower(c->arena, str_of(name));
        if (!json_is_string(value) || json_string_length(value) == 0) /* null or "": passes through */
            continue;
        tpl->text = compile_copy(c, json_value_str(value));
        tpl->tpl = vtl_parse(c->arena, tpl->text, &where);
        if (!tpl->tpl)
            return compile_fail(c, "%s template %s, line %d, column %d: %.*s", what, name, where.line, where.column,
                                STR_FMT(where.message));
    }
    return true;
}

bool compile_plain_templates(struct compiler *c, const json_t *map, struct gw_templates *out)
{
    const char *name;
    json_t *value;
    out->items = ARENA_ARRAY(c->arena, struct gw_template, json_object_size(map) + 1);
    json_object_foreach((json_t *)(uintptr_t)map, name, value)
        if (json_is_string(value))
            out->items[out->n++] = (struct gw_template){ .type = compile_copy(c, str_of(name)),
                                                         .text = compile_copy(c, json_value_str(value)) };
    return true;
}
