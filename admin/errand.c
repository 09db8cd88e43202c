#include "admin/errand.h"

static void work(struct job *job)
{
    struct errand *errand = (struct errand *)job; /* first member */
    errand->work(errand);
}

static void done(struct job *job)
{
    struct errand *errand = (struct errand *)job;
    http_reply(errand->x, errand->status, &errand->headers, errand->body);
}

void errand_run(struct job_pool *jobs, struct http_exchange *x, void *ctx, void (*fn)(struct errand *errand))
{
    struct errand *errand = ARENA_NEW(x->arena, struct errand);
    errand->job = (struct job){ .home = x->loop, .run = work, .done = done };
    errand->x = x;
    errand->ctx = ctx;
    errand->work = fn;
    if (!job_submit(jobs, &errand->job))
        reply_json(x, 503, STR("{\"__type\":\"ServiceUnavailable\",\"message\":\"Too many calls are waiting; try again.\"}"));
}

void reply_json(struct http_exchange *x, int status, struct str body)
{
    struct http_headers headers = { 0 };
    http_header_add(x->arena, &headers, STR("Content-Type"), STR("application/json"));
    http_reply(x, status, &headers, body);
}
