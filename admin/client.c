#include "admin/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/http_client.h"
#include "core/uri.h"
#include "wire/sigv4.h"

enum { TIMEOUT_MS = 30000 };

static struct str variable(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return str_of(value && *value ? value : otherwise);
}

void client_open(struct client *client, struct arena *arena)
{
    *client = (struct client){ .arena = arena };
    env_system(&client->env);
    client->url = variable("AWS_ENDPOINT_URL", variable("GATEHOUSE_BASE_URL", CLIENT_DEFAULT_URL).ptr);
    while (client->url.len > 0 && client->url.ptr[client->url.len - 1] == '/')
        client->url.len--;
    client->region = variable("AWS_REGION", variable("AWS_DEFAULT_REGION", "us-east-1").ptr);
    client->key_id = variable("AWS_ACCESS_KEY_ID", "test");
    client->secret = variable("AWS_SECRET_ACCESS_KEY", "test");
    client->token = str_of(getenv("AWS_SESSION_TOKEN"));
}

struct reply {
    struct loop *loop;
    struct strbuf body;
    enum http_failure failure;
};

static void on_piece(struct http_call *call, struct str piece)
{
    struct reply *reply = call->user;
    strbuf_add(&reply->body, piece);
}

static void on_done(struct http_call *call, enum http_failure failure)
{
    struct reply *reply = call->user;
    reply->failure = failure;
    loop_stop(reply->loop);
}

static struct http_headers signed_headers(struct client *client, const char *service, const char *method,
                                          const struct uri *uri, struct str path, struct str query,
                                          const char *amz_target, struct str body)
{
    struct arena *arena = client->arena;
    struct http_headers headers = { 0 };
    http_header_add(arena, &headers, STR("Host"),
                    uri->has_port ? str_printf(arena, "%.*s:%u", STR_FMT(uri->host), uri->port) : uri->host);
    if (amz_target)
        http_header_add(arena, &headers, STR("X-Amz-Target"), str_of(amz_target));
    if (body.len)
        http_header_add(arena, &headers, STR("Content-Type"),
                        amz_target ? STR("application/x-amz-json-1.1") : STR("application/json"));
    struct sigv4_request request = { .method = str_of(method), .path = path, .query = query, .headers = &headers,
                                     .body = body };
    struct sigv4_signer signer = { .access_key_id = client->key_id, .secret = client->secret,
                                   .session_token = client->token, .region = client->region,
                                   .service = str_of(service), .now_s = env_now_s(&client->env) };
    sigv4_sign(arena, &request, &signer, &headers);
    return headers;
}

int client_send(struct client *client, const char *service, const char *method, struct str target,
                const char *amz_target, struct str body, struct str *out)
{
    struct arena *arena = client->arena;
    struct uri uri;
    if (!uri_parse(arena, client->url, &uri)) {
        *out = str_printf(arena, "AWS_ENDPOINT_URL is no http address: %.*s", STR_FMT(client->url));
        return 0;
    }
    ptrdiff_t question = str_find(target, '?');
    struct str path = question < 0 ? target : str_sub(target, 0, (size_t)question);
    struct str query = question < 0 ? STR_NONE : str_from(target, (size_t)question + 1);
    struct http_headers headers = signed_headers(client, service, method, &uri, path, query, amz_target, body);
    struct reply reply = { .loop = loop_new(&client->env), .body = strbuf_in(arena, 1024) };
    if (!reply.loop) {
        *out = STR("no descriptors left");
        return 0;
    }
    const struct http_client_config config = { 0 };
    struct http_client *http = http_client_new(reply.loop, &config);
    struct http_call call = {
        .scheme = uri.scheme, .host = uri.host, .port = uri.port, .method = str_of(method), .target = target,
        .headers = &headers, .body = body, .timeout_ms = client->timeout_ms ? client->timeout_ms : TIMEOUT_MS, .arena = arena, .user = &reply,
        .on_piece = on_piece, .on_done = on_done,
    };
    http_call_start(http, &call);
    loop_run(reply.loop);
    http_client_free(http);
    loop_free(reply.loop);
    if (reply.failure != HTTP_OK) {
        *out = str_printf(arena, "no answer from %.*s: %s. Is `gatehouse up` running?", STR_FMT(client->url),
                          http_failure_text(reply.failure));
        return 0;
    }
    *out = strbuf_view(&reply.body);
    return call.status;
}

static json_t *understand(struct client *client, const char *what, int status, struct str text)
{
    struct str why;
    json_t *doc = status ? json_parse(client->arena, text.len ? text : STR("{}"), &why) : NULL;
    if (status >= 200 && status < 300 && doc)
        return doc;
    struct str message = json_str(doc, "message");
    if (!message.ptr)
        message = json_str(doc, "Message");
    ptrdiff_t from = str_find_str(text, STR("<Message>")), to = str_find_str(text, STR("</Message>"));
    if (status && from >= 0 && to > from) /* a service of protocol query */
        message = str_sub(text, (size_t)from + 9, (size_t)(to - from) - 9);
    fprintf(stderr, "gatehouse: %s: %.*s\n", what, STR_FMT(message.ptr ? message : text));
    return NULL;
}

json_t *client_rest(struct client *client, const char *service, const char *method, struct str path, json_t *body)
{
    return client_rest_text(client, service, method, path, body ? json_print(client->arena, body) : STR_NONE);
}

json_t *client_rest_text(struct client *client, const char *service, const char *method, struct str path, struct str text)
{
    struct str answer;
    int status = client_send(client, service, method, path, NULL, text, &answer);
    return understand(client, str_printf(client->arena, "%s %.*s", method, STR_FMT(path)).ptr, status, answer);
}

json_t *client_json11(struct client *client, const char *service, const char *prefix, const char *operation,
                      json_t *body)
{
    struct str answer, text = body ? json_print(client->arena, body) : STR("{}");
    const char *target = str_printf(client->arena, "%s.%s", prefix, operation).ptr;
    int status = client_send(client, service, "POST", STR("/"), target, text, &answer);
    return understand(client, operation, status, answer);
}
