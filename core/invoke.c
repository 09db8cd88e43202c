#include "core/invoke.h"

#include <pthread.h>

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
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.done)
        pthread_cond_wait(&waiting.over, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
    pthread_mutex_destroy(&waiting.lock);
    pthread_cond_destroy(&waiting.over);
    invocation->user = user;
}
