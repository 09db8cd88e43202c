/* The answer goes out: an integration's, or a gateway response.
 *
 * Gateway responses: own type, then DEFAULT_4XX or DEFAULT_5XX when that is configured, then the
 * built-in. "A set DEFAULT_5XX shows through"; its status code replaces the type's own. Templates
 * are no VTL: plain substitution of $context.x, $stageVariables.x and $method.request.….x.
 * Ours by default: errors carry the API's CORS headers, so that a browser shows the real error. */
#include "gateway/request.h"
#include "gateway/stage/stage.h"

static const struct gw_gateway_response *configured(const struct gw_request *r, int status)
{
    static const struct gw_gateway_response none;
    if (!r->snapshot || response_kinds[r->failure].fixed)
        return &none;
    if (r->snapshot->responses[r->failure].configured)
        return &r->snapshot->responses[r->failure];
    const struct gw_gateway_response *general =
        &r->snapshot->responses[status < 500 ? RESPONSE_DEFAULT_4XX : RESPONSE_DEFAULT_5XX];
    return general->configured ? general : &none;
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* The reference at the front of `text` ("$context.error.message"): its length, and its value. */
static size_t take_reference(struct gw_request *r, struct str text, struct str *value)
{
    static const struct {
        const char *prefix;
        enum source_kind kind;
    } places[] = {
        { "$context.", SOURCE_CONTEXT },
        { "$stageVariables.", SOURCE_STATIC },
        { "$method.request.header.", SOURCE_HEADER },
        { "$method.request.querystring.", SOURCE_QUERY },
        { "$method.request.path.", SOURCE_PATH },
    };
    for (size_t i = 0; i < COUNT(places); i++) {
        struct str prefix = str_of(places[i].prefix);
        if (!str_starts(text, prefix))
            continue;
        size_t end = prefix.len;
        while (end < text.len && (is_name(text.ptr[end]) || (places[i].kind == SOURCE_CONTEXT && text.ptr[end] == '.' &&
                                                             end + 1 < text.len && is_name(text.ptr[end + 1]))))
            end++;
        const struct gw_source source = { places[i].kind, str_sub(text, prefix.len, end - prefix.len), NULL };
        *value = source.kind == SOURCE_STATIC ? snapshot_variable(r->snapshot, source.name)
                                              : gw_source_value(r, &source);
        return end;
    }
    return 0;
}

static struct str substitute(struct gw_request *r, struct str template)
{
    struct strbuf out = strbuf_in(r->arena, template.len + 64);
    while (template.len) {
        struct str value = STR_NONE;
        size_t taken = template.ptr[0] == '$' ? take_reference(r, template, &value) : 0;
        if (taken)
            strbuf_add(&out, value);
        else
            strbuf_char(&out, template.ptr[0]);
        template = str_from(template, taken ? taken : 1);
    }
    return strbuf_view(&out);
}

static struct str default_body(struct gw_request *r)
{
    const struct response_kind *kind = &response_kinds[r->failure];
    struct strbuf out = strbuf_in(r->arena, 96);
    strbuf_printf(&out, "{\"%s\":%s", kind->key, kind->internal ? " " : "");
    strbuf_add(&out, gw_context(r, STR("error.messageString")));
    strbuf_char(&out, '}');
    return strbuf_view(&out);
}

static void add_cors(struct gw_request *r)
{
    if (http_header_has(&r->headers, "Access-Control-Allow-Origin"))
        return;
    const struct snapshot *s = r->snapshot;
    http_header_add(r->arena, &r->headers, STR("Access-Control-Allow-Origin"),
                    s && s->cors_origin.ptr ? s->cors_origin : STR("*"));
    if (s && s->cors_headers.ptr)
        http_header_add(r->arena, &r->headers, STR("Access-Control-Allow-Headers"), s->cors_headers);
    if (s && s->cors_methods.ptr)
        http_header_add(r->arena, &r->headers, STR("Access-Control-Allow-Methods"), s->cors_methods);
    http_header_add(r->arena, &r->headers, STR("Access-Control-Expose-Headers"),
                    r->rate.known ? STR("x-amzn-RequestId,x-amzn-ErrorType,x-amz-apigw-id,x-gatehouse-trace,"
                                        "RateLimit-Limit,RateLimit-Remaining,RateLimit-Reset,Retry-After")
                                  : STR("x-amzn-RequestId,x-amzn-ErrorType,x-amz-apigw-id,x-gatehouse-trace"));
}

/* By the client's Accept; the first one otherwise, as with integration responses. */
static const struct gw_template *pick(struct gw_request *r, const struct gw_templates *templates)
{
    struct str accept = http_header_get(&r->x->headers, "Accept"), first;
    const struct gw_template *found = NULL;
    if (accept.ptr && str_split(&accept, ',', &first))
        found = gw_pick_template(templates, gw_mime(r, first));
    if (!found)
        found = gw_pick_template(templates, STR("application/json"));
    return found ? found : &templates->items[0];
}

static void gateway_response(struct gw_request *r)
{
    const struct response_kind *kind = &response_kinds[r->failure];
    r->status = r->failure_status ? r->failure_status : kind->status;
    const struct gw_gateway_response *own = configured(r, r->status);
    if (own->status)
        r->status = own->status;
    struct str type = STR("application/json");
    r->headers = (struct http_headers){ 0 };
    if (own->templates.n) {
        const struct gw_template *tpl = pick(r, &own->templates);
        type = tpl->type;
        r->reply = substitute(r, tpl->text);
    } else {
        r->reply = default_body(r);
    }
    http_header_add(r->arena, &r->headers, STR("x-amzn-ErrorType"),
                    r->failure_error_type.ptr ? r->failure_error_type : str_of(kind->error_type));
    if (!r->trial || own->templates.n) /* recorded: a trial's default body has no type */
        http_header_add(r->arena, &r->headers, STR("Content-Type"), type);
    for (size_t i = 0; i < own->mappings.n; i++) {
        struct str value = gw_source_value(r, &own->mappings.items[i].source);
        if (value.ptr && http_is_field_value(value))
            http_header_set(r->arena, &r->headers, own->mappings.items[i].name, value);
    }
    if (!r->trial)
        add_cors(r);
}

/* "Method ARN > 1600 bytes with authorization: 414 Request URI too long". */
enum gw_next stage_uri_too_long(struct gw_request *r)
{
    r->failure_status = 414;
    return gw_fail_text(r, RESPONSE_DEFAULT_4XX, STR("Request URI too long"));
}

void stage_add_ids(struct gw_request *r)
{
    if (!r->trial) {
        http_header_add(r->arena, &r->headers, STR("x-amzn-RequestId"), r->request_id);
        http_header_add(r->arena, &r->headers, STR("x-amz-apigw-id"), r->extended_id);
    stage_add_rate(r);
    }
    if ((r->integrated || r->from_cache) && r->method->integration->type != INTEGRATE_MOCK) /* recorded: not with MOCK */
        http_header_add(r->arena, &r->headers, STR("X-Amzn-Trace-Id"), r->trace_header);
    if (r->gateway->config.explain && !r->trial)
        http_header_add(r->arena, &r->headers, STR("x-gatehouse-trace"), (struct str){ r->trace.id, TRACE_ID });
}

static void add_line(struct strbuf *out, struct str name, struct str value)
{
    strbuf_add(out, name);
    strbuf_add(out, value);
    strbuf_add(out, STR("\r\n"));
}

/* As stage_add_ids, behind the lines of a cached answer: what is ours needs no look at its characters. */
static struct str kept_lines(struct gw_request *r)
{
    struct strbuf out = strbuf_in(r->arena, r->kept_head.len + r->trace_header.len + 192);
    strbuf_add(&out, r->kept_head);
    add_line(&out, STR("x-amzn-RequestId: "), r->request_id);
    add_line(&out, STR("x-amz-apigw-id: "), r->extended_id);
    if (r->method->integration->type != INTEGRATE_MOCK && http_is_field_value(r->trace_header))
        add_line(&out, STR("X-Amzn-Trace-Id: "), r->trace_header);
    if (r->gateway->config.explain)
        add_line(&out, STR("x-gatehouse-trace: "), (struct str){ r->trace.id, TRACE_ID });
    stage_add_rate(r);
    return strbuf_view(&out);
}

static enum gw_next respond_enter(struct gw_request *r)
{
    if (r->replied)
        return GW_NEXT;
    /* a method without integration (AWS refuses to deploy such a one), or a status that only announces an answer */
    if (!r->failed && r->status < 200)
        gw_fail(r, RESPONSE_API_CONFIGURATION_ERROR);
    if (r->failed) {
        r->kept_head = STR_NONE;
        gateway_response(r);
        if (r->status < 200)
            r->status = 500;
    }
    struct str lines = r->kept_head.ptr ? kept_lines(r) : STR_NONE;
    if (!lines.ptr)
        stage_add_ids(r);
    r->replied = true;
    r->reply_bytes = (int64_t)r->reply.len;
    http_reply_kept(r->x, r->status, lines, &r->headers, r->reply.ptr ? r->reply : STR(""));
    return GW_NEXT;
}

const struct gw_step step_respond = { "respond", respond_enter, NULL };
