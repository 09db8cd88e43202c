/* Who asked last for what: noted by many threads at once, read at once, there after a restart. */
#include "tests/support/identity_fixture.h"

#include <pthread.h>

#include "identity/iam/reports/last_access.h"
#include "identity/store/access_key.h"

#define ROOT STR("123456789012") /* a root user: nothing but an account is needed for it */
enum { THREADS = 4, ROUNDS = 2000 };
static struct identity_fixture f;

static int setup(void **state)
{
    (void)state;
    fixture_new(&f);
    struct access_key key = { .id = STR("AKIAONE"), .account = ROOT, .owner = ROOT, .secret = STR("s"), .status = STR("Active") };
    struct tx tx;
    tx_begin(&tx, f.db, f.arena);
    access_key_insert(&tx, f.sealer, &key);
    if (tx_commit(&tx))
        fail_msg("not stored");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_end(&f);
    return 0;
}

static void note(struct str owner, const char *key, const char *region, const char *action, int64_t at_s)
{
    last_access_note(f.identity, owner, str_of(key), str_of(region), str_of(action), at_s);
}

static int64_t now_s(void)
{
    return env_now_s(&f.env);
}

static void the_last_one_counts(void **state)
{
    (void)state;
    struct accesses all;
    struct accessed last;
    note(ROOT, "AKIAONE", "us-east-1", "iam:GetRole", now_s() - 30);
    note(ROOT, "AKIAONE", "us-east-1", "iam:GetRole", now_s() - 20);
    note(ROOT, "AKIAONE", "eu-west-1", "lambda:Invoke", now_s() - 10);
    assert_null(last_access_of(f.identity, f.arena, ROOT, &all));
    assert_int_equal(all.n, 2);
    assert_true(str_is(all.items[0].service, "lambda") && str_is(all.items[0].action, "Invoke"));
    assert_true(str_is(all.items[1].action, "GetRole") && all.items[1].at_s >= now_s() - 21);
    assert_null(last_access_latest(f.identity, f.arena, ROOT, &last));
    assert_true(str_is(last.region, "eu-west-1"));
    assert_null(last_access_of_key(f.identity, f.arena, STR("AKIAONE"), &last));
    assert_true(str_is(last.service, "lambda") && str_is(last.region, "eu-west-1"));
}

static void what_is_no_action_or_no_key_is_not_noted(void **state)
{
    (void)state;
    struct accesses all;
    struct accessed last;
    char long_action[600];
    memset(long_action, 'x', sizeof long_action - 1);
    long_action[2] = ':';
    long_action[sizeof long_action - 1] = 0;
    note(STR("210987654321"), "ASIATEMP", "us-east-1", "noaction", now_s());
    note(STR("210987654321"), "ASIATEMP", "us-east-1", long_action, now_s());
    note(STR(""), "ASIATEMP", "us-east-1", "iam:GetRole", now_s());
    note(STR("210987654321"), "ASIATEMP", "us-east-1", "iam:GetRole", now_s());
    assert_null(last_access_of(f.identity, f.arena, STR("210987654321"), &all));
    assert_int_equal(all.n, 1);
    assert_null(last_access_of_key(f.identity, f.arena, STR("ASIATEMP"), &last));
    assert_int_equal(last.at_s, 0);
    assert_null(last_access_latest(f.identity, f.arena, STR("111111111111"), &last));
    assert_int_equal(last.at_s, 0);
}

static void *note_many(void *ptr)
{
    struct str owner = str_of(ptr);
    char action[32];
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(action, sizeof action, "iam:Action%d", i % 50);
        note(owner, "AKIAONE", i % 2 ? "us-east-1" : "eu-west-1", action, now_s());
    }
    return NULL;
}

static void many_at_once(void **state)
{
    (void)state;
    static char owners[THREADS][13] = { "300000000001", "300000000002", "300000000003", "300000000004" };
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, note_many, owners[i]);
    struct accesses all;
    for (int i = 0; i < 20; i++) /* written amid it */
        assert_null(last_access_of(f.identity, f.arena, STR("300000000001"), &all));
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        assert_null(last_access_of(f.identity, f.arena, str_of(owners[i]), &all));
        assert_int_equal(all.n, 50);
    }
}

static void they_are_there_after_a_restart(void **state)
{
    (void)state;
    struct accessed last;
    note(STR("400000000001"), "AKIAONE", "us-west-2", "sts:AssumeRole", now_s());
    note(STR("400000000002"), "AKIAONE", "us-west-2", "sts:AssumeRole", now_s() - 401 * 24 * 3600);
    fixture_close(&f);
    fixture_open(&f);
    assert_null(last_access_latest(f.identity, f.arena, STR("400000000001"), &last));
    assert_true(str_is(last.region, "us-west-2"));
    assert_null(last_access_of_key(f.identity, f.arena, STR("AKIAONE"), &last));
    assert_true(str_is(last.service, "sts"));
    struct accesses all; /* "at least the last 400 days" */
    assert_null(last_access_of(f.identity, f.arena, STR("400000000002"), &all));
    assert_int_equal(all.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_one_counts),
        cmocka_unit_test(what_is_no_action_or_no_key_is_not_noted),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(they_are_there_after_a_restart),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
