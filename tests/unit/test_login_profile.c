/* Passwords of IAM users: what is asked of them, and may somebody come in with one. */
#include "tests/support/identity_fixture.h"

#include "core/password.h"
#include "identity/iam/credentials/login_profile.h"
#include "identity/iam/credentials/mfa_device.h"
#include "identity/iam/credentials/password_rules.h"

#define ACCOUNT STR("123456789012")
static struct identity_fixture f;
static struct call call;

static int setup(void **state)
{
    (void)state;
    fixture_new(&f);
    call = (struct call){ .arena = f.arena, .env = &f.env, .db = f.db, .sealer = f.sealer, .account = ACCOUNT,
                          .now_us = env_now_us(&f.env), .module = f.identity };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_end(&f);
    return 0;
}

/* A user with a password that was set `age_days` ago. */
static void user_with(const char *name, const char *password, int64_t age_days, bool reset)
{
    struct entity user = { .kind = ENTITY_USER, .account = ACCOUNT, .name = str_of(name), .path = STR("/"),
                           .id = str_printf(f.arena, "AIDA%s", name) };
    struct login_profile profile = { .owner = user.id, .account = ACCOUNT, .created_us = call.now_us,
                                     .changed_us = call.now_us - age_days * 86400 * INT64_C(1000000),
                                     .reset_required = reset };
    profile.hash = password_hash(&f.env, f.arena, str_of(password), &PASSWORD_COST_DEFAULT);
    struct tx tx;
    tx_begin(&tx, f.db, f.arena);
    entity_insert(&tx, &user);
    login_profile_insert(&tx, &profile);
    assert_null(tx_commit(&tx));
}

static void policy(int64_t max_age, bool hard)
{
    const struct iam_UpdateAccountPasswordPolicy_in in = { .max_password_age = { max_age > 0, max_age },
                                                           .hard_expiry = { true, hard } };
    struct iam_UpdateAccountPasswordPolicy_out out;
    assert_null(iam_UpdateAccountPasswordPolicy(&call, &in, &out));
}

static enum login_verdict check(const char *name, const char *password)
{
    struct login login;
    assert_null(login_profile_check(&call, ACCOUNT, str_of(name), str_of(password), &login));
    assert_true((login.user_id.ptr != NULL) == (login.verdict != LOGIN_REFUSED));
    return login.verdict;
}

static int64_t used_us(const char *owner)
{
    struct login_profile profile;
    bool found;
    assert_null(login_profile_find(f.db, NULL, f.arena, str_of(owner), &profile, &found));
    return found ? profile.used_us : -1;
}

static void the_right_password_lets_in(void **state)
{
    (void)state;
    user_with("ann", "Old-Passw0rd", 0, false);
    assert_int_equal(check("ann", "Old-Passw0rd"), LOGIN_OK);
    assert_int_equal(used_us("AIDAann"), call.now_us);
    const struct iam_GetUser_in in = { .user_name = STR("ann") };
    struct iam_GetUser_out out = { 0 };
    assert_null(iam_GetUser(&call, &in, &out));
    assert_true(out.user->password_last_used.set);
    assert_int_equal((int64_t)out.user->password_last_used.value, call.now_us / 1000000);
    assert_int_equal(check("ann", "old-passw0rd"), LOGIN_REFUSED);
    assert_int_equal(check("nobody", "Old-Passw0rd"), LOGIN_REFUSED);
    assert_int_equal(check("ann", ""), LOGIN_REFUSED);
    assert_int_equal(check("ann", "Old-Passw0rd"), LOGIN_OK);
}

static void one_to_be_replaced_is_said_to_be(void **state)
{
    (void)state;
    user_with("bob", "Old-Passw0rd", 0, true);
    user_with("carl", "Old-Passw0rd", 31, false);
    assert_int_equal(check("bob", "Old-Passw0rd"), LOGIN_MUST_CHANGE);
    assert_int_equal(used_us("AIDAbob"), 0);
    assert_int_equal(check("carl", "Old-Passw0rd"), LOGIN_OK);
    policy(30, false);
    assert_int_equal(check("carl", "Old-Passw0rd"), LOGIN_MUST_CHANGE);
    policy(30, true);
    assert_int_equal(check("carl", "Old-Passw0rd"), LOGIN_EXPIRED);
    assert_int_equal(check("carl", "another"), LOGIN_REFUSED);
    assert_int_equal(check("bob", "Old-Passw0rd"), LOGIN_MUST_CHANGE);
}

static void guesses_wait(void **state)
{
    (void)state;
    user_with("dora", "Old-Passw0rd", 0, false);
    for (int i = 0; i < 5; i++)
        assert_int_equal(check("dora", "wrong"), LOGIN_REFUSED);
    assert_int_equal(check("dora", "Old-Passw0rd"), LOGIN_REFUSED);
    call.now_us += 1000000;
    assert_int_equal(check("dora", "wrong"), LOGIN_REFUSED); /* judged: now it is two seconds */
    call.now_us += 1000000;
    assert_int_equal(check("dora", "Old-Passw0rd"), LOGIN_REFUSED);
    call.now_us += 1000000;
    assert_int_equal(check("dora", "Old-Passw0rd"), LOGIN_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(check("dora", "wrong"), LOGIN_REFUSED);
    assert_int_equal(check("dora", "Old-Passw0rd"), LOGIN_OK); /* a right one wipes them */
}

static void past_guesses_are_forgotten(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t failures, ago_s;
        bool allowed;
        int64_t left;
    } rows[] = {
        { "none yet", 0, 0, true, 0 },
        { "four", 4, 0, true, 4 },
        { "five, just now", 5, 0, false, 5 },
        { "five, a second ago", 5, 1, true, 5 },
        { "ten, half a minute ago", 10, 31, false, 10 },
        { "ten, later", 10, 32, true, 10 },
        { "very many", 1000, 899, false, 1000 },
        { "very many, later", 1000, 900, true, 1000 },
        { "very many, much later", 1000, 1800, true, 0 },
        { "four, much later", 4, 900, true, 0 },
        { "a clock that went back", 7, -100, true, 7 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t failures = rows[i].failures, now_us = INT64_C(1800000000) * 1000000;
        bool allowed = guesses_allow(&failures, now_us - rows[i].ago_s * 1000000, now_us);
        if (allowed != rows[i].allowed || failures != rows[i].left)
            fail_msg("%s: %d, %lld left", rows[i].name, allowed, (long long)failures);
    }
}

static void rules_speak(void **state)
{
    (void)state;
    static const struct password_rules none = { .minimum_length = 8 };
    static const struct password_rules all = { .custom = true, .minimum_length = 10, .symbols = true, .numbers = true,
                                               .uppercase = true, .lowercase = true };
    static const struct password_rules length = { .custom = true, .minimum_length = 6 };
    static const struct {
        const struct password_rules *rules;
        const char *password, *broken;
    } rows[] = {
        { &none, "Abcdefg1", NULL },
        { &none, "abcdefg!1", NULL },
        { &none, "Abcdefgh",
          "Password should meet 1 more of the following requirements: Password should have at least one number, "
          "Password should have at least one symbol" },
        { &none, "abcdefgh",
          "Password should meet 2 more of the following requirements: Password should have at least one uppercase "
          "letter, Password should have at least one number, Password should have at least one symbol" },
        { &none, "Abc1!", "Password should have a minimum length of 8" },
        { &none, "\xc3\x84" "bcdef1", "Password should have a minimum length of 8, Password should meet 1 more of the "
                                      "following requirements: Password should have at least one uppercase letter, "
                                      "Password should have at least one symbol" },
        { &all, "Abcdefgh1!", NULL },
        { &all, "Abcdefghi1", "Password should have at least one symbol" },
        { &all, "Abcdefghi1~", "Password should have at least one symbol" }, /* not among IAM's */
        { &all, "abc",
          "Password should have a minimum length of 10, Password should have at least one uppercase letter, Password "
          "should have at least one number, Password should have at least one symbol" },
        { &length, "      ", NULL },
        { &length, "12345", "Password should have a minimum length of 6" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str broken = password_rules_broken(f.arena, rows[i].rules, str_of(rows[i].password));
        if (rows[i].broken ? !str_is(broken, rows[i].broken) : broken.ptr != NULL)
            fail_msg("%s: %.*s", rows[i].password, STR_FMT(broken));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_right_password_lets_in, setup, teardown),
        cmocka_unit_test_setup_teardown(one_to_be_replaced_is_said_to_be, setup, teardown),
        cmocka_unit_test_setup_teardown(guesses_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(past_guesses_are_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(rules_speak, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
