/* A client's connection: from its first byte to its last, request after request. */
#include "core/http_conn.h"
#include "core/http_tls.h"

#include "core/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ARENA_BYTES = 32 * 1024 - 64, /* a proxied call with tokens fits; untouched pages cost nothing */
    LINGER_US = 2 * 1000 * 1000,
    LINGER_BYTES = 16 * 1024 * 1024, /* more than the largest body that is refused for its size by API Gateway */
    RECEIVES = 16, /* in a row; then the others' turn comes, however fast this client sends */
};

static void conn_event(struct loop_fd *watch, uint32_t events);
static void conn_idle(struct timer *timer);
static void conn_advance(struct http_conn *conn);
static void exchange_gone(struct http_conn *conn);
static bool advance_exchange(struct http_conn *conn);
static bool begin_tls(struct http_conn *conn);
static bool advance_handshake(struct http_conn *conn);
static bool shakes_hands(const struct http_conn *conn);
static void begin_exchange(struct http_conn *conn, struct arena *arena, const struct http_head *head);
static bool advance_request(struct http_conn *conn);
static void refuse(struct http_conn *conn, int status);
static void conn_linger(struct http_conn *conn);
static void linger_over(struct timer *timer);
static void conn_keep_input(struct http_conn *conn);
static struct arena *take_arena(struct http_server *server);
static void give_arena(struct http_server *server, struct arena *arena);

void conn_new(struct http_server *server, int fd, const struct sockaddr_storage *peer)
{
    struct http_conn *conn = calloc(1, sizeof *conn);
    if (!conn)
        abort();
    conn->server = server;
    if (server->config.tls && !begin_tls(conn)) {
        close(fd);
        free(conn);
        return;
    }
    conn->watch = (struct loop_fd){ fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, conn_event };
    if (!loop_watch(server->loop, &conn->watch)) {
        if (conn->tls)
            http_tls_free(conn->tls, false);
        close(fd);
        free(conn);
        return;
    }
    if (peer->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)peer;
        conn->peer_port = ntohs(six->sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
            inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], conn->peer_ip, sizeof conn->peer_ip);
        else
            inet_ntop(AF_INET6, &six->sin6_addr, conn->peer_ip, sizeof conn->peer_ip);
    } else {
        const struct sockaddr_in *four = (const struct sockaddr_in *)peer;
        conn->peer_port = ntohs(four->sin_port);
        inet_ntop(AF_INET, &four->sin_addr, conn->peer_ip, sizeof conn->peer_ip);
    }
    conn->next = server->conns;
    if (conn->next)
        conn->next->prev = conn;
    server->conns = conn;
    server->conns_n++;
    conn->active_us = loop_now_us(server->loop);
    int first_s = conn->tls ? server->config.handshake_timeout_s : server->config.idle_timeout_s;
    timer_start(server->loop, &conn->timer, first_s * INT64_C(1000000), conn_idle);
}

static bool begin_tls(struct http_conn *conn)
{
    struct http_server *server = conn->server;
    struct tls_sites *sites = server->config.tls(server->config.ctx);
    conn->tls = sites ? http_tls_new(conn, sites) : NULL;
    return conn->tls != NULL;
}

static bool shakes_hands(const struct http_conn *conn)
{
    return conn->tls && http_tls_state(conn->tls) != HTTP_TLS_READY;
}

static void conn_event(struct loop_fd *watch, uint32_t events)
{
    struct http_conn *conn = (struct http_conn *)watch; /* its first member */
    if (events & (EPOLLERR | EPOLLHUP))
        conn->broken = true;
    if (events & EPOLLRDHUP)
        conn->half_closed = true;
    if (events & (EPOLLIN | EPOLLRDHUP))
        conn->readable = true;
    if (events & EPOLLOUT)
        conn->writable = true;
    conn_advance(conn);
}

/* One timer a connection, rarely moved: it looks whether the time since the last sign of life is
 * up. Waiting for the handler doesn't count, that is the handler's own timeout. */
static void conn_idle(struct timer *timer)
{
    struct http_conn *conn = (struct http_conn *)((char *)timer - offsetof(struct http_conn, timer));
    struct loop *loop = conn->server->loop;
    struct exchange *x = conn->x;
    int64_t timeout_us = conn->server->config.idle_timeout_s * INT64_C(1000000);
    int64_t left_us = conn->active_us + timeout_us - loop_now_us(loop);
    bool reading =
        x && (x->reading == READ_WHOLE || x->reading == READ_STREAM) && !x->paused && !x->body_done;
    bool writing = x && !http_out_empty(&x->out);
    if (x && !reading && !writing)
        left_us = timeout_us;
    if (shakes_hands(conn)) /* nothing that comes in meanwhile buys time */
        left_us = 0;
    if (left_us > 0) {
        timer_start(loop, timer, left_us, conn_idle);
        return;
    }
    conn->broken = true;
    timer_start(loop, timer, timeout_us, conn_idle);
    conn_queue(conn);
}

void conn_queue(struct http_conn *conn)
{
    struct http_server *server = conn->server;
    if (conn->queued)
        return;
    conn->queued = true;
    conn->next_queued = NULL;
    if (server->queue_last)
        server->queue_last->next_queued = conn;
    else
        server->queue_first = conn;
    server->queue_last = conn;
    loop_wake_within(server->loop, 0); /* in case it happens outside of a turn */
}

/* At the end of each turn, those that were queued before it: one that queues itself again lets the
 * others' events come first. */
void conn_drain_queue(void *ctx)
{
    struct http_server *server = ctx;
    struct http_conn *conn, *last = server->queue_last;
    bool more = last != NULL;
    while ((conn = server->queue_first) != NULL && (more || conn->dead)) {
        more = more && conn != last;
        server->queue_first = conn->next_queued;
        if (!server->queue_first)
            server->queue_last = NULL;
        conn->queued = false;
        if (conn->dead)
            free(conn);
        else
            conn_advance(conn);
    }
    if (server->queue_first)
        loop_wake_within(server->loop, 0);
}

static void conn_advance(struct http_conn *conn)
{
    bool going = true;
    conn->budget = RECEIVES;
    while (going && !conn->dead)
        going = conn->x              ? advance_exchange(conn)
                : shakes_hands(conn) ? advance_handshake(conn)
                                     : advance_request(conn);
    if (!conn->dead)
        conn_keep_input(conn);
}

/* Before the first request. A handshake that fails has sent its alert: let the client read it. */
static bool advance_handshake(struct http_conn *conn)
{
    if (conn->broken) {
        conn_destroy(conn);
        return false;
    }
    if (conn->closing) {
        conn_linger(conn);
        return false;
    }
    switch (http_tls_handshake(conn->tls)) {
    case HTTP_TLS_READY:
        conn->active_us = loop_now_us(conn->server->loop);
        return true;
    case HTTP_TLS_FAILED:
        conn->closing = true;
        return true;
    default:
        return false;
    }
}

/* --- what is being served --- */

/* Something is being served. True: there may be more to do. */
static bool advance_exchange(struct http_conn *conn)
{
    struct exchange *x = conn->x;
    if (!conn->broken && !x->aborted && conn->writable && !exchange_flush(x))
        conn->broken = true;
    if (x->aborted && x->malformed && x->answer == ANSWER_NONE && !conn->broken) {
        refuse(conn, 400);
        conn_finish_exchange(conn, false);
        return true;
    }
    if (conn->broken)
        exchange_gone(conn); /* the handler may answer or abort */
    /* Before it answers, a handler may hold the exchange for a callback of its own: wait for it. */
    if (x->aborted || (conn->broken && x->answer != ANSWER_NONE)) {
        conn->reset = true;
        conn_finish_exchange(conn, false);
        conn_destroy(conn);
        return false;
    }
    if (exchange_sent(x)) {
        conn->closing |= x->close_after || !x->body_done;
        conn_finish_exchange(conn, true);
        return true;
    }
    if (conn->broken)
        return false;
    exchange_drained(x);
    return exchange_read(x);
}

static void begin_exchange(struct http_conn *conn, struct arena *arena, const struct http_head *head)
{
    struct http_server *server = conn->server;
    struct exchange *x = ARENA_NEW(arena, struct exchange);
    ptrdiff_t mark = str_find(head->target, '?');
    x->conn = conn;
    x->head = *head;
    x->pub = (struct http_exchange){
        .arena = arena,
        .loop = server->loop,
        .method = head->method,
        .target = head->target,
        .path = mark < 0 ? head->target : str_sub(head->target, 0, (size_t)mark),
        .query = mark < 0 ? STR_NONE : str_from(head->target, (size_t)mark + 1),
        .host = head->host,
        .headers = head->headers,
        .peer_ip = str_of(conn->peer_ip),
        .peer_port = conn->peer_port,
        .tls = conn->tls ? http_tls_peer(conn->tls, server->config.tls(server->config.ctx), loop_now_us(server->loop)) : NULL,
        .has_body = head->content_length != 0,
        .content_length = head->content_length,
        .started_us = loop_now_us(server->loop),
    };
    x->body_left = head->content_length;
    x->body_done = head->content_length == 0;
    x->out_left = -1;
    if (head->chunked)
        x->chunk = ARENA_NEW(arena, struct http_chunk);
    conn->x = x;
    server->in_flight++;
    server->config.on_request(server->config.ctx, &x->pub);
}

void conn_finish_exchange(struct http_conn *conn, bool complete)
{
    struct http_server *server = conn->server;
    struct exchange *x = conn->x;
    conn->x = NULL;
    server->in_flight--;
    conn->active_us = loop_now_us(conn->server->loop);
    server->config.on_done(server->config.ctx, &x->pub, complete);
    http_out_free(&x->out);
    free(x->whole);
    give_arena(server, x->pub.arena);
}

/* --- between requests --- */

/* Whoever reads the body or prepares the answer learns once that nobody waits for it any more. */
static void exchange_gone(struct http_conn *conn)
{
    struct http_server *server = conn->server;
    struct exchange *x = conn->x;
    exchange_read_broken(x);
    if (x->told_gone || x->aborted || x->answer != ANSWER_NONE || !server->config.on_gone)
        return;
    x->told_gone = true;
    server->config.on_gone(server->config.ctx, &x->pub);
}

/* The two limits of their own, where there are any. */
static int check_lengths(const struct http_server *server, struct str raw, const struct http_head *head)
{
    size_t line = (size_t)str_find(raw, '\n') + 1;
    if (server->config.max_target_bytes && head->target.len > server->config.max_target_bytes)
        return 414;
    return server->config.max_headers_bytes && raw.len - line > server->config.max_headers_bytes ? 431 : 0;
}

/* Nothing is being served: wait for a head, or for the end. */
static bool advance_request(struct http_conn *conn)
{
    struct http_server *server = conn->server;
    if (conn->broken) {
        conn_destroy(conn);
        return false;
    }
    if (conn->closing) {
        conn_linger(conn);
        return false;
    }
    if (!conn->skipped_line && conn->line == 0 && str_starts(conn->in, STR("\r\n"))) {
        /* "a server … SHOULD ignore at least one empty line (CRLF) received prior to the
         * request-line" (RFC 9112, 2.2) */
        conn->in = str_from(conn->in, 2);
        conn->skipped_line = true;
    }
    ptrdiff_t len = http_head_end(conn->in, &conn->line);
    size_t max = server->config.max_head_bytes;
    if (len < 0 || (size_t)len > max || (len == 0 && conn->in.len > max)) {
        bool long_line = !memchr(conn->in.ptr, '\n', conn->in.len < max ? conn->in.len : max);
        refuse(conn, len < 0 ? 400 : long_line ? 414 : 431);
        return true;
    }
    if (len == 0) {
        if (server->quiescing && conn->in.len == 0) {
            conn_destroy(conn);
            return false;
        }
        return conn_receive(conn);
    }
    struct arena *arena = take_arena(server);
    struct http_head head;
    struct str raw = str_copy(arena, str_sub(conn->in, 0, (size_t)len));
    conn->in = str_from(conn->in, (size_t)len);
    conn->line = 0;
    conn->skipped_line = false;
    int status = http_head_parse(arena, raw, &head);
    if (status == 0)
        status = check_lengths(server, raw, &head);
    if (status == 0) {
        begin_exchange(conn, arena, &head);
        return true;
    }
    give_arena(server, arena);
    refuse(conn, status);
    return true;
}

/* Nothing more is read from this connection: what follows a bad head is not a request. */
static void refuse(struct http_conn *conn, int status)
{
    struct arena *arena = take_arena(conn->server);
    struct str answer = http_refusal(conn->server, arena, status);
    if (conn_send(conn, answer) < 0)
        conn->broken = true;
    give_arena(conn->server, arena);
    conn->in = STR_NONE;
    conn->closing = true;
}

/* Closing with unread bytes in the socket would reset it and might take our answer with it: say
 * that we are done, throw away what still comes, and close when the client has. */
static void conn_linger(struct http_conn *conn)
{
    struct http_server *server = conn->server;
    if (!conn->lingering) {
        conn->lingering = true;
        if (conn->tls)
            http_tls_farewell(conn->tls);
        shutdown(conn->watch.fd, SHUT_WR);
        timer_start(server->loop, &conn->timer, LINGER_US, linger_over);
    }
    conn->in = STR_NONE;
    while (conn->readable) {
        ssize_t n = recv(conn->watch.fd, server->scratch, sizeof server->scratch, 0);
        conn->thrown_away += n > 0 ? (size_t)n : 0;
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || conn->thrown_away > LINGER_BYTES) {
            conn_destroy(conn);
            return;
        }
        if (n < 0 && errno == EAGAIN)
            conn->readable = false;
    }
}

static void linger_over(struct timer *timer)
{
    conn_destroy((struct http_conn *)((char *)timer - offsetof(struct http_conn, timer)));
}

/* Freed at the end of the queue: whoever called us may still look at it. */
void conn_destroy(struct http_conn *conn)
{
    struct http_server *server = conn->server;
    if (conn->dead)
        return;
    conn->dead = true;
    if (conn->reset) { /* nobody shall take a broken-off answer for a complete one */
        struct linger reset = { .l_onoff = 1, .l_linger = 0 };
        setsockopt(conn->watch.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    if (conn->tls)
        http_tls_free(conn->tls, !conn->reset && !conn->broken);
    conn->tls = NULL;
    loop_unwatch(server->loop, &conn->watch);
    timer_stop(server->loop, &conn->timer);
    close(conn->watch.fd);
    free(conn->kept);
    conn->kept = NULL;
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        server->conns = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    server->conns_n--;
    server_has_room(server);
    conn_queue(conn);
}

ssize_t conn_send(struct http_conn *conn, struct str bytes)
{
    if (conn->tls)
        return http_tls_send(conn->tls, bytes);
    return send(conn->watch.fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
}

/* --- receiving --- */

bool conn_receive(struct http_conn *conn)
{
    struct http_server *server = conn->server;
    if (!conn->readable && !(conn->tls && http_tls_holds(conn->tls)))
        return false;
    if (conn->budget-- == 0) {
        conn_queue(conn);
        return false;
    }
    conn_keep_input(conn);
    char *into = server->scratch;
    size_t room = sizeof server->scratch;
    if (conn->in.len > 0) { /* behind the unfinished rest of last time */
        room = 16 * 1024;
        if (conn->kept_cap < conn->in.len + room) {
            conn->kept_cap = conn->in.len + room;
            conn->kept = realloc(conn->kept, conn->kept_cap);
            if (!conn->kept)
                abort();
            conn->in.ptr = conn->kept;
        }
        into = conn->kept + conn->in.len;
    }
    ssize_t n = conn->tls ? http_tls_receive(conn->tls, into, room) : socket_receive(conn->watch.fd, into, room);
    if (n > 0) {
        /* A short read empties the socket: the next bytes raise a new edge. */
        if (!conn->tls)
            conn->readable = (size_t)n == room || conn->half_closed;
        if (conn->in.len == 0) {
            conn->in = (struct str){ into, (size_t)n };
            conn->active_us = loop_now_us(server->loop);
        } else {
            conn->in.len += (size_t)n;
        }
        return true;
    }
    if (n < 0 && errno == EINTR)
        return true;
    conn->readable = false;
    if (n < 0 && errno == EAGAIN)
        return false;
    conn->broken = true; /* closed, or reset: no more requests, and no body */
    return true;
}

/* The scratch buffer serves the next connection in a moment. */
static void conn_keep_input(struct http_conn *conn)
{
    if (conn->in.len == 0) {
        free(conn->kept);
        conn->kept = NULL;
        conn->kept_cap = 0;
        conn->in = STR_NONE;
        return;
    }
    if (conn->kept && conn->in.ptr >= conn->kept && conn->in.ptr < conn->kept + conn->kept_cap) {
        memmove(conn->kept, conn->in.ptr, conn->in.len);
        conn->in.ptr = conn->kept;
        return;
    }
    char *fresh = malloc(conn->in.len);
    if (!fresh)
        abort();
    memcpy(fresh, conn->in.ptr, conn->in.len);
    free(conn->kept);
    conn->kept = fresh;
    conn->kept_cap = conn->in.len;
    conn->in.ptr = fresh;
}

/* --- arenas, used again --- */

static struct arena *take_arena(struct http_server *server)
{
    return server->arenas_n > 0 ? server->arenas[--server->arenas_n] : arena_new(ARENA_BYTES);
}

static void give_arena(struct http_server *server, struct arena *arena)
{
    if (server->arenas_n == COUNT(server->arenas)) {
        arena_free(arena);
        return;
    }
    arena_reset(arena);
    server->arenas[server->arenas_n++] = arena;
}
