#include "core/env.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static _Atomic int64_t wall_offset_us;
static _Atomic int64_t wall_stands_us; /* 0: it runs */

static int64_t clock_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_wall_us(void *ctx)
{
    (void)ctx;
    int64_t stands_us = atomic_load_explicit(&wall_stands_us, memory_order_relaxed);
    return stands_us ? stands_us
                     : clock_us(CLOCK_REALTIME) + atomic_load_explicit(&wall_offset_us, memory_order_relaxed);
}

static int64_t system_monotonic_us(void *ctx)
{
    (void)ctx;
    return clock_us(CLOCK_MONOTONIC);
}

static void system_random(void *ctx, void *out, size_t bytes)
{
    (void)ctx;
    char *at = out;
    while (bytes > 0) {
        ssize_t got = getrandom(at, bytes, 0);
        if (got < 0) {
            fputs("{\"level\":\"error\",\"msg\":\"getrandom failed\"}\n", stderr);
            abort();
        }
        at += got;
        bytes -= (size_t)got;
    }
}

static const struct gh_kind NO_DELIVERY = { "CodeDeliveryFailureException", 400, false, NULL };

static gh_err system_send(void *ctx, struct arena *arena, const struct message *message)
{
    (void)ctx;
    return gh_fail(arena, &NO_DELIVERY, "No way to deliver %.*s is configured.",
                   STR_FMT(message->channel));
}

void env_system(struct env *env)
{
    *env = (struct env){
        .wall_us = system_wall_us,
        .monotonic_us = system_monotonic_us,
        .random = system_random,
        .send = system_send,
    };
}

void env_system_stand(int64_t at_us)
{
    atomic_store(&wall_stands_us, at_us);
}

void env_system_step(int64_t offset_us)
{
    atomic_store(&wall_stands_us, 0);
    atomic_store(&wall_offset_us, offset_us);
}

int64_t env_system_offset_us(void)
{
    return atomic_load(&wall_offset_us);
}
