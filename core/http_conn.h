/* What core/http_server.c (connections) and core/http_exchange.c (bodies and answers) share.
 * Nobody else includes it.
 *
 * One function, conn_advance, moves a connection on as far as it goes; it alone calls handlers,
 * and only from the top of the loop. The functions that handlers call only note what is wanted
 * and queue the connection, so that a handler is never re-entered and what it says in one turn
 * leaves in one write. Descriptors are watched once, edge-triggered: a request costs no epoll_ctl. */
#pragma once

#include "core/http_chunk.h"
#include "core/http_framing.h"
#include "core/http_out.h"
#include "core/http_server.h"

#include <stdatomic.h>
#include <sys/socket.h>

enum {
    HTTP_SCRATCH_BYTES = 64 * 1024,
    HTTP_BACKLOG_BYTES = 256 * 1024, /* more waits for a slow client: http_reply_write says false */
    HTTP_DRAINED_BYTES = 64 * 1024,  /* less: on_drain runs */
};

enum reading_state { READ_NOTHING, READ_WHOLE, READ_STREAM, READ_OVER };
enum answer_state { ANSWER_NONE, ANSWER_OPEN, ANSWER_ENDED };

struct exchange {
    struct http_exchange pub; /* first: a handler's exchange is ours */
    struct http_conn *conn;
    struct http_head head;

    /* the request's body */
    enum reading_state reading;
    bool paused;
    bool begun;     /* 100 Continue has been considered */
    bool body_done; /* all of it has been consumed */
    bool malformed; /* its chunks make no sense: the answer is 400, whatever the handler says */
    int64_t body_left;
    struct http_chunk *chunk;
    size_t limit_bytes;
    char *whole; /* on the heap while it grows */
    size_t whole_len, whole_cap;
    void (*on_whole)(struct http_exchange *x, enum http_read result);
    void (*on_piece)(struct http_exchange *x, struct str piece, bool broken);

    /* the answer */
    enum answer_state answer;
    bool aborted;
    bool told_gone;
    bool bodiless; /* HEAD, 204, 304: whatever is written is not sent */
    bool chunked_out;
    bool close_after;
    bool want_drain;
    int64_t out_left; /* of a declared length; -1 when none */
    struct http_out out;
    void (*on_drain)(struct http_exchange *x);
};

struct http_conn {
    struct loop_fd watch;
    struct http_server *server;
    struct http_conn *next, *prev;
    struct http_conn *next_queued;
    struct http_tls *tls; /* NULL: in clear */
    struct exchange *x; /* the request being served */
    struct str in;      /* received and not consumed: in `kept`, or in the server's scratch */
    char *kept;
    size_t kept_cap;
    size_t line; /* http_head_end's memory */
    bool queued;
    bool readable, writable; /* as far as we know: edges say when that changes */
    bool half_closed;        /* the client sends no more */
    bool broken;             /* gone, or silent for too long */
    bool closing, lingering; /* after the present answer */
    bool reset;              /* close it so that the client notices */
    bool skipped_line;       /* the one empty line before a request */
    bool dead;               /* freed when the queue is drained */
    int budget;              /* receives left in this turn */
    size_t thrown_away;      /* while lingering */
    int64_t active_us;       /* last sign of life that counts against idle_timeout_s */
    struct timer timer;
    uint16_t peer_port;
    char peer_ip[46];
};

struct http_server {
    struct loop *loop;
    struct http_server_config config;
    struct loop_fd listener;
    bool listening, quiescing;
    struct timer retry; /* out of descriptors: listen again later */
    struct http_conn *conns;
    atomic_uint conns_n, in_flight; /* changed by the loop alone, read by anyone */
    atomic_bool quiet;               /* http_server_quiesce has run, and a turn of the loop after it */
    struct timer quiet_timer;
    struct http_conn *queue_first, *queue_last;
    uint16_t port;
    struct arena *arenas[64]; /* used before, empty */
    unsigned arenas_n;
    int64_t date_s;
    char date[40]; /* "Sat, 21 Nov 2026 03:19:00 GMT" */
    char scratch[HTTP_SCRATCH_BYTES];
};

void server_has_room(struct http_server *server); /* a connection has gone: listen again */

void conn_new(struct http_server *server, int fd, const struct sockaddr_storage *peer);
void conn_destroy(struct http_conn *conn); /* freed when the queue is drained */
void conn_finish_exchange(struct http_conn *conn, bool complete);
/* At the end of each turn, those that were queued before it: one that queues itself again lets the
 * others' events come first. */
void conn_drain_queue(void *server);
void conn_queue(struct http_conn *conn); /* conn_advance will run, this turn or the next */
/* Receives once, behind what is in conn->in. False: nothing there now, or the connection is over. */
bool conn_receive(struct http_conn *conn);
/* As send: a few bytes of our own, outside of an exchange's answer. */
ssize_t conn_send(struct http_conn *conn, struct str bytes);

/* Body of the request, as far as it goes now. False: more must arrive. */
bool exchange_read(struct exchange *x);
void exchange_read_broken(struct exchange *x); /* tells the reader, once */
/* Sends what waits. False: the client is gone. */
bool exchange_flush(struct exchange *x);
bool exchange_sent(const struct exchange *x); /* the answer has ended and all of it is out */
void exchange_drained(struct exchange *x);    /* calls on_drain when it is due */
/* A complete answer of our own, for requests that no handler sees. */
struct str http_refusal(struct http_server *server, struct arena *arena, int status);

/* core/http_local.c: exchanges without a connection. */
void local_read_whole(struct http_local *local, size_t limit_bytes,
                      void (*fn)(struct http_exchange *x, enum http_read result));
void local_read_stream(struct http_local *local, void (*fn)(struct http_exchange *x, struct str piece, bool broken));
void local_read_pause(struct http_local *local, bool pause);
void local_reply(struct http_local *local, int status, const struct http_headers *headers, struct str body);
void local_reply_begin(struct http_local *local, int status, const struct http_headers *headers);
bool local_reply_write(struct http_local *local, struct str piece);
void local_reply_end(struct http_local *local);
void local_abort(struct http_local *local);
