#include <stdlib.h>

#include "gateway/compile/compile.h"
#include "gateway/backend/service.h"

#include "gateway/options.h"

static const struct {
    const char *name;
    enum integration_type type;
} types[] = {
    { "MOCK", INTEGRATE_MOCK }, { "HTTP", INTEGRATE_HTTP },           { "HTTP_PROXY", INTEGRATE_HTTP_PROXY },
    { "AWS", INTEGRATE_AWS },   { "AWS_PROXY", INTEGRATE_AWS_PROXY },
};

#define INVOKING "/invocations"
#define STREAMING "/response-streaming-invocations"

/* "arn:aws:apigateway:R:lambda:path/2015-03-31/functions/ARN/invocations" -> ARN */
struct str compile_function(struct compiler *c, struct str uri)
{
    uri = compile_variables(c, uri);
    ptrdiff_t begin = str_find_str(uri, STR("/functions/"));
    size_t tail = strlen(str_ends(uri, str_of(STREAMING)) ? STREAMING : INVOKING);
    if (begin < 0 || !(str_ends(uri, str_of(INVOKING)) || str_ends(uri, str_of(STREAMING))))
        return STR_NONE;
    struct str rest = str_from(uri, (size_t)begin + strlen("/functions/"));
    if (rest.len < tail)
        return STR_NONE;
    return compile_copy(c, str_sub(rest, 0, rest.len - tail));
}

/* "To specify an IAM Role for Amazon API Gateway to assume, use the role's Amazon Resource Name (ARN). To
 * require that the caller's identity be passed through from the request, specify the string [any user of any
 * account]. To use resource-based permissions on supported Amazon Web Services services, specify null." */
bool compile_credentials(struct compiler *c, struct str text, enum acting *acting, struct str *role)
{
    struct str part[6], rest = compile_variables(c, text);
    *acting = ACT_AS_GATEWAY;
    if (!rest.len)
        return true;
    *role = compile_copy(c, rest);
    for (size_t i = 0; i < 5; i++)
        str_split(&rest, ':', &part[i]);
    bool iam = str_is(part[0], "arn") && str_is(part[2], "iam") && rest.ptr;
    if (iam && str_is(part[4], "*") && str_is(rest, "user/*")) {
        *acting = ACT_AS_CALLER;
        return true;
    }
    if (!iam || !str_starts(rest, STR("role/")))
        return compile_fail(c, "the credentials '%.*s' are neither a role nor arn:aws:iam::*:user/*", STR_FMT(*role));
    if (!str_eq(part[4], c->snapshot->account))
        return compile_fail(c, "the role %.*s is another account's: cross-account pass role is not allowed", STR_FMT(*role));
    *acting = ACT_AS_ROLE;
    return true;
}

/* The endpoint's path and query: text, and {name} for mapped path parameters. */
bool compile_parts(struct compiler *c, struct str path, struct gw_integration *out)
{
    out->parts = ARENA_ARRAY(c->arena, struct gw_uri_part, path.len + 2);
    if (path.len == 0 || path.ptr[0] != '/')
        out->parts[out->n_parts++].text = STR("/");
    while (path.len) {
        ptrdiff_t open = str_find(path, '{');
        size_t text = open < 0 ? path.len : (size_t)open;
        if (text)
            out->parts[out->n_parts++].text = compile_copy(c, str_sub(path, 0, text));
        if (open < 0)
            break;
        path = str_from(path, text + 1);
        ptrdiff_t close = str_find(path, '}');
        if (close <= 0)
            return compile_fail(c, "'{' without '}' in the integration's uri");
        struct str name = str_sub(path, 0, (size_t)close);
        if (name.ptr[name.len - 1] == '+')
            name.len--;
        out->parts[out->n_parts++].name = compile_copy(c, name);
        path = str_from(path, (size_t)close + 1);
    }
    return true;
}

static bool compile_endpoint(struct compiler *c, struct gw_integration *out)
{
    struct uri uri;
    struct str rest = out->uri;
    ptrdiff_t scheme = str_find_str(rest, STR("://"));
    if (scheme < 0)
        return compile_fail(c, "Invalid endpoint address ('%.*s' is no http(s) address)", STR_FMT(out->uri));
    size_t host_end = (size_t)scheme + 3;
    while (host_end < rest.len && !strchr("/?#", rest.ptr[host_end]))
        host_end++;
    /* only the part before the path is a plain URI: the path may hold {parameters} */
    if (!uri_parse(c->arena, str_sub(rest, 0, host_end), &uri) || !uri.host.len || uri.userinfo.ptr)
        return compile_fail(c, "Invalid endpoint address ('%.*s' is no http(s) address)", STR_FMT(out->uri));
    if (str_is(uri.scheme, "https") && c->source->outside)
        tls_trust_warm(c->source->outside->trust); /* here, and not on a loop */
    out->scheme = uri.scheme;
    out->host = uri.host;
    out->port = uri.port;
    size_t before = (size_t)scheme + 3;
    out->authority = compile_copy(c, str_sub(rest, before, host_end - before));
    return compile_parts(c, str_from(rest, host_end), out);
}

/* "HTTP and HTTP_PROXY: ports 80, 443 and above 1023", so that nobody's mail server is spoken to. */
static bool check_port(struct compiler *c, const struct gw_integration *out)
{
    return out->port == 80 || out->port == 443 || out->port >= 1024 ||
           compile_fail(c, "Invalid endpoint address ('%.*s': the port must be 80, 443 or at least 1024)", STR_FMT(out->uri));
}

/* Name of the link, one of its load balancers, or the listener that the integration names. */
static bool compile_link(struct compiler *c, const json_t *json, struct gw_integration *out)
{
    struct str id = compile_variables(c, json_str(json, "connectionId"));
    struct str listener = compile_variables(c, json_str(json, "integrationTarget"));
    const json_t *link = json_at(c->source->links, id);
    json_t *arns = json_object_get(link, "targetArns"), *arn;
    size_t i;
    if (!link)
        return compile_fail(c, "there is no VPC link '%.*s'", STR_FMT(id));
    if (listener.len) {
        out->link = outside_find_link(c->source->outside, listener);
        return out->link || compile_fail(c, "the integrationTarget %.*s has no targets here: --vpc-link %.*s=HOST:PORT says where "
                                            "it leads to", STR_FMT(listener), STR_FMT(listener));
    }
    out->link = outside_find_link(c->source->outside, json_str(link, "name"));
    json_array_foreach(arns, i, arn)
        if (!out->link)
            out->link = outside_find_link(c->source->outside, json_value_str(arn));
    return out->link || compile_fail(c, "the VPC link '%.*s' has no targets here: --vpc-link %.*s=HOST:PORT says where it leads to",
                                     STR_FMT(id), STR_FMT(json_str(link, "name")));
}

/* A function, or another AWS service. */
static bool compile_aws(struct compiler *c, const json_t *json, struct gw_integration *out)
{
    if (!compile_credentials(c, json_str(json, "credentials"), &out->acting, &out->role))
        return false;
    if (out->acting == ACT_AS_CALLER && c->method->authorization != AUTH_IAM)
        return compile_fail(c, "the caller's credentials can only be passed through by a method with AWS_IAM");
    out->function = compile_function(c, out->uri);
    if (!out->function.len)
        return compile_service(c, out);
    out->wrong_method = !str_is(out->http_method, "POST");
    if (out->stream != str_ends(out->uri, str_of(STREAMING)))
        return compile_fail(c, "responseTransferMode STREAM and a uri that ends in %s belong together", STREAMING);
    return true;
}

/* "For Regional or private endpoints, the timeout is 5 minutes. For edge-optimized endpoints, the timeout is 30
 * seconds." */
static void compile_transfer(struct compiler *c, const json_t *json, struct gw_integration *out)
{
    out->stream = str_is(json_str(json, "responseTransferMode"), "STREAM");
    out->idle_ms = (int)option_count(c->settings, "streamIdleSeconds", c->snapshot->edge ? 30 : 300) * 1000;
}

static bool compile_response(struct compiler *c, struct str status, const json_t *json,
                             struct gw_integration_response *out)
{
    struct str pattern = json_str(json, "selectionPattern"), content = json_str(json, "contentHandling");
    out->status = atoi(str_c(c->scratch, status));
    if (pattern.len) {
        out->pattern_text = compile_copy(c, pattern);
        out->pattern = regex_compile(c->arena, out->pattern_text);
        if (!out->pattern)
            return compile_fail(c, "selectionPattern '%.*s' does not compile", STR_FMT(pattern));
    }
    out->content = str_is(content, "CONVERT_TO_BINARY") ? CONTENT_TO_BINARY
                   : str_is(content, "CONVERT_TO_TEXT") ? CONTENT_TO_TEXT
                                                        : CONTENT_AS_IS;
    return compile_mappings(c, json_object_get(json, "responseParameters"), "method.response.", &out->mappings) &&
           compile_templates(c, json_object_get(json, "responseTemplates"), "response", &out->templates);
}

static bool compile_responses(struct compiler *c, const json_t *map, struct gw_integration *out)
{
    const char *status;
    json_t *json;
    out->responses = ARENA_ARRAY(c->arena, struct gw_integration_response, json_object_size(map) + 1);
    json_object_foreach((json_t *)(uintptr_t)map, status, json)
        if (!compile_response(c, str_of(status), json, &out->responses[out->n_responses++]))
            return false;
    return true;
}

static void find_forbidden(struct gw_integration *out)
{
    static const char *const never[] = { "Content-Length", "Transfer-Encoding" };
    static const char *const not_aws[] = { "Authorization", "Connection", "Expect", "Proxy-Authenticate", "TE" };
    bool aws = out->type == INTEGRATE_AWS || out->type == INTEGRATE_AWS_PROXY;
    for (size_t i = 0; i < out->mappings.n; i++) {
        struct str name = out->mappings.items[i].name;
        if (out->mappings.items[i].place != TO_HEADER)
            continue;
        for (size_t k = 0; k < COUNT(never); k++)
            if (str_eq_nocase(name, str_of(never[k])))
                out->forbidden_mapping = never[k];
        for (size_t k = 0; aws && k < COUNT(not_aws); k++)
            if (str_eq_nocase(name, str_of(not_aws[k])))
                out->forbidden_mapping = not_aws[k];
    }
}

static bool compile_kind(struct compiler *c, const json_t *json, struct gw_integration *out)
{
    struct str type = json_str(json, "type"), connection = json_str(json, "connectionType");
    size_t i = 0;
    while (i < COUNT(types) && !str_is(type, types[i].name))
        i++;
    if (i == COUNT(types))
        return compile_fail(c, "integration type '%.*s' is not known", STR_FMT(type));
    out->type = types[i].type;
    out->type_name = str_of(types[i].name);
    out->http_method = compile_copy(c, json_str(json, "httpMethod"));
    out->uri = compile_variables(c, json_str(json, "uri"));
    if (out->type == INTEGRATE_HTTP || out->type == INTEGRATE_HTTP_PROXY)
        return compile_endpoint(c, out) && (str_is(connection, "VPC_LINK") ? compile_link(c, json, out) : check_port(c, out));
    if (str_is(connection, "VPC_LINK"))
        return compile_fail(c, "connectionType VPC_LINK is for HTTP and HTTP_PROXY");
    return out->type == INTEGRATE_MOCK || compile_aws(c, json, out);
}

bool compile_integration(struct compiler *c, const json_t *json, struct gw_method *method)
{
    struct gw_integration *out = ARENA_NEW(c->arena, struct gw_integration);
    struct str passthrough = json_str(json, "passthroughBehavior"), content = json_str(json, "contentHandling");
    method->integration = out;
    c->method = method;
    out->timeout_ms = (int)json_i64(json, "timeoutInMillis", 29000);
    compile_transfer(c, json, out);
    out->insecure_tls = json_flag(json_object_get(json, "tlsConfig"), "insecureSkipVerification", false);
    out->passthrough = str_is(passthrough, "NEVER")               ? PASS_NEVER
                       : str_is(passthrough, "WHEN_NO_TEMPLATES") ? PASS_WHEN_NO_TEMPLATES
                                                                  : PASS_WHEN_NO_MATCH;
    out->content = str_is(content, "CONVERT_TO_BINARY") ? CONTENT_TO_BINARY
                   : str_is(content, "CONVERT_TO_TEXT") ? CONTENT_TO_TEXT
                                                        : CONTENT_AS_IS;
    if (!compile_kind(c, json, out) ||
        !compile_mappings(c, json_object_get(json, "requestParameters"), "integration.request.", &out->mappings) ||
        !compile_templates(c, json_object_get(json, "requestTemplates"), "request", &out->templates) ||
        !compile_responses(c, json_object_get(json, "integrationResponses"), out))
        return false;
    find_forbidden(out);
    return true;
}
