/* One connection to an upstream: connect, shake hands, send, receive. */
#include "core/http_upstream.h"

#include "core/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECEIVES = 16 }; /* in a row; then the others' turn comes, however fast this upstream sends */

static const char *guard_refuses(const struct upstream *up, int address);
static int open_socket(const struct upstream *up, int address);
static SSL_CTX *context_of(struct upstream *up, const struct tls_identity *identity);
static void conn_event(struct loop_fd *watch, uint32_t events);
static void conn_advance(struct upstream_conn *conn);
static bool advance_connecting(struct upstream_conn *conn);
/* Of the client, or of the origin when a certificate of ours goes with it. */
static SSL_CTX *context_of(struct upstream *up, const struct tls_identity *identity)
{
    struct http_client *client = up->client;
    SSL_CTX **context = identity ? &up->own_context : up->insecure ? &client->tls_insecure : &client->tls;
    if (!*context)
        *context = tls_client_context(client->config.trust, client->config.ca_file,
                                      up->insecure ? TLS_CHECK_ANY_AUTHORITY : TLS_CHECK_ALL, identity);
    return *context;
}

static bool advance_handshake(struct upstream_conn *conn);
static bool advance_ready(struct upstream_conn *conn);
static bool receive(struct upstream_conn *conn);
static ssize_t receive_tls(struct upstream_conn *conn, char *into, size_t room);
static bool receive_end(struct upstream_conn *conn);
static void keep_rest(struct upstream_conn *conn, struct str rest);
static ssize_t send_tls(struct upstream_conn *conn, struct http_out *out);

void upstream_connect(struct http_call_state *state, struct upstream *up, int address)
{
    int fd = -1;
    const char *shut = NULL;
    for (; address < up->addresses_n && fd < 0; address++) {
        const char *why = guard_refuses(up, address);
        if (why)
            shut = why;
        else
            fd = open_socket(up, address);
    }
    if (fd < 0) {
        state->call->reason = shut;
        call_fail_soon(state, shut ? HTTP_FORBIDDEN : HTTP_REFUSED);
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

static const char *guard_refuses(const struct upstream *up, int address)
{
    const struct net_guard *guard = up->client->config.guard;
    if (!guard || up->unguarded)
        return NULL;
    bool four = up->addresses[address].family == AF_INET;
    const struct ip ip = ip_of_bytes(up->addresses[address].bytes, four ? 32 : 128);
    return net_guard_refuses(guard, &ip, up->port);
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
            upstream_close(conn);
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
    conn->budget = RECEIVES;
    while (!conn->dead && conn->state && phases[conn->phase](conn))
        ;
    conn->entered--;
    if (conn->dead && conn->entered == 0)
        free(conn);
}

void upstream_close(struct upstream_conn *conn)
{
    struct upstream *up = conn->upstream;
    struct loop *loop = up->client->loop;
    if (up->idle == conn || conn->prev)
        upstream_leave_idle(conn);
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
        upstream_close(conn);
        if (next < up->addresses_n)
            upstream_connect(state, up, next);
        else
            call_finish(state, HTTP_REFUSED);
        return false;
    }
    state->call->connected_us = loop_now_us(up->client->loop);
    conn->phase = CONN_READY;
    if (!up->tls)
        return true;
    SSL_CTX *context = context_of(up, state->call->identity);
    conn->ssl = context ? tls_client_session(context, conn->watch.fd, up->tls_name) : NULL;
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
    conn->state->call->reason = tls_failure(conn->ssl);
    call_finish(conn->state, HTTP_TLS);
    return false;
}

static bool advance_ready(struct upstream_conn *conn)
{
    struct http_call_state *state = conn->state;
    struct http_call *call = state->call;
    if (call->connect_only) {
        call_finish(state, HTTP_OK);
        return false;
    }
    upstream_flush(state);
    if (state->want_writable && http_out_waiting(&state->out) < HTTP_CALL_DRAINED_BYTES) {
        state->want_writable = false;
        if (call->on_writable)
            call->on_writable(call);
        return true;
    }
    if (state->paused)
        return false;
    if (conn->in.len > 0 || http_answer_ended(&state->answer)) { /* what had come before the pause */
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
    if (conn->budget-- == 0) {
        timer_start(client->loop, &conn->again, 0, upstream_again);
        return false;
    }
    ssize_t n = conn->ssl ? receive_tls(conn, client->scratch, room)
                          : socket_receive(conn->watch.fd, client->scratch, room);
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
