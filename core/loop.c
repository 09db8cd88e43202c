#include "core/loop.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/wheel.h"

enum { BATCH = 128, HOOKS = 8, NO_WAKE = -1 };

struct hook {
    void (*fn)(void *ctx);
    void *ctx;
};

struct loop {
    const struct env *env;
    int epoll_fd, event_fd;
    int64_t now_us;
    int64_t wake_us; /* a library wants its turn by then; NO_WAKE: none does */
    struct epoll_event batch[BATCH];
    int batch_n, batch_at;
    struct hook hooks[HOOKS];
    int hooks_n;
    struct wheel wheel;
    _Atomic(struct loop_task *) inbox; /* newest first */
    atomic_bool stopping;
};

/* Posts from the loop's own thread need no wake-up. */
static _Thread_local struct loop *running_here;

static void turn(struct loop *loop);
static int timeout_ms(struct loop *loop);
static void dispatch(struct loop *loop);
static void run_tasks(struct loop *loop);
static void wake(struct loop *loop);

struct loop *loop_new(const struct env *env)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    loop->env = env;
    loop->wake_us = NO_WAKE;
    loop->now_us = env_monotonic_us(env);
    wheel_init(&loop->wheel, loop->now_us);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    /* A NULL pointer marks the event descriptor. Edge-triggered, so that it need not be read. */
    struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.ptr = NULL };
    if (loop->epoll_fd < 0 || loop->event_fd < 0 ||
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->event_fd, &event) != 0) {
        loop_free(loop);
        return NULL;
    }
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    if (loop->event_fd >= 0)
        close(loop->event_fd);
    free(loop);
}

void loop_run(struct loop *loop)
{
    running_here = loop;
    while (!atomic_load_explicit(&loop->stopping, memory_order_acquire))
        turn(loop);
    run_tasks(loop); /* what was posted before the stop: it may hold memory that only it frees */
    running_here = NULL;
    atomic_store(&loop->stopping, false); /* a test may run it again */
}

void loop_stop(struct loop *loop)
{
    atomic_store_explicit(&loop->stopping, true, memory_order_release);
    wake(loop);
}

int64_t loop_now_us(const struct loop *loop)
{
    return loop->now_us;
}

const struct env *loop_env(const struct loop *loop)
{
    return loop->env;
}

void loop_post(struct loop *loop, struct loop_task *task)
{
    struct loop_task *head = atomic_load_explicit(&loop->inbox, memory_order_relaxed);
    do
        task->next = head;
    while (!atomic_compare_exchange_weak_explicit(&loop->inbox, &head, task, memory_order_release,
                                                  memory_order_relaxed));
    /* Whoever finds the inbox empty wakes the loop; the others ride along. The loop looks into
     * its inbox before it sleeps, so its own thread never needs to. */
    if (!head && running_here != loop)
        wake(loop);
}

bool loop_watch(struct loop *loop, struct loop_fd *watch)
{
    struct epoll_event event = { .events = watch->events, .data.ptr = watch };
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) == 0;
}

void loop_rewatch(struct loop *loop, struct loop_fd *watch)
{
    struct epoll_event event = { .events = watch->events, .data.ptr = watch };
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
}

void loop_unwatch(struct loop *loop, struct loop_fd *watch)
{
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    for (int i = loop->batch_at; i < loop->batch_n; i++)
        if (loop->batch[i].data.ptr == watch)
            loop->batch[i].data.ptr = NULL; /* its event came in the same batch: forget it */
}

void timer_start(struct loop *loop, struct timer *timer, int64_t delay_us, void (*fn)(struct timer *))
{
    timer->fn = fn;
    wheel_add(&loop->wheel, timer, loop->now_us + (delay_us > 0 ? delay_us : 0));
}

void timer_stop(struct loop *loop, struct timer *timer)
{
    wheel_remove(&loop->wheel, timer);
}

void loop_each_turn(struct loop *loop, void (*fn)(void *ctx), void *ctx)
{
    if (loop->hooks_n == HOOKS)
        abort(); /* a programming error: each library hooks in once */
    loop->hooks[loop->hooks_n++] = (struct hook){ fn, ctx };
}

void loop_each_turn_stop(struct loop *loop, void *ctx)
{
    int kept = 0;
    for (int i = 0; i < loop->hooks_n; i++)
        if (loop->hooks[i].ctx != ctx)
            loop->hooks[kept++] = loop->hooks[i];
    loop->hooks_n = kept;
}

void loop_wake_within(struct loop *loop, int64_t delay_us)
{
    int64_t due_us = loop->now_us + delay_us;
    if (loop->wake_us == NO_WAKE || due_us < loop->wake_us)
        loop->wake_us = due_us;
}

static void turn(struct loop *loop)
{
    int n = epoll_wait(loop->epoll_fd, loop->batch, BATCH, timeout_ms(loop));
    loop->batch_n = n > 0 ? n : 0; /* EINTR: an empty turn */
    loop->now_us = env_monotonic_us(loop->env);
    dispatch(loop);
    run_tasks(loop);
    wheel_turn(&loop->wheel, loop->now_us);
    loop->wake_us = NO_WAKE;
    for (int i = 0; i < loop->hooks_n; i++)
        loop->hooks[i].fn(loop->hooks[i].ctx);
}

/* Rounded up: a turn before its time would only sleep again. */
static int timeout_ms(struct loop *loop)
{
    if (atomic_load_explicit(&loop->inbox, memory_order_acquire))
        return 0;
    int64_t due_us = wheel_next_us(&loop->wheel);
    if (loop->wake_us != NO_WAKE && (due_us < 0 || loop->wake_us < due_us))
        due_us = loop->wake_us;
    if (due_us < 0)
        return -1;
    int64_t left_us = due_us - loop->now_us;
    if (left_us <= 0)
        return 0;
    left_us = (left_us + 999) / 1000;
    return left_us > 60000 ? 60000 : (int)left_us;
}

static void dispatch(struct loop *loop)
{
    for (loop->batch_at = 0; loop->batch_at < loop->batch_n;) {
        struct epoll_event event = loop->batch[loop->batch_at++];
        struct loop_fd *watch = event.data.ptr;
        if (watch)
            watch->fn(watch, event.events);
    }
    loop->batch_n = 0;
}

/* Tasks posted meanwhile wait for the next turn, or a task that posts itself would starve the rest. */
static void run_tasks(struct loop *loop)
{
    if (!atomic_load_explicit(&loop->inbox, memory_order_relaxed))
        return;
    struct loop_task *newest = atomic_exchange_explicit(&loop->inbox, NULL, memory_order_acquire);
    struct loop_task *oldest = NULL;
    while (newest) {
        struct loop_task *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct loop_task *next = oldest->next; /* fn may free the task */
        oldest->fn(oldest);
        oldest = next;
    }
}

static void wake(struct loop *loop)
{
    uint64_t one = 1;
    ssize_t wrote;
    do
        wrote = write(loop->event_fd, &one, sizeof one);
    while (wrote < 0 && errno == EINTR);
    /* EAGAIN would need 2^64 unread wakes. */
}
