/* HTTP/1.1 in front of a loop.
 *
 * One exchange is one request and its answer. When the head has arrived and passed the framing
 * check (core/http_framing.h), `on_request` is called once on the loop's thread. It must sooner
 * or later call http_reply or http_reply_begin…end (or http_abort), now or from a later callback
 * on the same loop: until then the connection waits and costs nothing.
 *
 * `on_done` is the last call for every exchange, and comes once: after the answer is out, or, when
 * the client goes away, as soon as an answer has been begun (before that the handler may still be
 * waiting for something that will touch the exchange). A streamed answer can thus be done before
 * http_reply_end: stop its source in on_done. Everything in the exchange lives until `on_done` has
 * returned; the arena is used for another one after it. No http_ function calls a handler back
 * before it has returned. */
#pragma once

#include "core/http_msg.h"
#include "core/loop.h"
#include "core/tls_peer.h"

struct http_server;
struct http_local;
struct tls_sites;

struct http_exchange {
    struct arena *arena;
    struct loop *loop;
    struct str method;
    struct str target;           /* raw, as received: "/a%20b?x=1" */
    struct str path;             /* raw part before '?' */
    struct str query;            /* raw part after '?', absent when there is no '?' */
    struct str host;             /* Host header, lower case, without port; "" when HTTP/1.0 sent none */
    struct http_headers headers; /* as received */
    struct str peer_ip;          /* "127.0.0.1" */
    const struct tls_peer *tls;  /* NULL: it came in clear */
    uint16_t peer_port;
    bool has_body;          /* Content-Length > 0 or chunked */
    int64_t content_length; /* -1 when chunked, 0 when none */
    int64_t started_us;     /* monotonic */
    struct str body;        /* after http_read_whole */
    void *user;             /* the handler's */
    struct http_local *local; /* NULL: a connection's; else core/http_local.h's */
    int kind;               /* the handler's */
};

struct http_server_config {
    const char *addr;      /* "127.0.0.1" or "::1" */
    uint16_t port;         /* 0: kernel chooses, see http_server_port */
    int listen_fd;         /* an inherited listener, when addr is NULL */
    bool reuse_port;       /* SO_REUSEPORT: one listener a loop */
    size_t max_head_bytes; /* request line and headers; over it 431 (414 for the line); 0: 24 KiB */
    size_t max_target_bytes;  /* of that the target alone, 414; 0: no limit of its own */
    size_t max_headers_bytes; /* and the header lines with the empty one, 431; 0: none */
    int idle_timeout_s;    /* keep-alive, slow heads, stalled bodies and readers; 0: 60 */
    int max_connections;   /* more wait in the listener's queue; 0: 10000 */
    /* NULL: HTTP in clear. Otherwise HTTPS: the table for a connection that comes now, on the loop's thread;
     * each connection keeps the one it began with. NULL from it: the connection is closed. */
    struct tls_sites *(*tls)(void *ctx);
    int handshake_timeout_s; /* from the first byte to the last; 0: 10 */
    void *ctx;
    void (*on_request)(void *ctx, struct http_exchange *x);
    void (*on_done)(void *ctx, struct http_exchange *x, bool complete); /* complete: answer fully sent */
    /* The client is gone and no answer has begun: stop what is under way and http_abort. Comes at most
     * once; NULL, or not aborting, means that the exchange lives until the handler answers. */
    void (*on_gone)(void *ctx, struct http_exchange *x);
};

/* NULL: cannot bind; *why says it in words. Runs on the loop until http_server_free. */
struct http_server *http_server_new(struct loop *loop, const struct http_server_config *config,
                                    struct arena *arena, struct str *why);
void http_server_free(struct http_server *server); /* breaks what is in flight; not from its callbacks */
uint16_t http_server_port(const struct http_server *server);
void http_server_quiesce(struct http_server *server); /* accept no more, finish the rest */
/* Any thread: */
unsigned http_server_connections(const struct http_server *server);
unsigned http_server_in_flight(const struct http_server *server); /* exchanges begun and not done */
bool http_server_is_done(const struct http_server *server);       /* it accepts no more, and nothing is in flight */

/* Request body, either whole … */
enum http_read { HTTP_READ_OK, HTTP_READ_TOO_LARGE, HTTP_READ_BROKEN };
/* `fn` runs once, when x->body is complete or cannot be: over the limit or the client broke off.
 * `Expect: 100-continue` is answered when reading starts, not before. */
void http_read_whole(struct http_exchange *x, size_t limit_bytes,
                     void (*fn)(struct http_exchange *x, enum http_read result));
/* … or as a stream. `fn` gets each piece as it comes (a view, valid in the call only), then
 * once with an absent piece: end. `broken` true: the client broke off. http_read_pause stops
 * delivery until http_read_resume (back-pressure). */
void http_read_stream(struct http_exchange *x,
                      void (*fn)(struct http_exchange *x, struct str piece, bool broken));
void http_read_pause(struct http_exchange *x);
void http_read_resume(struct http_exchange *x);

/* Whole answer. `body` must live in x->arena (or be static). Content-Length is set here;
 * Date too, unless `headers` have one. Hop-by-hop headers and Content-Length in `headers` are
 * dropped, but `Connection: close` is obeyed. After a body whose chunks make no sense the answer
 * is 400, whatever is asked for here. A second answer is ignored. */
void http_reply(struct http_exchange *x, int status, const struct http_headers *headers, struct str body);

/* The same; `lines` are header lines that stand first, each with its CR LF, of names and values that were
 * checked before (an answer out of a cache). They hold no hop-by-hop header, Content-Length or Date.
 * Absent: http_reply. */
void http_reply_kept(struct http_exchange *x, int status, struct str lines, const struct http_headers *headers,
                     struct str body);

/* Streamed answer: length_bytes -1 sends chunked. http_reply_write copies the piece and returns
 * false when more than 256 KiB wait for a slow client: then stop until `on_drain` runs. More or
 * fewer bytes than length_bytes break the connection. */
void http_reply_begin(struct http_exchange *x, int status, const struct http_headers *headers,
                      int64_t length_bytes, void (*on_drain)(struct http_exchange *x));
bool http_reply_write(struct http_exchange *x, struct str piece);
void http_reply_end(struct http_exchange *x);
/* Breaks the connection, so that the client cannot take the answer for complete. */
void http_abort(struct http_exchange *x);
