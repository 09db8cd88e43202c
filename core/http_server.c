/* The listener, and the server's life. Connections are core/http_conn.c's, bodies and answers
 * core/http_exchange.c's. */
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

enum { ACCEPT_BATCH = 32, RETRY_US = 100 * 1000 };

static int open_listener(const struct http_server_config *config, struct arena *arena, struct str *why);
static bool bind_listener(int fd, const struct http_server_config *config);
static uint16_t listening_port(int fd);
static void listener_event(struct loop_fd *watch, uint32_t events);
static bool accept_some(struct http_server *server);
static void note_quiet(struct timer *timer);
static void listen_pause(struct http_server *server);
static void listen_again(struct timer *timer);

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
    if (server->config.handshake_timeout_s == 0)
        server->config.handshake_timeout_s = 10;
    if (server->config.max_connections == 0)
        server->config.max_connections = 10000;
    server->listener = (struct loop_fd){ fd, EPOLLIN, listener_event };
    server->listening = loop_watch(loop, &server->listener);
    server->port = listening_port(fd);
    if (server->listening) {
        loop_each_turn(loop, conn_drain_queue, server);
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
    server->quiescing = true;
    listen_pause(server);
    timer_stop(server->loop, &server->retry);
    timer_stop(server->loop, &server->quiet_timer);
    if (server->listener.fd >= 0)
        close(server->listener.fd);
    for (struct http_conn *conn = server->conns; conn; conn = server->conns) {
        if (conn->x)
            conn_finish_exchange(conn, false);
        conn_destroy(conn);
    }
    while (server->queue_first)
        conn_drain_queue(server);
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
    timer_start(server->loop, &server->quiet_timer, 0, note_quiet);
}

/* Connections that were accepted last are served in the turn in which the server went quiet. */
static void note_quiet(struct timer *timer)
{
    struct http_server *server = (struct http_server *)((char *)timer - offsetof(struct http_server, quiet_timer));
    atomic_store(&server->quiet, true);
}

unsigned http_server_connections(const struct http_server *server)
{
    return server->conns_n;
}

unsigned http_server_in_flight(const struct http_server *server)
{
    return server->in_flight;
}

bool http_server_is_done(const struct http_server *server)
{
    return atomic_load(&server->quiet) && atomic_load(&server->in_flight) == 0;
}

void server_has_room(struct http_server *server)
{
    if (!server->listening && !server->quiescing && !server->retry.next)
        listen_again(&server->retry);
}

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
    uint16_t port; /* stands at the same place in both families' addresses */
    getsockname(fd, (struct sockaddr *)&addr, &len);
    memcpy(&port, (char *)&addr + offsetof(struct sockaddr_in, sin_port), sizeof port);
    return ntohs(port);
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
