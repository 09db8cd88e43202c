#include "core/invoke.h"

#include "core/job.h"

#include <pthread.h>
#include <stdlib.h>

/* The invoker's thread fills the answer in while we sleep, so the arena is never used twice. */
struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool done;
};

static void wake(struct invocation *invocation)
{
    struct waiting *waiting = invocation->user;
    pthread_mutex_lock(&waiting->lock);
    waiting->done = true;
    pthread_cond_signal(&waiting->over);
    pthread_mutex_unlock(&waiting->lock);
}

void invoke_and_wait(const struct invoker *invoker, struct invocation *invocation)
{
    struct waiting waiting = { .lock = PTHREAD_MUTEX_INITIALIZER, .over = PTHREAD_COND_INITIALIZER };
    void *user = invocation->user;
    invocation->home = NULL;
    invocation->done = wake;
    invocation->user = &waiting;
    invoker->start(invoker->ctx, invocation);
    job_waits();
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.done)
        pthread_cond_wait(&waiting.over, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
    job_goes_on();
    pthread_mutex_destroy(&waiting.lock);
    pthread_cond_destroy(&waiting.over);
    invocation->user = user;
}

/* Shared by both sides; whoever lets go last frees it. */
struct invoke_stream {
    atomic_int references;
    atomic_size_t under_way;
    atomic_bool braked, waking;
    struct loop *loop;          /* the invoker's, and so are the next two */
    void (*resume)(void *ctx);  /* NULL: it has ended */
    void *ctx;
    struct loop_task wake;
};

/* One piece on its way to the home loop. */
struct parcel {
    struct loop_task task;
    struct invoke_stream *stream;
    struct invocation *invocation; /* lives until `done`, which is posted after us */
    size_t len;
    char bytes[];
};

static void unref(struct invoke_stream *stream)
{
    if (atomic_fetch_sub(&stream->references, 1) == 1)
        free(stream);
}

static void wake_up(struct loop_task *task)
{
    struct invoke_stream *stream = (struct invoke_stream *)((char *)task - offsetof(struct invoke_stream, wake));
    atomic_store(&stream->waking, false);
    if (stream->resume)
        stream->resume(stream->ctx);
    unref(stream);
}

/* Whoever sets `braked` looks at `under_way` again, whoever lowers `under_way` looks at `braked`: one of
 * them sees the other. */
static void take(struct invoke_stream *stream, size_t bytes)
{
    size_t left = atomic_fetch_sub(&stream->under_way, bytes) - bytes;
    if (left > INVOKE_STREAM_BYTES / 2 || !atomic_exchange(&stream->braked, false) ||
        atomic_exchange(&stream->waking, true))
        return;
    atomic_fetch_add(&stream->references, 1);
    stream->wake.fn = wake_up;
    loop_post(stream->loop, &stream->wake);
}

static void hand_over(struct loop_task *task)
{
    struct parcel *parcel = (struct parcel *)task; /* its first member */
    struct invocation *invocation = parcel->invocation;
    if (atomic_load(&invocation->stopped)) {
        take(parcel->stream, parcel->len);
    } else {
        if (!invocation->stream) {
            invocation->stream = parcel->stream;
            atomic_fetch_add(&parcel->stream->references, 1);
        }
        invocation->untaken += parcel->len;
        invocation->piece(invocation, (struct str){ parcel->bytes, parcel->len });
    }
    unref(parcel->stream);
    free(parcel);
}

void invoke_taken(struct invocation *invocation, size_t bytes)
{
    if (bytes > invocation->untaken)
        bytes = invocation->untaken;
    invocation->untaken -= bytes;
    if (bytes && invocation->stream)
        take(invocation->stream, bytes);
}

void invoke_done(struct invocation *invocation)
{
    struct invoke_stream *stream = invocation->stream;
    invocation->stream = NULL;
    if (stream)
        unref(stream);
    invocation->done(invocation);
}

void invoke_stop(struct invocation *invocation)
{
    atomic_store(&invocation->stopped, true);
    invoke_taken(invocation, invocation->untaken);
}

struct invoke_stream *invoke_stream_new(struct loop *loop, void (*resume)(void *ctx), void *ctx)
{
    struct invoke_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        abort();
    *stream = (struct invoke_stream){ .loop = loop, .resume = resume, .ctx = ctx };
    atomic_init(&stream->references, 1);
    return stream;
}

bool invoke_stream_send(struct invoke_stream *stream, struct invocation *invocation, struct str piece)
{
    if (piece.len == 0 || atomic_load(&invocation->stopped))
        return true;
    struct parcel *parcel = malloc(sizeof *parcel + piece.len);
    if (!parcel)
        abort();
    *parcel = (struct parcel){ .task = { .fn = hand_over }, .stream = stream, .invocation = invocation,
                               .len = piece.len };
    memcpy(parcel->bytes, piece.ptr, piece.len);
    atomic_fetch_add(&stream->references, 1);
    atomic_fetch_add(&stream->under_way, piece.len);
    loop_post(invocation->home, &parcel->task);
    if (atomic_load(&stream->under_way) <= INVOKE_STREAM_BYTES)
        return true;
    atomic_store(&stream->braked, true);
    return atomic_load(&stream->under_way) <= INVOKE_STREAM_BYTES / 2 && atomic_exchange(&stream->braked, false);
}

void invoke_stream_end(struct invoke_stream *stream)
{
    if (!stream)
        return;
    stream->resume = NULL;
    unref(stream);
}
