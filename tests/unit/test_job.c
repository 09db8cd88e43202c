/* The job pool: bounded, finishes what it took, answers on the home loop. */
#include "tests/support/net.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "core/job.h"

enum { JOBS = 5000 };

struct task {
    struct job job;
    pthread_t ran_on;
    bool ran;
};

static int done_n;
static pthread_t loop_thread;

static void run_task(struct job *job)
{
    struct task *task = (struct task *)job;
    task->ran_on = pthread_self();
    task->ran = true;
}

static void task_done(struct job *job)
{
    struct task *task = (struct task *)job;
    assert_true(task->ran);
    assert_false(pthread_equal(task->ran_on, pthread_self()));
    assert_true(pthread_equal(loop_thread, pthread_self()));
    if (++done_n == JOBS)
        loop_stop(net_loop());
}

static void test_jobs_run_elsewhere_and_are_done_at_home(void **state)
{
    (void)state;
    struct job_pool *pool = job_pool_new(4, JOBS);
    struct task *tasks = calloc(JOBS, sizeof *tasks);
    loop_thread = pthread_self();
    done_n = 0;
    for (int i = 0; i < JOBS; i++) {
        tasks[i].job = (struct job){ .home = net_loop(), .run = run_task, .done = task_done };
        assert_true(job_submit(pool, &tasks[i].job));
    }
    loop_run(net_loop());
    assert_int_equal(done_n, JOBS);
    job_pool_free(pool);
    free(tasks);
}

static sem_t started, release;

static void run_blocked(struct job *job)
{
    (void)job;
    sem_post(&started);
    sem_wait(&release);
}

static _Atomic int homeless_n;
static void run_homeless(struct job *job)
{
    (void)job;
    homeless_n++;
}

static void test_a_full_queue_refuses_at_once(void **state)
{
    (void)state;
    struct job_pool *pool = job_pool_new(1, 2);
    struct job blocked = { .run = run_blocked };
    struct job waiting[3] = { { .run = run_homeless }, { .run = run_homeless }, { .run = run_homeless } };
    sem_init(&started, 0, 0);
    sem_init(&release, 0, 0);
    homeless_n = 0;
    assert_true(job_submit(pool, &blocked));
    sem_wait(&started);
    assert_int_equal(job_pool_busy(pool), 1);
    assert_true(job_submit(pool, &waiting[0]));
    assert_true(job_submit(pool, &waiting[1]));
    assert_false(job_submit(pool, &waiting[2]));
    assert_int_equal(job_pool_queued(pool), 2);
    sem_post(&release);
    job_pool_free(pool); /* finishes what is queued */
    assert_int_equal(homeless_n, 2);
    sem_destroy(&started);
    sem_destroy(&release);
}

static void test_a_closed_pool_has_finished_and_takes_no_more(void **state)
{
    (void)state;
    struct job_pool *pool = job_pool_new(1, 8);
    struct job jobs[4], late = { .run = run_homeless };
    homeless_n = 0;
    for (size_t i = 0; i < COUNT(jobs); i++) {
        jobs[i] = (struct job){ .run = run_homeless };
        assert_true(job_submit(pool, &jobs[i]));
    }
    job_pool_close(pool);
    assert_int_equal(homeless_n, 4);
    assert_false(job_submit(pool, &late)); /* a loop that still runs gets its 503 */
    assert_int_equal(job_pool_queued(pool), 0);
    job_pool_close(pool); /* again: nothing */
    job_pool_free(pool);
    assert_int_equal(homeless_n, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jobs_run_elsewhere_and_are_done_at_home),
        cmocka_unit_test(test_a_full_queue_refuses_at_once),
        cmocka_unit_test(test_a_closed_pool_has_finished_and_takes_no_more),
    };
    return cmocka_run_group_tests(tests, net_setup, net_teardown);
}
