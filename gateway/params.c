/* What mappings, templates and events read of a request. */
#include "core/uri.h"
#include "gateway/request.h"

static void add_param(struct arena *arena, struct gw_params *params, struct str name, struct str value)
{
    if (params->n == params->cap) {
        size_t cap = params->cap ? params->cap * 2 : 8;
        struct gw_pair *items = ARENA_ARRAY(arena, struct gw_pair, cap);
        if (params->n)
            memcpy(items, params->items, params->n * sizeof *items);
        params->items = items;
        params->cap = cap;
    }
    params->items[params->n++] = (struct gw_pair){ name, value };
}

/* Recorded: names and values are decoded, '+' is a space; ';' splits as '&' does. */
struct gw_params *gw_query(struct gw_request *r)
{
    if (r->query_parsed)
        return &r->query;
    r->query_parsed = true;
    struct str rest = r->x->query, name, value;
    while (uri_query_next(&rest, &name, &value))
        if (name.len || value.ptr)
            add_param(r->arena, &r->query, uri_decode(r->arena, name, true),
                      value.ptr ? uri_decode(r->arena, value, true) : STR(""));
    return &r->query;
}

struct str gw_query_last(struct gw_request *r, struct str name)
{
    const struct gw_params *params = gw_query(r);
    for (size_t i = params->n; i-- > 0;)
        if (str_eq(params->items[i].name, name))
            return params->items[i].value;
    return STR_NONE;
}

/* "Header names are case-sensitive for mapping": the exact spelling first; another spelling is
 * better than nothing, since a client over HTTP/2 has no choice. */
struct str gw_header_last(const struct http_headers *headers, struct str name)
{
    for (size_t i = headers->n; i-- > 0;)
        if (str_eq(headers->items[i].name, name))
            return headers->items[i].value;
    for (size_t i = headers->n; i-- > 0;)
        if (str_eq_nocase(headers->items[i].name, name))
            return headers->items[i].value;
    return STR_NONE;
}

static struct str header_all(struct gw_request *r, const struct http_headers *headers, struct str name)
{
    struct strbuf out = { 0 };
    for (size_t i = 0; i < headers->n; i++) {
        if (!str_eq_nocase(headers->items[i].name, name))
            continue;
        if (!out.ptr)
            out = strbuf_in(r->arena, 128);
        else
            strbuf_char(&out, ',');
        strbuf_add(&out, headers->items[i].value);
    }
    return out.ptr ? strbuf_view(&out) : STR_NONE;
}

static struct str query_all(struct gw_request *r, struct str name)
{
    const struct gw_params *params = gw_query(r);
    struct strbuf out = { 0 };
    for (size_t i = 0; i < params->n; i++) {
        if (!str_eq(params->items[i].name, name))
            continue;
        if (!out.ptr)
            out = strbuf_in(r->arena, 128);
        else
            strbuf_char(&out, ',');
        strbuf_add(&out, params->items[i].value);
    }
    return out.ptr ? strbuf_view(&out) : STR_NONE;
}

struct str gw_path_param(struct gw_request *r, struct str name)
{
    for (size_t i = 0; i < r->match.n_params; i++)
        if (str_eq(r->match.params[i].name, name))
            return r->match.params[i].value;
    return STR_NONE;
}

const struct jt *gw_body_json(struct gw_request *r)
{
    if (!r->body_parsed) {
        struct str why = STR_NONE;
        r->body_parsed = true;
        r->body_json = jt_parse(r->arena, r->body, &why);
        if (!r->body_json && r->body.len)
            trace_note(&r->trace, "body is no JSON", why);
    }
    return r->body_json;
}

/* A function's errorMessage may be JSON itself: "integration.response.body.errorMessage.trace.function". */
static struct str answer_to_map(struct gw_request *r)
{
    if (!r->answer.function_error)
        return r->answer.body;
    json_t *error = json_parse(r->arena, r->answer.body, NULL);
    json_t *inner = json_parse(r->arena, json_str(error, "errorMessage"), NULL);
    if (!json_is_object(inner))
        return r->answer.body;
    json_object_set(error, "errorMessage", inner);
    return json_print(r->arena, error);
}

static struct str body_value(struct gw_request *r, struct str body, const struct jsonpath *path)
{
    if (!path)
        return body;
    const struct jt *json = body.ptr == r->body.ptr ? gw_body_json(r) : jt_parse(r->arena, body, NULL);
    const struct jt *found = jsonpath_find(r->arena, path, json, NULL);
    if (!found || found->kind == JT_NULL)
        return STR_NONE;
    return found->kind == JT_STRING ? jt_text(found) : jt_string(r->arena, found);
}

struct str gw_source_value(struct gw_request *r, const struct gw_source *source)
{
    switch (source->kind) {
    case SOURCE_STATIC:
        return source->name;
    case SOURCE_CONTEXT:
        return gw_context(r, source->name);
    case SOURCE_HEADER:
        return gw_header_last(&r->x->headers, source->name);
    case SOURCE_HEADER_MULTI:
        return header_all(r, &r->x->headers, source->name);
    case SOURCE_QUERY:
        return gw_query_last(r, source->name);
    case SOURCE_QUERY_MULTI:
        return query_all(r, source->name);
    case SOURCE_PATH:
        return gw_path_param(r, source->name);
    case SOURCE_BODY:
        return body_value(r, r->body, source->path);
    case SOURCE_ANSWER_HEADER:
        return gw_header_last(&r->answer.headers, source->name);
    case SOURCE_ANSWER_HEADER_MULTI:
        return header_all(r, &r->answer.headers, source->name);
    case SOURCE_ANSWER_BODY:
        return body_value(r, source->path ? answer_to_map(r) : r->answer.body, source->path);
    }
    return STR_NONE;
}

bool gw_header_dropped(struct str name)
{
    static const char *const dropped[] = {
        "Connection", "Content-Length",    "Content-MD5", "Expect",  "Max-Forwards", "Proxy-Authenticate", "Server",
        "TE",         "Transfer-Encoding", "Trailer",     "Upgrade", "WWW-Authenticate",
    };
    for (size_t i = 0; i < COUNT(dropped); i++)
        if (str_eq_nocase(name, str_of(dropped[i])))
            return true;
    return false;
}

struct str gw_mime(struct gw_request *r, struct str content_type)
{
    ptrdiff_t semicolon = str_find(content_type, ';');
    if (semicolon >= 0)
        content_type = str_sub(content_type, 0, (size_t)semicolon);
    content_type = str_trim(content_type);
    return content_type.len ? str_lower(r->arena, content_type) : STR("application/json");
}
