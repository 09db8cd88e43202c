/* The HTTP client against a backend that says and does exactly what a row tells it: refuses,
 * resets, stalls, lies about its length, sends garbage, goes stale. */
#include "tests/support/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/http_answer.h"
#include "core/http_client.h"

/* --- the backend: a thread a connection, blocking --- */

enum then { KEEP, CLOSE, RESET, STALL };

static const struct row {
    const char *name, *method, *answer;
    enum then then;
    enum http_failure failure;
    int status;
    const char *body;
    bool kept; /* the connection may serve another request */
} rows[] = {
    { "length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", KEEP, HTTP_OK, 200, "hello",
      true },
    { "no reason", "GET", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi", KEEP, HTTP_OK, 200, "hi", true },
    { "chunks", "GET",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: 1\r\n\r\n", KEEP,
      HTTP_OK, 200, "abcde", true },
    { "until close", "GET", "HTTP/1.1 200 OK\r\n\r\nto the end", CLOSE, HTTP_OK, 200, "to the end", false },
    { "HTTP/1.0 keep-alive", "GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
      KEEP, HTTP_OK, 200, "x", true },
    { "HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", KEEP, HTTP_OK, 200, "x", false },
    { "Connection: close", "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", KEEP,
      HTTP_OK, 200, "x", false },
    { "close among other options", "GET",
      "HTTP/1.1 200 OK\r\nConnection: foo, close\r\nContent-Length: 1\r\n\r\nx", KEEP, HTTP_OK, 200, "x",
      false },
    { "204 has no body", "GET", "HTTP/1.1 204 No Content\r\n\r\n", KEEP, HTTP_OK, 204, "", true },
    { "204 with a body: extra bytes", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi", KEEP,
      HTTP_OK, 204, "", false },
    { "304 has no body", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", KEEP, HTTP_OK, 304,
      "", true },
    { "HEAD has no body", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", KEEP, HTTP_OK, 200, "",
      true },
    { "HEAD with a body", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", KEEP, HTTP_OK, 200, "",
      false },
    { "100 and 103 before the answer", "GET",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 "
      "OK\r\nContent-Length: 1\r\n\r\nx",
      KEEP, HTTP_OK, 200, "x", true },
    { "a flood of 1xx", "GET",
      "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 "
      "C\r\n\r\n"
      "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 "
      "C\r\n\r\n",
      KEEP, HTTP_MALFORMED, 0, "", false },
    { "101 that nobody asked for", "GET", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", KEEP,
      HTTP_MALFORMED, 0, "", false },
    { "longer than it says", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello", KEEP, HTTP_OK, 200,
      "he", false },
    { "a second answer behind", "GET",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny", KEEP,
      HTTP_OK, 200, "x", false },
    { "shorter than it says", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel", CLOSE, HTTP_RESET,
      200, "hel", false },
    { "half a chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhal", CLOSE,
      HTTP_RESET, 200, "hal", false },
    { "no last chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", CLOSE,
      HTTP_RESET, 200, "abc", false },
    { "bad chunk size", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
      KEEP, HTTP_MALFORMED, 200, "", false },
    { "chunk ends in LF", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
      KEEP, HTTP_MALFORMED, 200, "", false },
    { "two lengths", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", KEEP,
      HTTP_MALFORMED, 0, "", false },
    { "length and chunks", "GET",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", KEEP,
      HTTP_MALFORMED, 0, "", false },
    { "unknown coding", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", KEEP,
      HTTP_MALFORMED, 0, "", false },
    { "negative length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", KEEP, HTTP_MALFORMED, 0, "",
      false },
    { "length is no number", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n", KEEP, HTTP_MALFORMED, 0,
      "", false },
    { "garbage", "GET", "\x16\x03\x01 I am not HTTP", KEEP, HTTP_MALFORMED, 0, "", false },
    { "HTTP/0.9", "GET", "<html>hello</html>", CLOSE, HTTP_MALFORMED, 0, "", false },
    { "HTTP/2", "GET", "HTTP/2.0 200 OK\r\n\r\n", KEEP, HTTP_MALFORMED, 0, "", false },
    { "bare LF", "GET", "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", KEEP, HTTP_MALFORMED, 0, "", false },
    { "folded header", "GET", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n", KEEP,
      HTTP_MALFORMED, 0, "", false },
    { "space before the colon", "GET", "HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n", KEEP,
      HTTP_MALFORMED, 0, "", false },
    { "CR in a value", "GET", "HTTP/1.1 200 OK\r\nA: b\rSet-Cookie: c\r\nContent-Length: 0\r\n\r\n", KEEP,
      HTTP_MALFORMED, 0, "", false },
    { "status 99", "GET", "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", KEEP, HTTP_MALFORMED, 0, "",
      false },
    { "closes without a word", "GET", "", CLOSE, HTTP_RESET, 0, "", false },
    { "resets", "POST", "", RESET, HTTP_RESET, 0, "", false },
    { "half a head", "GET", "HTTP/1.1 200 OK\r\nContent-Le", CLOSE, HTTP_RESET, 0, "", false },
    { "stalls before the head", "GET", "", STALL, HTTP_TIMEOUT, 0, "", false },
    { "stalls in the head", "GET", "HTTP/1.1 200 OK\r\nContent-", STALL, HTTP_TIMEOUT, 0, "", false },
    { "stalls in the body", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel", STALL, HTTP_TIMEOUT,
      200, "hel", false },
};

static int backend_listener;
static uint16_t backend_port;
static atomic_int backend_connections, backend_requests;
static SSL_CTX *_Atomic backend_tls;
static char backend_seen[256 * 1024]; /* the last request, head and body */
static size_t backend_seen_len;

struct link {
    int fd;
    SSL *ssl;
};

static ssize_t link_read(struct link *link, char *into, size_t room)
{
    return link->ssl ? SSL_read(link->ssl, into, (int)room) : recv(link->fd, into, room, 0);
}

static void link_write(struct link *link, const char *bytes, size_t len)
{
    if (link->ssl)
        SSL_write(link->ssl, bytes, (int)len);
    else
        send(link->fd, bytes, len, MSG_NOSIGNAL);
}

/* Reads a request into `seen`, with its body; false: the client has closed. */
static bool backend_read(struct link *link, char *seen, size_t room, size_t *len)
{
    size_t want = 0;
    *len = 0;
    for (;;) {
        seen[*len] = '\0';
        char *end = strstr(seen, "\r\n\r\n");
        if (end && !want) {
            const char *length = strstr(seen, "Content-Length: ");
            want = (size_t)(end + 4 - seen) + (length ? strtoul(length + 16, NULL, 10) : 0);
        }
        if (end && strstr(seen, "chunked") ? strstr(end, "\r\n0\r\n\r\n") != NULL : want && *len >= want)
            return true;
        ssize_t n = link_read(link, seen + *len, room - 1 - *len);
        if (n <= 0)
            return false;
        *len += (size_t)n;
    }
}

static void answer_row(struct link *link, const struct row *row, bool bytewise)
{
    size_t len = strlen(row->answer);
    for (size_t i = 0; bytewise && i < len; i++) {
        link_write(link, row->answer + i, 1);
        sched_yield();
    }
    if (!bytewise && len)
        link_write(link, row->answer, len);
}

/* The path says what to do: /row/N, /bytes/N the same byte by byte, /once answers and closes
 * without saying so, /big a large body, /brim an answer that fills the client's buffer to the last
 * byte with another one behind it, anything else "ok". */
static bool backend_answer(struct link *link, const char *request)
{
    int number;
    char path[64] = "";
    sscanf(request, "%*s %63s", path);
    if (sscanf(path, "/row/%d", &number) == 1 || sscanf(path, "/bytes/%d", &number) == 1) {
        answer_row(link, &rows[number], path[1] == 'b');
        if (rows[number].then == RESET) {
            struct linger reset = { 1, 0 };
            setsockopt(link->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        }
        if (rows[number].then == STALL) {
            char byte;
            while (link_read(link, &byte, 1) > 0)
                ; /* until the client gives up */
        }
        return rows[number].then == KEEP;
    }
    if (strcmp(path, "/big") == 0) {
        char *block = malloc(1 << 20);
        memset(block, 'b', 1 << 20);
        static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n";
        link_write(link, head, sizeof head - 1);
        for (int i = 0; i < 8; i++)
            for (size_t at = 0; at < 1 << 20; at += 1 << 14)
                link_write(link, block + at, 1 << 14);
        free(block);
        return true;
    }
    if (strcmp(path, "/brim") == 0) {
        static char both[64 * 1024 + 64];
        static const char second[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
        memset(both, 'b', 64 * 1024);
        size_t head = (size_t)sprintf(both, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", 64 * 1024 - 42);
        both[head] = 'b';
        memcpy(both + head + 64 * 1024 - 42, second, sizeof second - 1);
        link_write(link, both, head + 64 * 1024 - 42 + sizeof second - 1);
        return true;
    }
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    link_write(link, ok, sizeof ok - 1);
    return strcmp(path, "/once") != 0;
}

static void *backend_serve(void *arg)
{
    struct link link = { .fd = (int)(intptr_t)arg };
    SSL_CTX *tls = backend_tls;
    char *seen = malloc(sizeof backend_seen);
    size_t len;
    bool good = true;
    if (tls) {
        link.ssl = SSL_new(tls);
        SSL_set_fd(link.ssl, link.fd);
        good = SSL_accept(link.ssl) == 1;
    }
    while (good && backend_read(&link, seen, sizeof backend_seen, &len)) {
        memcpy(backend_seen, seen, len + 1); /* one request at a time in these tests */
        backend_seen_len = len;
        backend_requests++;
        if (!backend_answer(&link, seen))
            break;
    }
    if (link.ssl) {
        SSL_shutdown(link.ssl);
        SSL_free(link.ssl);
    }
    close(link.fd);
    free(seen);
    backend_connections--;
    return NULL;
}

static void *backend_run(void *arg)
{
    int listener = (int)(intptr_t)arg, fd;
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        pthread_t thread;
        backend_connections++;
        pthread_create(&thread, NULL, backend_serve, (void *)(intptr_t)fd);
        pthread_detach(thread);
    }
    return NULL;
}

static int listen_anywhere(uint16_t *port)
{
    struct sockaddr_in addr = { .sin_family = AF_INET };
    socklen_t len = sizeof addr;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(listen(fd, 100), 0);
    getsockname(fd, (struct sockaddr *)&addr, &len);
    *port = ntohs(addr.sin_port);
    return fd;
}

/* --- a call, run to its end --- */

static struct http_client *client;
static struct job_pool *jobs;
static pthread_t backend_thread;

struct fetch {
    struct http_call call;
    struct arena *arena;
    struct strbuf body;
    enum http_failure failure;
    int heads, dones, pauses;
    size_t to_stream, pause_every;
    bool cancel_in_head, cancel_in_piece;
    struct timer timer;
};

static void fetch_head(struct http_call *call)
{
    struct fetch *fetch = call->user;
    fetch->heads++;
    assert_true(call->first_byte_us > 0);
    if (fetch->cancel_in_head)
        http_call_cancel(call);
}

static void fetch_resume(struct timer *timer)
{
    struct fetch *fetch = (struct fetch *)((char *)timer - offsetof(struct fetch, timer));
    http_call_resume(&fetch->call);
}

static void fetch_piece(struct http_call *call, struct str piece)
{
    struct fetch *fetch = call->user;
    strbuf_add(&fetch->body, piece);
    if (fetch->cancel_in_piece)
        http_call_cancel(call);
    else if (fetch->pause_every && fetch->body.len / fetch->pause_every > (size_t)fetch->pauses) {
        fetch->pauses++;
        http_call_pause(call);
        timer_start(net_loop(), &fetch->timer, 1000, fetch_resume);
    }
}

static void fetch_done(struct http_call *call, enum http_failure failure)
{
    struct fetch *fetch = call->user;
    fetch->failure = failure;
    fetch->dones++;
    loop_stop(net_loop());
}

static void fetch_stream(struct http_call *call)
{
    struct fetch *fetch = call->user;
    char block[4000];
    memset(block, 's', sizeof block);
    while (fetch->to_stream > 0) {
        size_t n = fetch->to_stream < sizeof block ? fetch->to_stream : sizeof block;
        fetch->to_stream -= n;
        if (!http_call_write(call, (struct str){ block, n }))
            return;
    }
    http_call_end(call);
}

static struct fetch *fetch_new(const char *method, const char *target)
{
    struct arena *arena = arena_new(4096);
    struct fetch *fetch = ARENA_NEW(arena, struct fetch);
    fetch->arena = arena;
    fetch->body = strbuf_in(arena, 100);
    fetch->call = (struct http_call){
        .scheme = STR("http"),
        .host = STR("127.0.0.1"),
        .port = backend_port,
        .method = str_of(method),
        .target = str_of(target),
        .timeout_ms = 20000, /* of a busy machine */
        .arena = arena,
        .user = fetch,
        .on_head = fetch_head,
        .on_piece = fetch_piece,
        .on_done = fetch_done,
        .on_writable = fetch_stream,
    };
    return fetch;
}

static void fetch_run(struct fetch *fetch)
{
    http_call_start(client, &fetch->call);
    assert_int_equal(fetch->dones, 0); /* never from inside of start */
    loop_run(net_loop());
    assert_int_equal(fetch->dones, 1);
}

static void fetch_free(struct fetch *fetch)
{
    arena_free(fetch->arena);
}

/* One turn and a bit: what is idle learns of its end. */
static void stop_soon(struct timer *timer)
{
    (void)timer;
    loop_stop(net_loop());
}

static void run_for_ms(int ms)
{
    struct timer timer = { 0 };
    timer_start(net_loop(), &timer, ms * 1000, stop_soon);
    loop_run(net_loop());
}

static void fresh_client(const struct http_client_config *config)
{
    http_client_free(client);
    struct http_client_config own = *config;
    own.jobs = jobs;
    client = http_client_new(net_loop(), &own);
}

/* --- the tests --- */

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        const struct row *row = &rows[i / 2];
        fresh_client(&(struct http_client_config){ 0 });
        struct fetch *fetch = fetch_new(row->method, "");
        if (row->then == STALL)
            fetch->call.timeout_ms = i % 2 ? 1500 : 300; /* each byte waits for its turn on a busy machine */
        fetch->call.target = str_printf(fetch->arena, "/%s/%zu", i % 2 ? "bytes" : "row", i / 2);
        fetch_run(fetch);
        struct str body = strbuf_view(&fetch->body);
        if (fetch->failure != row->failure || fetch->call.status != row->status || !str_is(body, row->body))
            fail_msg("%s%s: %s, status %d, body %.*s", row->name, i % 2 ? " (byte by byte)" : "",
                     http_failure_text(fetch->failure), fetch->call.status, STR_FMT(body));
        /* Extra bytes that come later are seen on the idle connection instead. */
        for (int tries = 0; i % 2 && tries < 1000 && http_client_idle(client) != row->kept; tries++)
            run_for_ms(2);
        if (http_client_idle(client) != row->kept)
            fail_msg("%s: kept %u", row->name, http_client_idle(client));
        assert_int_equal(fetch->heads, row->status != 0);
        fetch_free(fetch);
    }
}

/* The client reads 64 KiB at a time: what lies behind exactly that raises no event of its own, and
 * must not be the answer to somebody else's request. */
static void test_an_answer_behind_a_full_buffer_is_nobodys(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        fresh_client(&(struct http_client_config){ 0 });
        struct fetch *fetch = fetch_new("GET", "/brim");
        fetch_run(fetch);
        assert_int_equal(fetch->failure, HTTP_OK);
        assert_int_equal(strbuf_view(&fetch->body).len, 64 * 1024 - 42);
        fetch_free(fetch);
        for (int tries = 0; tries < 1000 && http_client_idle(client) > 0; tries++)
            run_for_ms(2);
        assert_int_equal(http_client_idle(client), 0);
        struct fetch *next = fetch_new("GET", "/ok");
        fetch_run(next);
        assert_true(str_is(strbuf_view(&next->body), "ok"));
        fetch_free(next);
    }
}

static void test_connections_are_used_again(void **state)
{
    (void)state;
    fresh_client(&(struct http_client_config){ 0 });
    for (int i = 0; i < 5; i++) {
        struct fetch *fetch = fetch_new("POST", "/ok");
        fetch->call.body = STR("{}");
        fetch_run(fetch);
        assert_int_equal(fetch->failure, HTTP_OK);
        assert_int_equal(fetch->call.reused, i > 0);
        assert_int_equal(http_client_idle(client), 1);
        fetch_free(fetch);
    }
}

static void test_stale_connection_is_tried_again_once(void **state)
{
    (void)state;
    static const char *const methods[] = { "GET", "PUT", "POST" };
    for (size_t i = 0; i < COUNT(methods); i++) {
        fresh_client(&(struct http_client_config){ 0 });
        struct fetch *first = fetch_new("GET", "/once"); /* closes, but does not say so */
        fetch_run(first);
        assert_int_equal(first->failure, HTTP_OK);
        /* The FIN has or hasn't been seen when the next call starts: both must work. */
        struct fetch *second = fetch_new(methods[i], "/ok");
        while (backend_connections > 0)
            usleep(100);
        fetch_run(second);
        assert_int_equal(second->failure, HTTP_OK);
        assert_int_equal(second->call.reused, 0);
        fetch_free(first);
        fetch_free(second);
    }
}

static void test_idle_connections_are_closed_in_time(void **state)
{
    (void)state;
    fresh_client(&(struct http_client_config){ .idle_timeout_ms = 1 });
    struct fetch *fetch = fetch_new("GET", "/ok");
    fetch_run(fetch);
    assert_int_equal(http_client_idle(client), 1);
    for (int i = 0; i < 30 && http_client_idle(client) > 0; i++)
        run_for_ms(100);
    assert_int_equal(http_client_idle(client), 0);
    fetch_free(fetch);
}

static void test_what_the_backend_sees(void **state)
{
    (void)state;
    struct http_headers headers = { 0 };
    struct fetch *fetch = fetch_new("POST", "/x?y=%20");
    http_header_add(fetch->arena, &headers, STR("X-One"), STR("1"));
    http_header_add(fetch->arena, &headers, STR("Connection"), STR("X-One"));
    http_header_add(fetch->arena, &headers, STR("Transfer-Encoding"), STR("chunked"));
    http_header_add(fetch->arena, &headers, STR("Content-Length"), STR("99"));
    http_header_add(fetch->arena, &headers, STR("Host"), STR("evil"));
    http_header_add(fetch->arena, &headers, STR("Expect"), STR("100-continue"));
    http_header_add(fetch->arena, &headers, STR("X-Two"), STR("a\r\nX-Three: 3"));
    fetch->call.headers = &headers;
    fetch->call.host_header = STR("api.test");
    fetch->call.body = STR("body");
    fetch_run(fetch);
    assert_string_equal(backend_seen, "POST /x?y=%20 HTTP/1.1\r\nHost: api.test\r\nX-One: 1\r\n"
                                      "Content-Length: 4\r\n\r\nbody");
    fetch_free(fetch);
    fetch = fetch_new("GET", "/");
    fetch_run(fetch);
    char wanted[100];
    snprintf(wanted, sizeof wanted, "GET / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", backend_port);
    assert_string_equal(backend_seen, wanted);
    fetch_free(fetch);
}

static void test_streamed_request_body(void **state)
{
    (void)state;
    for (int chunked = 0; chunked < 2; chunked++) {
        struct fetch *fetch = fetch_new("POST", "/ok");
        fetch->call.stream_body = true;
        fetch->call.body_length = chunked ? -1 : 150000;
        fetch->to_stream = 150000;
        fetch->call.timeout_ms = 5000;
        http_call_start(client, &fetch->call);
        fetch_stream(&fetch->call);
        loop_run(net_loop());
        assert_int_equal(fetch->failure, HTTP_OK);
        const char *body = strstr(backend_seen, "\r\n\r\n") + 4;
        size_t s = 0;
        for (; *body; body++)
            s += *body == 's';
        assert_int_equal(s, 150000);
        assert_int_equal(strstr(backend_seen, "Content-Length: 150000") != NULL, !chunked);
        fetch_free(fetch);
    }
    struct fetch *liar = fetch_new("POST", "/ok"); /* fewer bytes than announced */
    liar->call.stream_body = true;
    liar->call.body_length = 10;
    http_call_start(client, &liar->call);
    http_call_write(&liar->call, STR("12345"));
    http_call_end(&liar->call);
    loop_run(net_loop());
    assert_int_equal(liar->failure, HTTP_CANCELLED);
    fetch_free(liar);
}

static void test_pause_holds_the_backend_back(void **state)
{
    (void)state;
    struct fetch *fetch = fetch_new("GET", "/big");
    fetch->call.timeout_ms = 5000;
    fetch->pause_every = 100000;
    fetch_run(fetch);
    assert_int_equal(fetch->failure, HTTP_OK);
    assert_int_equal(fetch->body.len, 8388608);
    assert_true(fetch->pauses > 20);
    fetch_free(fetch);
}

static void test_cancel(void **state)
{
    (void)state;
    fresh_client(&(struct http_client_config){ 0 });
    for (int where = 0; where < 3; where++) {
        struct fetch *fetch = fetch_new("GET", "/big");
        fetch->cancel_in_head = where == 1;
        fetch->cancel_in_piece = where == 2;
        http_call_start(client, &fetch->call);
        if (where == 0)
            http_call_cancel(&fetch->call);
        loop_run(net_loop()); /* until on_done's stop, which may have come already */
        assert_int_equal(fetch->failure, HTTP_CANCELLED);
        assert_int_equal(fetch->dones, 1);
        assert_int_equal(http_client_idle(client), 0);
        assert_int_equal(http_client_active(client), 0);
        fetch_free(fetch);
    }
    struct fetch *fetch = fetch_new("GET", "/ok");
    fetch->call.timeout_ms = 60000;
    http_call_start(client, &fetch->call);
    fresh_client(&(struct http_client_config){ 0 }); /* freeing cancels */
    assert_int_equal(fetch->failure, HTTP_CANCELLED);
    fetch_free(fetch);
    loop_run(net_loop());
}

static void test_could_not_connect(void **state)
{
    (void)state;
    uint16_t closed_port;
    close(listen_anywhere(&closed_port));
    static const struct {
        const char *name, *host;
        bool open;
        enum http_failure failure;
    } hosts[] = {
        { "nobody listens", "127.0.0.1", false, HTTP_REFUSED },
        { "localhost, tried on both addresses", "localhost", false, HTTP_REFUSED },
        { "localhost", "localhost", true, HTTP_OK },
        { "a name that is none", "no-such-name.invalid", true, HTTP_REFUSED },
        { "a name of the hosts file", "ip6-localhost", false, HTTP_REFUSED },
    };
    for (size_t i = 0; i < COUNT(hosts); i++) {
        struct fetch *fetch = fetch_new("GET", "/ok");
        fetch->call.host = str_of(hosts[i].host);
        fetch->call.port = hosts[i].open ? backend_port : closed_port;
        fetch->call.timeout_ms = 20000;
        fetch_run(fetch);
        if (fetch->failure != hosts[i].failure)
            fail_msg("%s: %s", hosts[i].name, http_failure_text(fetch->failure));
        fetch_free(fetch);
    }
}

static void test_limits_of_the_head(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int headers, each;
        enum http_answer_step step;
    } limits[] = {
        { "30 KiB in one header", 1, 30 * 1024, HTTP_ANSWER_HEAD },
        { "33 KiB in one header", 1, 33 * 1024, HTTP_ANSWER_BAD },
        { "200 headers", 200, 10, HTTP_ANSWER_HEAD },
        { "201 headers", 201, 10, HTTP_ANSWER_BAD },
    };
    char *text = malloc(64 * 1024);
    for (size_t i = 0; i < COUNT(limits) * 2; i++) {
        size_t at = 0, len = (size_t)sprintf(text, "HTTP/1.1 200 OK\r\n");
        for (int h = 0; h < limits[i / 2].headers; h++)
            len += (size_t)sprintf(text + len, "X-%d: %0*d\r\n", h, limits[i / 2].each, 1);
        len += (size_t)sprintf(text + len, "\r\n");
        struct arena *arena = arena_new(1024);
        struct http_answer answer;
        http_answer_init(&answer, arena, false);
        enum http_answer_step step = HTTP_ANSWER_MORE;
        while (step == HTTP_ANSWER_MORE && at < len) { /* whole, or in pieces */
            size_t n = i % 2 && len - at > 1000 ? 1000 : len - at;
            struct str in = { text + at, n }, piece;
            step = http_answer_next(&answer, &in, &piece);
            at += n;
        }
        if (step != limits[i / 2].step)
            fail_msg("%s: step %d", limits[i / 2].name, (int)step);
        arena_free(arena);
    }
    free(text);
}

/* --- TLS --- */

struct identity {
    EVP_PKEY *key;
    X509 *cert;
};

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
}

static struct identity make_identity(const struct identity *issuer, const char *alt_names, int days)
{
    static int serial = 1;
    struct identity id = { EVP_EC_gen("P-256"), X509_new() };
    X509_set_version(id.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(id.cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(id.cert), -86400 * 10);
    X509_gmtime_adj(X509_getm_notAfter(id.cert), 86400L * days);
    X509_set_pubkey(id.cert, id.key);
    X509_NAME *name = X509_get_subject_name(id.cert);
    char common[40] = "backend"; /* authorities are found by their names */
    if (!issuer)
        snprintf(common, sizeof common, "test authority %d", serial);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common, -1, -1, 0);
    X509_set_issuer_name(id.cert, issuer ? X509_get_subject_name(issuer->cert) : name);
    add_extension(id.cert, issuer ? issuer->cert : id.cert, NID_basic_constraints,
                  issuer ? "CA:FALSE" : "CA:TRUE");
    if (alt_names)
        add_extension(id.cert, issuer->cert, NID_subject_alt_name, alt_names);
    X509_sign(id.cert, issuer ? issuer->key : id.key, EVP_sha256());
    return id;
}

static void identity_free(struct identity *id)
{
    X509_free(id->cert);
    EVP_PKEY_free(id->key);
}

static void test_tls(void **state)
{
    (void)state;
    char ca_file[] = "/tmp/gatehouse-ca-XXXXXX";
    struct identity ca = make_identity(NULL, NULL, 10), stranger = make_identity(NULL, NULL, 10);
    FILE *file = fdopen(mkstemp(ca_file), "w");
    PEM_write_X509(file, ca.cert);
    fclose(file);
    static const struct {
        const char *name, *host, *alt_names;
        int days;
        bool by_stranger, insecure;
        enum http_failure failure;
        bool sends_root;
        const char *tls_name;
    } certs[] = {
        { "good name", "localhost", "DNS:localhost", 5, false, false, HTTP_OK },
        { "good address", "127.0.0.1", "IP:127.0.0.1", 5, false, false, HTTP_OK },
        { "another name", "localhost", "DNS:example.com", 5, false, false, HTTP_TLS },
        { "a name does not cover an address", "127.0.0.1", "DNS:localhost", 5, false, false, HTTP_TLS },
        { "unknown authority", "localhost", "DNS:localhost", 5, true, false, HTTP_TLS },
        { "expired", "localhost", "DNS:localhost", -1, false, false, HTTP_TLS },
        { "any authority: a stranger's root", "localhost", "DNS:localhost", 5, true, true, HTTP_OK, true },
        { "any authority: but there must be a root", "localhost", "DNS:localhost", 5, true, true, HTTP_TLS },
        { "any authority: the name counts", "localhost", "DNS:example.com", 5, true, true, HTTP_TLS, true },
        { "any authority: the date counts", "localhost", "DNS:localhost", -1, true, true, HTTP_TLS, true },
        { "another name is asked for", "localhost", "DNS:api.example.com", 5, false, false, HTTP_OK, false, "api.example.com" },
        { "and must be the certificate's", "localhost", "DNS:localhost", 5, false, false, HTTP_TLS, false, "api.example.com" },
    };
    for (size_t i = 0; i < COUNT(certs); i++) {
        struct identity id =
            make_identity(certs[i].by_stranger ? &stranger : &ca, certs[i].alt_names, certs[i].days);
        SSL_CTX *context = SSL_CTX_new(TLS_server_method());
        SSL_CTX_use_certificate(context, id.cert);
        SSL_CTX_use_PrivateKey(context, id.key);
        if (certs[i].sends_root)
            SSL_CTX_add1_chain_cert(context, stranger.cert);
        backend_tls = context;
        fresh_client(&(struct http_client_config){ .ca_file = ca_file });
        for (int again = 0; again < 2; again++) {
            struct fetch *fetch = fetch_new("GET", again ? "/big" : "/ok");
            fetch->call.scheme = STR("https");
            fetch->call.host = str_of(certs[i].host);
            fetch->call.insecure_tls = certs[i].insecure;
            fetch->call.tls_name = certs[i].tls_name ? str_of(certs[i].tls_name) : STR_NONE;
            fetch->call.timeout_ms = 5000;
            fetch->pause_every = 1000000;
            fetch_run(fetch);
            if (fetch->failure != certs[i].failure)
                fail_msg("%s: %s", certs[i].name, http_failure_text(fetch->failure));
            if (fetch->failure == HTTP_OK) {
                assert_int_equal(fetch->body.len, again ? 8388608 : 2);
                assert_int_equal(fetch->call.reused, again);
            }
            fetch_free(fetch);
        }
        fresh_client(&(struct http_client_config){ 0 });
        while (backend_connections > 0)
            usleep(1000);
        backend_tls = NULL;
        SSL_CTX_free(context);
        identity_free(&id);
    }
    /* A plain backend where TLS is expected. */
    struct fetch *fetch = fetch_new("GET", "/row/0");
    fetch->call.scheme = STR("https");
    fetch->call.timeout_ms = 200;
    fetch_run(fetch);
    assert_true(fetch->failure == HTTP_TLS || fetch->failure == HTTP_TIMEOUT);
    fetch_free(fetch);
    identity_free(&ca);
    identity_free(&stranger);
    unlink(ca_file);
}

static int setup(void **state)
{
    net_setup(state);
    jobs = job_pool_new(1, 10);
    backend_listener = listen_anywhere(&backend_port);
    return pthread_create(&backend_thread, NULL, backend_run, (void *)(intptr_t)backend_listener);
}

static int teardown(void **state)
{
    http_client_free(client);
    job_pool_free(jobs);
    shutdown(backend_listener, SHUT_RDWR);
    pthread_join(backend_thread, NULL);
    close(backend_listener);
    while (backend_connections > 0)
        usleep(1000);
    return net_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_an_answer_behind_a_full_buffer_is_nobodys),
        cmocka_unit_test(test_connections_are_used_again),
        cmocka_unit_test(test_stale_connection_is_tried_again_once),
        cmocka_unit_test(test_idle_connections_are_closed_in_time),
        cmocka_unit_test(test_what_the_backend_sees),
        cmocka_unit_test(test_streamed_request_body),
        cmocka_unit_test(test_pause_holds_the_backend_back),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_could_not_connect),
        cmocka_unit_test(test_limits_of_the_head),
        cmocka_unit_test(test_tls),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
