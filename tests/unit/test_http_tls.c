/* The HTTP server under TLS over a real socket: sites by name, slow and silent clients, breaking off. */
#include "tests/support/http_fixture.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>

#include "core/tls_sites.h"

static struct tls_sites *sites;
static struct arena *arena;

static struct tls_sites *sites_now(void *ctx)
{
    (void)ctx;
    return sites;
}

static void add_site(const char *name, const struct tls_limits *limits)
{
    struct str why = STR_NONE;
    struct tls_certificate *certificate =
        tls_certificate_self_signed(str_of(*name ? name : "default.test"), env_now_s(&net_env), arena, &why);
    assert_non_null(certificate);
    assert_true(tls_sites_add(sites, str_of(name), certificate, NULL, limits, NULL, arena, &why));
    tls_certificate_unref(certificate);
}

static int setup(void **state)
{
    (void)state;
    static const struct tls_limits old = { TLS1_2_VERSION, 0, NULL, NULL }, newest = { TLS1_3_VERSION, 0, NULL, NULL };
    env_system(&net_env);
    arena = arena_new(4096);
    sites = tls_sites_new(NULL);
    add_site("a.test", &old);
    add_site("*.w.test", &old);
    add_site("new.test", &newest);
    return fixture_start(&(struct http_server_config){
        .max_connections = 200, .idle_timeout_s = 2, .handshake_timeout_s = 1, .tls = sites_now });
}

static int teardown(void **state)
{
    fixture_teardown(state);
    tls_sites_unref(sites);
    arena_free(arena);
    return 0;
}

/* --- a client --- */

struct client {
    SSL_CTX *context;
    SSL *ssl;
    int fd;
};

static bool client_open(struct client *client, const char *name, int max_version)
{
    client->context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(client->context, max_version);
    client->ssl = SSL_new(client->context);
    client->fd = raw_connect();
    SSL_set_fd(client->ssl, client->fd);
    if (name)
        SSL_set_tlsext_host_name(client->ssl, name);
    return SSL_connect(client->ssl) == 1;
}

static void client_close(struct client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    close(client->fd);
    ERR_clear_error();
}

/* To the end; *clean: the server said that it is the end. */
static size_t client_read_all(struct client *client, char *into, size_t room, bool *clean)
{
    size_t len = 0;
    int n;
    while (len + 1 < room && (n = SSL_read(client->ssl, into + len, (int)(room - 1 - len))) > 0)
        len += (size_t)n;
    *clean = SSL_get_shutdown(client->ssl) & SSL_RECEIVED_SHUTDOWN;
    into[len] = '\0';
    return len;
}

static const char *client_say(const char *name, const char *request, bool *clean)
{
    static char answer[256 * 1024];
    struct client client;
    assert_true(client_open(&client, name, 0));
    SSL_write(client.ssl, request, (int)strlen(request));
    client_read_all(&client, answer, sizeof answer, clean);
    client_close(&client);
    return answer;
}

/* --- what is asked --- */

static void test_requests(void **state)
{
    (void)state;
    static const struct {
        const char *name, *request, *wanted;
    } rows[] = {
        { "whole", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "\r\n\r\nhello" },
        { "echo", "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nabcd", "\r\n\r\nabcd" },
        { "later", "GET /later HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "\r\n\r\nlater" },
        { "chunks", "GET /chunks HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "\r\n0\r\n\r\n" },
        { "bad framing", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 400 " },
        { "100-continue", "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
          "HTTP/1.1 200 " },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool clean;
        const char *answer = client_say("a.test", rows[i].request, &clean);
        if (!strstr(answer, rows[i].wanted) || !clean)
            fail_msg("%s: clean %d, no %s in\n%s", rows[i].name, clean, rows[i].wanted, answer);
    }
}

/* An answer that lies about its length must not look complete: no close_notify behind it. */
static void test_broken_answer_is_not_closed_cleanly(void **state)
{
    (void)state;
    bool clean;
    client_say("a.test", "GET /short HTTP/1.1\r\nHost: a\r\n\r\n", &clean);
    assert_false(clean);
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int max_version;
        bool shakes;
    } rows[] = {
        { "a.test", 0, true },           { "A.TEST", 0, true },     { "b.w.test", 0, true },
        { "c.b.w.test", 0, false },      { "w.test", 0, false },    { "stranger.test", 0, false },
        { NULL, 0, false },              { "new.test", 0, true },   { "new.test", TLS1_2_VERSION, false },
        { "a.test", TLS1_2_VERSION, true }, { "-", 0, false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client client;
        bool shakes = client_open(&client, rows[i].name, rows[i].max_version);
        if (shakes != rows[i].shakes)
            fail_msg("%s", rows[i].name ? rows[i].name : "(no name)");
        client_close(&client);
    }
}

static int64_t now_ms(void)
{
    return env_monotonic_us(&net_env) / 1000;
}

/* Whoever dribbles a handshake byte by byte has no more time than who sends nothing. */
static void test_slow_handshakes_end(void **state)
{
    (void)state;
    static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    for (int dribble = 0; dribble < 2; dribble++) {
        int fd = raw_connect();
        int64_t from_ms = now_ms();
        char byte;
        for (size_t i = 0; now_ms() - from_ms < 4000; i++) {
            struct pollfd waiting = { .fd = fd, .events = POLLIN };
            if (dribble && i < sizeof hello - 1)
                raw_send(fd, hello + i, 1);
            if (poll(&waiting, 1, 100) > 0 && recv(fd, &byte, 1, 0) <= 0)
                break;
        }
        int64_t took_ms = now_ms() - from_ms;
        close(fd);
        assert_in_range(took_ms, 900, 2500);
    }
    WAIT_UNTIL(http_server_connections(fixture_server) == 0);
}

/* After the handshake the idle time counts: a head that dribbles in ends too. */
static void test_idle_connections_end(void **state)
{
    (void)state;
    struct client client;
    assert_true(client_open(&client, "a.test", 0));
    char byte;
    int64_t from_ms = now_ms();
    assert_true(SSL_read(client.ssl, &byte, 1) <= 0);
    assert_in_range(now_ms() - from_ms, 1500, 4500);
    client_close(&client);
}

/* 64 MiB to somebody who does not read: little is written ahead; then all of it arrives. */
static void test_slow_reader(void **state)
{
    (void)state;
    struct client client;
    static char block[64 * 1024];
    static const char request[] = "GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert_true(client_open(&client, "a.test", 0));
    SSL_write(client.ssl, request, sizeof request - 1);
    WAIT_UNTIL(fixture_written > 0);
    usleep(200000); /* what the kernel takes on the way, it has taken by now */
    assert_in_range(fixture_written, 1, 24 * 1024 * 1024);
    size_t all = 0;
    int n;
    while ((n = SSL_read(client.ssl, block, sizeof block)) > 0)
        all += (size_t)n;
    assert_in_range(all, 64 * 1024 * 1024, 64 * 1024 * 1024 + 1000);
    client_close(&client);
}

static void test_renegotiation_is_refused(void **state)
{
    (void)state;
    struct client client;
    char byte;
    assert_true(client_open(&client, "a.test", TLS1_2_VERSION));
    SSL_renegotiate(client.ssl);
    SSL_do_handshake(client.ssl);
    assert_true(SSL_read(client.ssl, &byte, 1) <= 0);
    client_close(&client);
}

/* A table that nobody holds any more but a connection serves this connection to its end. */
static void test_table_is_replaced(void **state)
{
    (void)state;
    static const struct tls_limits limits = { TLS1_2_VERSION, 0, NULL, NULL };
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    struct client client, late;
    char answer[1000];
    bool clean;
    assert_true(client_open(&client, "a.test", 0));
    struct tls_sites *before = sites;
    sites = tls_sites_new(NULL);
    add_site("b.test", &limits);
    tls_sites_unref(before);
    assert_false(client_open(&late, "a.test", 0));
    client_close(&late);
    assert_true(client_open(&late, "b.test", 0));
    client_close(&late);
    SSL_write(client.ssl, request, sizeof request - 1);
    client_read_all(&client, answer, sizeof answer, &clean);
    assert_non_null(strstr(answer, "hello"));
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_broken_answer_is_not_closed_cleanly),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_slow_handshakes_end),
        cmocka_unit_test(test_idle_connections_end),
        cmocka_unit_test(test_slow_reader),
        cmocka_unit_test(test_renegotiation_is_refused),
        cmocka_unit_test(test_table_is_replaced),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
