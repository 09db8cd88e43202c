/* The HTTP server over a real socket: bodies in and out, keep-alive, clients that misbehave. */
#include "tests/support/http_fixture.h"

#include <poll.h>

static void says(const char *name, const char *request, const char *wanted)
{
    const char *answer = raw_say(request);
    if (!strstr(answer, wanted))
        fail_msg("%s: no %s in\n%s", name, wanted, answer);
}

static const struct {
    const char *name, *request, *wanted;
} rows[] = {
    { "whole answer", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\nhello" },
    { "length is set", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\nContent-Length: 5\r\n" },
    { "date is set", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\nDate: " },
    { "echo by length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd", "\r\n\r\nabcd" },
    { "echo of chunks",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\nX-T: 1\r\n\r\n",
      "\r\n\r\nabcde" },
    { "empty body", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "Content-Length: 0\r\n" },
    { "body read as a stream", "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n1234567",
      "\r\n\r\n7" },
    { "DELETE may have a body", "DELETE /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nz",
      "\r\n\r\nz" },
    { "an answer that comes later", "GET /later HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\nlater" },
    { "chunked answer", "GET /chunks HTTP/1.1\r\nHost: a\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n" },
    { "chunked answer ends", "GET /chunks HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n0\r\n\r\n" },
    { "HTTP/1.0 gets no chunks", "GET /chunks HTTP/1.0\r\n\r\n", "\r\nConnection: close\r\n\r\nxxx" },
    { "HTTP/1.0 keeps alive when asked", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
      "\r\nConnection: keep-alive\r\n" },
    { "close is obeyed", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      "\r\nConnection: close\r\n" },
    { "raw target, query, host without port and case",
      "GET /see?a=%20&b HTTP/1.1\r\nHost: ExAmple.COM:4566\r\n\r\n",
      "GET|/see?a=%20&b|a=%20&b|example.com|0|127.0.0.1" },
    { "absolute form: the target's host wins", "GET http://api.test:80/see?q HTTP/1.1\r\nHost: other\r\n\r\n",
      "GET|/see?q|q|api.test|0|" },
    { "IPv6 host", "GET /see HTTP/1.1\r\nHost: [::1]:4566\r\n\r\n", "|::1|" },
    { "one empty line before a request", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "hello" },
    { "401 before the body arrived closes", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\nabc",
      "\r\nConnection: close\r\n" },
    { "over the limit: the handler's 413",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000001\r\n\r\nabc",
      "HTTP/1.1 413 Content Too Large" },
    { "broken off body", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc", "" },
    { "no Expect but 100-continue",
      "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\n", "HTTP/1.1 417 " },
    { "CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405 " },
};

static void test_single_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        says(rows[i].name, rows[i].request, rows[i].wanted);
}

static void test_headers_that_must_not_leave(void **state)
{
    (void)state;
    const char *answer = raw_say("GET /split HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_non_null(strstr(answer, "X-Good: 1\r\n"));
    assert_null(strstr(answer, "stolen"));
    assert_null(strstr(answer, "upgrade"));
    assert_null(strstr(answer, "99"));
    assert_null(strstr(answer, "Server:"));
}

static void test_answers_without_body(void **state)
{
    (void)state;
    const char *head = raw_say("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_non_null(strstr(head, "Content-Length: 5\r\n"));
    assert_null(strstr(head, "hello"));
    const char *second = strstr(head, "HTTP/1.1 204 No Content\r\n");
    assert_non_null(second);
    assert_null(strstr(second, "Content-Length"));
    assert_int_equal(
        raw_count(raw_say("HEAD /chunks HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
                  "HTTP/1.1 200"),
        2);
}

static void test_pipelining_keeps_order(void **state)
{
    (void)state;
    enum { N = 100 };
    static char requests[N * 120];
    size_t len = 0;
    for (int i = 0; i < N; i++) /* some answered at once, some later, some with bodies */
        len += (size_t)snprintf(requests + len, sizeof requests - len,
                                "POST /%s?%d HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n<%03d>",
                                i % 10 == 3 ? "later" : "echo", i, i);
    const char *answers = raw_say(requests);
    assert_int_equal(raw_count(answers, "HTTP/1.1 200 OK"), N);
    const char *at = answers;
    for (int i = 0; i < N; i++) {
        char wanted[8];
        snprintf(wanted, sizeof wanted, i % 10 == 3 ? "later" : "<%03d>", i);
        at = strstr(at, wanted);
        assert_non_null(at);
        at++;
    }
}

static void test_one_byte_at_a_time(void **state)
{
    (void)state;
    static const char text[] = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    char answer[4096];
    bool closed;
    int fd = raw_connect();
    for (size_t i = 0; i < sizeof text - 1; i++) {
        raw_send(fd, text + i, 1);
        sched_yield();
    }
    raw_read_all(fd, answer, sizeof answer, &closed);
    close(fd);
    assert_true(closed);
    assert_non_null(strstr(answer, "\r\n\r\nabcHTTP/1.1 200 OK"));
    assert_non_null(strstr(answer, "\r\n\r\nhello"));
}

static void test_expect_continue(void **state)
{
    (void)state;
    static const char head[] =
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    char answer[4096] = "";
    bool closed;
    int fd = raw_connect();
    raw_send(fd, head, sizeof head - 1);
    assert_int_equal(recv(fd, answer, 25, MSG_WAITALL), 25);
    assert_memory_equal(answer, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    raw_text(fd, "xyz");
    shutdown(fd, SHUT_WR);
    raw_read_all(fd, answer, sizeof answer, &closed);
    close(fd);
    assert_non_null(strstr(answer, "\r\n\r\nxyz"));
    /* Refused without reading: no 100, and the connection closes. */
    const char *refused =
        raw_say("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    assert_null(strstr(refused, "100 Continue"));
    assert_non_null(strstr(refused, "Connection: close"));
}

static void test_slow_reader_holds_the_writer_back(void **state)
{
    (void)state;
    char *block = malloc(1 << 20);
    fixture_written = 0;
    int fd = raw_connect();
    raw_text(fd, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(fixture_written > 256 * 1024);
    size_t before;
    do { /* until the sockets are full */
        before = fixture_written;
        usleep(20000);
    } while (fixture_written != before);
    assert_true(before < 32u * 1024 * 1024);
    size_t got = 0;
    ssize_t n;
    while (got < 64u * 1024 * 1024 && (n = recv(fd, block, 1 << 20, 0)) > 0)
        got += (size_t)n;
    assert_true(got >= 64u * 1024 * 1024); /* and the head */
    close(fd);
    free(block);
}

static void test_client_gone(void **state)
{
    (void)state;
    int broken_before = fixture_broken_off, done_before = fixture_done;
    fixture_written = 0;
    int fd = raw_connect();
    raw_text(fd, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(fixture_written > 256 * 1024);
    struct linger reset = { 1, 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    WAIT_UNTIL(fixture_broken_off == broken_before + 1); /* in the middle of a stream */
    fd = raw_connect();
    int requests_before = fixture_requests;
    raw_text(fd, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(fixture_requests == requests_before + 1);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    WAIT_UNTIL(fixture_done == done_before + 2); /* only after the handler has let go of it */
    fd = raw_connect();
    raw_text(fd, "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    close(fd);
    WAIT_UNTIL(fixture_broken_off == broken_before + 3); /* in the middle of its body */
}

static void test_a_lie_about_the_length_breaks_the_connection(void **state)
{
    (void)state;
    char answer[1024];
    bool closed;
    int broken_before = fixture_broken_off;
    int fd = raw_connect();
    raw_text(fd, "GET /short HTTP/1.1\r\nHost: a\r\n\r\n");
    raw_read_all(fd, answer, sizeof answer, &closed);
    close(fd);
    assert_true(closed);
    assert_null(strstr(answer, "12345\r\n"));
    WAIT_UNTIL(fixture_broken_off == broken_before + 1);
}

static void test_big_body_both_ways(void **state)
{
    (void)state;
    enum { N = 900000 };
    char *text = malloc(N + 200), *answer = malloc(N + 1000);
    bool closed;
    int head = snprintf(text, 200, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", N);
    for (int i = 0; i < N; i++)
        text[head + i] = (char)('a' + i % 23);
    int fd = raw_connect();
    raw_send(fd, text, (size_t)(head + N));
    shutdown(fd, SHUT_WR);
    size_t len = raw_read_all(fd, answer, N + 1000, &closed);
    close(fd);
    assert_true(len > N);
    assert_memory_equal(answer + len - N, text + head, N);
    free(text);
    free(answer);
}

static void test_limits_of_the_head(void **state)
{
    (void)state;
    char *text = malloc(64 * 1024);
    static const struct {
        const char *name;
        int target, headers, each;
        const char *wanted;
    } limits[] = {
        { "10,240 bytes of target", 10240, 0, 0, "HTTP/1.1 200" },
        { "10,240 bytes of headers", 100, 10, 1024, "HTTP/1.1 200" },
        { "one cookie of 10,000 bytes", 1, 1, 10000, "HTTP/1.1 200" },
        { "target over the limit", 30000, 0, 0, "HTTP/1.1 414" },
        { "headers over the limit", 10, 30, 1000, "HTTP/1.1 431" },
        { "98 more headers", 10, 98, 10, "HTTP/1.1 200" },
        { "101 headers", 10, 100, 10, "HTTP/1.1 431" },
    };
    for (size_t i = 0; i < COUNT(limits); i++) {
        int len = sprintf(text, "GET /%0*d HTTP/1.1\r\nHost: a\r\n", limits[i].target, 1);
        for (int h = 0; h < limits[i].headers; h++)
            len += sprintf(text + len, "X-%d: %0*d\r\n", h, limits[i].each, 1);
        sprintf(text + len, "\r\n");
        says(limits[i].name, text, limits[i].wanted);
    }
    free(text);
}

static void test_idle_memory_is_given_back(void **state)
{
    (void)state;
    enum { N = 150 };
    int fds[N];
    for (int i = 0; i < N; i++) {
        char answer[512];
        fds[i] = raw_connect();
        raw_text(fds[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_true(recv(fds[i], answer, sizeof answer, 0) > 0);
    }
    assert_true(http_server_connections(fixture_server) >= N);
    WAIT_UNTIL(http_server_in_flight(fixture_server) == 0);
    for (int i = 0; i < N; i++)
        close(fds[i]);
    WAIT_UNTIL(http_server_connections(fixture_server) == 0);
}

static void test_more_connections_than_allowed_wait(void **state)
{
    (void)state;
    enum { N = 210 };
    int fds[N];
    for (int i = 0; i < N; i++) {
        fds[i] = raw_connect();
        raw_text(fds[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    WAIT_UNTIL(http_server_connections(fixture_server) == 200);
    struct pollfd last = { .fd = fds[N - 1], .events = POLLIN };
    assert_int_equal(poll(&last, 1, 30), 0);
    for (int i = 0; i < N - 1; i++)
        close(fds[i]);
    assert_int_equal(poll(&last, 1, 5000), 1); /* its turn came */
    close(fds[N - 1]);
    WAIT_UNTIL(http_server_connections(fixture_server) == 0);
}

static void test_silent_clients_are_closed(void **state)
{
    (void)state;
    fixture_teardown(NULL);
    assert_int_equal(fixture_start(&(struct http_server_config){ .idle_timeout_s = 1 }), 0);
    static const char *const silent[] = {
        "",                                                               /* never says a word */
        "GET / HT",                                                       /* half a head */
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", /* half a body */
    };
    int fds[COUNT(silent)];
    for (size_t i = 0; i < COUNT(silent); i++) {
        fds[i] = raw_connect();
        raw_send(fds[i], silent[i], strlen(silent[i]));
    }
    for (size_t i = 0; i < COUNT(silent); i++) {
        char answer[512];
        bool closed;
        raw_read_all(fds[i], answer, sizeof answer, &closed);
        assert_true(closed);
        close(fds[i]);
    }
}

static void quiesce_task(struct loop_task *task)
{
    (void)task;
    http_server_quiesce(fixture_server);
}

static void test_quiesce_finishes_what_is_in_flight(void **state)
{
    (void)state;
    static struct loop_task task = { .fn = quiesce_task };
    char answer[1024];
    bool closed;
    int idle = raw_connect(), busy = raw_connect();
    int before = fixture_requests;
    raw_text(busy, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(fixture_requests > before);
    assert_false(http_server_is_done(fixture_server)); /* it has not heard of its end yet */
    loop_post(net_loop(), &task);
    raw_read_all(busy, answer, sizeof answer, &closed);
    assert_true(closed);
    assert_non_null(strstr(answer, "later"));
    assert_non_null(strstr(answer, "Connection: close"));
    raw_read_all(idle, answer, sizeof answer, &closed);
    assert_true(closed);
    WAIT_UNTIL(http_server_is_done(fixture_server));
    close(idle);
    close(busy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_requests),
        cmocka_unit_test(test_headers_that_must_not_leave),
        cmocka_unit_test(test_answers_without_body),
        cmocka_unit_test(test_pipelining_keeps_order),
        cmocka_unit_test(test_one_byte_at_a_time),
        cmocka_unit_test(test_expect_continue),
        cmocka_unit_test(test_slow_reader_holds_the_writer_back),
        cmocka_unit_test(test_client_gone),
        cmocka_unit_test(test_a_lie_about_the_length_breaks_the_connection),
        cmocka_unit_test(test_big_body_both_ways),
        cmocka_unit_test(test_limits_of_the_head),
        cmocka_unit_test(test_idle_memory_is_given_back),
        cmocka_unit_test(test_more_connections_than_allowed_wait),
        cmocka_unit_test(test_silent_clients_are_closed),
        cmocka_unit_test(test_quiesce_finishes_what_is_in_flight),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
