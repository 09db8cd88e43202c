/* Integration response: which one, its parameters, its template.
 *
 * selectionPattern is "a Java regex, whole match": on the status code, for a function on its
 * errorMessage (the empty string when there is none). "No pattern = default response"; first match
 * wins; no match and no default is 500. The answer's status is the integration response's. */
#include "gateway/content.h"
#include "gateway/headers.h"
#include "gateway/stage/stage.h"

static struct str selector(struct gw_request *r)
{
    if (r->method->integration->type != INTEGRATE_AWS || r->method->integration->service)
        return str_printf(r->arena, "%d", r->answer.status);
    if (!r->answer.function_error)
        return STR("");
    struct str message = json_str(json_parse(r->arena, r->answer.body, NULL), "errorMessage");
    return message.ptr ? message : STR("");
}

static const struct gw_integration_response *select_response(struct gw_request *r, struct str text)
{
    const struct gw_integration *in = r->method->integration;
    const struct gw_integration_response *otherwise = NULL;
    for (size_t i = 0; i < in->n_responses; i++) {
        const struct gw_integration_response *one = &in->responses[i];
        if (in->type == INTEGRATE_MOCK) { /* statusCode chooses by pattern, or is the default's business */
            if (one->pattern ? regex_matches_whole(one->pattern, text) : one->status == r->answer.status)
                return one;
            if (!one->pattern)
                otherwise = otherwise ? otherwise : one;
        } else if (!one->pattern) {
            otherwise = otherwise ? otherwise : one;
        } else if (regex_matches_whole(one->pattern, text)) {
            return one;
        }
    }
    return otherwise;
}

static bool is_declared(const struct gw_method *method, int status)
{
    for (size_t i = 0; i < method->n_statuses; i++)
        if (method->statuses[i] == status)
            return true;
    return false;
}

/* A value with a line break, or a name that is none, would be a header of somebody else's making. */
static enum gw_next add_mapped(struct gw_request *r, struct str name, struct str value)
{
    const struct header_rule *rule = name.len ? header_rule(name) : NULL;
    enum header_fate fate = rule ? rule->answer_mapped : HEADER_PASS;
    if (!http_is_token(name) || !http_is_field_value(value))
        return gw_misconfigured(r, "Invalid response header", name);
    if (fate != HEADER_DROP)
        http_header_set(r->arena, &r->headers, fate == HEADER_REMAP ? str_of(rule->remapped) : name, value);
    return GW_NEXT;
}

static enum gw_next map_headers(struct gw_request *r, const struct gw_integration_response *response)
{
    enum gw_next next = GW_NEXT;
    for (size_t i = 0; i < response->mappings.n && next == GW_NEXT; i++) {
        struct str value = gw_source_value(r, &response->mappings.items[i].source);
        if (value.ptr)
            next = add_mapped(r, response->mappings.items[i].name, value);
    }
    return next;
}

/* "status must be an integer 100-599, else ignored"; so are those below 200, which announce an answer and are none. */
static void override_status(struct gw_request *r, struct vtl_value status)
{
    int64_t code = 0;
    if (status.kind == VTL_INT)
        code = status.integer;
    else if (!str_i64(vtl_string(r->arena, status), &code))
        code = 0;
    if (code >= 200 && code <= 599)
        r->status = (int)code;
    else
        trace_note(&r->trace, "responseOverride.status is left out", vtl_string(r->arena, status));
}

static enum gw_next apply_overrides(struct gw_request *r)
{
    enum gw_next next = GW_NEXT;
    if (!r->response_override)
        return next;
    const struct vtl_value *status = vtl_map_find(r->response_override, STR("status"));
    if (status && status->kind != VTL_NULL)
        override_status(r, *status);
    const struct vtl_value *headers = vtl_map_find(r->response_override, STR("header"));
    for (size_t i = 0; headers && headers->kind == VTL_MAP && i < headers->map->n && next == GW_NEXT; i++) {
        const struct vtl_entry *e = &headers->map->entries[i];
        struct str value;
        bool broken;
        if (gw_override_header(r, e, &value, &broken))
            next = add_mapped(r, e->key, value);
        else if (broken)
            next = gw_misconfigured(r, "Invalid response header", e->key);
    }
    return next;
}

/* "By the request's Accept; no match: application/json's, else the first; none: pass through." */
static const struct gw_template *pick(struct gw_request *r, const struct gw_templates *templates)
{
    struct str accept = http_header_get(&r->x->headers, "Accept"), first;
    const struct gw_template *found = NULL;
    if (!templates->n)
        return NULL;
    if (accept.ptr && str_split(&accept, ',', &first))
        found = gw_pick_template(templates, gw_mime(r, first));
    if (!found)
        found = gw_pick_template(templates, STR("application/json"));
    return found ? found : &templates->items[0];
}

/* The payload's type is the endpoint's Content-Type, a function's is JSON: of a string that has to become binary,
 * what is in it. "API Gateway only honors the first Accept media type." No payload is no binary one. */
static bool convert(struct gw_request *r, const struct gw_integration_response *response, bool *is_text)
{
    struct str payload = r->answer.body.ptr ? r->answer.body : STR(""), accept, first = STR_NONE;
    struct str type = gw_mime(r, http_header_get(&r->answer.headers, "Content-Type"));
    accept = http_header_get(&r->x->headers, "Accept");
    if (accept.ptr)
        str_split(&accept, ',', &first);
    if (!payload.len) {
        r->reply = payload;
        return *is_text = true;
    }
    bool binary = snapshot_is_binary(r->snapshot, type), wanted = snapshot_is_binary(r->snapshot, first);
    if (r->method->integration->type == INTEGRATE_AWS && payload.ptr[0] == '"' && !binary &&
        (response->content == CONTENT_TO_BINARY || (response->content == CONTENT_AS_IS && wanted))) {
        json_t *text = json_parse(r->arena, payload, NULL);
        payload = json_is_string(text) ? json_value_str(text) : payload;
    }
    return content_convert(r->arena, payload, binary, wanted, response->content, &r->reply, is_text);
}

static enum gw_next map_body(struct gw_request *r, const struct gw_integration_response *response)
{
    const struct gw_template *tpl = pick(r, &response->templates);
    bool is_text;
    if (!convert(r, response, &is_text))
        return gw_misconfigured(r, "Unable to base64 decode the body", STR_NONE);
    struct str type = tpl ? tpl->type : http_header_get(&r->answer.headers, "Content-Type");
    if (tpl && tpl->tpl && !is_text)
        return gw_misconfigured(r, "Unable to transform response",
                                STR("the payload is binary (binaryMediaTypes): contentHandling CONVERT_TO_TEXT lets a template read it"));
    if (tpl && tpl->tpl) {
        trace_note(&r->trace, "response template", tpl->type);
        if (!gw_run_template(r, tpl, "response", r->reply, &r->reply))
            return gw_misconfigured(r, "Unable to transform response", r->integration_error);
    }
    if (!http_header_has(&r->headers, "Content-Type"))
        http_header_add(r->arena, &r->headers, STR("Content-Type"),
                        type.len && type.ptr[0] != '$' ? type : STR("application/json"));
    return GW_NEXT;
}

static enum gw_next map_out_enter(struct gw_request *r)
{
    struct str text = selector(r);
    const struct gw_integration_response *response = select_response(r, text);
    if (!response)
        return gw_misconfigured(r,
                                "No match for output mapping and no default output mapping configured. Endpoint "
                                "Response Status Code",
                                str_printf(r->arena, "%d", r->answer.status));
    if (!is_declared(r->method, response->status))
        return gw_misconfigured(r, "the integration response's status is no method response",
                                str_printf(r->arena, "%d", response->status));
    trace_note(&r->trace, "integration response",
               response->pattern ? response->pattern_text : STR("default"));
    r->status = response->status;
    enum gw_next next = map_headers(r, response);
    if (next == GW_NEXT)
        next = map_body(r, response);
    return next == GW_NEXT ? apply_overrides(r) : next;
}

const struct gw_step step_map_out = { "map_out", map_out_enter, NULL };
