/* Which answer the credential report gives when: none, being made, there, too old; and who makes it. */
#include "tests/support/identity_fixture.h"

#include "identity/iam/iam.h"
#include "identity/store/credential_report.h"

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

static void put(int64_t started_s_ago, int64_t made_s_ago)
{
    struct credential_report report = { .started_us = call.now_us - started_s_ago * 1000000, .content = STR("old") };
    if (made_s_ago >= 0)
        report.made_us = call.now_us - made_s_ago * 1000000;
    struct tx tx;
    tx_begin(&tx, f.db, f.arena);
    credential_report_put(&tx, ACCOUNT, &report);
    assert_null(tx_commit(&tx));
}

static const char *get(void)
{
    const struct iam_GetCredentialReport_in in = { 0 };
    struct iam_GetCredentialReport_out out = { 0 };
    gh_err err = iam_GetCredentialReport(&call, &in, &out);
    return err ? err->kind->query_code ? err->kind->query_code : err->kind->code : str_is(out.content, "old") ? "old" : "new";
}

static const char *generate(void)
{
    const struct iam_GenerateCredentialReport_in in = { 0 };
    struct iam_GenerateCredentialReport_out out = { 0 };
    assert_null(iam_GenerateCredentialReport(&call, &in, &out));
    return str_c(f.arena, out.state);
}

static void states(void **state)
{
    (void)state;
    assert_string_equal(get(), "ReportNotPresent");
    static const struct {
        int64_t started_s_ago, made_s_ago;
        const char *got, *generated, *then;
    } rows[] = {
        { 1, -1, "ReportInProgress", "INPROGRESS", "ReportInProgress" },
        { 299, -1, "ReportInProgress", "INPROGRESS", "ReportInProgress" },
        { 300, -1, "ReportNotPresent", "STARTED", "new" }, /* who made it was stopped over it */
        { 2, 1, "old", "COMPLETE", "old" },
        { 2, 14400, "old", "COMPLETE", "old" },
        { 2, 14401, "ReportExpired", "STARTED", "new" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        put(rows[i].started_s_ago, rows[i].made_s_ago);
        assert_string_equal(get(), rows[i].got);
        assert_string_equal(generate(), rows[i].generated);
        assert_string_equal(get(), rows[i].then);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(states, setup, teardown) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
