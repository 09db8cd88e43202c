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

/* Each job works, waits for the one after it, and works again; one thread. */
enum { CHAIN = 20, CHAIN_THREADS = 2 };
static sem_t turns[CHAIN + 1];
static _Atomic int at_work, most_at_work, links;

static void work_a_little(void)
{
    int now = ++at_work, most = most_at_work;
    while (now > most && !atomic_compare_exchange_weak(&most_at_work, &most, now)) { }
    for (volatile int i = 0; i < 20000; i++) { }
    at_work--;
}

struct link {
    struct job job;
    int i;
};

static void run_link(struct job *job)
{
    struct link *link = (struct link *)job;
    work_a_little();
    job_waits();
    sem_wait(&turns[link->i + 1]);
    job_goes_on();
    work_a_little();
    links++;
    sem_post(&turns[link->i]);
}

static void test_jobs_that_wait_for_one_another_do_not_hold_the_pool_up(void **state)
{
    (void)state;
    for (int threads = 1; threads <= CHAIN_THREADS; threads++) {
        struct job_pool *pool = job_pool_new(threads, CHAIN);
        struct link all[CHAIN];
        at_work = most_at_work = links = 0;
        for (int i = 0; i <= CHAIN; i++)
            sem_init(&turns[i], 0, 0);
        sem_post(&turns[CHAIN]);
        for (int i = 0; i < CHAIN; i++) {
            all[i] = (struct link){ .job.run = run_link, .i = i };
            assert_true(job_submit(pool, &all[i].job));
        }
        sem_wait(&turns[0]);
        job_pool_free(pool);
        assert_int_equal(links, CHAIN);
        assert_in_range(most_at_work, 1, threads); /* never more at once than threads */
        for (int i = 0; i <= CHAIN; i++)
            sem_destroy(&turns[i]);
    }
}

/* More wait than there may be stand-ins: those over the limit keep their thread, and all end. */
static void run_patient(struct job *job)
{
    (void)job;
    sem_post(&started);
    job_waits();
    sem_wait(&release);
    job_goes_on();
    homeless_n++;
}

static void test_stand_ins_are_bounded(void **state)
{
    (void)state;
    enum { MANY = JOB_STAND_INS + 20 };
    struct job_pool *pool = job_pool_new(1, MANY);
    struct job *all = calloc(MANY, sizeof *all);
    sem_init(&started, 0, 0);
    sem_init(&release, 0, 0);
    homeless_n = 0;
    for (int i = 0; i < MANY; i++) {
        all[i].run = run_patient;
        assert_true(job_submit(pool, &all[i]));
    }
    for (int i = 0; i < JOB_STAND_INS + 1; i++)
        sem_wait(&started);
    assert_int_equal(job_pool_queued(pool), MANY - JOB_STAND_INS - 1);
    for (int i = 0; i < MANY; i++)
        sem_post(&release);
    job_pool_close(pool);
    assert_int_equal(homeless_n, MANY);
    job_pool_free(pool);
    free(all);
    sem_destroy(&started);
    sem_destroy(&release);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jobs_run_elsewhere_and_are_done_at_home),
        cmocka_unit_test(test_a_full_queue_refuses_at_once),
        cmocka_unit_test(test_jobs_that_wait_for_one_another_do_not_hold_the_pool_up),
        cmocka_unit_test(test_stand_ins_are_bounded),
        cmocka_unit_test(test_a_closed_pool_has_finished_and_takes_no_more),
    };
    return cmocka_run_group_tests(tests, net_setup, net_teardown);
}
