/* What gateway/usage/usage.c and gateway/usage/meter.c share. */
#pragma once

#include <pthread.h>

#include "core/job.h"
#include "gateway/request.h"
#include "gateway/usage/usage.h"

/* Asked for by a loop: look after this meter, then call the request back. */
struct usage_errand {
    struct loop_task task;
    struct usage_errand *next;
    struct usage_meter *meter;
    struct gw_request *r; /* the loop's own; NULL: nobody waits (any more) */
    struct loop *home;
    enum usage_outcome outcome;
};

/* A plan as the control plane knows it. */
struct usage_book {
    struct usage_plan *plan;
    uint32_t next_slot;
    uint32_t *free_slots;
    size_t n_free, cap_free;
};

struct usage {
    struct gateway *gateway;
    uint8_t secret[SHA256_BYTES];
    /* Held by jobs only, over transactions; whoever takes it has none open. */
    pthread_mutex_t lock;
    struct map *keys;   /* id -> struct usage_key, as published */
    struct map *books;  /* plan id -> struct usage_book */
    struct map *meters; /* "plan/key" -> struct usage_meter */
    int64_t forgot_day; /* when old days were last cleared */
    /* Errands: a loop holds this lock for a few instructions, and not on the way of most requests. */
    pthread_mutex_t errands_lock;
    struct usage_errand *errands;
    bool running; /* a job does them */
    struct job job;
    atomic_bool dirty;
    struct job flush_job;
    atomic_bool flushing;
    struct timer flush_timer;
};

/* meter.c */
void meter_start(struct usage *usage);
/* Writes what was served of the meters (of one plan, when given); drop: gives portions back, and the next request
 * finds out anew what is left. Under the lock. */
gh_err meters_write(struct usage *usage, struct arena *arena, struct str plan_id, bool drop);
gh_err meter_write(struct usage *usage, struct arena *arena, struct usage_meter *meter, bool drop);
