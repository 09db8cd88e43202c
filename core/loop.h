/* One epoll loop a thread: file descriptors, timers, messages from other threads.
 *
 * Loop threads never block: no SQL, no argon2, no DNS. All functions are for the loop's own
 * thread, except loop_post and loop_stop. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/env.h"

struct loop;

struct loop *loop_new(const struct env *env); /* caller frees with loop_free; NULL: no descriptors left */
void loop_free(struct loop *loop);
void loop_run(struct loop *loop);  /* until loop_stop */
void loop_stop(struct loop *loop); /* any thread */

/* Monotonic time, read once a turn of the loop. */
int64_t loop_now_us(const struct loop *loop);
const struct env *loop_env(const struct loop *loop);

/* A message to a loop from any thread. The task is the caller's memory and must live until fn
 * has run; fn may free it. Tasks of one poster run in order. */
struct loop_task {
    struct loop_task *next;
    void (*fn)(struct loop_task *task);
};
void loop_post(struct loop *loop, struct loop_task *task); /* run when it came before loop_stop */

/* A watched descriptor. Embed it; `fn` gets the EPOLL… bits. */
struct loop_fd {
    int fd;
    uint32_t events;
    void (*fn)(struct loop_fd *watch, uint32_t events);
};
bool loop_watch(struct loop *loop, struct loop_fd *watch);   /* level-triggered, events as set */
void loop_rewatch(struct loop *loop, struct loop_fd *watch); /* after changing .events */
void loop_unwatch(struct loop *loop, struct loop_fd *watch); /* its fn will not be called again */

/* A timer of 1 ms resolution, never early. Embed it, zeroed; starting a running timer moves it. */
struct timer {
    struct timer *next, *prev; /* NULL when not running */
    int64_t due_us;            /* private */
    void (*fn)(struct timer *timer);
};
void timer_start(struct loop *loop, struct timer *timer, int64_t delay_us, void (*fn)(struct timer *));
void timer_stop(struct loop *loop, struct timer *timer); /* no effect when not running */

/* Called at the end of each turn (the HTTP server runs its daemon here). */
void loop_each_turn(struct loop *loop, void (*fn)(void *ctx), void *ctx);
void loop_each_turn_stop(struct loop *loop, void *ctx);
/* The hooks must run within this many microseconds. Each turn forgets it before it runs them: they
 * say it again. Called earlier in a turn it costs nothing, as the hooks run at its end anyway. */
void loop_wake_within(struct loop *loop, int64_t delay_us);
