#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "identity/protection/guard.h"

/* "2^(n-5) s, cap about 900 s" */
static void a_lockout_doubles_up_to_its_longest(void **state)
{
    (void)state;
    static const struct { int64_t failures, after, longest_s, wait_s; } rows[] = {
        { 0, 5, 900, 0 },    { 4, 5, 900, 0 },   { 5, 5, 900, 1 },     { 6, 5, 900, 2 },    { 7, 5, 900, 4 },
        { 8, 5, 900, 8 },    { 9, 5, 900, 16 },  { 10, 5, 900, 32 },   { 11, 5, 900, 64 },  { 12, 5, 900, 128 },
        { 13, 5, 900, 256 }, { 14, 5, 900, 512 }, { 15, 5, 900, 900 }, { 16, 5, 900, 900 }, { 20, 5, 900, 900 },
        { 100, 5, 900, 900 }, { INT64_MAX, 5, 900, 900 }, { 1, 1, 86400, 1 }, { 17, 1, 86400, 65536 }, { 18, 1, 86400, 86400 },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (lockout_s(rows[i].failures, rows[i].after, rows[i].longest_s) != rows[i].wait_s)
            fail_msg("after %lld failures", (long long)rows[i].failures);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_lockout_doubles_up_to_its_longest) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
