/* Running a mapping template over one payload of a request. */
#include "gateway/fixture/fixture.h"
#include "gateway/request.h"

static struct vtl_value path_map(struct gw_request *r)
{
    struct vtl_map *map = vtl_map_new(r->arena);
    for (size_t i = 0; i < r->match.n_params; i++)
        vtl_map_put(map, r->match.params[i].name, vtl_text(r->match.params[i].value));
    map->read_only = true;
    return vtl_map_value(map);
}

static struct vtl_value query_map(struct gw_request *r)
{
    struct vtl_map *map = vtl_map_new(r->arena);
    const struct gw_params *params = gw_query(r);
    for (size_t i = 0; i < params->n; i++) /* several values: the last one */
        vtl_map_put(map, params->items[i].name, vtl_text(params->items[i].value));
    map->read_only = true;
    return vtl_map_value(map);
}

static struct vtl_value header_map(struct gw_request *r)
{
    struct vtl_map *map = vtl_map_new(r->arena);
    for (size_t i = 0; i < r->x->headers.n; i++)
        if (!gw_header_dropped(r->x->headers.items[i].name))
            vtl_map_put(map, r->x->headers.items[i].name, vtl_text(r->x->headers.items[i].value));
    map->read_only = true;
    return vtl_map_value(map);
}

/* Many templates look at none of them; two templates of a request look at the same. */
void gw_template_params(struct gw_request *r, struct vtl_input *input)
{
    if (!r->param_maps[0].kind) {
        r->param_maps[0] = path_map(r);
        r->param_maps[1] = query_map(r);
        r->param_maps[2] = header_map(r);
    }
    input->path = r->param_maps[0];
    input->querystring = r->param_maps[1];
    input->header = r->param_maps[2];
}

static void fill_params(struct vtl_input *input)
{
    gw_template_params(input->user, input);
}

/* For the recording of the request: its template runs, parted by commas. */
static void keep_run(struct gw_request *r, struct str run)
{
    if (!r->template_runs.ptr)
        r->template_runs = strbuf_in(r->arena, run.len + 1);
    else
        strbuf_char(&r->template_runs, ',');
    strbuf_add(&r->template_runs, run);
}

bool gw_run_template(struct gw_request *r, const struct gw_template *tpl, const char *name, struct str payload,
                     struct str *out)
{
    struct vtl_input *input = ARENA_NEW(r->arena, struct vtl_input);
    *input = (struct vtl_input){ .arena = r->arena, .body = payload, .fill = fill_params, .user = r };
    if (payload.ptr == r->body.ptr && r->body_parsed) { /* a validator has read it */
        input->parsed = true;
        input->json = r->body_json;
    }
    if (r->snapshot->record)
        keep_run(r, fixture_capture(r, tpl, name, payload));
    struct vtl_scope *scope = vtl_scope_new(r->arena);
    vtl_scope_set(scope, STR("input"), vtl_input(input));
    vtl_scope_set(scope, STR("context"), gw_context_map(r));
    vtl_scope_set(scope, STR("stageVariables"), r->snapshot->variable_map);
    vtl_scope_set(scope, STR("util"), vtl_util());
    struct strbuf text = strbuf_in(r->arena, 256 + payload.len);
    struct vtl_where where = { 0 };
    bool good = vtl_run(tpl->tpl, scope, &vtl_limits_default, &text, &where);
    if (input->parsed && payload.ptr == r->body.ptr) {
        r->body_parsed = true;
        r->body_json = input->json;
    }
    if (!good) {
        struct str detail = str_printf(r->arena, "%s template %.*s, line %d, column %d: %.*s", name,
                                       STR_FMT(tpl->type), where.line, where.column, STR_FMT(where.message));
        trace_note(&r->trace, "template failed", detail);
        r->integration_error = detail;
    }
    *out = strbuf_view(&text);
    return good;
}

/* "Only the MIME type is compared"; $default is for everything else. */
const struct gw_template *gw_pick_template(const struct gw_templates *templates, struct str content_type)
{
    const struct gw_template *otherwise = NULL;
    for (size_t i = 0; i < templates->n; i++) {
        if (str_eq(templates->items[i].type, content_type))
            return &templates->items[i];
        if (str_is(templates->items[i].type, "$default"))
            otherwise = &templates->items[i];
    }
    return otherwise;
}

/* "header.multi = ['a', 'b']" is "a,b"; what is null sets nothing. */
struct str gw_override_text(struct gw_request *r, struct vtl_value value)
{
    if (value.kind == VTL_NULL)
        return STR_NONE;
    if (value.kind != VTL_LIST)
        return vtl_string(r->arena, value);
    struct strbuf out = strbuf_in(r->arena, 64);
    for (size_t i = 0; i < value.list->n; i++) {
        if (i)
            strbuf_char(&out, ',');
        strbuf_add(&out, vtl_string(r->arena, value.list->items[i]));
    }
    return strbuf_view(&out);
}

/* Headers that say how a message is framed or a connection is kept are nobody's to override. */
bool gw_override_header(struct gw_request *r, const struct vtl_entry *entry, struct str *value, bool *broken)
{
    *value = entry->removed ? STR_NONE : gw_override_text(r, entry->value);
    *broken = value->ptr && (!http_is_token(entry->key) || !http_is_field_value(*value));
    if (!value->ptr || *broken)
        return false;
    if (!http_is_hop_by_hop(entry->key) && !str_eq_nocase(entry->key, STR("Content-Length")))
        return true;
    trace_note(&r->trace, "override is left out", entry->key);
    return false;
}
