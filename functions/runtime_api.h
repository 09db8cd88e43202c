/* The HTTP endpoint of one worker: http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/…
 *
 * Each worker has a listener of its own on 127.0.0.1, on a port that the kernel chooses, never
 * the public one. A connection is served only when its other end is a socket of the worker's own
 * process tree (asked of the kernel by sock_diag, once a connection): no other local process and
 * no other function can steal events, even as the same user, and even if it knows the port.
 * Turned down: a secret in AWS_LAMBDA_RUNTIME_API's path, for clients that split host and port or
 * set the path themselves (Rust's, Python's, Node's native one) would lose it; an address of
 * 127/8 as the secret, for /proc/net/tcp shows it; a network namespace a worker with the
 * listener inside, as long as functions share the machine's network.
 *
 * All of it runs on the functions loop. */
#pragma once

#include "core/loop.h"
#include "core/str.h"

struct runtime_api;
struct runtime_conn;

enum runtime_call { CALL_NEXT, CALL_RESPONSE, CALL_ERROR, CALL_INIT_ERROR, CALL_UNKNOWN };

struct runtime_request {
    enum runtime_call call;
    char request_id[64];   /* of CALL_RESPONSE and CALL_ERROR */
    char error_type[128];  /* Lambda-Runtime-Function-Error-Type, or "" */
    bool too_large;        /* the body passed RESPONSE_MAX_BYTES and was dropped */
    bool streaming;        /* Lambda-Runtime-Function-Response-Mode: streaming, and `stream` took it */
    char *body;            /* heap, the handler may take it by setting this to NULL */
    size_t body_len;
};

/* "Response payload size exceeded maximum allowed payload size (6291556 bytes)." */
enum { RESPONSE_MAX_BYTES = 6291556 };

struct runtime_handler {
    /* Whether the socket belongs to the worker; `inode` is the client socket's. */
    bool (*admit)(void *ctx, uint64_t inode);
    /* A complete request. Answered by runtime_reply now or later (CALL_NEXT). */
    void (*request)(void *ctx, struct runtime_conn *conn, struct runtime_request *request);
    /* The head of a CALL_RESPONSE in streaming mode. True: its body goes to `piece` as it comes, and
     * `request` has none (an error_type may come in its trailers). False: it is collected as any other. */
    bool (*stream)(void *ctx, struct runtime_conn *conn, const struct runtime_request *request);
    /* False: read no more until runtime_resume. */
    bool (*piece)(void *ctx, struct runtime_conn *conn, struct str piece);
    void (*closed)(void *ctx, struct runtime_conn *conn); /* before an answer was given, or amid a streamed body */
};

/* NULL: no port or memory left. */
struct runtime_api *runtime_api_new(struct loop *loop, const struct runtime_handler *handler, void *ctx);
void runtime_api_free(struct runtime_api *api); /* breaks its connections; `closed` is not called */
uint16_t runtime_api_port(const struct runtime_api *api);
void runtime_resume(struct runtime_conn *conn);
/* `headers` are whole lines ending in CRLF. Head and body go out in one system call; what the
 * socket does not take is copied. */
void runtime_reply(struct runtime_conn *conn, int status, struct str headers, struct str body);
