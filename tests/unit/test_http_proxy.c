/* cases.md b42: "response-queue poison: client aborts mid-response, connection back to pool …
 * mixed requests, 0 mismatched ids". A proxy of http_server and http_client, on one loop, between
 * clients that come, pipeline, break off and reset, and a backend that answers whole, in chunks,
 * late, with more or less than it promised, or not at all. */
#include "tests/support/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/http_client.h"
#include "core/http_server.h"

enum { CLIENTS = 4, REQUESTS = 1500 }; /* each */

struct side {
    struct env env;
    struct loop *loop;
    struct http_server *server;
    struct http_client *client;
    pthread_t thread;
};
static struct side backend, proxy;

static void *run_side(void *arg)
{
    loop_run(((struct side *)arg)->loop);
    return NULL;
}

static void side_start(struct side *side, void (*on_request)(void *ctx, struct http_exchange *x),
                       void (*on_done)(void *ctx, struct http_exchange *x, bool complete))
{
    struct arena *arena = arena_new(1024);
    struct str why;
    struct http_server_config config = { .addr = "127.0.0.1", .on_request = on_request, .on_done = on_done };
    env_system(&side->env);
    side->loop = loop_new(&side->env);
    side->server = http_server_new(side->loop, &config, arena, &why);
    assert_non_null(side->server);
    side->client = http_client_new(side->loop, &(struct http_client_config){ .max_idle_per_host = 8 });
    pthread_create(&side->thread, NULL, run_side, side);
    arena_free(arena);
}

static void side_stop(struct side *side)
{
    loop_stop(side->loop);
    pthread_join(side->thread, NULL);
    http_server_free(side->server);
    http_client_free(side->client);
    loop_free(side->loop);
}

/* --- the backend: the id in the query is the answer --- */

struct late {
    struct timer timer;
    struct http_exchange *x;
};

static void answer_late(struct timer *timer)
{
    struct http_exchange *x = ((struct late *)timer)->x;
    http_reply(x, 200, NULL, x->query);
}

static void end_late(struct timer *timer) /* fewer bytes than promised */
{
    http_reply_end(((struct late *)timer)->x);
}

static void answer_body(struct http_exchange *x, enum http_read result)
{
    if (result != HTTP_READ_OK)
        http_abort(x);
    else
        http_reply(x, 200, NULL, x->body);
}

static void backend_request(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    struct late *late = ARENA_NEW(x->arena, struct late);
    late->x = x;
    x->user = late;
    if (str_is(x->path, "/late")) {
        timer_start(x->loop, &late->timer, 1000, answer_late);
    } else if (str_is(x->path, "/chunks")) {
        http_reply_begin(x, 200, NULL, -1, NULL);
        for (size_t i = 0; i < x->query.len; i++)
            http_reply_write(x, str_sub(x->query, i, 1));
        http_reply_end(x);
    } else if (str_is(x->path, "/body")) {
        http_read_whole(x, 1000000, answer_body);
    } else if (str_is(x->path, "/short")) {
        http_reply_begin(x, 200, NULL, 100, NULL);
        http_reply_write(x, x->query);
        timer_start(x->loop, &late->timer, 1000, end_late);
    } else if (str_is(x->path, "/never")) {
        http_abort(x);
    } else if (str_is(x->path, "/big")) {
        struct strbuf buf = strbuf_in(x->arena, 300000);
        while (buf.len < 300000)
            strbuf_add(&buf, x->query);
        http_reply(x, 200, NULL, strbuf_view(&buf));
    } else {
        http_reply(x, 200, NULL, x->query);
    }
}

static void backend_done(void *ctx, struct http_exchange *x, bool complete)
{
    (void)ctx, (void)complete;
    timer_stop(x->loop, &((struct late *)x->user)->timer);
}

/* --- the proxy --- */

struct relay {
    struct http_call call;
    struct http_exchange *x;
    bool running, begun;
};

static void relay_drained(struct http_exchange *x)
{
    struct relay *relay = x->user;
    if (relay->running)
        http_call_resume(&relay->call);
}

static void relay_head(struct http_call *call)
{
    struct relay *relay = call->user;
    int64_t length = -1;
    struct str announced = http_header_get(&call->answer, "content-length");
    if (announced.ptr)
        str_i64(announced, &length);
    relay->begun = true;
    http_reply_begin(relay->x, call->status, &call->answer, length, relay_drained);
}

static void relay_piece(struct http_call *call, struct str piece)
{
    struct relay *relay = call->user;
    if (!http_reply_write(relay->x, piece))
        http_call_pause(call);
}

static void relay_done(struct http_call *call, enum http_failure failure)
{
    struct relay *relay = call->user;
    relay->running = false;
    if (failure == HTTP_OK)
        http_reply_end(relay->x);
    else if (relay->begun)
        http_abort(relay->x);
    else
        http_reply(relay->x, 502, NULL, STR("bad gateway"));
}

static void relay_writable(struct http_call *call)
{
    http_read_resume(((struct relay *)call->user)->x);
}

static void relay_body(struct http_exchange *x, struct str piece, bool broken)
{
    struct relay *relay = x->user;
    if (!relay->running)
        return;
    if (broken)
        http_call_cancel(&relay->call);
    else if (!piece.ptr)
        http_call_end(&relay->call);
    else if (!http_call_write(&relay->call, piece))
        http_read_pause(x);
}

static void proxy_request(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    struct relay *relay = ARENA_NEW(x->arena, struct relay);
    x->user = relay;
    relay->x = x;
    relay->running = true;
    relay->call = (struct http_call){
        .scheme = STR("http"),
        .host = STR("127.0.0.1"),
        .port = http_server_port(backend.server),
        .method = x->method,
        .target = x->target,
        .headers = &x->headers,
        .stream_body = x->has_body,
        .body_length = x->content_length,
        .arena = x->arena,
        .user = relay,
        .on_head = relay_head,
        .on_piece = relay_piece,
        .on_done = relay_done,
        .on_writable = relay_writable,
    };
    http_call_start(proxy.client, &relay->call);
    if (x->has_body)
        http_read_stream(x, relay_body);
}

static void proxy_done(void *ctx, struct http_exchange *x, bool complete)
{
    (void)ctx, (void)complete;
    struct relay *relay = x->user;
    if (relay->running)
        http_call_cancel(&relay->call);
}

/* --- the clients --- */

static atomic_int matched, mismatched, broken_off;

struct client {
    int number, fd;
    unsigned seed;
    char *buffer;
    size_t len;
};

static void client_connect(struct client *client)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(http_server_port(proxy.server)) };
    struct timeval patience = { .tv_sec = 10 };
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    client->len = 0;
    int one = 1; /* or the second half of a request waits 40 ms for the first one's ACK */
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connect(client->fd, (struct sockaddr *)&addr, sizeof addr);
}

static void client_drop(struct client *client, bool reset)
{
    struct linger linger = { 1, 0 };
    if (reset)
        setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(client->fd);
    client_connect(client);
}

/* Reads until `wanted` bytes are there. */
static bool client_fill(struct client *client, size_t wanted)
{
    while (client->len < wanted) {
        ssize_t n = recv(client->fd, client->buffer + client->len, wanted - client->len, 0);
        if (n <= 0)
            return false;
        client->len += (size_t)n;
    }
    return true;
}

static void client_forget(struct client *client, size_t bytes)
{
    client->len -= bytes;
    memmove(client->buffer, client->buffer + bytes, client->len);
    client->buffer[client->len] = '\0';
}

/* One answer: its status, and its body with the chunks taken out. 0: it broke off. */
static int client_answer(struct client *client, char *body, size_t *body_len)
{
    char *end;
    client->buffer[client->len] = '\0';
    while (!(end = strstr(client->buffer, "\r\n\r\n"))) {
        if (!client_fill(client, client->len + 1))
            return 0;
        client->buffer[client->len] = '\0';
    }
    int status = atoi(client->buffer + 9);
    size_t head = (size_t)(end + 4 - client->buffer);
    *end = '\0';
    const char *length = strstr(client->buffer, "Content-Length: ");
    size_t n = length ? strtoul(length + 16, NULL, 10) : 0;
    client_forget(client, head);
    *body_len = 0;
    if (length) {
        if (!client_fill(client, n))
            return 0;
        memcpy(body, client->buffer, n);
        *body_len = n;
        client_forget(client, n);
        return status;
    }
    for (;;) { /* chunks */
        while (!(end = strstr(client->buffer, "\r\n"))) {
            if (!client_fill(client, client->len + 1))
                return 0;
            client->buffer[client->len] = '\0';
        }
        n = strtoul(client->buffer, NULL, 16);
        client_forget(client, (size_t)(end + 2 - client->buffer));
        if (!client_fill(client, n + 2))
            return 0;
        memcpy(body + *body_len, client->buffer, n);
        *body_len += n;
        client_forget(client, n + 2);
        if (n == 0)
            return status;
    }
}

static void check_answer(struct client *client, const char *id, bool failing)
{
    static _Thread_local char body[400000];
    size_t len;
    int status = client_answer(client, body, &len);
    if (status == 0) {
        client_drop(client, false);
        broken_off++;
        if (!failing) {
            mismatched++;
            print_message("%s broke off\n", id);
        }
        return;
    }
    size_t id_len = strlen(id);
    bool good = failing ? status == 502 : status == 200 && len >= id_len;
    for (size_t at = 0; good && !failing && at + id_len <= len; at += id_len)
        good = memcmp(body + at, id, id_len) == 0;
    if (good) {
        matched++;
        return;
    }
    mismatched++;
    print_message("wanted %s%s, got %d, %zu bytes: %.60s\n", id, failing ? " to fail" : "", status, len,
                  body);
}

static void *client_run(void *arg)
{
    static const char *const paths[] = { "/", "/late", "/chunks", "/body", "/short", "/never", "/big", "/" };
    struct client *client = arg;
    client_connect(client);
    for (int i = 0; i < REQUESTS; i++) {
        client->seed = client->seed * 1664525 + 1013904223;
        unsigned dice = client->seed >> 8;
        const char *path = paths[dice % COUNT(paths)];
        bool failing = strcmp(path, "/short") == 0 || strcmp(path, "/never") == 0;
        char id[32], request[512];
        snprintf(id, sizeof id, "<%02d-%06d>", client->number, i);
        int len =
            strcmp(path, "/body") != 0
                ? snprintf(request, sizeof request, "GET %s?%s HTTP/1.1\r\nHost: a\r\n\r\n", path, id)
            : dice & 0x100
                ? snprintf(request, sizeof request,
                           "PUT /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "1\r\n%.1s\r\n%zx\r\n%s\r\n0\r\n\r\n",
                           id, strlen(id) - 1, id + 1)
                : snprintf(request, sizeof request,
                           "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n%s", strlen(id), id);
        send(client->fd, request, (size_t)(dice & 0x1000 ? len : len / 2), MSG_NOSIGNAL);
        if (!(dice & 0x1000))
            send(client->fd, request + len / 2, (size_t)(len - len / 2), MSG_NOSIGNAL);
        if ((dice >> 14) % 16 == 0) { /* gone before the answer, or in the middle of it */
            char byte;
            if (dice & 0x2000 && !failing)
                recv(client->fd, &byte, 1, 0);
            client_drop(client, dice & 0x800);
            continue;
        }
        if ((dice >> 14) % 16 == 1 && !failing) { /* a second one behind it */
            char second[100], second_id[40];
            snprintf(second_id, sizeof second_id, "[%s]", id);
            int n = snprintf(second, sizeof second, "GET /?%s HTTP/1.1\r\nHost: a\r\n\r\n", second_id);
            send(client->fd, second, (size_t)n, MSG_NOSIGNAL);
            check_answer(client, id, failing);
            check_answer(client, second_id, false);
            continue;
        }
        check_answer(client, id, failing);
    }
    close(client->fd);
    return NULL;
}

static void test_no_answer_goes_astray(void **state)
{
    (void)state;
    pthread_t threads[CLIENTS];
    struct client clients[CLIENTS];
    side_start(&backend, backend_request, backend_done);
    side_start(&proxy, proxy_request, proxy_done);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){ .number = i, .seed = (unsigned)i * 7919 + 1, .buffer = malloc(500000) };
        pthread_create(&threads[i], NULL, client_run, &clients[i]);
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        free(clients[i].buffer);
    }
    side_stop(&proxy);
    side_stop(&backend);
    assert_int_equal(mismatched, 0);
    assert_true(matched > CLIENTS * REQUESTS / 2);
    assert_true(broken_off > 0); /* /short must never look complete */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_answer_goes_astray),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
