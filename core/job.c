#include "core/job.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NICENESS = 10 };

struct job_pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct loop_task *first, *last; /* waiting jobs, by their done_task */
    int queued, busy, max_queued;
    bool closing;
    pthread_cond_t turn, gone;      /* a waiting job may go on; a stand-in has ended */
    int working, waiting, returning; /* jobs: on their thread's time, waiting, wanting to go on */
    int idle, stand_ins;
    int threads_n, slots;
    pthread_t threads[];
};

static _Thread_local struct job_pool *own; /* whose thread this is */
static _Thread_local bool stands_in, away;

static void *worker(void *arg);
static void *stand_in(void *arg);
static struct job *take(struct job_pool *pool);
static void run_done(struct loop_task *task);
static bool start_thread(struct job_pool *pool, pthread_t *thread, void *(*run)(void *));

/* done_task is the first member, so a task is its job. */
_Static_assert(offsetof(struct job, done_task) == 0, "a task must be its job");

struct job_pool *job_pool_new(int threads, int max_queued)
{
    struct job_pool *pool = calloc(1, sizeof *pool + (size_t)threads * sizeof(pthread_t));
    if (!pool)
        return NULL;
    pool->max_queued = max_queued;
    pool->slots = threads;
    pthread_cond_init(&pool->turn, NULL);
    pthread_cond_init(&pool->gone, NULL);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    while (pool->threads_n < threads && start_thread(pool, &pool->threads[pool->threads_n], worker))
        pool->threads_n++;
    if (pool->threads_n == threads)
        return pool;
    job_pool_free(pool);
    return NULL;
}

void job_pool_close(struct job_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->threads_n; i++)
        pthread_join(pool->threads[i], NULL);
    pool->threads_n = 0;
    pthread_mutex_lock(&pool->lock);
    while (pool->stand_ins)
        pthread_cond_wait(&pool->gone, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void job_pool_free(struct job_pool *pool)
{
    if (!pool)
        return;
    job_pool_close(pool);
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->turn);
    pthread_cond_destroy(&pool->gone);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

bool job_submit(struct job_pool *pool, struct job *job)
{
    job->done_task = (struct loop_task){ .fn = run_done };
    pthread_mutex_lock(&pool->lock);
    bool fits = pool->queued < pool->max_queued && !pool->closing;
    if (fits) {
        if (pool->last)
            pool->last->next = &job->done_task;
        else
            pool->first = &job->done_task;
        pool->last = &job->done_task;
        pool->queued++;
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
    return fits;
}

int job_pool_queued(struct job_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    int queued = pool->queued;
    pthread_mutex_unlock(&pool->lock);
    return queued;
}

int job_pool_busy(struct job_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    int busy = pool->busy;
    pthread_mutex_unlock(&pool->lock);
    return busy;
}

/* Signals belong to the main thread. */
static bool start_thread(struct job_pool *pool, pthread_t *thread, void *(*run)(void *))
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(thread, NULL, run, pool) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

/* Loops go first: a crowd that signs in, 20 ms of hashing each, must not be felt by those who are passing through.
 * On Linux a thread has a niceness of its own. */
static void give_way(void)
{
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
}

static void *worker(void *arg)
{
    struct job_pool *pool = arg;
    struct job *job;
    give_way();
    own = pool;
    while ((job = take(pool)) != NULL) {
        struct loop *home = job->home; /* without one, run may free the job */
        job->run(job);
        if (home)
            loop_post(home, &job->done_task);
        pthread_mutex_lock(&pool->lock);
        pool->busy--;
        pool->working--;
        if (pool->returning)
            pthread_cond_signal(&pool->turn);
        pthread_mutex_unlock(&pool->lock);
    }
    return NULL;
}

static void *stand_in(void *arg)
{
    struct job_pool *pool = arg;
    stands_in = true;
    worker(pool);
    pthread_mutex_lock(&pool->lock);
    pool->stand_ins--;
    pthread_cond_broadcast(&pool->gone); /* the last thing: the pool may be freed now */
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

void job_waits(void)
{
    pthread_t thread;
    struct job_pool *pool = own;
    if (!pool || away)
        return;
    pthread_mutex_lock(&pool->lock);
    if (pool->idle <= pool->queued && pool->stand_ins < JOB_STAND_INS && start_thread(pool, &thread, stand_in)) {
        pthread_detach(thread);
        pool->stand_ins++;
    }
    away = pool->waiting < JOB_STAND_INS;
    if (away) {
        pool->waiting++;
        pool->working--;
        pthread_cond_signal(pool->returning ? &pool->turn : &pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
}

void job_goes_on(void)
{
    struct job_pool *pool = own;
    if (!pool || !away)
        return;
    away = false;
    pthread_mutex_lock(&pool->lock);
    pool->returning++;
    while (pool->working >= pool->slots)
        pthread_cond_wait(&pool->turn, &pool->lock);
    pool->returning--;
    pool->waiting--;
    pool->working++;
    pthread_mutex_unlock(&pool->lock);
}

/* More threads than work for them: those who stood in go first. */
static bool dispensable(const struct job_pool *pool)
{
    return stands_in && pool->stand_ins > pool->waiting;
}

/* Waits for a job; NULL when the pool closes and nothing is left to do, or one thread less will do. */
static struct job *take(struct job_pool *pool)
{
    struct loop_task *task = NULL;
    pthread_mutex_lock(&pool->lock);
    bool free_slot;
    while (!(free_slot = pool->working + pool->returning < pool->slots) || (!pool->first && !pool->closing)) {
        if (dispensable(pool) || (pool->closing && !pool->first))
            break;
        pool->idle++;
        pthread_cond_wait(&pool->work, &pool->lock);
        pool->idle--;
    }
    task = free_slot ? pool->first : NULL;
    if (pool->closing && !pool->first)
        pthread_cond_broadcast(&pool->work); /* for those who waited for a slot */
    if (task) {
        pool->first = task->next;
        if (!pool->first)
            pool->last = NULL;
        pool->queued--;
        pool->busy++;
        pool->working++;
    }
    pthread_mutex_unlock(&pool->lock);
    return (struct job *)task;
}

static void run_done(struct loop_task *task)
{
    struct job *job = (struct job *)task;
    job->done(job);
}
