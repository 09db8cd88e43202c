/* Integration request: parameter mappings, template, passthrough behaviour, overrides.
 *
 * "Applied after the whole template and after the parameter mappings, so they win": overrides come
 * last. A missing Content-Type counts as application/json; only the MIME type is compared. */
#include "core/uri.h"
#include "gateway/content.h"
#include "gateway/headers.h"
#include "gateway/stage/stage.h"

static enum gw_next map_body(struct gw_request *r)
{
    const struct gw_integration *in = r->method->integration;
    struct str type = gw_mime(r, http_header_get(&r->x->headers, "Content-Type"));
    const struct gw_template *tpl = gw_pick_template(&in->templates, type);
    bool binary = snapshot_is_binary(r->snapshot, type), is_text;
    if (!content_convert(r->arena, r->body, binary, binary, in->content, &r->request.body, &is_text))
        return gw_misconfigured(r, "Unable to base64 decode the body", STR_NONE);
    if (tpl && tpl->tpl && !is_text) /* recorded: what is binary cannot be given to a template */
        return gw_misconfigured(r, "Unable to transform request",
                                STR("the body is binary (binaryMediaTypes): contentHandling CONVERT_TO_TEXT lets a template read it"));
    if (tpl && tpl->tpl) {
        trace_note(&r->trace, "request template", tpl->type);
        if (!gw_run_template(r, tpl, "request", r->request.body, &r->request.body))
            return gw_misconfigured(r, "Unable to transform request", r->integration_error);
        return GW_NEXT;
    }
    bool has_templates = in->templates.n > 0;
    bool refuse = !tpl && r->body.len && (in->passthrough == PASS_NEVER ||
                                          (in->passthrough == PASS_WHEN_NO_TEMPLATES && has_templates));
    if (refuse) {
        trace_note(&r->trace, "no request template for", type);
        return gw_fail(r, RESPONSE_UNSUPPORTED_MEDIA_TYPE);
    }
    return GW_NEXT;
}

/* "Mapping integration.request.header.Content-Length or Transfer-Encoding: 500 at run time", recorded. */
static enum gw_next map_headers(struct gw_request *r)
{
    const struct gw_integration *in = r->method->integration;
    if (in->forbidden_mapping)
        return gw_misconfigured(r, "header already present", str_of(in->forbidden_mapping));
    for (size_t i = 0; i < in->mappings.n; i++) {
        const struct gw_mapping *m = &in->mappings.items[i];
        struct str value = m->place == TO_HEADER ? gw_source_value(r, &m->source) : STR_NONE;
        if (value.ptr && !http_is_field_value(value))
            return gw_misconfigured(r, "Invalid request header", m->name);
        if (value.ptr)
            http_header_set(r->arena, &r->request.headers, m->name, value);
    }
    if (!r->request_override)
        return GW_NEXT;
    const struct vtl_value *group = vtl_map_find(r->request_override, STR("header"));
    for (size_t i = 0; group && group->kind == VTL_MAP && i < group->map->n; i++) {
        const struct vtl_entry *e = &group->map->entries[i];
        struct str value;
        bool broken;
        if (gw_override_header(r, e, &value, &broken))
            http_header_set(r->arena, &r->request.headers, e->key, value);
        if (broken)
            return gw_misconfigured(r, "Invalid request header", e->key);
    }
    return GW_NEXT;
}

static struct str override(struct gw_request *r, const char *group_name, struct str name)
{
    const struct vtl_value *group =
        r->request_override ? vtl_map_find(r->request_override, str_of(group_name)) : NULL;
    const struct vtl_value *value = group && group->kind == VTL_MAP ? vtl_map_find(group->map, name) : NULL;
    return value ? gw_override_text(r, *value) : STR_NONE;
}

/* The value for {name} in the endpoint's path: mapped, overridden, or the path parameter of that name. */
static struct str path_value(struct gw_request *r, struct str name)
{
    const struct gw_integration *in = r->method->integration;
    struct str value = override(r, "path", name);
    for (size_t i = 0; !value.ptr && i < in->mappings.n; i++)
        if (in->mappings.items[i].place == TO_PATH && str_eq(in->mappings.items[i].name, name))
            value = gw_source_value(r, &in->mappings.items[i].source);
    return value.ptr ? value : gw_path_param(r, name);
}

static bool is_plain(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
              c == '/' || c == '~'))
            return false;
    }
    return true;
}

/* "." and ".." would leave the path that the integration names. */
static bool climbs(struct str value)
{
    struct str part;
    while (str_split(&value, '/', &part))
        if (str_is(part, "..") || str_is(part, "."))
            return true;
    return false;
}

static void add_query(struct gw_request *r, struct strbuf *target, bool *any, struct str name, struct str value)
{
    strbuf_char(target, *any ? '&' : '?');
    *any = true;
    strbuf_add(target, uri_encode(r->arena, name, false));
    strbuf_char(target, '=');
    strbuf_add(target, uri_encode(r->arena, value, false));
}

/* HTTP_PROXY sends the client's query and appends the mapped one; HTTP sends the mapped one only. */
static void build_query(struct gw_request *r, struct strbuf *target)
{
    const struct gw_integration *in = r->method->integration;
    bool any = str_find((struct str){ target->ptr, target->len }, '?') >= 0;
    if (in->type == INTEGRATE_HTTP_PROXY && r->x->query.len) {
        strbuf_char(target, any ? '&' : '?');
        strbuf_add(target, r->x->query);
        any = true;
    }
    for (size_t i = 0; i < in->mappings.n; i++) {
        const struct gw_mapping *m = &in->mappings.items[i];
        struct str value = m->place == TO_QUERY ? gw_source_value(r, &m->source) : STR_NONE;
        if (value.ptr && !override(r, "querystring", m->name).ptr)
            add_query(r, target, &any, m->name, value);
    }
    const struct vtl_value *group =
        r->request_override ? vtl_map_find(r->request_override, STR("querystring")) : NULL;
    for (size_t i = 0; group && group->kind == VTL_MAP && i < group->map->n; i++) {
        const struct vtl_entry *e = &group->map->entries[i];
        struct str value = e->removed ? STR_NONE : gw_override_text(r, e->value);
        if (value.ptr)
            add_query(r, target, &any, e->key, value);
    }
}

static enum gw_next build_target(struct gw_request *r)
{
    const struct gw_integration *in = r->method->integration;
    if (in->n_parts == 1 && in->parts[0].text.ptr && !in->mappings.n && !r->request_override &&
        (in->type != INTEGRATE_HTTP_PROXY || !r->x->query.len)) {
        r->target = in->parts[0].text;
        return GW_NEXT;
    }
    struct strbuf target = strbuf_in(r->arena, 256);
    for (size_t i = 0; i < in->n_parts; i++) {
        if (in->parts[i].text.ptr) {
            strbuf_add(&target, in->parts[i].text);
            continue;
        }
        struct str value = path_value(r, in->parts[i].name);
        if (!is_plain(value)) { /* "decodes and re-encodes" */
            value = uri_decode(r->arena, value, false);
            if (climbs(value))
                return gw_misconfigured(r, "path parameter climbs out of the endpoint's path", value);
            value = uri_encode(r->arena, value, true);
        }
        strbuf_add(&target, value);
    }
    build_query(r, &target);
    r->target = strbuf_view(&target);
    return GW_NEXT;
}

/* A body that a parameter is to be taken from must be JSON. */
static bool is_readable(struct gw_request *r)
{
    const struct gw_integration *in = r->method->integration;
    for (size_t i = 0; r->body.len && i < in->mappings.n; i++)
        if (in->mappings.items[i].source.kind == SOURCE_BODY && in->mappings.items[i].source.path)
            return gw_body_json(r) != NULL;
    return true;
}

static enum gw_next map_in_enter(struct gw_request *r)
{
    const struct gw_integration *in = r->method->integration;
    if (!is_readable(r))
        return gw_fail_text(r, RESPONSE_BAD_REQUEST_BODY, STR("Invalid JSON in request body"));
    if (in->type != INTEGRATE_HTTP_PROXY) {
        enum gw_next next = map_body(r);
        if (next != GW_NEXT)
            return next;
    }
    enum gw_next next = map_headers(r);
    bool has_target = in->type == INTEGRATE_HTTP || in->type == INTEGRATE_HTTP_PROXY || in->service;
    if (next != GW_NEXT || !has_target)
        return next;
    return build_target(r);
}

const struct gw_step step_map_in = { "map_in", map_in_enter, NULL };
