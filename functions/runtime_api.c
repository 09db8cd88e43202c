#include "functions/runtime_api.h"

#include <arpa/inet.h>
#include <errno.h>
#include <http_parser.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/http_msg.h"
#include "functions/peer.h"

enum { MAX_CONNS = 64, URL_MAX = 512, NAME_MAX_BYTES = 64, VALUE_MAX_BYTES = 128, READ_BYTES = 64 * 1024 };

struct runtime_conn {
    struct loop_fd watch;
    struct runtime_api *api;
    struct runtime_conn *next;
    http_parser parser;
    /* of the request being read */
    char url[URL_MAX], name[NAME_MAX_BYTES], value[VALUE_MAX_BYTES];
    size_t url_len, name_len, value_len, body_cap;
    bool in_value, expects_continue, complete, keep_alive;
    bool wants_stream, streams, braked;
    struct runtime_request request;
    bool waiting;          /* handed over, not answered yet */
    /* of the answer */
    char *out;
    size_t out_len, out_at;
};

struct runtime_api {
    struct loop *loop;
    struct loop_fd listener;
    const struct runtime_handler *handler;
    void *ctx;
    struct runtime_conn *conns;
    int n_conns;
    uint16_t port;
};

static void on_connect(struct loop_fd *watch, uint32_t events);
static void on_event(struct loop_fd *watch, uint32_t events);
static void on_readable(struct runtime_conn *conn);
static void drop(struct runtime_conn *conn, bool tell);
static bool flush(struct runtime_conn *conn);
static void fresh_request(struct runtime_conn *conn);
static void listen_for(struct runtime_conn *conn, uint32_t events);
static void take_header(struct runtime_conn *conn);
static enum runtime_call parse_url(struct runtime_conn *conn);
static const http_parser_settings parser_settings;

struct runtime_api *runtime_api_new(struct loop *loop, const struct runtime_handler *handler, void *ctx)
{
    struct runtime_api *api = calloc(1, sizeof *api);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    if (!api)
        return NULL;
    *api = (struct runtime_api){ .loop = loop, .handler = handler, .ctx = ctx };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 16) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        goto failed;
    api->port = ntohs(address.sin_port);
    api->listener = (struct loop_fd){ .fd = fd, .events = EPOLLIN, .fn = on_connect };
    if (loop_watch(loop, &api->listener))
        return api;
failed:
    if (fd >= 0)
        close(fd);
    free(api);
    return NULL;
}

void runtime_api_free(struct runtime_api *api)
{
    if (!api)
        return;
    while (api->conns)
        drop(api->conns, false);
    loop_unwatch(api->loop, &api->listener);
    close(api->listener.fd);
    free(api);
}

uint16_t runtime_api_port(const struct runtime_api *api)
{
    return api->port;
}

static void on_connect(struct loop_fd *watch, uint32_t events)
{
    struct runtime_api *api = (struct runtime_api *)((char *)watch - offsetof(struct runtime_api, listener));
    (void)events;
    int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    uint64_t inode = peer_socket_inode(fd);
    struct runtime_conn *conn = NULL;
    if (inode && api->n_conns < MAX_CONNS && api->handler->admit(api->ctx, inode))
        conn = calloc(1, sizeof *conn);
    if (!conn) {
        close(fd);
        return;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    conn->api = api;
    conn->watch = (struct loop_fd){ .fd = fd, .events = EPOLLIN, .fn = on_event };
    http_parser_init(&conn->parser, HTTP_REQUEST);
    conn->parser.data = conn;
    if (!loop_watch(api->loop, &conn->watch)) {
        close(fd);
        free(conn);
        return;
    }
    conn->next = api->conns;
    api->conns = conn;
    api->n_conns++;
}

static void on_event(struct loop_fd *watch, uint32_t events)
{
    struct runtime_conn *conn = (struct runtime_conn *)watch; /* its first member */
    if (events & EPOLLOUT && !flush(conn))
        return;
    /* Bytes while we owe an answer are its end, or a second request: nobody pipelines here. */
    if (events & EPOLLIN && !conn->waiting && !conn->out && !conn->braked)
        on_readable(conn);
    else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP))
        drop(conn, true);
}

static void on_readable(struct runtime_conn *conn)
{
    char bytes[READ_BYTES];
    ssize_t got = read(conn->watch.fd, bytes, sizeof bytes);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        drop(conn, true);
        return;
    }
    /* A runtime that writes head and body apart would wait 40 ms for our delayed acknowledgement. */
    setsockopt(conn->watch.fd, IPPROTO_TCP, TCP_QUICKACK, &(int){ 1 }, sizeof(int));
    size_t used = http_parser_execute(&conn->parser, &parser_settings, bytes, (size_t)got);
    if (!conn->complete) {
        if (HTTP_PARSER_ERRNO(&conn->parser) != HPE_OK)
            drop(conn, true);
        return;
    }
    if (used < (size_t)got) { /* nobody pipelines here; taken for an attempt to confuse us */
        drop(conn, true);
        return;
    }
    http_parser_pause(&conn->parser, 0);
    conn->keep_alive = http_should_keep_alive(&conn->parser);
    conn->complete = false;
    conn->waiting = true;
    if (conn->in_value) /* the last trailer */
        take_header(conn);
    conn->request.call = parse_url(conn);
    conn->api->handler->request(conn->api->ctx, conn, &conn->request);
}

void runtime_resume(struct runtime_conn *conn)
{
    if (!conn->braked)
        return;
    conn->braked = false;
    if (!conn->waiting && !conn->out)
        listen_for(conn, EPOLLIN);
}

static void listen_for(struct runtime_conn *conn, uint32_t events)
{
    if (conn->watch.events == events)
        return;
    conn->watch.events = events;
    loop_rewatch(conn->api->loop, &conn->watch);
}

/* /2018-06-01/runtime/invocation/next, …/invocation/ID/response, …/invocation/ID/error, …/init/error */
static enum runtime_call parse_url(struct runtime_conn *conn)
{
    struct str url = { conn->url, conn->url_len }, part;
    struct str parts[6];
    size_t n = 0;
    bool get = conn->parser.method == HTTP_GET, post = conn->parser.method == HTTP_POST;
    while (n < COUNT(parts) && str_split(&url, '/', &part))
        parts[n++] = part;
    if (n < 5 || url.ptr || !str_is(parts[1], "2018-06-01") || !str_is(parts[2], "runtime"))
        return CALL_UNKNOWN;
    if (n == 5 && get && str_is(parts[3], "invocation") && str_is(parts[4], "next"))
        return CALL_NEXT;
    if (n == 5 && post && str_is(parts[3], "init") && str_is(parts[4], "error"))
        return CALL_INIT_ERROR;
    if (n != 6 || !post || !str_is(parts[3], "invocation") || parts[4].len >= sizeof conn->request.request_id)
        return CALL_UNKNOWN;
    memcpy(conn->request.request_id, parts[4].ptr, parts[4].len);
    return str_is(parts[5], "response") ? CALL_RESPONSE : str_is(parts[5], "error") ? CALL_ERROR : CALL_UNKNOWN;
}

void runtime_reply(struct runtime_conn *conn, int status, struct str headers, struct str body)
{
    char head[256];
    int head_len = snprintf(head, sizeof head, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s",
                            status, http_reason(status), body.len, conn->keep_alive ? "" : "Connection: close\r\n");
    struct iovec parts[4] = { { head, (size_t)head_len },
                              { (void *)(uintptr_t)headers.ptr, headers.len },
                              { (void *)(uintptr_t)"\r\n", 2 },
                              { (void *)(uintptr_t)body.ptr, body.len } };
    size_t total = (size_t)head_len + headers.len + 2 + body.len;
    conn->waiting = false;
    fresh_request(conn);
    ssize_t sent = writev(conn->watch.fd, parts, 4);
    if (sent < 0 && errno != EAGAIN) {
        sent = (ssize_t)total; /* the end of the connection is told by the loop */
        conn->keep_alive = false;
    }
    size_t done = sent < 0 ? 0 : (size_t)sent;
    if (done < total) {
        conn->out = malloc(total - done);
        if (!conn->out)
            abort();
        for (size_t i = 0, at = 0; i < 4; at += parts[i].iov_len, i++) {
            size_t skip = done > at ? done - at : 0;
            if (skip >= parts[i].iov_len)
                continue;
            memcpy(conn->out + conn->out_len, (char *)parts[i].iov_base + skip, parts[i].iov_len - skip);
            conn->out_len += parts[i].iov_len - skip;
        }
        listen_for(conn, EPOLLOUT | EPOLLRDHUP);
        return;
    }
    if (!conn->keep_alive)
        shutdown(conn->watch.fd, SHUT_WR);
    listen_for(conn, EPOLLIN);
}

/* False: the connection is gone. */
static bool flush(struct runtime_conn *conn)
{
    while (conn->out_at < conn->out_len) {
        ssize_t sent = write(conn->watch.fd, conn->out + conn->out_at, conn->out_len - conn->out_at);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (sent < 0) {
            drop(conn, true);
            return false;
        }
        conn->out_at += (size_t)sent;
    }
    free(conn->out);
    conn->out = NULL;
    conn->out_len = conn->out_at = 0;
    listen_for(conn, EPOLLIN);
    return true;
}

static void drop(struct runtime_conn *conn, bool tell)
{
    struct runtime_api *api = conn->api;
    struct runtime_conn **at = &api->conns;
    while (*at != conn)
        at = &(*at)->next;
    *at = conn->next;
    api->n_conns--;
    loop_unwatch(api->loop, &conn->watch);
    close(conn->watch.fd);
    bool owed = conn->waiting || conn->streams;
    if (tell && owed)
        api->handler->closed(api->ctx, conn);
    free(conn->request.body);
    free(conn->out);
    free(conn);
}

/* ---- the parser's callbacks ---- */

static void fresh_request(struct runtime_conn *conn)
{
    free(conn->request.body);
    conn->request = (struct runtime_request){ 0 };
    conn->url_len = conn->name_len = conn->value_len = conn->body_cap = 0;
    conn->in_value = conn->expects_continue = conn->wants_stream = conn->streams = conn->braked = false;
}

static bool append(char *buffer, size_t cap, size_t *len, const char *at, size_t n)
{
    if (*len + n >= cap)
        return false;
    memcpy(buffer + *len, at, n);
    *len += n;
    return true;
}

static int on_url(http_parser *parser, const char *at, size_t n)
{
    struct runtime_conn *conn = parser->data;
    return append(conn->url, sizeof conn->url, &conn->url_len, at, n) ? 0 : -1;
}

static void take_header(struct runtime_conn *conn)
{
    struct str name = { conn->name, conn->name_len }, value = { conn->value, conn->value_len };
    if (str_eq_nocase(name, STR("lambda-runtime-function-error-type")))
        memcpy(conn->request.error_type, value.ptr, value.len);
    else if (str_eq_nocase(name, STR("lambda-runtime-function-response-mode")))
        conn->wants_stream = str_eq_nocase(value, STR("streaming"));
    else if (str_eq_nocase(name, STR("expect")))
        conn->expects_continue = str_eq_nocase(value, STR("100-continue"));
    conn->name_len = conn->value_len = 0;
    conn->in_value = false;
}

/* Names and values too long for us are of no interest: they are cut. */
static int on_name(http_parser *parser, const char *at, size_t n)
{
    struct runtime_conn *conn = parser->data;
    if (conn->in_value)
        take_header(conn);
    append(conn->name, sizeof conn->name, &conn->name_len, at, n);
    return 0;
}

static int on_value(http_parser *parser, const char *at, size_t n)
{
    struct runtime_conn *conn = parser->data;
    conn->in_value = true;
    append(conn->value, sizeof conn->value, &conn->value_len, at, n);
    return 0;
}

static int on_head(http_parser *parser)
{
    struct runtime_conn *conn = parser->data;
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (conn->in_value)
        take_header(conn);
    if (conn->expects_continue && write(conn->watch.fd, go_on, sizeof go_on - 1) < 0)
        return -1;
    if (parser->content_length != UINT64_MAX && parser->content_length <= RESPONSE_MAX_BYTES)
        conn->body_cap = (size_t)parser->content_length;
    if (conn->wants_stream && (conn->request.call = parse_url(conn)) == CALL_RESPONSE)
        conn->request.streaming = conn->streams =
            conn->api->handler->stream(conn->api->ctx, conn, &conn->request);
    return 0;
}

static int on_body(http_parser *parser, const char *at, size_t n)
{
    struct runtime_conn *conn = parser->data;
    struct runtime_request *request = &conn->request;
    if (conn->streams) {
        if (!conn->api->handler->piece(conn->api->ctx, conn, (struct str){ at, n })) {
            conn->braked = true;
            listen_for(conn, 0); /* also no word of its end, which stands behind bytes not read yet */
        }
        return 0;
    }
    if (request->too_large)
        return 0;
    if (request->body_len + n > RESPONSE_MAX_BYTES) {
        request->too_large = true;
        free(request->body);
        request->body = NULL;
        request->body_len = 0;
        return 0;
    }
    if (!request->body || request->body_len + n > conn->body_cap) {
        if (conn->body_cap < request->body_len + n)
            conn->body_cap = 2 * (request->body_len + n);
        char *grown = realloc(request->body, conn->body_cap);
        if (!grown)
            return -1;
        request->body = grown;
    }
    memcpy(request->body + request->body_len, at, n);
    request->body_len += n;
    return 0;
}

static int on_complete(http_parser *parser)
{
    struct runtime_conn *conn = parser->data;
    conn->complete = true;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings parser_settings = {
    .on_url = on_url,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_complete,
};
