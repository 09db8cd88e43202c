/* An exchange whose answer needs blocking code: run on the job pool, then replied on its loop.
 * The exchange outlives the errand, since a connection rests until it is answered. */
#pragma once

#include "core/http_server.h"
#include "core/job.h"

struct errand {
    struct job job;
    struct http_exchange *x;
    void *ctx;
    void (*work)(struct errand *errand); /* on a job thread: fills the answer */
    /* the answer */
    int status;
    struct http_headers headers;
    struct str body; /* in x->arena */
};

/* Queues `work`; answers 503 when the pool is full. */
void errand_run(struct job_pool *jobs, struct http_exchange *x, void *ctx, void (*work)(struct errand *errand));
/* A JSON answer at once. */
void reply_json(struct http_exchange *x, int status, struct str body);
