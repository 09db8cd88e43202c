#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include "core/time.h"
#include "gateway/usage/state.h"

/* --- the calendar --- */

static const struct {
    const char *name, *day;
    enum usage_period period;
    const char *starts, *ends;
} periods[] = {
    { "a day is itself", "2027-03-03", PERIOD_DAY, "2027-03-03", "2027-03-04" },
    { "the day before 1970", "1969-12-31", PERIOD_DAY, "1969-12-31", "1970-01-01" },
    { "a Wednesday's week begins on Sunday", "2027-03-03", PERIOD_WEEK, "2027-02-28", "2027-03-07" },
    { "Sunday is the first", "2027-03-07", PERIOD_WEEK, "2027-03-07", "2027-03-14" },
    { "Saturday is the last", "2027-03-06", PERIOD_WEEK, "2027-02-28", "2027-03-07" },
    { "a week before 1970", "1969-12-30", PERIOD_WEEK, "1969-12-28", "1970-01-04" },
    { "a month", "2027-03-31", PERIOD_MONTH, "2027-03-01", "2027-04-01" },
    { "a short month", "2027-02-28", PERIOD_MONTH, "2027-02-01", "2027-03-01" },
    { "a leap year's February", "2028-02-29", PERIOD_MONTH, "2028-02-01", "2028-03-01" },
    { "over the year", "2027-12-31", PERIOD_MONTH, "2027-12-01", "2028-01-01" },
};

static int64_t us_of(const char *date)
{
    double s = 0;
    assert_true(time_parse_iso8601(str_of(date), &s));
    return (int64_t)s * 1000000;
}

static void calendar(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(periods); i++) {
        int64_t noon_us = us_of(periods[i].day) + 43200LL * 1000000;
        int64_t starts = usage_period_start(periods[i].period, usage_day_of(noon_us));
        if (starts != usage_day_of(us_of(periods[i].starts)) ||
            usage_period_end_us(periods[i].period, noon_us) != us_of(periods[i].ends))
            fail_msg("%s", periods[i].name);
    }
    assert_int_equal(usage_day_of(us_of("2027-03-03") - 1), usage_day_of(us_of("2027-03-02")));
}

/* --- taking --- */

struct world {
    struct usage usage;
    struct gateway gateway;
    struct usage_meter meter;
};

static void prepare(struct world *world, bool limited, int64_t left, int64_t pool)
{
    memset(world, 0, sizeof *world);
    world->gateway.usage = &world->usage;
    atomic_store(&world->meter.limited, limited);
    atomic_store(&world->meter.left, left);
    atomic_store(&world->meter.pool, pool);
    atomic_store(&world->meter.wanted, true); /* nobody is asked for more: there are no jobs here */
    atomic_store(&world->meter.from_us, 1000);
    atomic_store(&world->meter.until_us, 2000);
}

static const struct {
    const char *name;
    bool limited;
    int64_t left, pool, wall_us;
    enum usage_taken taken;
    bool exceeded;
} takes[] = {
    { "one of the portion", true, 1, 0, 1500, USAGE_TAKEN, false },
    { "none left, none to come", true, 0, 0, 1500, USAGE_EXCEEDED, true },
    { "none left, but another portion", true, 0, 1, 1500, USAGE_WAIT, false },
    { "without a quota", false, 0, 0, 1500, USAGE_TAKEN, false },
    { "the day is over", true, 5, 5, 2000, USAGE_WAIT, false },
    { "used up yesterday is not used up today", true, 0, 0, 2000, USAGE_WAIT, false },
    { "the clock went back", true, 5, 5, 999, USAGE_WAIT, false },
    { "the day is over, and no quota", false, 0, 0, 2000, USAGE_WAIT, false },
};

static void taking(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(takes); i++) {
        static struct world world;
        prepare(&world, takes[i].limited, takes[i].left, takes[i].pool);
        if (usage_exceeded(&world.meter, takes[i].wall_us) != takes[i].exceeded)
            fail_msg("%s: exceeded", takes[i].name);
        if (usage_take(&world.gateway, &world.meter, takes[i].wall_us) != takes[i].taken)
            fail_msg("%s", takes[i].name);
        assert_int_equal(atomic_load(&world.meter.served), takes[i].taken == USAGE_TAKEN);
        assert_true(atomic_load(&world.usage.dirty) == (takes[i].taken == USAGE_TAKEN));
    }
}

static void *take_many(void *arg)
{
    struct world *world = arg;
    intptr_t got = 0;
    for (int i = 0; i < 20000; i++)
        got += usage_take(&world->gateway, &world->meter, 1500) == USAGE_TAKEN;
    return (void *)got;
}

/* All loops at once: exactly the portion, and each of it counted. */
static void exact_across_threads(void **state)
{
    (void)state;
    static struct world world;
    pthread_t threads[4];
    intptr_t total = 0;
    prepare(&world, true, 50000, 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_create(&threads[i], NULL, take_many, &world);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *got;
        pthread_join(threads[i], &got);
        total += (intptr_t)got;
    }
    assert_int_equal(total, 50000);
    assert_int_equal(atomic_load(&world.meter.served), 50000);
    assert_int_equal(atomic_load(&world.meter.left), 0);
}

/* --- hashes of values --- */

static void macs(void **state)
{
    (void)state;
    struct usage usage = { .secret = { 1 } }, other = { .secret = { 2 } };
    uint8_t mac[SHA256_BYTES], again[SHA256_BYTES];
    const struct {
        const struct usage *usage;
        struct str account, region, value;
    } differ[] = {
        { &usage, STR_INIT("1"), STR_INIT("r"), STR_INIT("value") },  { &usage, STR_INIT("2"), STR_INIT("r"), STR_INIT("value") },
        { &usage, STR_INIT("1"), STR_INIT("s"), STR_INIT("value") },  { &usage, STR_INIT("1"), STR_INIT("r"), STR_INIT("Value") },
        { &other, STR_INIT("1"), STR_INIT("r"), STR_INIT("value") },  { &usage, STR_INIT("1"), STR_INIT("r"), STR_INIT("value ") },
    };
    for (size_t i = 0; i < COUNT(differ); i++)
        for (size_t k = 0; k < COUNT(differ); k++) {
            usage_mac(differ[i].usage, differ[i].account, differ[i].region, differ[i].value, mac);
            usage_mac(differ[k].usage, differ[k].account, differ[k].region, differ[k].value, again);
            assert_true((memcmp(mac, again, sizeof mac) == 0) == (i == k));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calendar),
        cmocka_unit_test(taking),
        cmocka_unit_test(exact_across_threads),
        cmocka_unit_test(macs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
