/* A bounded thread pool for code that blocks: SQL, argon2, deploys. */
#pragma once

#include "core/loop.h"

struct job_pool;

struct job {
    struct loop_task done_task;    /* the pool's */
    struct loop *home;             /* where `done` runs; NULL: no `done` */
    void (*run)(struct job *job);  /* on a pool thread; may block */
    void (*done)(struct job *job); /* on the home loop, after run */
};

struct job_pool *job_pool_new(int threads, int max_queued);
/* Finishes what is queued, joins the threads; from now on nothing can be submitted. For the end of a
 * program whose loops still run: a job may be waiting for one, and `done` finds its home. */
void job_pool_close(struct job_pool *pool);
void job_pool_free(struct job_pool *pool); /* closes it first */
/* False when the queue is full or the pool closed: answer 503, never wait. */
bool job_submit(struct job_pool *pool, struct job *job);

/* A job that waits for something outside (a function, another server) says so: another thread does the pool's work
 * meanwhile, since what is being waited for may need the pool itself. When it goes on it waits for its turn, so that
 * never more jobs work at once than the pool has threads. At most JOB_STAND_INS wait like that, the others keep their
 * thread. Nothing happens on threads that are no pool's. */
enum { JOB_STAND_INS = 256 };
void job_waits(void);
void job_goes_on(void);

int job_pool_queued(struct job_pool *pool); /* for /_gatehouse/metrics */
int job_pool_busy(struct job_pool *pool);
