/* What core/http_client.c (calls) and core/http_upstream.c (connections, pools, names) share.
 * Nobody else includes it. */
#pragma once

#include "core/http_answer.h"
#include "core/http_client.h"
#include "core/http_out.h"
#include "core/map.h"
#include "core/tls.h"

enum { HTTP_CALL_BACKLOG_BYTES = 256 * 1024, HTTP_CALL_DRAINED_BYTES = 64 * 1024 };

struct http_call_state { /* in the call's arena */
    struct http_call *call;
    struct http_client *client;
    struct http_call_state *next, *prev; /* of the client's calls */
    struct http_call_state *waiting;     /* for the same name */
    struct upstream_conn *conn;
    struct http_answer answer;
    struct http_out out;
    int64_t timeout_us, active_us, streamed;
    struct timer timer;
    enum http_failure failure; /* to be told when the timer fires */
    bool paused, want_writable;
    bool sent_all; /* the body's end has been written */
    bool headed;   /* on_head has run */
    bool again;    /* this is the second try */
    bool clean;    /* the connection may be used again */
    bool done;
};

/* One origin: scheme, verification, our certificate, host, port; and whether the guard was asked. */
struct upstream {
    struct http_client *client;
    struct upstream_conn *idle; /* used last first */
    unsigned idle_n, busy;      /* busy: connections that exist, idle or not */
    bool tls, insecure, unguarded;
    uint16_t port;
    char *host;
    char *tls_name;             /* in the certificate: host, or another name */
    char *identity;             /* id of our certificate, "" for none */
    SSL_CTX *own_context;       /* with that certificate; NULL: none is needed, or not yet */
    struct { /* what the name meant when it was resolved */
        int family;
        unsigned char bytes[16];
    } addresses[4];
    int addresses_n;
    int64_t resolved_until_us;
    struct http_call_state *waiting; /* while `resolving` */
    struct resolve *resolving;
};

struct upstream_conn {
    struct loop_fd watch;
    struct upstream *upstream;
    struct http_call_state *state;     /* NULL: idle */
    struct upstream_conn *next, *prev; /* idle ones */
    enum { CONN_CONNECTING, CONN_HANDSHAKE, CONN_READY } phase;
    int address; /* index of the one being tried */
    bool readable, writable, half_closed;
    bool heard;     /* bytes of the present answer have come */
    bool clean_end; /* TLS: closed with close_notify */
    bool dead;
    int entered; /* conn_advance is on the stack: free later */
    int budget;  /* receives left in this turn */
    unsigned answers;
    int64_t idle_since_us;
    struct str in; /* received, not yet consumed (the call is paused); on the heap */
    char *kept;
    struct timer again;
    SSL *ssl;
};

struct http_client {
    struct loop *loop;
    struct http_client_config config;
    struct map *upstreams;
    struct http_call_state *calls;
    struct upstream *recent; /* of the last call: looked at first */
    unsigned active, idle;
    struct timer sweep;
    SSL_CTX *tls, *tls_insecure;
    char scratch[64 * 1024];
};

/* calls */
void call_finish(struct http_call_state *state, enum http_failure failure);
void call_fail_soon(struct http_call_state *state, enum http_failure failure); /* not inside of start */
void call_lost(struct http_call_state *state, enum http_failure failure);      /* tries again when it may */
bool call_feed(struct http_call_state *state, struct str *in);                 /* false: the call is over */

/* origins (core/http_upstream.c) */
void upstream_take(struct http_call_state *state, bool kept_ones_too);
void upstream_leave(struct http_call_state *state, bool answered);
void upstream_leave_idle(struct upstream_conn *conn);

/* connections (core/http_upstream_conn.c) */
void upstream_connect(struct http_call_state *state, struct upstream *up, int address);
void upstream_flush(struct http_call_state *state); /* sends what waits, calls nobody back */
void upstream_again(struct timer *timer);           /* goes on after a pause */
void upstream_close(struct upstream_conn *conn);    /* freed, at the latest when nobody looks at it */
