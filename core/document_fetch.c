#include "core/document_fetch.h"

#include <pthread.h>

#include "core/uri.h"

struct run {
    struct document_fetch fetch;
    struct http_call call;
    struct arena *arena;
    struct loop *loop;
    struct timer deadline; /* of the whole: a body may not trickle in for ever */
    struct strbuf body;
    void (*done)(struct document_fetch *fetch);
    const char *why; /* why it is given up */
};

static void stop(struct timer *timer)
{
    struct run *run = (struct run *)(void *)((char *)timer - offsetof(struct run, deadline));
    if (!run->why)
        run->why = "it took longer than 1500 ms";
    http_call_cancel(&run->call);
}

/* The end of a call frees it: not inside of one of its own callbacks. */
static void on_piece(struct http_call *call, struct str piece)
{
    struct run *run = call->user;
    if (run->why)
        return;
    if (run->body.len + piece.len <= DOCUMENT_FETCH_BYTES) {
        strbuf_add(&run->body, piece);
        return;
    }
    run->why = "it is larger than 150000 bytes";
    timer_start(run->loop, &run->deadline, 0, stop);
}

const char *document_fetch_fault(const char *failure, int status, const struct http_headers *headers)
{
    struct str type = http_header_get(headers, "Content-Type");
    if (failure)
        return failure;
    if (status != 200 && status != 304)
        return "its status is not 200";
    return str_starts_nocase(type, STR("text/html")) ? "it is a web page" : NULL;
}

static void on_done(struct http_call *call, enum http_failure failure)
{
    struct run *run = call->user;
    timer_stop(run->loop, &run->deadline);
    run->fetch.why = document_fetch_fault(run->why             ? run->why
                                          : failure != HTTP_OK ? http_failure_text(failure)
                                                               : NULL,
                                          call->status, &call->answer);
    run->fetch.status = call->status;
    run->fetch.headers = call->answer;
    run->fetch.body = strbuf_view(&run->body);
    run->done(&run->fetch);
    arena_free(run->arena);
}

/* No address to call: told from the top of the loop, as every other end. */
static void not_an_address(struct timer *timer)
{
    struct run *run = (struct run *)(void *)((char *)timer - offsetof(struct run, deadline));
    run->fetch.why = "it is no http(s) address";
    run->done(&run->fetch);
    arena_free(run->arena);
}

void document_fetch_start(struct loop *loop, struct http_client *client, struct str url, struct str etag,
                          void (*done)(struct document_fetch *fetch), void *user)
{
    struct arena *arena = arena_new(8192);
    struct run *run = ARENA_NEW(arena, struct run);
    struct uri uri;
    *run = (struct run){ .arena = arena, .loop = loop, .done = done, .body = strbuf_in(arena, 4096) };
    run->fetch.user = user;
    if (!uri_parse(arena, str_copy(arena, url), &uri)) {
        timer_start(loop, &run->deadline, 0, not_an_address);
        return;
    }
    struct http_headers *headers = ARENA_NEW(arena, struct http_headers);
    http_header_add(arena, headers, STR("Accept"), STR("application/json"));
    if (etag.len)
        http_header_add(arena, headers, STR("If-None-Match"), str_copy(arena, etag));
    run->call = (struct http_call){
        .scheme = uri.scheme,
        .host = uri.host,
        .port = uri.port,
        .method = STR("GET"),
        .target = str_printf(arena, "%.*s%s%.*s", STR_FMT(uri.path.len ? uri.path : STR("/")),
                             uri.query.ptr ? "?" : "", STR_FMT(uri.query)),
        .headers = headers,
        .timeout_ms = DOCUMENT_FETCH_MS,
        .arena = arena,
        .user = run,
        .on_piece = on_piece,
        .on_done = on_done,
    };
    timer_start(loop, &run->deadline, DOCUMENT_FETCH_MS * INT64_C(1000), stop);
    http_call_start(client, &run->call);
}

/* --- from a job --- */

struct wait {
    struct loop_task task;
    struct loop *loop;
    struct http_client *client;
    struct arena *arena; /* the job's; nobody else uses it meanwhile */
    struct str url, body, why;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool over;
};

static void wait_done(struct document_fetch *fetch)
{
    struct wait *wait = fetch->user;
    pthread_mutex_lock(&wait->lock);
    if (fetch->why)
        wait->why = str_of(fetch->why);
    else
        wait->body = str_copy(wait->arena, fetch->body);
    wait->over = true;
    pthread_cond_signal(&wait->ended);
    pthread_mutex_unlock(&wait->lock);
}

static void wait_start(struct loop_task *task)
{
    struct wait *wait = (struct wait *)(void *)task;
    document_fetch_start(wait->loop, wait->client, wait->url, STR_NONE, wait_done, wait);
}

struct str document_fetch_wait(struct loop *loop, struct http_client *client, struct arena *arena,
                               struct str url, struct str *why)
{
    struct wait wait = { .task.fn = wait_start,
                         .loop = loop,
                         .client = client,
                         .arena = arena,
                         .url = url,
                         .lock = PTHREAD_MUTEX_INITIALIZER,
                         .ended = PTHREAD_COND_INITIALIZER };
    loop_post(loop, &wait.task);
    pthread_mutex_lock(&wait.lock);
    while (!wait.over)
        pthread_cond_wait(&wait.ended, &wait.lock);
    pthread_mutex_unlock(&wait.lock);
    pthread_cond_destroy(&wait.ended);
    pthread_mutex_destroy(&wait.lock);
    *why = wait.why;
    return wait.body;
}
