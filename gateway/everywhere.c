#include "gateway/everywhere.h"

struct latch {
    pthread_mutex_t lock;
    pthread_cond_t zero;
    size_t left;
};

struct errand {
    struct loop_task task;
    struct gw_loop *home;
    void (*fn)(struct gw_loop *home, void *ctx);
    void *ctx;
    struct latch *latch;
};

static void run(struct loop_task *task)
{
    struct errand *errand = (struct errand *)(void *)task;
    struct latch *latch = errand->latch;
    errand->fn(errand->home, errand->ctx);
    pthread_mutex_lock(&latch->lock);
    if (--latch->left == 0)
        pthread_cond_signal(&latch->zero);
    pthread_mutex_unlock(&latch->lock);
}

void gateway_everywhere(struct gateway *gateway, struct arena *arena, void (*fn)(struct gw_loop *home, void *ctx),
                        void *ctx)
{
    struct latch latch = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, gateway->n_loops };
    struct errand *errands = ARENA_ARRAY(arena, struct errand, gateway->n_loops);
    for (size_t i = 0; i < gateway->n_loops; i++) {
        errands[i] = (struct errand){ { .fn = run }, &gateway->loops[i], fn, ctx, &latch };
        loop_post(gateway->loops[i].loop, &errands[i].task);
    }
    pthread_mutex_lock(&latch.lock);
    while (latch.left > 0)
        pthread_cond_wait(&latch.zero, &latch.lock);
    pthread_mutex_unlock(&latch.lock);
}
