/* "Run that function": the seam between those who call functions (gateway, triggers) and
 * functions/, which fills it in. */
#pragma once

#include "core/loop.h"

struct invocation {
    /* filled by the caller, who owns the memory until `done` has run */
    struct arena *arena;       /* the answer is copied here, before `done`, on the home loop's thread */
    struct str account, region;
    struct str function;       /* name, partial or whole ARN, with or without qualifier */
    struct str qualifier;      /* or absent */
    struct str payload;        /* JSON */
    struct str client_context; /* base64, or absent */
    struct str trace_id;       /* X-Amzn-Trace-Id, or absent */
    bool want_log_tail;
    int timeout_ms;            /* of the caller, 0: only the function's own */
    struct loop *home;         /* where `done` runs; NULL: on a thread of the invoker's, which must not be held up */
    struct str request_id;     /* given: kept (a retry has the id of the first try); absent: made */
    void (*done)(struct invocation *invocation);
    void *user;

    /* filled before done */
    enum invoke_result {
        INVOKE_OK,             /* payload is the function's answer */
        INVOKE_FUNCTION_ERROR, /* payload is {"errorMessage","errorType",…}; error_kind says which */
        INVOKE_NOT_FOUND,
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
};

struct invoker {
    void *ctx;
    void (*start)(void *ctx, struct invocation *invocation); /* any thread */
};

/* For job threads: starts and waits. `home`, `done` and `user` are set here. */
void invoke_and_wait(const struct invoker *invoker, struct invocation *invocation);
