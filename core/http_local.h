/* A request that nobody sent: handlers of core/http_server.h are given an exchange made in memory,
 * and its answer is collected. What a management call tries out (TestInvokeMethod, a replay) goes
 * the way that a client's request goes. */
#pragma once

#include "core/http_server.h"

struct http_local_request {
    struct str method;
    struct str target;                   /* "/pets/1?x=2" */
    struct str host;
    const struct http_headers *headers;  /* or NULL */
    struct str body;                     /* absent: none */
    struct str peer_ip;                  /* a text that is shown, no address */
};
struct http_local_answer {
    int status;                          /* 0: the handler broke the connection */
    struct http_headers headers;
    struct str body;
    bool cut;                            /* over the limit, or broken off midway */
};

/* Runs the handlers on `loop` and returns when they are done with the exchange; the answer lives in
 * `arena`. For job threads: it waits. `serve` takes the exchange as http_server's on_request does. */
void http_local_run(struct loop *loop, struct arena *arena, const struct http_local_request *request,
                    size_t limit_bytes, void (*serve)(void *ctx, struct http_exchange *x),
                    void (*done)(void *ctx, struct http_exchange *x, bool complete), void *ctx,
                    struct http_local_answer *answer);

/* The same without waiting, from the loop's own thread: `serve` is called from the top of the loop, nobody
 * reads the answer. `arena` holds the request and is freed behind `done`. */
void http_local_detach(struct loop *loop, struct arena *arena, const struct http_local_request *request,
                       void (*serve)(void *ctx, struct http_exchange *x),
                       void (*done)(void *ctx, struct http_exchange *x, bool complete), void *ctx);
