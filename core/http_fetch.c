#include "core/http_fetch.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/uri.h"

enum { NAME_THREADS = 2, NAMES_QUEUED = 1024 };

struct http_fetcher {
    const struct env *env;
    const struct net_guard *guard;
    struct tls_trust *trust;
    pthread_mutex_t lock; /* for starting */
    struct loop *loop;    /* NULL: not started yet */
    struct job_pool *names;
    struct http_client *client;
    pthread_t thread;
};

/* The fetcher's thread fills in the caller's arena while the caller sleeps, so it is never used twice. */
struct run {
    struct loop_task task;
    struct http_fetcher *fetcher;
    struct arena *arena;
    struct http_fetch *fetch;
    struct http_call call;
    struct timer deadline;
    struct strbuf text;
    const char *given_up;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool over;
};

struct http_fetcher *http_fetcher_new(const struct env *env, const struct net_guard *guard,
                                      struct tls_trust *trust)
{
    struct http_fetcher *fetcher = calloc(1, sizeof *fetcher);
    if (!fetcher)
        abort();
    fetcher->env = env;
    fetcher->guard = guard;
    fetcher->trust = trust;
    pthread_mutex_init(&fetcher->lock, NULL);
    return fetcher;
}

static void *turn(void *ctx)
{
    struct http_fetcher *fetcher = ctx;
    loop_run(fetcher->loop);
    return NULL;
}

static bool start(struct http_fetcher *fetcher)
{
    pthread_mutex_lock(&fetcher->lock);
    if (!fetcher->loop && (fetcher->loop = loop_new(fetcher->env))) {
        fetcher->names = job_pool_new(NAME_THREADS, NAMES_QUEUED);
        fetcher->client = http_client_new(
            fetcher->loop, &(struct http_client_config){
                               .jobs = fetcher->names, .guard = fetcher->guard, .trust = fetcher->trust });
        if (pthread_create(&fetcher->thread, NULL, turn, fetcher) != 0)
            abort();
    }
    bool started = fetcher->loop != NULL;
    pthread_mutex_unlock(&fetcher->lock);
    return started;
}

void http_fetcher_free(struct http_fetcher *fetcher)
{
    if (!fetcher)
        return;
    if (fetcher->loop) {
        job_pool_close(fetcher->names);
        loop_stop(fetcher->loop);
        pthread_join(fetcher->thread, NULL);
        http_client_free(fetcher->client);
        job_pool_free(fetcher->names);
        loop_free(fetcher->loop);
    }
    pthread_mutex_destroy(&fetcher->lock);
    free(fetcher);
}

/* ---- on the fetcher's thread ---- */

static void give_up(struct timer *timer)
{
    struct run *run = (struct run *)(void *)((char *)timer - offsetof(struct run, deadline));
    if (!run->given_up)
        run->given_up = "it took too long";
    http_call_cancel(&run->call);
}

/* The end of a call must not be inside of one of its own callbacks. */
static void on_piece(struct http_call *call, struct str piece)
{
    struct run *run = call->user;
    if (run->given_up)
        return;
    if (run->text.len + piece.len <= run->fetch->most) {
        strbuf_add(&run->text, piece);
        return;
    }
    run->given_up = "its answer is too large";
    timer_start(run->fetcher->loop, &run->deadline, 0, give_up);
}

static void finish(struct run *run)
{
    pthread_mutex_lock(&run->lock);
    run->over = true;
    pthread_cond_signal(&run->ended);
    pthread_mutex_unlock(&run->lock);
}

static void on_done(struct http_call *call, enum http_failure failure)
{
    struct run *run = call->user;
    timer_stop(run->fetcher->loop, &run->deadline);
    struct http_fetch *fetch = run->fetch;
    fetch->failure = failure;
    fetch->why = run->given_up        ? run->given_up
                 : failure == HTTP_OK ? NULL
                 : call->reason       ? call->reason
                                      : http_failure_text(failure);
    fetch->status = call->status;
    fetch->answer = call->answer;
    fetch->text = strbuf_view(&run->text);
    finish(run);
}

static void begin(struct loop_task *task)
{
    struct run *run = (struct run *)(void *)task;
    timer_start(run->fetcher->loop, &run->deadline, run->fetch->timeout_ms * INT64_C(1000), give_up);
    http_call_start(run->fetcher->client, &run->call);
}

/* ---- on the caller's ---- */

void http_fetch(struct http_fetcher *fetcher, struct arena *arena, struct http_fetch *fetch)
{
    struct uri uri;
    fetch->failure = HTTP_REFUSED;
    fetch->status = 0;
    fetch->text = STR_NONE;
    fetch->why = NULL;
    if (!uri_parse(arena, fetch->url, &uri))
        fetch->why = "it is no http or https address";
    else if (!start(fetcher))
        fetch->why = "no descriptors left";
    if (fetch->why)
        return;
    struct run run = {
        .task.fn = begin,
        .fetcher = fetcher,
        .arena = arena,
        .fetch = fetch,
        .text = strbuf_in(arena, 1024),
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .ended = PTHREAD_COND_INITIALIZER,
        .call = { .scheme = uri.scheme,
                  .host = uri.host,
                  .port = uri.port,
                  .method = fetch->method,
                  .target = str_printf(arena, "%.*s%s%.*s", STR_FMT(uri.path.len ? uri.path : STR("/")),
                                       uri.query.ptr ? "?" : "", STR_FMT(uri.query)),
                  .headers = fetch->headers,
                  .body = fetch->body,
                  .timeout_ms = fetch->timeout_ms,
                  .unguarded = fetch->unguarded,
                  .arena = arena,
                  .on_piece = on_piece,
                  .on_done = on_done },
    };
    run.call.user = &run;
    loop_post(fetcher->loop, &run.task);
    job_waits();
    pthread_mutex_lock(&run.lock);
    while (!run.over)
        pthread_cond_wait(&run.ended, &run.lock);
    pthread_mutex_unlock(&run.lock);
    job_goes_on();
    pthread_mutex_destroy(&run.lock);
    pthread_cond_destroy(&run.ended);
}
