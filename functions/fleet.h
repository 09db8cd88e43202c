/* The processes that run functions, and who waits for them. One thread, one loop; everything here
 * happens on it unless said otherwise.
 *
 *   invocation → route (cached) → pool of one version → idle worker, or a new one, or the queue
 *
 * A worker runs one invocation at a time and is used again; an idle one ends after IDLE_S. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "core/job.h"
#include "core/map.h"
#include "functions/flog.h"
#include "functions/functions.h"
#include "functions/interpreter.h"
#include "functions/runtime_api.h"
#include "functions/sandbox.h"
#include "functions/target.h"

enum {
    IDLE_S = 300,             /* an unused worker is kept so long */
    WORKER_LIFE_S = 45 * 60,  /* its temporary keys last an hour */
    INIT_S = 10,              /* "The Init phase is limited to 10 seconds." */
    WATCH_MS = 100,           /* memory and processes of a running worker are looked at */
    TREE_MAX_PROCESSES = 1024,
    TAIL_BYTES = 4096,        /* "the last 4 KB of the execution log" */
    ACCOUNT_CONCURRENCY = 1000,
    QUEUE_MAX = 10000,        /* invocations waiting for a process, all functions together */
    REQUEST_ID = 36,
};

/* Invocations under way, of one function or one account and region. */
struct tally {
    int running;
};

struct pool {
    struct functions *functions;
    struct target *target;
    struct tally *of_function, *of_account;
    struct flog *log;
    struct run *first, *last;       /* waiting */
    int n_waiting, n_starting, n_workers, n_runs;
    struct worker *idle;            /* newest first */
    struct pool *next_waiting;
    bool retired;                   /* replaced or deleted: ends when it is empty */
    bool on_waiting_list;
    struct timer patience;
};

/* One invocation on its way. */
struct run {
    struct run *next, *prev;        /* in its pool's queue */
    struct functions *functions;
    struct pool *pool;
    struct worker *worker;
    struct invocation *caller;      /* NULL: has been answered already */
    char id[REQUEST_ID + 1];
    struct timer patience;          /* the caller's */
    int64_t began_us, started_us;   /* taken in, given to the worker */
    bool counted, queued;
};

enum worker_state { WORKER_PREPARING, WORKER_STARTING, WORKER_IDLE, WORKER_BUSY, WORKER_SILENT, WORKER_DYING };

struct worker {
    struct worker *next_idle;
    struct worker *next, *prev;     /* all of them */
    struct functions *functions;
    struct pool *pool;
    enum worker_state state;
    struct proc proc;
    struct loop_fd exit_watch, output_watch;
    bool watching_output;
    struct runtime_api *api;
    struct runtime_conn *conn;      /* waits in GET …/next */
    struct runtime_conn *streaming; /* brings an answer in pieces, which go to `stream` */
    struct invoke_stream *stream;
    struct run *run;
    struct timer timer, watch;      /* deadline of the state; memory */
    pid_t main_pid;                 /* the one that speaks the Runtime API; 0: not known yet */
    int64_t began_us, init_us, peak_bytes, paused_us;
    bool first_run, init_failed, too_fat;
    char mark[160];                 /* "AWS_LAMBDA_LOG_STREAM_NAME=…", unlike any other worker's */
    char tail[TAIL_BYTES];
    size_t tail_len;
    struct preparation *preparation;
};

struct functions {
    struct functions_config config;
    struct arena *arena;
    const char *folder, *logs_folder, *runtime_folder;
    struct loop *loop;
    pthread_t thread, prober;
    bool thread_runs, prober_runs;
    bool stopped;                   /* functions_stop was called; guarded by making_waiters */
    struct job_pool *waiters;       /* for Invoke; NULL until it is asked for */
    struct job_pool *loaders;       /* our own: the shared pool's threads may all wait for functions */
    struct sandbox sandbox;
    atomic_bool probed;             /* sandbox and interpreters are known */
    pthread_mutex_t making_waiters;
    pthread_mutex_t packages;       /* held while a package and the row that names it change */
    struct invoker invoker;
    struct loop_task probed_task;

    /* the loop's own */
    struct arena *scratch;          /* for one decision at a time */
    struct map *routes, *pools, *tallies, *logs;
    uint64_t generation;            /* counts changes: a route read before one is read again */
    struct worker *workers;
    struct pool *waiting_pools;
    int n_processes, n_starting, n_waiting;
    int max_processes, max_starting;
    bool closing;
    struct timer events_timer;      /* the next Event invocation is due */
    bool events_busy, events_again, events_seen;
    int events_in_flight;
};

/* ---- fleet.c ---- */

/* Takes the invocation in: any thread. */
void fleet_start(void *functions, struct invocation *invocation);
/* A function was changed, deleted or created: routes are read again; with `code`, its processes
 * are replaced too. Any thread; what is started afterwards by the same thread sees the change. */
void fleet_forget(struct functions *functions, struct str account, struct str region, struct str name, bool code);
/* As with `code`, and the package `old_code` goes when the last process made of it has ended, unless some
 * version still names it. */
void fleet_replace(struct functions *functions, struct str account, struct str region, struct str name,
                   struct str old_code);
void fleet_probed(struct functions *functions); /* what waited for the probes goes on */
void fleet_stop(struct functions *functions);   /* nothing new begins, everybody waiting is told, processes are killed */
void fleet_close(struct functions *functions);  /* after the loop has ended: frees what is left */

/* Lets waiting invocations of the pool have idle workers, and starts new ones as needed. */
void pool_pump(struct pool *pool);
void pools_pump(struct functions *functions);
struct run *pool_take_waiting(struct pool *pool);
void pool_release(struct pool *pool);           /* frees it when it is retired and empty */

/* Answers the caller (unless that happened) and frees the run. `body` is heap memory, taken over. */
void run_finish(struct run *run, enum invoke_result result, char *body, size_t body_len, struct str message,
                const struct worker *worker);

/* ---- worker.c ---- */

/* False: nothing could be started; the reason goes to the first waiting invocation. */
void worker_start(struct pool *pool);
void worker_give(struct worker *worker, struct run *run);
void worker_kill(struct worker *worker);        /* with all its descendants */
void worker_free(struct worker *worker);        /* when its process is gone */
void worker_stream_over(struct worker *worker); /* nobody takes further pieces of the answer: they are read and dropped */
