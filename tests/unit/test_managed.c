/* AWS's managed policies: every one that the index names has a document that compiles, and does what its name says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/arena.h"
#include "identity/iam/policies/managed.h"
#include "policy/eval.h"

static struct arena *arena;

static void every_one_compiles(void **state)
{
    (void)state;
    assert_true(managed_count() > 200);
    for (size_t i = 0; i < managed_count(); i++) {
        const struct managed_policy *policy = managed_at(i);
        struct str why = STR("no document");
        if (!policy->document || !policy_check(arena, POLICY_IDENTITY, str_of(policy->document), &why))
            fail_msg("%.*s: %.*s", STR_FMT(policy->arn), STR_FMT(why));
        assert_ptr_equal(managed_find(policy->arn), policy);
        assert_true(policy->version > 0 && policy->created_us > 0 && policy->updated_us >= policy->created_us);
        if (i)
            assert_true(str_cmp(managed_at(i - 1)->arn, policy->arn) < 0);
    }
}

static const struct {
    const char *name, *policy, *action, *resource;
    bool allowed;
} rows[] = {
    { "administrators may all", "AdministratorAccess", "iam:CreateUser", "*", true },
    { "power users may not touch users", "PowerUserAccess", "iam:CreateUser", "*", false },
    { "power users may make functions", "PowerUserAccess", "lambda:CreateFunction", "*", true },
    { "readers read", "ReadOnlyAccess", "lambda:GetFunction", "arn:aws:lambda:r:1:function:f", true },
    { "readers do not write", "ReadOnlyAccess", "lambda:DeleteFunction", "arn:aws:lambda:r:1:function:f", false },
    { "IAM only", "IAMFullAccess", "iam:CreateUser", "*", true },
    { "not Lambda", "IAMFullAccess", "lambda:GetFunction", "*", false },
    { "a function logs", "service-role/AWSLambdaBasicExecutionRole", "logs:PutLogEvents", "*", true },
    { "a function only logs", "service-role/AWSLambdaBasicExecutionRole", "s3:GetObject", "*", false },
    { "APIs may be called", "AmazonAPIGatewayInvokeFullAccess", "execute-api:Invoke",
      "arn:aws:execute-api:us-east-1:1:a/s/GET/x", true },
};

static void they_do_what_their_names_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct managed_policy *policy =
            managed_find(str_printf(arena, "arn:aws:iam::aws:policy/%s", rows[i].policy));
        struct policy_set *set = policy_set_new();
        struct policy_decision decision;
        struct str why;
        if (!policy || !policy_set_add(set, POLICY_IDENTITY, STR("p"), str_of(policy->document), arena, &why))
            fail_msg("%s: no such policy", rows[i].policy);
        struct policy_request request = { .principal_arn = STR("arn:aws:iam::1:user/u"), .account = STR("1"),
                                          .action = str_of(rows[i].action), .resource = str_of(rows[i].resource) };
        bool allowed = policy_decide(arena, &(struct policy_layers){ .identity = set }, &request, &decision) == POLICY_ALLOW;
        if (allowed != rows[i].allowed)
            fail_msg("%s", rows[i].name);
        policy_set_free(set);
    }
}

static void others_are_not_there(void **state)
{
    (void)state;
    static const char *const arns[] = { "arn:aws:iam::aws:policy/Nobody", "arn:aws:iam::aws:policy/index",
                                        "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole", "arn:aws:iam::aws:policy/",
                                        "AdministratorAccess", "" };
    for (size_t i = 0; i < COUNT(arns); i++)
        assert_null(managed_find(str_of(arns[i])));
}

int main(void)
{
    arena = arena_new(64 * 1024);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_one_compiles),
        cmocka_unit_test(they_do_what_their_names_say),
        cmocka_unit_test(others_are_not_there),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
