#include "core/http_local.h"

#include <pthread.h>

#include "core/http_conn.h"

struct http_local {
    struct http_exchange x;
    struct loop_task task;   /* the start, then each turn */
    bool queued;
    void *ctx;
    void (*serve)(void *ctx, struct http_exchange *x);
    void (*done)(void *ctx, struct http_exchange *x, bool complete);

    /* the request's body */
    struct str body;
    enum reading_state reading;
    bool paused, given;
    size_t reading_limit;
    void (*on_whole)(struct http_exchange *x, enum http_read result);
    void (*on_piece)(struct http_exchange *x, struct str piece, bool broken);

    /* the answer */
    enum answer_state answer;
    bool aborted;
    struct strbuf out;
    size_t limit_bytes;
    struct http_local_answer *result;

    pthread_mutex_t lock;
    pthread_cond_t finished;
    bool is_finished;
    bool detached;           /* nobody waits: the arena goes when all is done */
};

static void turn(struct loop_task *task);

/* Handlers are called from the top of the loop only, never from inside of a call of theirs. */
static void queue(struct http_local *local)
{
    if (local->queued)
        return;
    local->queued = true;
    local->task.fn = turn;
    loop_post(local->x.loop, &local->task);
}

static bool read_whole(struct http_local *local)
{
    if (local->reading != READ_WHOLE)
        return false;
    local->reading = READ_OVER;
    bool fits = local->body.len <= local->reading_limit;
    if (fits)
        local->x.body = local->body.ptr ? local->body : STR("");
    local->on_whole(&local->x, fits ? HTTP_READ_OK : HTTP_READ_TOO_LARGE);
    return true;
}

static bool read_piece(struct http_local *local)
{
    if (local->reading != READ_STREAM || local->paused)
        return false;
    bool piece = !local->given && local->body.len;
    local->given = true;
    if (!piece)
        local->reading = READ_OVER;
    local->on_piece(&local->x, piece ? local->body : STR_NONE, false);
    return true;
}

static void finish(struct http_local *local)
{
    local->done(local->ctx, &local->x, !local->aborted);
    if (local->detached) {
        arena_free(local->x.arena);
        return;
    }
    if (local->aborted && local->answer == ANSWER_NONE)
        local->result->status = 0;
    local->result->cut |= local->aborted;
    local->result->body = strbuf_view(&local->out);
    pthread_mutex_lock(&local->lock);
    local->is_finished = true;
    pthread_cond_signal(&local->finished);
    pthread_mutex_unlock(&local->lock);
}

static void turn(struct loop_task *task)
{
    struct http_local *local = (struct http_local *)(void *)((char *)task - offsetof(struct http_local, task));
    local->queued = false;
    if (local->aborted || local->answer == ANSWER_ENDED)
        finish(local); /* the waiting thread frees it */
    else if (read_whole(local) || read_piece(local))
        queue(local);
}

static void start(struct loop_task *task)
{
    struct http_local *local = (struct http_local *)(void *)((char *)task - offsetof(struct http_local, task));
    local->queued = false;
    local->x.started_us = env_monotonic_us(loop_env(local->x.loop));
    local->serve(local->ctx, &local->x);
}

static struct http_local *make(struct loop *loop, struct arena *arena, const struct http_local_request *request,
                               size_t limit_bytes, struct http_local_answer *answer)
{
    struct http_local *local = ARENA_NEW(arena, struct http_local);
    ptrdiff_t question = str_find(request->target, '?');
    *answer = (struct http_local_answer){ 0 };
    local->x = (struct http_exchange){
        .arena = arena, /* nobody else uses it */
        .loop = loop,
        .local = local,
        .method = request->method,
        .target = request->target,
        .path = question < 0 ? request->target : str_sub(request->target, 0, (size_t)question),
        .query = question < 0 ? STR_NONE : str_from(request->target, (size_t)question + 1),
        .host = request->host,
        .peer_ip = request->peer_ip,
        .has_body = request->body.len > 0,
        .content_length = (int64_t)request->body.len,
    };
    for (size_t i = 0; request->headers && i < request->headers->n; i++)
        http_header_add(arena, &local->x.headers, request->headers->items[i].name, request->headers->items[i].value);
    local->body = request->body;
    local->limit_bytes = limit_bytes;
    local->out = strbuf_in(arena, 1024);
    local->result = answer;
    return local;
}

static void begin_on_loop(struct http_local *local, void (*serve)(void *ctx, struct http_exchange *x),
                          void (*done)(void *ctx, struct http_exchange *x, bool complete), void *ctx)
{
    local->serve = serve;
    local->done = done;
    local->ctx = ctx;
    local->task.fn = start;
    local->queued = true;
    loop_post(local->x.loop, &local->task);
}

void http_local_run(struct loop *loop, struct arena *arena, const struct http_local_request *request,
                    size_t limit_bytes, void (*serve)(void *ctx, struct http_exchange *x),
                    void (*done)(void *ctx, struct http_exchange *x, bool complete), void *ctx,
                    struct http_local_answer *answer)
{
    struct http_local *local = make(loop, arena, request, limit_bytes, answer);
    pthread_mutex_init(&local->lock, NULL);
    pthread_cond_init(&local->finished, NULL);
    begin_on_loop(local, serve, done, ctx);
    pthread_mutex_lock(&local->lock);
    while (!local->is_finished)
        pthread_cond_wait(&local->finished, &local->lock);
    pthread_mutex_unlock(&local->lock);
    pthread_cond_destroy(&local->finished);
    pthread_mutex_destroy(&local->lock);
}

void http_local_detach(struct loop *loop, struct arena *arena, const struct http_local_request *request,
                       void (*serve)(void *ctx, struct http_exchange *x),
                       void (*done)(void *ctx, struct http_exchange *x, bool complete), void *ctx)
{
    struct http_local *local = make(loop, arena, request, 0, ARENA_NEW(arena, struct http_local_answer));
    local->detached = true;
    begin_on_loop(local, serve, done, ctx);
}

/* --- what core/http_exchange.c hands over --- */

void local_read_whole(struct http_local *local, size_t limit_bytes,
                      void (*fn)(struct http_exchange *x, enum http_read result))
{
    local->reading = READ_WHOLE;
    local->reading_limit = limit_bytes;
    local->on_whole = fn;
    queue(local);
}

void local_read_stream(struct http_local *local, void (*fn)(struct http_exchange *x, struct str piece, bool broken))
{
    local->reading = READ_STREAM;
    local->on_piece = fn;
    queue(local);
}

void local_read_pause(struct http_local *local, bool pause)
{
    local->paused = pause;
    if (!pause)
        queue(local);
}

static bool begin(struct http_local *local, int status, const struct http_headers *headers)
{
    if (local->answer != ANSWER_NONE || local->aborted)
        return false;
    local->result->status = status;
    for (size_t i = 0; headers && i < headers->n; i++)
        if (!http_is_hop_by_hop(headers->items[i].name))
            http_header_add(local->x.arena, &local->result->headers, headers->items[i].name,
                            headers->items[i].value);
    local->answer = ANSWER_OPEN;
    return true;
}

bool local_reply_write(struct http_local *local, struct str piece)
{
    size_t room = local->limit_bytes - local->out.len;
    if (local->answer != ANSWER_OPEN)
        return true;
    strbuf_add(&local->out, str_sub(piece, 0, room));
    if (piece.len > room)
        local->result->cut = true; /* the rest is dropped: the source is not held up */
    return true;
}

void local_reply_end(struct http_local *local)
{
    if (local->answer != ANSWER_OPEN)
        return;
    local->answer = ANSWER_ENDED;
    local->reading = READ_OVER;
    queue(local);
}

void local_reply_begin(struct http_local *local, int status, const struct http_headers *headers)
{
    begin(local, status, headers);
}

void local_reply(struct http_local *local, int status, const struct http_headers *headers, struct str body)
{
    if (!begin(local, status, headers))
        return;
    local_reply_write(local, body);
    local_reply_end(local);
}

void local_abort(struct http_local *local)
{
    local->aborted = true;
    local->reading = READ_OVER;
    queue(local);
}
