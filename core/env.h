/* The world comes in by a parameter: time, randomness, mail and SMS.
 *
 * Only core/env_system.c asks the kernel; tests and dev mode step the wall clock, so that an
 * hour passes in a microsecond. Every function may be called from any thread. */
#pragma once

#include "core/err.h"

/* A mail or SMS on its way out. */
struct message {
    struct str account;  /* whose user pool sends it */
    struct str to;       /* address or E.164 number */
    struct str channel;  /* "email" or "sms" */
    struct str subject;  /* mail only */
    struct str body;     /* mail: HTML */
    struct str code;     /* what the person must type, for the outbox; or absent */
    struct str link;     /* what the person must click; or absent */
    /* as its pool says; each may be absent */
    struct str from, reply_to;    /* mail: "Name <address>" */
    struct str configuration_set; /* mail: SES's */
    struct str role, region;      /* SMS: in which role, and where, SNS is asked */
};

struct env {
    void *ctx;
    int64_t (*wall_us)(void *ctx);      /* microseconds since 1970 UTC, may be stepped */
    int64_t (*monotonic_us)(void *ctx); /* never goes back; for timers, buckets, durations */
    void (*random)(void *ctx, void *out, size_t bytes); /* cryptographic; aborts rather than fail */
    /* Delivery of one message. Errors are the caller's to report, never silence. */
    gh_err (*send)(void *ctx, struct arena *arena, const struct message *message);
};

static inline int64_t env_now_us(const struct env *env)
{
    return env->wall_us(env->ctx);
}
static inline int64_t env_now_ms(const struct env *env)
{
    return env->wall_us(env->ctx) / 1000;
}
static inline int64_t env_now_s(const struct env *env)
{
    return env->wall_us(env->ctx) / 1000000;
}
static inline int64_t env_monotonic_us(const struct env *env)
{
    return env->monotonic_us(env->ctx);
}
static inline void env_random(const struct env *env, void *out, size_t bytes)
{
    env->random(env->ctx, out, bytes);
}

/* The real world. `send` is filled in by admin/. One instance per process:
 * env_system_step moves its wall clock (dev mode's /_gatehouse/clock), 0 sets it right again. */
void env_system(struct env *env);
void env_system_step(int64_t offset_us);
int64_t env_system_offset_us(void);
void env_system_stand(int64_t at_us); /* exactly there until it is stepped; 0: it goes on */
