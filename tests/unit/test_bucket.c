#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>

#include "core/bucket.h"
#include "core/str.h"

static const struct {
    const char *name;
    double rate;
    int64_t burst;
    int64_t wait_us;   /* after the bucket was emptied */
    int take, expect;  /* tries, successes */
} rows[] = {
    { "a full bucket gives its burst", 1, 5, -1, 10, 5 },
    { "refills at the rate", 10, 5, 300000, 10, 3 },
    { "never above the burst", 1000, 5, 10000000, 10, 5 },
    { "half a token is none", 1, 5, 500000, 10, 0 },
    { "rate 0 refuses everything", 0, 5, -1, 10, 0 },
    { "burst 0 refuses everything", 10, 0, -1, 10, 0 },
    { "fractions of a token a second", 0.5, 1, 2000000, 10, 1 },
    { "unlimited", -1, 0, -1, 10, 10 },
};

static void arithmetic(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bucket bucket;
        int64_t now = 1000000000;
        bucket_init(&bucket, rows[i].rate, rows[i].burst);
        if (rows[i].wait_us >= 0) {
            while (bucket_take(&bucket, now))
                ;
            assert_int_equal(bucket_left(&bucket, now), 0);
            now += rows[i].wait_us;
        }
        int got = 0;
        for (int n = 0; n < rows[i].take; n++)
            got += bucket_take(&bucket, now);
        if (got != rows[i].expect)
            fail_msg("%s: %d", rows[i].name, got);
    }
}

static void give_back(void **state)
{
    (void)state;
    struct bucket bucket;
    bucket_init(&bucket, 1, 1);
    assert_true(bucket_take(&bucket, 5000000));
    assert_false(bucket_take(&bucket, 5000000));
    bucket_give(&bucket);
    assert_true(bucket_take(&bucket, 5000000));
}

static void *take_many(void *arg)
{
    intptr_t got = 0;
    for (int i = 0; i < 20000; i++)
        got += bucket_take(arg, 7000000);
    return (void *)got;
}

/* Several loops take at once: together exactly the burst, never one more. */
static void exact_across_threads(void **state)
{
    (void)state;
    struct bucket bucket;
    bucket_init(&bucket, 1, 30000);
    pthread_t threads[4];
    intptr_t total = 0;
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_create(&threads[i], NULL, take_many, &bucket);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *got;
        pthread_join(threads[i], &got);
        total += (intptr_t)got;
    }
    assert_int_equal(total, 30000);
}

/* --- at most 1 % off over any second, whoever asks --- */

enum { SECONDS = 6, BIN_US = 10000, BINS = SECONDS * 1000000 / BIN_US, STEP_US = 7 };

struct load {
    struct bucket bucket;
    _Atomic int64_t clock_us; /* the virtual one: each try moves it on */
    _Atomic int32_t served[BINS];
};

static void *press(void *arg)
{
    struct load *load = arg;
    int64_t now_us;
    while ((now_us = atomic_fetch_add(&load->clock_us, STEP_US)) < SECONDS * 1000000LL)
        if (bucket_take(&load->bucket, 1000000000 + now_us))
            atomic_fetch_add(&load->served[now_us / BIN_US], 1);
    return NULL;
}

static int most_and_least(struct load *load, int from_bin, int *least)
{
    int most = 0, sum = 0;
    *least = INT32_MAX;
    for (int end = from_bin; end < BINS; end++) {
        sum += load->served[end];
        if (end < from_bin + 100 - 1)
            continue;
        most = sum > most ? sum : most;
        *least = sum < *least ? sum : *least;
        sum -= load->served[end - 99];
    }
    return most;
}

static void one_percent_over_any_second(void **state)
{
    (void)state;
    static const struct {
        double rate;
        int64_t burst;
    } limits[] = { { 10000, 5000 }, { 10000, 10 }, { 333.3, 10 }, { 70001, 100 }, { 50, 1 } };
    for (size_t i = 0; i < COUNT(limits); i++) {
        static struct load load;
        pthread_t threads[4];
        memset(&load, 0, sizeof load);
        bucket_init(&load.bucket, limits[i].rate, limits[i].burst);
        for (size_t t = 0; t < COUNT(threads); t++)
            pthread_create(&threads[t], NULL, press, &load);
        for (size_t t = 0; t < COUNT(threads); t++)
            pthread_join(threads[t], NULL);
        /* From the second on in which the burst is used up. One request more or less is no percent. */
        double rate = limits[i].rate, off = rate * 0.01 < 1 ? 1 : rate * 0.01;
        int least, most = most_and_least(&load, 100, &least);
        if (most > rate + off || least < rate - off)
            fail_msg("%g a second: %d to %d were served in some second", rate, least, most);
        most = most_and_least(&load, 0, &least);
        if (most > rate + (double)limits[i].burst + off)
            fail_msg("%g a second, burst %d: %d in the first second", rate, (int)limits[i].burst, most);
    }
}

static void extremes(void **state)
{
    (void)state;
    struct bucket bucket;
    bucket_init(&bucket, 0.001, INT64_MAX / 2); /* capacity beyond the clock's range */
    for (int i = 0; i < 1000; i++)
        assert_true(bucket_take(&bucket, 5000000));
    bucket_init(&bucket, 1e9, 1000);
    assert_true(bucket_take(&bucket, 5000000));
    bucket_init(&bucket, 2, 1);
    assert_int_equal(bucket_wait_us(&bucket.limit, &bucket.level, 5000000), 0);
    assert_true(bucket_take(&bucket, 5000000));
    assert_int_equal(bucket_wait_us(&bucket.limit, &bucket.level, 5100000), 400000);
    bucket_init(&bucket, 0, 5);
    assert_int_equal(bucket_wait_us(&bucket.limit, &bucket.level, 5000000), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic),
        cmocka_unit_test(give_back),
        cmocka_unit_test(exact_across_threads),
        cmocka_unit_test(one_percent_over_any_second),
        cmocka_unit_test(extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
