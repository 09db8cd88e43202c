/* From a recorded request to a fixture. */
#include "gateway/fixture.h"

#include <stdlib.h>

#include "core/uri.h"
#include "gateway/gateway.h"
#include "gateway/headers.h"
#include "gateway/recording.h"
#include "gateway/request.h"

static const char redacted[] = "REDACTED";

/* By name, without hyphens and underscores: "X-Api-Key", "client_secret", "accessToken". */
static bool is_secret(struct str name)
{
    static const char *const words[] = { "password", "passwd", "secret", "token", "apikey", "authorization", "cookie",
                                         "credential", "privatekey", "accesskey", "assertion", "signature" };
    char plain[64];
    size_t n = 0;
    for (size_t i = 0; i < name.len && n < sizeof plain; i++)
        if (name.ptr[i] != '-' && name.ptr[i] != '_')
            plain[n++] = (char)(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? name.ptr[i] | 32 : name.ptr[i]);
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_find_str((struct str){ plain, n }, str_of(words[i])) >= 0)
            return true;
    return header_is_secret(name);
}

static void redact(json_t *value)
{
    const char *name;
    json_t *child;
    size_t i;
    json_array_foreach(value, i, child)
        redact(child);
    json_object_foreach(value, name, child) {
        if (is_secret(str_of(name)) && !json_is_object(child) && !json_is_array(child) && !json_is_null(child))
            json_object_set_new(value, name, json_string(redacted));
        else
            redact(child);
    }
}

/* name=value&…: the values of secret names. */
static struct str redact_form(struct arena *arena, struct str body)
{
    struct strbuf out = strbuf_in(arena, body.len + 64);
    struct str rest = body, pair;
    while (str_split(&rest, '&', &pair)) {
        ptrdiff_t equals = str_find(pair, '=');
        struct str name = equals < 0 ? pair : str_sub(pair, 0, (size_t)equals);
        if (out.len)
            strbuf_char(&out, '&');
        strbuf_add(&out, equals >= 0 && is_secret(uri_decode(arena, name, true)) ? str_printf(arena, "%.*s=%s", STR_FMT(name), redacted)
                                                                              : pair);
    }
    return strbuf_view(&out);
}

/* The tree keeps the client's spelling; only a body with secrets is printed anew. */
static bool holds_secret(const struct jt *value)
{
    for (uint32_t i = 0; value->kind == JT_ARRAY && i < value->n; i++)
        if (holds_secret(&value->items[i]))
            return true;
    for (uint32_t i = 0; value->kind == JT_OBJECT && i < value->n; i++)
        if (is_secret(value->object->members[i].name) || holds_secret(&value->object->members[i].value))
            return true;
    return false;
}

static struct str redact_body(struct arena *arena, struct str body)
{
    const struct jt *tree = jt_parse(arena, body, NULL);
    if (tree && !holds_secret(tree))
        return body;
    json_t *json = json_parse(arena, body, NULL);
    if (!json)
        return tree ? STR("{}") : redact_form(arena, body);
    redact(json);
    return json_print(arena, json);
}

static json_t *as_json(struct arena *arena, struct vtl_value value)
{
    struct strbuf text = strbuf_in(arena, 512);
    if (!vtl_json(&text, value, 0))
        return NULL;
    json_t *json = json_parse(arena, strbuf_view(&text), NULL);
    redact(json);
    return json;
}

struct str fixture_capture(struct gw_request *r, const struct gw_template *tpl, const char *name, struct str payload)
{
    json_t *out = json_own(r->arena, json_object()), *params = json_own(r->arena, json_object());
    json_t *context = as_json(r->arena, gw_context_map(r));
    struct vtl_input input = { .arena = r->arena };
    gw_template_params(r, &input);
    json_object_del(context, "requestOverride");
    json_object_del(context, "responseOverride");
    json_object_set(params, "path", as_json(r->arena, input.path));
    json_object_set(params, "querystring", as_json(r->arena, input.querystring));
    json_object_set(params, "header", as_json(r->arena, input.header));
    json_set_str(out, "name", str_printf(r->arena, "%s template for %.*s of %.*s %.*s", name, STR_FMT(tpl->type),
                                         STR_FMT(r->method->http_method), STR_FMT(r->method->resource_path)));
    json_set_str(out, "template", vtl_template_text(tpl->tpl));
    json_set_str(out, "body", redact_body(r->arena, payload.ptr ? payload : STR("")));
    json_object_set(out, "params", params);
    json_object_set(out, "context", context);
    json_object_set(out, "stageVariables", as_json(r->arena, r->snapshot->variable_map));
    return json_print(r->arena, out);
}

static void expect_outcome(struct arena *arena, json_t *one)
{
    struct fixture_outcome outcome;
    const struct fixture f = { .kind = FIXTURE_TEMPLATE, .text = json_str(one, "template"), .body = json_str(one, "body"),
                               .params = json_object_get(one, "params"), .context = json_object_get(one, "context"),
                               .stage_variables = json_object_get(one, "stageVariables") };
    fixture_outcome(arena, &f, &outcome);
    json_t *expect = json_object();
    if (outcome.error.ptr) {
        json_set_str(expect, "error", outcome.error);
    } else {
        json_set_str(expect, "output", outcome.output);
        if (json_object_size(outcome.request_override))
            json_object_set(expect, "requestOverride", outcome.request_override);
        if (json_object_size(outcome.response_override))
            json_object_set(expect, "responseOverride", outcome.response_override);
    }
    json_object_set_new(one, "expect", expect);
}

struct str fixture_of_recording(struct arena *arena, struct str recording, struct str *why)
{
    json_t *templates = json_object_get(json_parse(arena, recording, why), "templates"), *one;
    size_t i;
    if (!json_array_size(templates)) {
        *why = STR("The request ran no template.");
        return STR_NONE;
    }
    json_array_foreach(templates, i, one)
        expect_outcome(arena, one);
    char *text = json_dumps(templates, JSON_INDENT(2));
    struct str out = text ? str_copy(arena, str_of(text)) : STR_NONE;
    free(text);
    return out;
}

struct str gateway_fixture(struct gateway *gateway, struct arena *arena, struct str id, struct str *why)
{
    struct str recording = recording_find(gateway, arena, id);
    if (recording.ptr)
        return fixture_of_recording(arena, recording, why);
    *why = STR("No such recording. A stage keeps its newest requests with `gatehouse options API STAGE recordRequests=true`.");
    return STR_NONE;
}
