/* Events for functions: AWS_PROXY payload 1.0 and authorizers, built as text, exactly as recorded. */
#include <inttypes.h>

#include "core/base64.h"
#include "core/time.h"
#include "gateway/headers.h"
#include "gateway/stage/stage.h"

struct str stage_method_arn(struct gw_request *r)
{
    if (r->method_arn.ptr)
        return r->method_arn;
    struct str path = r->path.len && r->path.ptr[0] == '/' ? str_from(r->path, 1) : r->path;
    struct strbuf arn = strbuf_in(r->arena, r->snapshot->arn_prefix.len + r->http_method.len + path.len + 2);
    strbuf_add(&arn, r->snapshot->arn_prefix);
    strbuf_add(&arn, r->http_method);
    strbuf_char(&arn, '/');
    strbuf_add(&arn, path);
    return r->method_arn = strbuf_view(&arn);
}

struct str stage_forwarded_for(struct gw_request *r)
{
    struct str sent = http_header_get(&r->x->headers, "X-Forwarded-For");
    if (!sent.len)
        return r->x->peer_ip;
    return str_printf(r->arena, "%.*s, %.*s", STR_FMT(sent), STR_FMT(r->x->peer_ip));
}

struct str stage_forwarded_port(struct gw_request *r)
{
    struct str host = http_header_get(&r->x->headers, "Host");
    ptrdiff_t colon = str_find_last(host, ':');
    if (colon < 0 || str_find(str_from(host, (size_t)colon), ']') >= 0)
        return r->x->tls ? STR("443") : STR("80");
    return str_from(host, (size_t)colon + 1);
}

struct str stage_forwarded_proto(struct gw_request *r)
{
    return r->x->tls ? STR("https") : STR("http");
}

static void member(struct strbuf *out, const char *name, struct str value)
{
    strbuf_char(out, '"');
    strbuf_add(out, str_of(name));
    strbuf_add(out, STR("\":"));
    if (value.ptr)
        json_quote(out, value);
    else
        strbuf_add(out, STR("null"));
    strbuf_char(out, ',');
}

/* The headers a function sees: the client's as spelled, without those "dropped at parsing", plus ours. */
static struct http_headers event_headers(struct gw_request *r)
{
    struct http_headers all = { 0 };
    for (size_t i = 0; i < r->x->headers.n; i++) {
        struct http_header h = r->x->headers.items[i];
        if (!gw_header_dropped(h.name) && !header_is_ours(h.name))
            http_header_add(r->arena, &all, r->snapshot->edge ? header_edge_name(h.name) : h.name, h.value);
    }
    http_header_add(r->arena, &all, STR("X-Amzn-Trace-Id"), r->trace_header);
    http_header_add(r->arena, &all, STR("X-Forwarded-For"), stage_forwarded_for(r));
    http_header_add(r->arena, &all, STR("X-Forwarded-Port"), stage_forwarded_port(r));
    http_header_add(r->arena, &all, STR("X-Forwarded-Proto"), stage_forwarded_proto(r));
    return all;
}

typedef bool same_name(struct str a, struct str b);

/* {"name":last value} and {"name":[all values]} of pairs; http_header and gw_pair look the same. */
static void two_maps(struct strbuf *out, const char *single, const char *multi, const struct http_header *items,
                     size_t n, same_name *same, bool null_when_empty)
{
    const char *empty = null_when_empty ? "null" : "{}";
    if (n == 0) {
        strbuf_printf(out, "\"%s\":%s,\"%s\":%s,", single, empty, multi, empty);
        return;
    }
    for (int map = 0; map < 2; map++) {
        strbuf_printf(out, "\"%s\":{", map ? multi : single);
        bool first = true;
        for (size_t i = 0; i < n; i++) {
            size_t earlier = 0, last = i;
            while (earlier < i && !same(items[earlier].name, items[i].name))
                earlier++;
            if (earlier < i)
                continue;
            if (!first)
                strbuf_char(out, ',');
            first = false;
            json_quote(out, items[i].name);
            strbuf_add(out, map ? STR(":[") : STR(":"));
            for (size_t k = i; k < n; k++) {
                if (!same(items[k].name, items[i].name))
                    continue;
                last = k;
                if (map) {
                    if (k != i)
                        strbuf_char(out, ',');
                    json_quote(out, items[k].value);
                }
            }
            if (map)
                strbuf_char(out, ']');
            else
                json_quote(out, items[last].value);
        }
        strbuf_add(out, STR("},"));
    }
}

static void maps(struct gw_request *r, struct strbuf *out, bool null_when_empty)
{
    const char *empty = null_when_empty ? "null" : "{}";
    struct http_headers headers = event_headers(r);
    const struct gw_params *query = gw_query(r);
    two_maps(out, "headers", "multiValueHeaders", headers.items, headers.n, str_eq_nocase, null_when_empty);
    _Static_assert(sizeof(struct gw_pair) == sizeof(struct http_header), "a pair is a pair");
    two_maps(out, "queryStringParameters", "multiValueQueryStringParameters",
             (const struct http_header *)(const void *)query->items, query->n, str_eq, null_when_empty);
    strbuf_add(out, STR("\"pathParameters\":"));
    strbuf_add(out, r->match.n_params ? STR("{") : str_of(empty));
    for (size_t i = 0; i < r->match.n_params; i++) { /* recorded: not decoded */
        if (i)
            strbuf_char(out, ',');
        json_quote(out, r->match.params[i].name);
        strbuf_char(out, ':');
        json_quote(out, r->match.params[i].value);
    }
    strbuf_add(out, r->match.n_params ? STR("},\"stageVariables\":") : STR(",\"stageVariables\":"));
    strbuf_add(out, r->snapshot->n_variables ? STR("{") : str_of(empty));
    for (size_t i = 0; i < r->snapshot->n_variables; i++) {
        if (i)
            strbuf_char(out, ',');
        json_quote(out, r->snapshot->variables[i].name);
        strbuf_char(out, ':');
        json_quote(out, r->snapshot->variables[i].value);
    }
    strbuf_add(out, r->snapshot->n_variables ? STR("},") : STR(","));
}

static void claim(struct gw_request *r, struct strbuf *out, const char *name, struct str value)
{
    int64_t s;
    if ((strcmp(name, "exp") == 0 || strcmp(name, "iat") == 0) && str_i64(value, &s)) {
        time_t at = (time_t)s;
        struct tm tm;
        char text[64];
        gmtime_r(&at, &tm);
        strftime(text, sizeof text, "%a %b %d %H:%M:%S UTC %Y", &tm);
        value = str_copy(r->arena, str_of(text));
    }
    json_quote(out, value);
}

/* "authorizer": Lambda's context and principal, Cognito's claims; absent without an authorizer. */
static void authorizer(struct gw_request *r, struct strbuf *out)
{
    const char *name;
    json_t *value;
    bool first = true;
    if (r->caller.claims) {
        strbuf_add(out, STR("\"authorizer\":{\"claims\":{"));
        json_object_foreach(r->caller.claims, name, value) {
            if (!first)
                strbuf_char(out, ',');
            first = false;
            json_quote(out, str_of(name));
            strbuf_char(out, ':');
            claim(r, out, name, gw_context(r, str_printf(r->arena, "authorizer.claims.%s", name)));
        }
        strbuf_add(out, STR("}},"));
    }
    if (r->caller.from_lambda) {
        strbuf_add(out, STR("\"authorizer\":{"));
        json_object_foreach(r->caller.context, name, value) {
            member(out, str_c(r->arena, str_of(name)), json_value_str(value));
        }
        member(out, "principalId", r->caller.principal_id);
        strbuf_printf(out, "\"integrationLatency\":%" PRId64 "},", r->caller.integration_latency_ms);
    }
}

/* "clientCert": only where mutual TLS asked for it. */
static void client_certificate(struct gw_request *r, struct strbuf *out)
{
    if (!gw_client(r))
        return;
    strbuf_add(out, STR("\"clientCert\":{"));
    member(out, "clientCertPem", gw_client(r)->pem);
    member(out, "subjectDN", gw_client(r)->subject);
    member(out, "issuerDN", gw_client(r)->issuer);
    member(out, "serialNumber", gw_client(r)->serial);
    strbuf_add(out, STR("\"validity\":{"));
    member(out, "notBefore", gw_client(r)->not_before);
    member(out, "notAfter", gw_client(r)->not_after);
    out->len--;
    strbuf_add(out, STR("}},"));
}

static void identity(struct gw_request *r, struct strbuf *out)
{
    strbuf_add(out, STR("\"identity\":{"));
    member(out, "cognitoIdentityPoolId", gw_context(r, STR("identity.cognitoIdentityPoolId")));
    member(out, "accountId", gw_context(r, STR("identity.accountId")));
    member(out, "cognitoIdentityId", gw_context(r, STR("identity.cognitoIdentityId")));
    member(out, "caller", gw_context(r, STR("identity.caller")));
    member(out, "sourceIp", r->x->peer_ip);
    member(out, "principalOrgId", STR_NONE);
    member(out, "accessKey", r->caller.access_key_id);
    member(out, "cognitoAuthenticationType", gw_context(r, STR("identity.cognitoAuthenticationType")));
    member(out, "cognitoAuthenticationProvider", gw_context(r, STR("identity.cognitoAuthenticationProvider")));
    member(out, "userArn", gw_context(r, STR("identity.userArn")));
    member(out, "userAgent", http_header_get(&r->x->headers, "User-Agent"));
    member(out, "user", gw_context(r, STR("identity.user")));
    if (r->usage.key_id.ptr) { /* "apiKey, apiKeyId: for API methods that require an API key" */
        member(out, "apiKey", r->usage.value);
        member(out, "apiKeyId", r->usage.key_id);
    }
    client_certificate(r, out);
    out->len--; /* the last comma */
    strbuf_add(out, STR("},"));
}

static void request_context(struct gw_request *r, struct strbuf *out)
{
    strbuf_add(out, STR("\"requestContext\":{"));
    member(out, "resourceId", r->method->resource_id);
    authorizer(r, out);
    member(out, "resourcePath", r->method->resource_path);
    member(out, "httpMethod", r->http_method);
    member(out, "extendedRequestId", r->extended_id);
    member(out, "requestTime", time_clf(r->arena, r->wall_us / 1000000));
    member(out, "path", r->request_path);
    member(out, "accountId", r->snapshot->account);
    member(out, "protocol", STR("HTTP/1.1"));
    member(out, "stage", r->stage);
    member(out, "domainPrefix", gw_context(r, STR("domainPrefix")));
    strbuf_printf(out, "\"requestTimeEpoch\":%" PRId64 ",", r->wall_us / 1000);
    member(out, "requestId", r->request_id);
    identity(r, out);
    member(out, "domainName", r->x->host);
    member(out, "deploymentId", r->snapshot->deployment_id);
    member(out, "apiId", r->api_id);
    out->len--;
    strbuf_char(out, '}');
}

struct str stage_proxy_event(struct gw_request *r)
{
    struct strbuf out = strbuf_in(r->arena, 3072 + r->body.len + r->body.len / 4);
    strbuf_char(&out, '{');
    member(&out, "resource", r->method->resource_path);
    member(&out, "path", gw_seen_path(r));
    member(&out, "httpMethod", r->http_method);
    maps(r, &out, true);
    request_context(r, &out);
    bool binary = r->body.len && snapshot_is_binary(r->snapshot, http_header_get(&r->x->headers, "Content-Type"));
    strbuf_char(&out, ',');
    member(&out, "body", !r->body.len ? STR_NONE : binary ? base64_encode(r->arena, r->body) : r->body);
    strbuf_printf(&out, "\"isBase64Encoded\":%s}", binary ? "true" : "false");
    return strbuf_view(&out);
}

struct str stage_authorizer_event(struct gw_request *r, struct str method_arn)
{
    struct strbuf out = strbuf_in(r->arena, 3072);
    strbuf_add(&out, STR("{\"type\":\"REQUEST\","));
    member(&out, "methodArn", method_arn);
    member(&out, "resource", r->method->resource_path);
    member(&out, "path", gw_seen_path(r));
    member(&out, "httpMethod", r->http_method);
    maps(r, &out, false);
    request_context(r, &out);
    strbuf_char(&out, '}');
    return strbuf_view(&out);
}
