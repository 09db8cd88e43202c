/* Connections to upstreams: pools of kept ones, connecting, TLS, names. */
#include "core/http_upstream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    IDLE_MS = 15000,
    IDLE_PER_HOST = 256,
    SWEEP_US = 1000 * 1000,
    RESOLVED_US = 30 * 1000 * 1000,
    UPSTREAMS_MAX = 512, /* more: those without connections are forgotten */
};

struct resolve { /* outlives the client when it must */
    struct job job;
    struct upstream *upstream; /* NULL: nobody waits any more */
    struct upstream found;     /* only its addresses */
    char host[256];
};

static struct upstream *find_upstream(struct http_client *client, const struct http_call *call);
static void upstream_free(void *upstream);
static bool parse_address(struct upstream *up);
static void add_address(struct upstream *up, int family, const void *bytes);
static void resolve_start(struct upstream *up, struct http_call_state *state);
static void resolve_run(struct job *job);
static void resolve_done(struct job *job);
static struct upstream_conn *take_idle(struct upstream *up, bool careful);
static void connect_to(struct http_call_state *state, struct upstream *up, int address);
static int open_socket(const struct upstream *up, int address);
static void conn_event(struct loop_fd *watch, uint32_t events);
static void conn_advance(struct upstream_conn *conn);
static bool advance_connecting(struct upstream_conn *conn);
static bool advance_handshake(struct upstream_conn *conn);
static bool advance_ready(struct upstream_conn *conn);
static bool receive(struct upstream_conn *conn);
static ssize_t receive_tls(struct upstream_conn *conn, char *into, size_t room);
static bool receive_end(struct upstream_conn *conn);
static void keep_rest(struct upstream_conn *conn, struct str rest);
static ssize_t send_tls(struct upstream_conn *conn, struct http_out *out);
static void make_idle(struct upstream_conn *conn);
static void leave_idle(struct upstream_conn *conn);
static void conn_destroy(struct upstream_conn *conn);
static void sweep(struct timer *timer);
static void forget_upstreams(struct http_client *client);

struct http_client *http_client_new(struct loop *loop, const struct http_client_config *config)
{
    struct http_client *client = calloc(1, sizeof *client);
    if (!client)
        abort();
    client->loop = loop;
    client->config = *config;
    if (client->config.idle_timeout_ms == 0)
        client->config.idle_timeout_ms = IDLE_MS;
    if (client->config.max_idle_per_host == 0)
        client->config.max_idle_per_host = IDLE_PER_HOST;
    client->upstreams = map_new();
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    return client;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    while (client->calls)
        call_finish(client->calls, HTTP_CANCELLED);
    timer_stop(client->loop, &client->sweep);
    map_free(client->upstreams, upstream_free);
    SSL_CTX_free(client->tls);
    SSL_CTX_free(client->tls_insecure);
    free(client);
}

unsigned http_client_active(const struct http_client *client)
{
    return client->active;
}

unsigned http_client_idle(const struct http_client *client)
{
    return client->idle;
}

/* --- origins and their names --- */

void upstream_take(struct http_call_state *state, bool kept_ones_too)
{
    struct http_call *call = state->call;
    struct upstream *up = find_upstream(state->client, call);
    bool careful = call->stream_body || !(str_is(call->method, "GET") || str_is(call->method, "HEAD"));
    struct upstream_conn *conn = kept_ones_too ? take_idle(up, careful) : NULL;
    call->reused = conn != NULL;
    if (conn) {
        conn->state = state;
        conn->heard = false;
        state->conn = conn;
        call->connected_us = loop_now_us(state->client->loop);
        upstream_flush(state);
        return;
    }
    if (loop_now_us(state->client->loop) < up->resolved_until_us || parse_address(up))
        connect_to(state, up, 0);
    else
        resolve_start(up, state);
}

void upstream_leave(struct http_call_state *state, bool answered)
{
    struct upstream_conn *conn = state->conn;
    state->conn = NULL;
    if (!conn) {
        struct upstream *up = find_upstream(state->client, state->call);
        for (struct http_call_state **at = &up->waiting; *at; at = &(*at)->waiting)
            if (*at == state) {
                *at = state->waiting;
                break;
            }
        return;
    }
    conn->state = NULL;
    conn->answers++;
    if (answered && state->clean && !conn->half_closed && conn->phase == CONN_READY &&
        !(conn->ssl && SSL_pending(conn->ssl) > 0) &&
        conn->upstream->idle_n < (unsigned)state->client->config.max_idle_per_host)
        make_idle(conn);
    else
        conn_destroy(conn);
}

static struct upstream *find_upstream(struct http_client *client, const struct http_call *call)
{
    bool tls = str_eq_nocase(call->scheme, STR("https"));
    struct upstream *up = client->recent; /* most loops talk to few */
    if (up && up->tls == tls && up->insecure == call->insecure_tls && up->port == call->port &&
        str_eq(call->host, str_of(up->host)))
        return up;
    char key[300];
    int len = snprintf(key, sizeof key, "%d%d:%u:%.*s", tls, call->insecure_tls, call->port,
                       (int)(call->host.len > 255 ? 255 : call->host.len), call->host.ptr);
    struct str name = { key, (size_t)len };
    up = map_get(client->upstreams, name);
    if (!up) {
        if (map_count(client->upstreams) >= UPSTREAMS_MAX)
            forget_upstreams(client);
        up = calloc(1, sizeof *up);
        if (!up)
            abort();
        up->client = client;
        up->tls = tls;
        up->insecure = call->insecure_tls;
        up->port = call->port;
        up->host = strndup(call->host.ptr, call->host.len > 255 ? 255 : call->host.len);
        map_set(client->upstreams, name, up);
    }
    client->recent = up;
    return up;
}

static void upstream_free(void *ptr)
{
    struct upstream *up = ptr;
    while (up->idle)
        conn_destroy(up->idle);
    if (up->resolving)
        up->resolving->upstream = NULL;
    free(up->host);
    free(up);
}

static void forget_upstreams(struct http_client *client)
{
    struct str key;
    void *value;
    struct str gone[32];
    size_t n = 0;
    for (size_t at = 0; n < COUNT(gone) && map_each(client->upstreams, &at, &key, &value);) {
        const struct upstream *up = value;
        if (!up->idle && !up->resolving && up->busy == 0)
            gone[n++] = key;
    }
    client->recent = NULL;
    while (n > 0) {
        struct upstream *up = map_get(client->upstreams, gone[--n]);
        map_remove(client->upstreams, gone[n]);
        upstream_free(up);
    }
}

/* Numeric addresses and localhost need nobody's help. */
static bool parse_address(struct upstream *up)
{
    unsigned char bytes[16];
    up->addresses_n = 0;
    if (inet_pton(AF_INET, up->host, bytes) == 1) {
        add_address(up, AF_INET, bytes);
    } else if (inet_pton(AF_INET6, up->host, bytes) == 1) {
        add_address(up, AF_INET6, bytes);
    } else if (str_eq_nocase(str_of(up->host), STR("localhost"))) {
        static const unsigned char four[4] = { 127, 0, 0, 1 };
        add_address(up, AF_INET, four);
        add_address(up, AF_INET6, &in6addr_loopback);
    }
    if (up->addresses_n > 0)
        up->resolved_until_us = INT64_MAX;
    return up->addresses_n > 0;
}

static void add_address(struct upstream *up, int family, const void *bytes)
{
    if (up->addresses_n == COUNT(up->addresses))
        return;
    up->addresses[up->addresses_n].family = family;
    memcpy(up->addresses[up->addresses_n].bytes, bytes, family == AF_INET ? 4 : 16);
    up->addresses_n++;
}

static void resolve_start(struct upstream *up, struct http_call_state *state)
{
    state->waiting = up->waiting;
    up->waiting = state;
    if (up->resolving)
        return;
    struct resolve *resolve = calloc(1, sizeof *resolve);
    if (!resolve)
        abort();
    resolve->upstream = up;
    memcpy(resolve->host, up->host, strlen(up->host) + 1);
    resolve->job = (struct job){ .home = up->client->loop, .run = resolve_run, .done = resolve_done };
    if (up->client->config.jobs && job_submit(up->client->config.jobs, &resolve->job)) {
        up->resolving = resolve;
        return;
    }
    free(resolve);
    up->waiting = state->waiting;
    call_fail_soon(state, HTTP_REFUSED);
}

static void resolve_run(struct job *job)
{
    struct resolve *resolve = (struct resolve *)job;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
    if (getaddrinfo(resolve->host, NULL, &hints, &list) != 0)
        return;
    for (struct addrinfo *at = list; at; at = at->ai_next) {
        if (at->ai_family == AF_INET)
            add_address(&resolve->found, AF_INET, &((struct sockaddr_in *)(void *)at->ai_addr)->sin_addr);
        else if (at->ai_family == AF_INET6)
            add_address(&resolve->found, AF_INET6, &((struct sockaddr_in6 *)(void *)at->ai_addr)->sin6_addr);
    }
    freeaddrinfo(list);
}

static void resolve_done(struct job *job)
{
    struct resolve *resolve = (struct resolve *)job;
    struct upstream *up = resolve->upstream;
    if (up) {
        up->resolving = NULL;
        up->addresses_n = resolve->found.addresses_n;
        memcpy(up->addresses, resolve->found.addresses, sizeof up->addresses);
        up->resolved_until_us = up->addresses_n ? loop_now_us(up->client->loop) + RESOLVED_US : 0;
        up->busy++; /* callbacks must not make it forgotten */
        struct http_call_state *state;
        while ((state = up->waiting) != NULL) {
            up->waiting = state->waiting;
            if (up->addresses_n)
                connect_to(state, up, 0);
            else
                call_finish(state, HTTP_REFUSED);
        }
        up->busy--;
    }
    free(resolve);
}

/* --- connecting --- */

/* The one used last is the least likely to be stale. When the request cannot be sent twice
 * (`careful`), ask the socket whether the other side has said anything in the meantime. */
static struct upstream_conn *take_idle(struct upstream *up, bool careful)
{
    struct upstream_conn *conn;
    while ((conn = up->idle) != NULL) {
        char byte;
        if (!careful || (recv(conn->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN)) {
            leave_idle(conn);
            return conn;
        }
        conn_destroy(conn);
    }
    return NULL;
}

static void connect_to(struct http_call_state *state, struct upstream *up, int address)
{
    int fd = -1;
    for (; address < up->addresses_n && fd < 0; address++)
        fd = open_socket(up, address);
    if (fd < 0) {
        call_fail_soon(state, HTTP_REFUSED);
        return;
    }
    struct upstream_conn *conn = calloc(1, sizeof *conn);
    if (!conn)
        abort();
    conn->watch = (struct loop_fd){ fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, conn_event };
    conn->upstream = up;
    conn->address = address - 1;
    conn->state = state;
    state->conn = conn;
    up->busy++;
    if (!loop_watch(up->client->loop, &conn->watch))
        call_fail_soon(state, HTTP_REFUSED);
}

static int open_socket(const struct upstream *up, int address)
{
    int one = 1, family = up->addresses[address].family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(up->port) };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(up->port) };
    memcpy(&four.sin_addr, up->addresses[address].bytes, 4);
    memcpy(&six.sin6_addr, up->addresses[address].bytes, 16);
    int result = family == AF_INET ? connect(fd, (struct sockaddr *)&four, sizeof four)
                                   : connect(fd, (struct sockaddr *)&six, sizeof six);
    if (result == 0 || errno == EINPROGRESS)
        return fd;
    close(fd);
    return -1;
}

static void conn_event(struct loop_fd *watch, uint32_t events)
{
    struct upstream_conn *conn = (struct upstream_conn *)watch; /* its first member */
    if (!conn->state) { /* whatever an idle connection says, it is no use any more */
        if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
            conn_destroy(conn);
        return;
    }
    if (events & EPOLLRDHUP)
        conn->half_closed = true;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        conn->readable = true; /* reading tells what is wrong */
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        conn->writable = true;
    conn_advance(conn);
}

void upstream_again(struct timer *timer)
{
    conn_advance((struct upstream_conn *)((char *)timer - offsetof(struct upstream_conn, again)));
}

static void conn_advance(struct upstream_conn *conn)
{
    static bool (*const phases[])(struct upstream_conn * conn) = {
        [CONN_CONNECTING] = advance_connecting,
        [CONN_HANDSHAKE] = advance_handshake,
        [CONN_READY] = advance_ready,
    };
    conn->entered++;
    while (!conn->dead && conn->state && phases[conn->phase](conn))
        ;
    conn->entered--;
    if (conn->dead && conn->entered == 0)
        free(conn);
}

/* All advance_ functions return true when there may be more to do. */
static bool advance_connecting(struct upstream_conn *conn)
{
    struct http_call_state *state = conn->state;
    struct upstream *up = conn->upstream;
    int error = 0;
    socklen_t len = sizeof error;
    if (!conn->writable)
        return false;
    getsockopt(conn->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error != 0) {
        int next = conn->address + 1;
        state->conn = NULL;
        conn->state = NULL;
        conn_destroy(conn);
        if (next < up->addresses_n)
            connect_to(state, up, next);
        else
            call_finish(state, HTTP_REFUSED);
        return false;
    }
    state->call->connected_us = loop_now_us(up->client->loop);
    conn->phase = CONN_READY;
    if (!up->tls)
        return true;
    SSL_CTX **context = up->insecure ? &up->client->tls_insecure : &up->client->tls;
    if (!*context)
        *context = tls_client_context(up->client->config.ca_file, !up->insecure);
    conn->ssl = *context ? tls_client_session(*context, conn->watch.fd, up->host) : NULL;
    if (!conn->ssl) {
        call_finish(state, HTTP_TLS);
        return false;
    }
    conn->phase = CONN_HANDSHAKE;
    return true;
}

static bool advance_handshake(struct upstream_conn *conn)
{
    if (!conn->readable && !conn->writable)
        return false;
    ERR_clear_error();
    int result = SSL_do_handshake(conn->ssl);
    int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(conn->ssl, result);
    if (error == SSL_ERROR_NONE) {
        conn->phase = CONN_READY;
        return true;
    }
    if (error == SSL_ERROR_WANT_READ && !conn->half_closed) {
        conn->readable = false;
        return false;
    }
    if (error == SSL_ERROR_WANT_WRITE) {
        conn->writable = false;
        return false;
    }
    call_finish(conn->state, HTTP_TLS);
    return false;
}

static bool advance_ready(struct upstream_conn *conn)
{
    struct http_call_state *state = conn->state;
    struct http_call *call = state->call;
    upstream_flush(state);
    if (state->want_writable && http_out_waiting(&state->out) < HTTP_CALL_DRAINED_BYTES) {
        state->want_writable = false;
        if (call->on_writable)
            call->on_writable(call);
        return true;
    }
    if (state->paused)
        return false;
    if (conn->in.len > 0) { /* what had come before the pause */
        struct str in = conn->in;
        conn->in = STR_NONE;
        if (!call_feed(state, &in))
            return false;
        keep_rest(conn, in);
        return true;
    }
    if (!conn->readable)
        return false;
    return receive(conn);
}

static bool receive(struct upstream_conn *conn)
{
    struct http_client *client = conn->upstream->client;
    struct http_call_state *state = conn->state;
    size_t room = sizeof client->scratch;
    ssize_t n =
        conn->ssl ? receive_tls(conn, client->scratch, room) : recv(conn->watch.fd, client->scratch, room, 0);
    if (n == 0)
        return receive_end(conn);
    if (n < 0 && errno == EINTR)
        return true;
    if (n < 0 && errno == EAGAIN) {
        conn->readable = false;
        return false;
    }
    if (n < 0) {
        call_lost(state, HTTP_RESET);
        return false;
    }
    /* A short read empties the socket: the next bytes raise a new edge. TLS may hold more back. */
    conn->readable = conn->ssl || (size_t)n == room || conn->half_closed;
    if (!conn->heard)
        state->call->first_byte_us = loop_now_us(client->loop);
    conn->heard = true;
    struct str in = { client->scratch, (size_t)n };
    if (!call_feed(state, &in))
        return false;
    keep_rest(conn, in);
    return true;
}

/* As recv: 0 at the end, -1 and errno otherwise. */
static ssize_t receive_tls(struct upstream_conn *conn, char *into, size_t room)
{
    ERR_clear_error();
    errno = ECONNRESET;
    int n = SSL_read(conn->ssl, into, (int)room);
    if (n > 0)
        return n;
    int error = SSL_get_error(conn->ssl, n);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        errno = EAGAIN;
        return -1;
    }
    conn->clean_end = error == SSL_ERROR_ZERO_RETURN;
    if (error == SSL_ERROR_SYSCALL && errno == 0)
        errno = ECONNRESET;
    return conn->clean_end ? 0 : -1;
}

/* The end of the connection is the end of a body that says so; without TLS's goodbye it might be
 * somebody in between who cuts it short. */
static bool receive_end(struct upstream_conn *conn)
{
    struct http_call_state *state = conn->state;
    if (state->headed && http_answer_may_end(&state->answer) && (!conn->ssl || conn->clean_end))
        call_finish(state, HTTP_OK);
    else
        call_lost(state, HTTP_RESET);
    return false;
}

/* The call was paused in the middle of what has been received. */
static void keep_rest(struct upstream_conn *conn, struct str rest)
{
    char *kept = NULL;
    if (rest.len > 0) {
        kept = malloc(rest.len);
        if (!kept)
            abort();
        memcpy(kept, rest.ptr, rest.len);
    }
    free(conn->kept);
    conn->kept = kept;
    conn->in = (struct str){ kept, rest.len };
}

void upstream_flush(struct http_call_state *state)
{
    struct upstream_conn *conn = state->conn;
    if (!conn || conn->phase != CONN_READY)
        return;
    while (conn->writable && !http_out_empty(&state->out)) {
        ssize_t sent = conn->ssl ? send_tls(conn, &state->out) : http_out_send(&state->out, conn->watch.fd);
        if (sent < 0 && errno == EINTR)
            continue;
        /* Plain sockets take all they can at once; TLS goes record by record. */
        conn->writable = sent >= 0 && (conn->ssl || http_out_empty(&state->out));
        if (sent >= 0 || errno == EAGAIN)
            continue;
        conn->readable = true; /* broken: reading says how, or finds an early answer */
        if (!conn->entered)
            timer_start(state->client->loop, &conn->again, 0, upstream_again);
    }
}

/* As http_out_send. */
static ssize_t send_tls(struct upstream_conn *conn, struct http_out *out)
{
    char record[16 * 1024];
    struct iovec iov[3];
    size_t len = 0; /* small parts leave in one record */
    int n = http_out_iov(out, iov);
    for (int i = 0; i < n && len < sizeof record; i++) {
        size_t part = iov[i].iov_len < sizeof record - len ? iov[i].iov_len : sizeof record - len;
        memcpy(record + len, iov[i].iov_base, part);
        len += part;
    }
    ERR_clear_error();
    int sent = SSL_write(conn->ssl, record, (int)len);
    if (sent > 0) {
        http_out_advance(out, (size_t)sent);
        return sent;
    }
    int error = SSL_get_error(conn->ssl, sent);
    errno = error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ ? EAGAIN : ECONNRESET;
    return -1;
}

/* --- kept connections --- */

static void make_idle(struct upstream_conn *conn)
{
    struct upstream *up = conn->upstream;
    struct http_client *client = up->client;
    free(conn->kept);
    conn->kept = NULL;
    conn->in = STR_NONE;
    conn->prev = NULL;
    conn->next = up->idle;
    if (conn->next)
        conn->next->prev = conn;
    up->idle = conn;
    up->idle_n++;
    client->idle++;
    conn->idle_since_us = loop_now_us(client->loop);
    if (!client->sweep.next)
        timer_start(client->loop, &client->sweep, SWEEP_US, sweep);
}

static void leave_idle(struct upstream_conn *conn)
{
    struct upstream *up = conn->upstream;
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        up->idle = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    conn->next = conn->prev = NULL;
    up->idle_n--;
    up->client->idle--;
}

static void conn_destroy(struct upstream_conn *conn)
{
    struct upstream *up = conn->upstream;
    struct loop *loop = up->client->loop;
    if (up->idle == conn || conn->prev)
        leave_idle(conn);
    up->busy--;
    loop_unwatch(loop, &conn->watch);
    timer_stop(loop, &conn->again);
    if (conn->ssl) {
        if (conn->phase == CONN_READY)
            SSL_shutdown(conn->ssl);
        SSL_free(conn->ssl);
        ERR_clear_error();
    }
    close(conn->watch.fd);
    free(conn->kept);
    conn->kept = NULL;
    conn->dead = true;
    if (conn->entered == 0)
        free(conn);
}

static void sweep(struct timer *timer)
{
    struct http_client *client = (struct http_client *)((char *)timer - offsetof(struct http_client, sweep));
    int64_t too_old_us = loop_now_us(client->loop) - client->config.idle_timeout_ms * INT64_C(1000);
    struct str key;
    void *value;
    for (size_t at = 0; map_each(client->upstreams, &at, &key, &value);) {
        struct upstream_conn *conn = ((struct upstream *)value)->idle, *next;
        for (; conn; conn = next) {
            next = conn->next;
            if (conn->idle_since_us <= too_old_us)
                conn_destroy(conn);
        }
    }
    if (client->idle > 0)
        timer_start(client->loop, timer, SWEEP_US, sweep);
}
