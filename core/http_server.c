#include "core/http_server.h"

#include "core/http_conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ACCEPT_BATCH = 32,
    ARENA_BYTES = 8 * 1024 - 64,
    LINGER_US = 2 * 1000 * 1000,
    LINGER_BYTES = 4 * 1024 * 1024,
    RETRY_US = 100 * 1000,
};

static int open_listener(const struct http_server_config *config, struct arena *arena, struct str *why);
static bool bind_listener(int fd, const struct http_server_config *config);
static uint16_t listening_port(int fd);
static void listener_event(struct loop_fd *watch, uint32_t events);
static bool accept_some(struct http_server *server);
static void listen_again(struct timer *timer);
static void listen_pause(struct http_server *server);
static void conn_new(struct http_server *server, int fd, const struct sockaddr_storage *peer);
static void conn_event(struct loop_fd *watch, uint32_t events);
static void conn_idle(struct timer *timer);
static void conn_advance(struct http_conn *conn);
static bool advance_exchange(struct http_conn *conn);
static bool advance_request(struct http_conn *conn);
static void begin_exchange(struct http_conn *conn, struct arena *arena, const struct http_head *head);
static void finish_exchange(struct http_conn *conn, bool complete);
static void refuse(struct http_conn *conn, int status);
static void conn_linger(struct http_conn *conn);
static void linger_over(struct timer *timer);
static void conn_destroy(struct http_conn *conn);
static void conn_keep_input(struct http_conn *conn);
static void drain_queue(void *ctx);
static struct arena *take_arena(struct http_server *server);
static void give_arena(struct http_server *server, struct arena *arena);

struct http_server *http_server_new(struct loop *loop, const struct http_server_config *config,
                                    struct arena *arena, struct str *why)
{
    int fd = config->addr ? open_listener(config, arena, why) : config->listen_fd;
    if (fd < 0)
        return NULL;
    struct http_server *server = calloc(1, sizeof *server);
    if (!server)
        abort();
    server->loop = loop;
    server->config = *config;
    if (server->config.max_head_bytes == 0)
        server->config.max_head_bytes = 24 * 1024;
    if (server->config.idle_timeout_s == 0)
        server->config.idle_timeout_s = 60;
    if (server->config.max_connections == 0)
        server->config.max_connections = 10000;
    server->listener = (struct loop_fd){ fd, EPOLLIN, listener_event };
    server->listening = loop_watch(loop, &server->listener);
    server->port = listening_port(fd);
    if (server->listening) {
        loop_each_turn(loop, drain_queue, server);
        return server;
    }
    *why = STR("cannot watch the listening socket");
    close(fd);
    free(server);
    return NULL;
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    listen_pause(server);
    timer_stop(server->loop, &server->retry);
    if (server->listener.fd >= 0)
        close(server->listener.fd);
    for (struct http_conn *conn = server->conns; conn; conn = server->conns) {
        if (conn->x)
            finish_exchange(conn, false);
        conn_destroy(conn);
    }
    drain_queue(server);
    loop_each_turn_stop(server->loop, server);
    while (server->arenas_n > 0)
        arena_free(server->arenas[--server->arenas_n]);
    free(server);
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_quiesce(struct http_server *server)
{
    if (server->quiescing)
        return;
    while (server->listening && accept_some(server))
        ; /* who has connected already is served */
    server->quiescing = true;
    listen_pause(server);
    timer_stop(server->loop, &server->retry);
    close(server->listener.fd);
    server->listener.fd = -1;
    for (struct http_conn *conn = server->conns; conn; conn = conn->next)
        conn_queue(conn); /* closes those that wait for nothing */
}

unsigned http_server_connections(const struct http_server *server)
{
    return server->conns_n;
}

unsigned http_server_in_flight(const struct http_server *server)
{
    return server->in_flight;
}

/* --- listening --- */

static int open_listener(const struct http_server_config *config, struct arena *arena, struct str *why)
{
    int family = strchr(config->addr, ':') ? AF_INET6 : AF_INET;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (config->reuse_port)
            setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* accepted sockets inherit it */
        if (bind_listener(fd, config) && listen(fd, 1024) == 0)
            return fd;
    }
    *why = str_printf(arena, "cannot listen on %s:%u: %s", config->addr, config->port, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool bind_listener(int fd, const struct http_server_config *config)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(config->port) };
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(config->port) };
    errno = EINVAL;
    if (inet_pton(AF_INET6, config->addr, &six.sin6_addr) == 1)
        return bind(fd, (struct sockaddr *)&six, sizeof six) == 0;
    if (inet_pton(AF_INET, config->addr, &four.sin_addr) == 1)
        return bind(fd, (struct sockaddr *)&four, sizeof four) == 0;
    return false;
}

static uint16_t listening_port(int fd)
{
    struct sockaddr_storage addr = { 0 };
    socklen_t len = sizeof addr;
    getsockname(fd, (struct sockaddr *)&addr, &len);
    if (addr.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&addr)->sin6_port);
    return ntohs(((struct sockaddr_in *)&addr)->sin_port);
}

static void listener_event(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    accept_some((struct http_server *)((char *)watch - offsetof(struct http_server, listener)));
}

/* True: there may be more waiting. */
static bool accept_some(struct http_server *server)
{
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        if (server->conns_n >= (unsigned)server->config.max_connections) {
            listen_pause(server); /* until one closes */
            return false;
        }
        struct sockaddr_storage peer;
        socklen_t len = sizeof peer;
        int fd = accept4(server->listener.fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            conn_new(server, fd, &peer);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            listen_pause(server); /* or the loop would spin on a listener it cannot serve */
            timer_start(server->loop, &server->retry, RETRY_US, listen_again);
        }
        if (errno != ECONNABORTED && errno != EINTR)
            return false;
    }
    return true;
}

static void listen_pause(struct http_server *server)
{
    if (server->listening)
        loop_unwatch(server->loop, &server->listener);
    server->listening = false;
}

static void listen_again(struct timer *timer)
{
    struct http_server *server = (struct http_server *)((char *)timer - offsetof(struct http_server, retry));
    if (!server->listening && server->listener.fd >= 0)
        server->listening = loop_watch(server->loop, &server->listener);
}

/* --- connections --- */

static void conn_new(struct http_server *server, int fd, const struct sockaddr_storage *peer)
{
    struct http_conn *conn = calloc(1, sizeof *conn);
    if (!conn)
        abort();
    conn->server = server;
    conn->watch = (struct loop_fd){ fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, conn_event };
    if (!loop_watch(server->loop, &conn->watch)) {
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
    timer_start(server->loop, &conn->timer, server->config.idle_timeout_s * INT64_C(1000000), conn_idle);
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

/* At the end of each turn. */
static void drain_queue(void *ctx)
{
    struct http_server *server = ctx;
    struct http_conn *conn;
    while ((conn = server->queue_first) != NULL) {
        server->queue_first = conn->next_queued;
        if (!server->queue_first)
            server->queue_last = NULL;
        conn->queued = false;
        if (conn->dead)
            free(conn);
        else
            conn_advance(conn);
    }
}

static void conn_advance(struct http_conn *conn)
{
    bool going = true;
    while (going && !conn->dead)
        going = conn->x ? advance_exchange(conn) : advance_request(conn);
    if (!conn->dead)
        conn_keep_input(conn);
}

/* Something is being served. True: there may be more to do. */
static bool advance_exchange(struct http_conn *conn)
{
    struct exchange *x = conn->x;
    if (!conn->broken && !x->aborted && conn->writable && !exchange_flush(x))
        conn->broken = true;
    if (x->aborted && x->malformed && x->answer == ANSWER_NONE && !conn->broken) {
        refuse(conn, 400);
        finish_exchange(conn, false);
        return true;
    }
    if (conn->broken)
        exchange_read_broken(x); /* may answer or abort */
    /* Before it answers, a handler may hold the exchange for a callback of its own: wait for it. */
    if (x->aborted || (conn->broken && x->answer != ANSWER_NONE)) {
        conn->reset = true;
        finish_exchange(conn, false);
        conn_destroy(conn);
        return false;
    }
    if (exchange_sent(x)) {
        conn->closing |= x->close_after || !x->body_done;
        finish_exchange(conn, true);
        return true;
    }
    if (conn->broken)
        return false;
    exchange_drained(x);
    return exchange_read(x);
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
    if (status == 0) {
        begin_exchange(conn, arena, &head);
        return true;
    }
    give_arena(server, arena);
    refuse(conn, status);
    return true;
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

static void finish_exchange(struct http_conn *conn, bool complete)
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

/* Nothing more is read from this connection: what follows a bad head is not a request. */
static void refuse(struct http_conn *conn, int status)
{
    struct arena *arena = take_arena(conn->server);
    struct str answer = http_refusal(conn->server, arena, status);
    if (send(conn->watch.fd, answer.ptr, answer.len, MSG_NOSIGNAL) < 0)
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
static void conn_destroy(struct http_conn *conn)
{
    struct http_server *server = conn->server;
    if (conn->dead)
        return;
    conn->dead = true;
    if (conn->reset) { /* nobody shall take a broken-off answer for a complete one */
        struct linger reset = { .l_onoff = 1, .l_linger = 0 };
        setsockopt(conn->watch.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    loop_unwatch(server->loop, &conn->watch);
    timer_stop(server->loop, &conn->timer);
    close(conn->watch.fd);
    free(conn->kept);
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        server->conns = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    server->conns_n--;
    if (!server->listening && !server->quiescing && !server->retry.next)
        listen_again(&server->retry);
    conn_queue(conn);
}

bool conn_receive(struct http_conn *conn)
{
    struct http_server *server = conn->server;
    if (!conn->readable)
        return false;
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
    ssize_t n = recv(conn->watch.fd, into, room, 0);
    if (n > 0) {
        /* A short read empties the socket: the next bytes raise a new edge. */
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
