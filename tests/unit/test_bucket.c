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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic),
        cmocka_unit_test(give_back),
        cmocka_unit_test(exact_across_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
