/* The ways in which callers name functions (Lambda's developer guide, and its recordings). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "functions/name.h"
#include "functions/worker_env.h"

static const struct {
    const char *text;
    bool ok;
    const char *region, *account, *name, *qualifier;
} rows[] = {
    { "fn", true, NULL, NULL, "fn", NULL },
    { "fn:1", true, NULL, NULL, "fn", "1" },
    { "fn:live", true, NULL, NULL, "fn", "live" },
    { "fn:$LATEST", true, NULL, NULL, "fn", "$LATEST" },
    { "123456789012:function:fn", true, NULL, "123456789012", "fn", NULL },
    { "123456789012:function:fn:2", true, NULL, "123456789012", "fn", "2" },
    { "123456789012:fn", true, NULL, "123456789012", "fn", NULL },
    { "function:fn", true, NULL, NULL, "fn", NULL },
    { "arn:aws:lambda:us-east-1:123456789012:function:fn", true, "us-east-1", "123456789012", "fn", NULL },
    { "arn:aws:lambda:us-east-1:123456789012:function:fn:$LATEST", true, "us-east-1", "123456789012", "fn", "$LATEST" },
    { "arn:aws:lambda:us-east-1:123456789012:function", true, "us-east-1", "123456789012", "function", NULL },
    { "", false },
    { "a b", false },
    { "fn:", false },
    { ":fn", false },
    { "fn:1:2", false },
    { "fn/../../etc", false },
    { "..", false },
    { "arn:aws:lambda:us-east-1:123456789012:function:fn:1:2", false },
    { "arn:aws:lambda:us-east-1::function:fn", false },
    { "arn:aws:iam::123456789012:role/fn", false },
    { "fn:$LATES", false },
};

static void same(const char *what, struct str got, const char *wanted)
{
    if (wanted ? !str_is(got, wanted) : got.ptr != NULL)
        fail_msg("%s: %.*s, expected %s", what, STR_FMT(got), wanted ? wanted : "nothing");
}

static void names(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct function_name name;
        bool ok = function_name_parse(str_of(rows[i].text), &name);
        if (ok != rows[i].ok)
            fail_msg("%s: %s", rows[i].text, ok ? "taken" : "refused");
        if (!ok)
            continue;
        same(rows[i].text, name.region, rows[i].region);
        same(rows[i].text, name.account, rows[i].account);
        same(rows[i].text, name.name, rows[i].name);
        same(rows[i].text, name.qualifier, rows[i].qualifier);
    }
}

static void reserved(void **state)
{
    (void)state;
    static const char *const mine[] = { "LANG", "PATH", "LD_LIBRARY_PATH", "NODE_PATH", "PYTHONPATH", "GEM_PATH", "TZ",
                                        "AWS_ENDPOINT_URL", "AWS_LAMBDA_EXEC_WRAPPER", "ANY" };
    static const char *const lambdas[] = { "AWS_REGION", "_HANDLER", "AWS_LAMBDA_RUNTIME_API", "AWS_SESSION_TOKEN",
                                           "LAMBDA_TASK_ROOT" };
    for (size_t i = 0; i < COUNT(mine); i++)
        assert_false(worker_env_is_reserved(str_of(mine[i])));
    for (size_t i = 0; i < COUNT(lambdas); i++)
        assert_true(worker_env_is_reserved(str_of(lambdas[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(names), cmocka_unit_test(reserved) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
