/* The loop: timers, watched descriptors, messages from other threads. */
#include "tests/support/net.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/wheel.h"

/* --- timers: a wheel turned by hand, so that years pass at once --- */

static int fired_n;
static int64_t fired_ms[64];
static int64_t wheel_now_us;

static void note_fired(struct timer *timer)
{
    (void)timer;
    fired_ms[fired_n++] = wheel_now_us / 1000;
}

static void test_timers_fire_in_their_tick(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t delay_us, fires_ms;
    } rows[] = {
        { "a fraction of a tick is rounded up", 1, 1 },
        { "a tick", 1000, 1 },
        { "just over a tick", 1001, 2 },
        { "last tick of the lowest level", 63000, 63 },
        { "first tick of the second level", 64000, 64 },
        { "in the middle of the second level", 1234000, 1234 },
        { "third level", 4096000, 4096 },
        { "an hour", INT64_C(3600000000), 3600000 },
        { "thirty days", INT64_C(2592000000000), INT64_C(2592000000) },
        { "zero: the next tick, never the present turn", 0, 1 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        static struct wheel wheel;
        struct timer timer = { .fn = note_fired };
        wheel_init(&wheel, 0);
        fired_n = 0;
        wheel_now_us = 0;
        wheel_add(&wheel, &timer, rows[i].delay_us);
        int stops = 0;
        while ((wheel_now_us = wheel_next_us(&wheel)) >= 0 && stops++ < 20)
            wheel_turn(&wheel, wheel_now_us);
        if (fired_n != 1 || fired_ms[0] != rows[i].fires_ms)
            fail_msg("%s: fired %d times, at %ld ms", rows[i].name, fired_n, (long)fired_ms[0]);
        assert_true(stops <= WHEEL_LEVELS);
    }
}

static void test_timers_against_a_sorted_list(void **state)
{
    (void)state;
    enum { N = 2000 };
    static struct timer timers[N];
    static struct wheel wheel;
    static int64_t due_us[N];
    memset(timers, 0, sizeof timers);
    wheel_init(&wheel, 777);
    uint32_t seed = 1;
    int64_t now = 777, stopped = 0;
    for (int i = 0; i < N; i++) {
        seed = seed * 1664525 + 1013904223;
        due_us[i] = now + (seed >> 4) % 5000000;
        timers[i].fn = note_fired;
        wheel_add(&wheel, &timers[i], due_us[i]);
        if (i % 7 == 0) { /* moved */
            due_us[i] += 1000000;
            wheel_add(&wheel, &timers[i], due_us[i]);
        }
        if (i % 3 == 0) {
            wheel_remove(&wheel, &timers[i]);
            stopped++;
        }
    }
    int64_t left = N - stopped;
    for (; now < 7000777; now += 313) {
        fired_n = 0;
        wheel_now_us = now;
        wheel_turn(&wheel, now);
        left -= fired_n;
        for (int i = 0; i < N; i++)
            if (i % 3 != 0 && now >= due_us[i] + 2000)
                assert_null(timers[i].next); /* not late by more than a tick */
            else if (i % 3 != 0 && now < due_us[i])
                assert_non_null(timers[i].next); /* never early */
    }
    assert_int_equal(left, 0);
    assert_int_equal(wheel_next_us(&wheel), -1);
}

static struct wheel *chain_wheel;
static struct timer chain_other;
static int chain_n;

static void stop_neighbour(struct timer *timer)
{
    chain_n++;
    wheel_remove(chain_wheel, &chain_other);
    if (chain_n < 3)
        wheel_add(chain_wheel, timer, 0); /* at once again: must not loop in the same turn */
}

static void test_timer_callback_may_stop_and_start(void **state)
{
    (void)state;
    static struct wheel wheel;
    wheel_init(&wheel, 0);
    chain_wheel = &wheel;
    chain_n = 0;
    struct timer first = { .fn = stop_neighbour };
    chain_other = (struct timer){ .fn = note_fired };
    fired_n = 0;
    wheel_add(&wheel, &first, 5000);
    wheel_add(&wheel, &chain_other, 5000);
    wheel_turn(&wheel, 5000);
    assert_int_equal(chain_n, 1);
    wheel_turn(&wheel, 60000);
    assert_int_equal(chain_n, 3);
    assert_int_equal(fired_n, 0);
}

/* --- a running loop --- */

static void stop_loop_timer(struct timer *timer)
{
    (void)timer;
    loop_stop(net_loop());
}

static void test_loop_sleeps_until_its_timer(void **state)
{
    (void)state;
    struct timer timer = { 0 };
    int64_t before = env_monotonic_us(loop_env(net_loop()));
    timer_start(net_loop(), &timer, 20000, stop_loop_timer);
    loop_run(net_loop());
    assert_true(env_monotonic_us(loop_env(net_loop())) - before >= 20000);
    assert_null(timer.next);
}

enum { POSTERS = 4, POSTS = 20000 };
struct counted {
    struct loop_task task;
    int poster, number;
};
static struct counted *posts[POSTERS];
static int seen[POSTERS], total_seen;

static void count_post(struct loop_task *task)
{
    struct counted *post = (struct counted *)task;
    assert_int_equal(post->number, seen[post->poster]); /* tasks of one poster run in order */
    seen[post->poster]++;
    if (++total_seen == POSTERS * POSTS)
        loop_stop(net_loop());
}

static void *post_many(void *arg)
{
    int poster = (int)(intptr_t)arg;
    for (int i = 0; i < POSTS; i++) {
        posts[poster][i] = (struct counted){ { NULL, count_post }, poster, i };
        loop_post(net_loop(), &posts[poster][i].task);
    }
    return NULL;
}

static void test_posts_from_many_threads_arrive_in_order(void **state)
{
    (void)state;
    pthread_t threads[POSTERS];
    total_seen = 0;
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < POSTERS; i++) {
        posts[i] = calloc(POSTS, sizeof(struct counted));
        pthread_create(&threads[i], NULL, post_many, (void *)(intptr_t)i);
    }
    loop_run(net_loop());
    for (int i = 0; i < POSTERS; i++) {
        pthread_join(threads[i], NULL);
        free(posts[i]);
    }
    assert_int_equal(total_seen, POSTERS * POSTS);
}

static int own_posts;
static void post_again(struct loop_task *task)
{
    if (++own_posts < 100)
        loop_post(net_loop(), task);
    else
        loop_stop(net_loop());
}

static void test_own_posts_need_no_wake(void **state)
{
    (void)state;
    struct loop_task task = { .fn = post_again };
    own_posts = 0;
    loop_post(net_loop(), &task);
    loop_run(net_loop());
    assert_int_equal(own_posts, 100);
}

static struct loop_fd pair_watch[2];
static int watch_calls;

static void unwatch_both(struct loop_fd *watch, uint32_t events)
{
    (void)watch;
    assert_true(events & EPOLLIN);
    watch_calls++;
    loop_unwatch(net_loop(), &pair_watch[0]);
    loop_unwatch(net_loop(), &pair_watch[1]);
    loop_stop(net_loop());
}

static void test_unwatched_in_the_same_batch_is_not_called(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    assert_int_equal(write(ends[0], "x", 1) + write(ends[1], "x", 1), 2); /* both ready in one turn */
    watch_calls = 0;
    for (int i = 0; i < 2; i++) {
        pair_watch[i] = (struct loop_fd){ ends[i], EPOLLIN, unwatch_both };
        assert_true(loop_watch(net_loop(), &pair_watch[i]));
    }
    loop_run(net_loop());
    assert_int_equal(watch_calls, 1);
    close(ends[0]);
    close(ends[1]);
}

static int turns;
static void count_turn(void *ctx)
{
    (void)ctx;
    if (++turns == 5)
        loop_stop(net_loop());
    loop_wake_within(net_loop(), 1000);
}

static void test_each_turn_wakes_within(void **state)
{
    (void)state;
    turns = 0;
    loop_each_turn(net_loop(), count_turn, &turns);
    loop_wake_within(net_loop(), 0);
    loop_run(net_loop());
    loop_each_turn_stop(net_loop(), &turns);
    assert_int_equal(turns, 5);
}

static bool last_task_ran;

static void last_task(struct loop_task *task)
{
    (void)task;
    last_task_ran = true;
}

static void post_and_stop(struct loop_task *task)
{
    static struct loop_task last = { .fn = last_task };
    (void)task;
    loop_post(net_loop(), &last);
    loop_stop(net_loop());
}

static void test_what_was_posted_before_the_stop_runs(void **state)
{
    (void)state;
    static struct loop_task task = { .fn = post_and_stop };
    last_task_ran = false;
    loop_post(net_loop(), &task);
    loop_run(net_loop());
    assert_true(last_task_ran);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_fire_in_their_tick),
        cmocka_unit_test(test_timers_against_a_sorted_list),
        cmocka_unit_test(test_timer_callback_may_stop_and_start),
        cmocka_unit_test(test_loop_sleeps_until_its_timer),
        cmocka_unit_test(test_posts_from_many_threads_arrive_in_order),
        cmocka_unit_test(test_own_posts_need_no_wake),
        cmocka_unit_test(test_unwatched_in_the_same_batch_is_not_called),
        cmocka_unit_test(test_each_turn_wakes_within),
        cmocka_unit_test(test_what_was_posted_before_the_stop_runs),
    };
    return cmocka_run_group_tests(tests, net_setup, net_teardown);
}
