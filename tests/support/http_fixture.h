/* A real http_server on a loop of its own thread, and a raw client that says exactly what it is
 * told. The handler is chosen by the path; see fixture_on_request. */
#pragma once

#include "tests/support/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/http_server.h"

static struct http_server *fixture_server;
static pthread_t fixture_thread;
static atomic_int fixture_requests, fixture_done, fixture_broken_off;
static atomic_size_t fixture_streamed; /* bytes of bodies read as streams */
static atomic_size_t fixture_written;  /* bytes given to http_reply_write */

struct fixture_exchange {
    struct http_exchange *x;
    struct timer timer;
    size_t left;
};

static void fixture_answer(struct http_exchange *x, int status, struct str body)
{
    struct http_headers headers = { 0 };
    http_header_add(x->arena, &headers, STR("Content-Type"), STR("text/plain"));
    http_reply(x, status, &headers, body);
}

static void fixture_whole(struct http_exchange *x, enum http_read result)
{
    if (result == HTTP_READ_OK)
        fixture_answer(x, 200, x->body);
    else
        fixture_answer(x, result == HTTP_READ_TOO_LARGE ? 413 : 400, STR("no body"));
}

static void fixture_piece(struct http_exchange *x, struct str piece, bool broken)
{
    fixture_streamed += piece.len;
    if (piece.ptr)
        return;
    if (broken)
        http_abort(x);
    else
        fixture_answer(x, 200, str_printf(x->arena, "%zu", (size_t)fixture_streamed));
}

static void fixture_later(struct timer *timer)
{
    struct fixture_exchange *own =
        (struct fixture_exchange *)((char *)timer - offsetof(struct fixture_exchange, timer));
    fixture_answer(own->x, 200, STR("later"));
}

static void fixture_fill(struct http_exchange *x)
{
    struct fixture_exchange *own = x->user;
    char block[8000];
    memset(block, 'x', sizeof block);
    while (own->left > 0) {
        size_t n = own->left < sizeof block ? own->left : sizeof block;
        own->left -= n;
        fixture_written += n;
        if (!http_reply_write(x, (struct str){ block, n }))
            return; /* on_drain calls again */
    }
    http_reply_end(x);
}

static void fixture_on_request(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    fixture_requests++;
    struct fixture_exchange *own = ARENA_NEW(x->arena, struct fixture_exchange);
    own->x = x;
    x->user = own;
    if (str_is(x->path, "/echo")) {
        http_read_whole(x, 1000000, fixture_whole);
    } else if (str_is(x->path, "/later")) {
        timer_start(x->loop, &own->timer, 20000, fixture_later);
    } else if (str_is(x->path, "/chunks")) {
        own->left = 100000;
        http_reply_begin(x, 200, NULL, -1, fixture_fill);
        fixture_fill(x);
    } else if (str_is(x->path, "/big")) {
        own->left = 64 * 1024 * 1024;
        fixture_written = 0;
        http_reply_begin(x, 200, NULL, 64 * 1024 * 1024, fixture_fill);
        fixture_fill(x);
    } else if (str_is(x->path, "/short")) {
        http_reply_begin(x, 200, NULL, 10, NULL);
        http_reply_write(x, STR("12345"));
        http_reply_end(x); /* lies about its length */
    } else if (str_is(x->path, "/split")) {
        struct http_headers headers = { 0 };
        http_header_add(x->arena, &headers, STR("X-Good"), STR("1"));
        http_header_add(x->arena, &headers, STR("X-Bad"), STR("1\r\nSet-Cookie: stolen"));
        http_header_add(x->arena, &headers, STR("Connection"), STR("upgrade"));
        http_header_add(x->arena, &headers, STR("Content-Length"), STR("99"));
        http_reply(x, 200, &headers, STR("ok"));
    } else if (str_is(x->path, "/nothing")) {
        http_reply(x, 204, NULL, STR(""));
    } else if (str_is(x->path, "/see")) { /* what the server made of the request */
        fixture_answer(x, 200,
                       str_printf(x->arena, "%.*s|%.*s|%.*s|%.*s|%d|%.*s", STR_FMT(x->method),
                                  STR_FMT(x->target), STR_FMT(x->query), STR_FMT(x->host),
                                  (int)x->content_length, STR_FMT(x->peer_ip)));
    } else if (x->has_body && !str_is(x->path, "/")) {
        fixture_streamed = 0;
        http_read_stream(x, fixture_piece);
    } else {
        fixture_answer(x, 200, STR("hello"));
    }
}

static void fixture_on_done(void *ctx, struct http_exchange *x, bool complete)
{
    (void)ctx;
    struct fixture_exchange *own = x->user;
    timer_stop(x->loop, &own->timer);
    fixture_done++;
    if (!complete)
        fixture_broken_off++;
}

static inline void *fixture_run(void *arg)
{
    loop_run(arg);
    return NULL;
}

static inline int fixture_start(const struct http_server_config *wanted)
{
    struct http_server_config config = *wanted;
    struct arena *arena = arena_new(1024);
    struct str why = STR("");
    config.addr = "127.0.0.1";
    config.on_request = fixture_on_request;
    config.on_done = fixture_on_done;
    env_system(&net_env);
    net_the_loop = loop_new(&net_env);
    fixture_server = http_server_new(net_the_loop, &config, arena, &why);
    arena_free(arena);
    return fixture_server && pthread_create(&fixture_thread, NULL, fixture_run, net_the_loop) == 0 ? 0 : -1;
}

static inline int fixture_setup(void **state)
{
    (void)state;
    return fixture_start(&(struct http_server_config){ .max_connections = 200, .idle_timeout_s = 5 });
}

static inline int fixture_teardown(void **state)
{
    (void)state;
    loop_stop(net_the_loop);
    pthread_join(fixture_thread, NULL);
    http_server_free(fixture_server);
    loop_free(net_the_loop);
    return 0;
}

/* --- the raw client --- */

static inline int raw_connect(void)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(http_server_port(fixture_server)) };
    struct timeval patience = { .tv_sec = 5 };
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    return fd;
}

static inline void raw_send(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* refused in the middle: the answer tells */
        bytes += n;
        len -= (size_t)n;
    }
}

static inline void raw_text(int fd, const char *text)
{
    raw_send(fd, text, strlen(text));
}

/* Everything until the server closes. Returns its length; *closed false: it did not within 5 s. */
static inline size_t raw_read_all(int fd, char *into, size_t room, bool *closed)
{
    size_t len = 0;
    for (;;) {
        ssize_t n = recv(fd, into + len, room - 1 - len, 0);
        *closed = n == 0 || (n < 0 && errno == ECONNRESET);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    into[len] = '\0';
    return len;
}

/* Sends, says that no more comes, and reads until the server closes. */
static inline char *raw_talk(const char *bytes, size_t len, char *into, size_t room)
{
    bool closed;
    int fd = raw_connect();
    raw_send(fd, bytes, len);
    shutdown(fd, SHUT_WR);
    raw_read_all(fd, into, room, &closed);
    assert_true(closed);
    close(fd);
    return into;
}

static inline char *raw_say(const char *text)
{
    static char answer[256 * 1024];
    return raw_talk(text, strlen(text), answer, sizeof answer);
}

static inline int raw_count(const char *text, const char *wanted)
{
    int n = 0;
    for (const char *at = strstr(text, wanted); at; at = strstr(at + 1, wanted))
        n++;
    return n;
}

/* The loop answers on its own thread: waits until a counter has arrived where it must. */
#define WAIT_UNTIL(condition)                                                                                \
    do {                                                                                                     \
        for (int tries_ = 0; !(condition) && tries_ < 5000; tries_++)                                        \
            usleep(1000);                                                                                    \
        assert_true(condition);                                                                              \
    } while (0)
