/* A job thread asks and waits: answers, and every way there may be none. */
#include "tests/support/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/http_fetch.h"

static const struct row {
    const char *name, *answer; /* NULL: silence */
    const char *why;           /* NULL: an answer */
    int status;
    const char *text;
} rows[] = {
    { "200", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", NULL, 200, "ok" },
    { "a refusal is an answer", "HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbusy",
      NULL, 503, "busy" },
    { "a redirect is not followed",
      "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
      NULL, 302, "" },
    { "too large", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 20\r\n\r\n01234567890123456789",
      "its answer is too large", 0, NULL },
    { "silence", NULL, "it took too long", 0, NULL },
    { "no HTTP", "hello\r\n\r\n", NULL, -1, NULL },
};

static int listener;

static void *backend(void *ctx)
{
    (void)ctx;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char head[4096];
        int fd = accept(listener, NULL, NULL);
        ssize_t got = read(fd, head, sizeof head);
        if (got > 0 && rows[i].answer)
            got = write(fd, rows[i].answer, strlen(rows[i].answer));
        if (!rows[i].answer)
            got = read(fd, head, sizeof head); /* until it is given up */
        close(fd);
    }
    return NULL;
}

static void test_rows(void **state)
{
    (void)state;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (void *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 8), 0);
    getsockname(listener, (void *)&address, &len);
    pthread_t thread;
    pthread_create(&thread, NULL, backend, NULL);

    struct http_fetcher *fetcher = http_fetcher_new(&net_env, NULL, NULL);
    struct arena *arena = arena_new(4096);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct http_fetch fetch = {
            .method = STR("POST"),
            .url = str_printf(arena, "http://127.0.0.1:%u/hook?x=1", ntohs(address.sin_port)),
            .body = STR("{}"),
            .timeout_ms = row->answer ? 5000 : 100,
            .most = 10,
        };
        http_fetch(fetcher, arena, &fetch);
        if (row->status < 0) {
            if (!fetch.why)
                fail_msg("%s: an answer", row->name);
            continue;
        }
        if ((fetch.why && !row->why) || (!fetch.why && row->why) ||
            (row->why && strcmp(row->why, fetch.why) != 0))
            fail_msg("%s: %s", row->name, fetch.why ? fetch.why : "an answer");
        if (!row->why && (fetch.status != row->status || !str_is(fetch.text, row->text)))
            fail_msg("%s: %d %.*s", row->name, fetch.status, STR_FMT(fetch.text));
    }
    struct http_fetch nowhere = {
        .method = STR("GET"), .url = STR("ftp://x/"), .timeout_ms = 100, .most = 10
    };
    http_fetch(fetcher, arena, &nowhere);
    assert_string_equal(nowhere.why, "it is no http or https address");
    pthread_join(thread, NULL);
    close(listener);
    http_fetcher_free(fetcher);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };
    return cmocka_run_group_tests(tests, net_setup, net_teardown);
}
