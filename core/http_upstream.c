/* Origins: what their names mean, and the connections kept to them. */
#include "core/http_upstream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

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
static bool is_for(const struct upstream *up, const struct http_call *call);
static void upstream_free(void *ptr);
static void forget_upstreams(struct http_client *client);
static struct upstream_conn *take_idle(struct upstream *up, bool careful);
static void make_idle(struct upstream_conn *conn);
static void sweep(struct timer *timer);
static bool parse_address(struct upstream *up);
static void add_address(struct upstream *up, int family, const void *bytes);
static void resolve_start(struct upstream *up, struct http_call_state *state);
static void resolve_run(struct job *job);
static void resolve_done(struct job *job);

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

void upstream_take(struct http_call_state *state, bool kept_ones_too)
{
    struct http_call *call = state->call;
    struct upstream *up = find_upstream(state->client, call);
    bool careful = call->stream_body || !(str_is(call->method, "GET") || str_is(call->method, "HEAD"));
    struct upstream_conn *conn = kept_ones_too && !call->connect_only ? take_idle(up, careful) : NULL;
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
        upstream_connect(state, up, 0);
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
    /* Readable: the last receive was full, so that more may lie behind it, of which no event tells. */
    bool more = conn->ssl ? SSL_has_pending(conn->ssl) : conn->readable;
    if (answered && state->clean && !conn->half_closed && conn->phase == CONN_READY && !more &&
        conn->upstream->idle_n < (unsigned)state->client->config.max_idle_per_host)
        make_idle(conn);
    else
        upstream_close(conn);
}

static struct upstream *find_upstream(struct http_client *client, const struct http_call *call)
{
    struct upstream *up = client->recent; /* most loops talk to few */
    if (up && is_for(up, call))
        return up;
    bool tls = str_eq_nocase(call->scheme, STR("https"));
    struct str host = str_sub(call->host, 0, call->host.len > 255 ? 255 : call->host.len);
    struct str name = call->tls_name.len && call->tls_name.len < 256 ? call->tls_name : host;
    const char *identity = tls_identity_id(call->identity);
    char key[700];
    int len = snprintf(key, sizeof key, "%d%d%d:%u:%.*s/%.*s/%s", tls, call->insecure_tls, call->unguarded, call->port,
                       STR_FMT(host), STR_FMT(name), identity);
    struct str whole = { key, len < (int)sizeof key ? (size_t)len : sizeof key - 1 };
    up = map_get(client->upstreams, whole);
    if (!up) {
        if (map_count(client->upstreams) >= UPSTREAMS_MAX)
            forget_upstreams(client);
        up = calloc(1, sizeof *up);
        if (!up)
            abort();
        up->client = client;
        up->tls = tls;
        up->insecure = call->insecure_tls;
        up->unguarded = call->unguarded;
        up->port = call->port;
        up->host = strndup(host.ptr, host.len);
        up->tls_name = strndup(name.ptr, name.len);
        up->identity = strdup(identity);
        map_set(client->upstreams, whole, up);
    }
    client->recent = up;
    return up;
}

static bool is_for(const struct upstream *up, const struct http_call *call)
{
    return up->tls == str_eq_nocase(call->scheme, STR("https")) && up->insecure == call->insecure_tls &&
           up->unguarded == call->unguarded && up->port == call->port && str_eq(call->host, str_of(up->host)) &&
           str_eq(call->tls_name.len ? call->tls_name : call->host, str_of(up->tls_name)) &&
           strcmp(up->identity, tls_identity_id(call->identity)) == 0;
}

static void upstream_free(void *ptr)
{
    struct upstream *up = ptr;
    while (up->idle)
        upstream_close(up->idle);
    if (up->resolving)
        up->resolving->upstream = NULL;
    SSL_CTX_free(up->own_context);
    free(up->identity);
    free(up->tls_name);
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

/* --- kept connections --- */

/* The one used last is the least likely to be stale. When the request cannot be sent twice
 * (`careful`), ask the socket whether the other side has said anything in the meantime. */
static struct upstream_conn *take_idle(struct upstream *up, bool careful)
{
    struct upstream_conn *conn;
    while ((conn = up->idle) != NULL) {
        char byte;
        if (!careful || (recv(conn->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN)) {
            upstream_leave_idle(conn);
            return conn;
        }
        upstream_close(conn);
    }
    return NULL;
}

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

void upstream_leave_idle(struct upstream_conn *conn)
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
                upstream_close(conn);
        }
    }
    if (client->idle > 0)
        timer_start(client->loop, timer, SWEEP_US, sweep);
}

/* --- names --- */

/* RFC 6761, 6.3: "localhost." and any names falling within ".localhost." are this machine. */
static bool is_localhost(struct str host)
{
    static const char within[] = ".localhost";
    size_t tail = sizeof within - 1;
    return str_eq_nocase(host, STR("localhost")) ||
           (host.len > tail && str_eq_nocase(str_from(host, host.len - tail), str_of(within)));
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
    } else if (is_localhost(str_of(up->host))) {
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
                upstream_connect(state, up, 0);
            else
                call_finish(state, HTTP_REFUSED);
        }
        up->busy--;
    }
    free(resolve);
}
