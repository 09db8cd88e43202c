/* "Run that function": the seam between those who call functions (gateway, triggers) and
 * functions/, which fills it in. */
#pragma once

#include <stdatomic.h>

#include "core/loop.h"

struct invoke_stream;

/* Who calls, for the function's own policy. All absent: the call has been allowed already, and comes from
 * the function's account. Either a service, or a principal whose own policies allow it: then the
 * function's policy is asked only across accounts. */
struct invoke_caller {
    struct str service;                 /* "name.domain" of a service */
    struct str source_arn, source_account; /* for what the service calls; or absent */
    struct str principal_arn, role_arn; /* role_arn: of a role session */
    struct str account;                 /* of the principal */
};

struct invocation {
    /* filled by the caller, who owns the memory until `done` has run */
    struct arena *arena;       /* the answer is copied here, before `done`, on the home loop's thread */
    struct str account, region;
    struct str function;       /* name, partial or whole ARN, with or without qualifier */
    struct str qualifier;      /* or absent */
    struct str payload;        /* JSON */
    struct str client_context; /* base64, or absent */
    struct str identity_id, identity_pool; /* of Cognito: who calls, for the function's context; or absent */
    struct str trace_id;       /* X-Amzn-Trace-Id, or absent */
    struct invoke_caller caller;
    enum invoke_mode {
        INVOKE_NOW,            /* run it, and wait for its answer */
        INVOKE_AS_EVENT,       /* done when it is queued, durably; it runs later, and again when it fails */
        INVOKE_DRY_RUN,        /* done when it is known that it may run */
    } mode;
    bool want_log_tail;
    int timeout_ms;            /* of the caller, 0: only the function's own */
    struct loop *home;         /* where `done` runs; NULL: on a thread of the invoker's, which must not be held up */
    struct str request_id;     /* given: kept (a retry has the id of the first try); absent: made */
    /* A streamed answer is wanted: each piece as it comes, on the home loop, before `done`; a view, valid in
     * the call only. Pieces count until invoke_taken. A function that does not stream has its whole answer
     * in `answer`, and no pieces. NULL: everything in `answer`. Needs a home. */
    void (*piece)(struct invocation *invocation, struct str piece);
    void (*done)(struct invocation *invocation);
    void *user;

    /* filled before done */
    enum invoke_result {
        INVOKE_OK,             /* payload is the function's answer */
        INVOKE_FUNCTION_ERROR, /* payload is {"errorMessage","errorType",…}; error_kind says which */
        INVOKE_NOT_FOUND,
        INVOKE_DENIED,         /* the function's policy does not let the caller in */
        INVOKE_THROTTLED,      /* concurrency limit */
        INVOKE_TIMED_OUT,      /* the caller's timeout; the function runs on */
        INVOKE_FAILED,         /* could not be started; message says why */
    } result;
    struct str answer;
    struct str error_kind;       /* "Unhandled" or "Handled" */
    struct str message;
    struct str log_tail;         /* last 4 KiB */
    struct str executed_version; /* "$LATEST" */
    int64_t duration_us;
    struct loop_task task;       /* private */
    void *private;
    struct invoke_stream *stream; /* the home's, from the first piece on */
    size_t untaken;
    atomic_bool stopped;
};

struct invoker {
    void *ctx;
    void (*start)(void *ctx, struct invocation *invocation); /* any thread */
};

/* For job threads: starts and waits. `home`, `done` and `user` are set here. */
void invoke_and_wait(const struct invoker *invoker, struct invocation *invocation);

/* ---- streamed answers: memory stays bounded, since a function is not read while its caller is behind ---- */

enum { INVOKE_STREAM_BYTES = 256 * 1024 }; /* on their way and not taken */

/* Home loop: so many bytes of the pieces are out of the way. */
void invoke_taken(struct invocation *invocation, size_t bytes);
/* Home loop: nobody wants the rest. `done` still comes; the function runs on. */
void invoke_stop(struct invocation *invocation);

/* The invoker's side, all on the invoker's loop. `resume` is called after a send that answered false. */
struct invoke_stream *invoke_stream_new(struct loop *loop, void (*resume)(void *ctx), void *ctx);
bool invoke_stream_send(struct invoke_stream *stream, struct invocation *invocation, struct str piece);
void invoke_stream_end(struct invoke_stream *stream); /* before `done` is posted; no resume after it; NULL: nothing */
void invoke_done(struct invocation *invocation);      /* on the home loop: calls `done`, the last call */
