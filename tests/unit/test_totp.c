#include "vectors.h"

#include "identity/signin/totp.h"

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(1 << 14);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct str digits(uint32_t code)
{
    return str_printf(arena, "%06u", (unsigned)code);
}

static void counters_of_rfc4226(void **state)
{
    (void)state;
    json_t *file = vector_json(arena, "crypto-kat/hotp-rfc4226.json"),
           *cases = json_object_get(file, "cases");
    struct str secret = json_str(file, "secret_ascii"), decoded;
    assert_true(base32_decode(arena, json_str(file, "secret_base32"), &decoded));
    assert_true(str_eq(decoded, secret));
    assert_true(str_eq(base32_encode(arena, secret), json_str(file, "secret_base32")));
    assert_true(json_array_size(cases) > 0);
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *c = json_array_get(cases, i);
        assert_string_equal(digits(totp_code(secret, (uint64_t)json_i64(c, "counter", -1))).ptr,
                            json_str(c, "otp").ptr);
    }
}

static void times_of_rfc6238(void **state)
{
    (void)state;
    json_t *cases = json_object_get(vector_json(arena, "crypto-kat/totp-rfc6238.json"), "cases");
    size_t seen = 0;
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *c = json_array_get(cases, i);
        struct str secret = json_str(c, "secret_ascii"), code = json_str(c, "otp6");
        int64_t now_s = json_i64(c, "time", -1), step = -1;
        bool sha1 = str_is(json_str(c, "hmac"), "sha1");
        assert_int_equal(totp_find(secret, code, now_s, &step),
                         sha1); /* codes of other hashes are wrong codes */
        if (!sha1)
            continue;
        assert_int_equal(step, now_s / TOTP_STEP_S);
        seen++;
    }
    assert_true(seen >= 6);
}

static void one_step_either_way(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t off;
        bool good;
    } rows[] = {
        { "two steps behind", -2, false }, { "one behind", -1, true }, { "now", 0, true },
        { "one ahead", 1, true },          { "two ahead", 2, false },
    };
    struct str secret = STR("12345678901234567890");
    int64_t now_s = 1111111109, now = now_s / TOTP_STEP_S;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t step = -1;
        bool good = totp_find(secret, digits(totp_code(secret, (uint64_t)(now + rows[i].off))), now_s, &step);
        if (good != rows[i].good || (good && step != now + rows[i].off))
            fail_msg("%s", rows[i].name);
    }
}

static void what_is_no_code(void **state)
{
    (void)state;
    struct str secret = STR("12345678901234567890");
    static const char *const codes[] = { "", "28708", "2870822", "94287082", "28708 ", "abcdef", "-87082" };
    int64_t step;
    for (size_t i = 0; i < COUNT(codes); i++)
        assert_false(totp_find(secret, str_of(codes[i]), 59, &step));
    assert_false(totp_find(secret, STR_NONE, 59, &step));
}

static void base32_is_strict(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *text;
    } rows[] = { { "", "" },
                 { "f", "MY" },
                 { "fo", "MZXQ" },
                 { "foo", "MZXW6" },
                 { "foob", "MZXW6YQ" },
                 { "fooba", "MZXW6YTB" },
                 { "foobar", "MZXW6YTBOI" } };
    static const char *const bad[] = { "M", "MZ", "MZXW6YTBO", "MY======", "M1", "M8", "M Y" };
    struct str out;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_string_equal(base32_encode(arena, str_of(rows[i].bytes)).ptr, rows[i].text);
        assert_true(base32_decode(arena, str_lower(arena, str_of(rows[i].text)), &out));
        assert_true(str_is(out, rows[i].bytes));
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        if (base32_decode(arena, str_of(bad[i]), &out))
            fail_msg("%s", bad[i]);
}

/* For clocks that are to be set right: the step of the first of two codes in a row. */
static void two_codes_tell_the_time(void **state)
{
    (void)state;
    const struct str secret = STR("12345678901234567890");
    const int64_t now = 1800000000 / TOTP_STEP_S;
    static const struct {
        const char *name;
        int64_t first, second, window;
        bool found;
    } rows[] = {
        { "now", -1, 0, 60, true },
        { "ahead", 59, 60, 60, true },
        { "behind", -60, -59, 60, true },
        { "too far ahead", 61, 62, 60, false },
        { "too far behind", -62, -61, 60, false },
        { "twice the same", 0, 0, 60, false },
        { "the wrong way round", 0, -1, 60, false },
        { "one left out", -1, 1, 60, false },
        { "no window", 0, 1, 0, true },
        { "no window, a step off", 1, 2, 0, false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t step = -1;
        bool found = totp_find_two(secret, digits(totp_code(secret, (uint64_t)(now + rows[i].first))),
                                   digits(totp_code(secret, (uint64_t)(now + rows[i].second))), now * TOTP_STEP_S,
                                   rows[i].window, &step);
        if (found != rows[i].found || (found && step != now + rows[i].first))
            fail_msg("%s: %d, step %lld", rows[i].name, found, (long long)(step - now));
    }
    int64_t step;
    assert_false(totp_find_two(secret, STR(""), STR("123456"), 0, 60, &step));
    assert_false(totp_find_two(secret, STR("123456"), STR("1234567"), 0, 60, &step));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_codes_tell_the_time), cmocka_unit_test(counters_of_rfc4226), cmocka_unit_test(times_of_rfc6238),
        cmocka_unit_test(one_step_either_way), cmocka_unit_test(what_is_no_code),
        cmocka_unit_test(base32_is_strict),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
