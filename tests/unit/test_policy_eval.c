/* Which statement decides, and what the texts say. */
#include "vectors.h"

#include "core/env.h"
#include "policy/eval.h"

#define STATEMENT(effect, action, resource) \
    "{\"Effect\":\"" effect "\",\"Action\":\"" action "\",\"Resource\":\"" resource "\"}"
#define POLICY(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"

static struct policy_set *set_of(enum policy_use use, const char *document)
{
    struct arena *arena = arena_new(4096);
    struct policy_set *set = policy_set_new();
    struct str why = STR_NONE;
    if (!policy_set_add(set, use, STR("Editors"), str_of(document), arena, &why))
        fail_msg("%s: %.*s", document, STR_FMT(why));
    arena_free(arena);
    return set;
}

static const struct {
    const char *name, *policy, *action, *resource;
    enum policy_effect effect;
} rows[] = {
    { "silence denies", POLICY(STATEMENT("Allow", "a:B", "*")), "a:C", "*", POLICY_IMPLICIT_DENY },
    { "actions fold case", POLICY(STATEMENT("Allow", "S3:getobject", "*")), "s3:GetObject", "*", POLICY_ALLOW },
    { "wild card in an action", POLICY(STATEMENT("Allow", "s3:Get*", "*")), "s3:GetObject", "*", POLICY_ALLOW },
    { "no wild card across the colon", POLICY(STATEMENT("Allow", "s3*:GetObject", "*")), "s3x:GetObject", "*", -1 },
    { "explicit deny wins", POLICY(STATEMENT("Allow", "*", "*") "," STATEMENT("Deny", "s3:*", "*")),
      "s3:GetObject", "*", POLICY_EXPLICIT_DENY },
    { "deny wins wherever it stands", POLICY(STATEMENT("Deny", "s3:*", "*") "," STATEMENT("Allow", "*", "*")),
      "s3:GetObject", "*", POLICY_EXPLICIT_DENY },
    { "resource case matters", POLICY(STATEMENT("Allow", "*", "arn:aws:s3:::B")), "s3:G", "arn:aws:s3:::b",
      POLICY_IMPLICIT_DENY },
    { "last part crosses slashes", POLICY(STATEMENT("Allow", "*", "arn:aws:s3:::b/*")), "s3:G",
      "arn:aws:s3:::b/x/y", POLICY_ALLOW },
    { "a star stays in its part", POLICY(STATEMENT("Allow", "*", "arn:aws:sns:*:t")), "s:G",
      "arn:aws:sns:eu:1:t", POLICY_IMPLICIT_DENY },
    { "an ARN never names a call without resource", POLICY(STATEMENT("Allow", "*", "arn:aws:iam::*:user/*")),
      "iam:ListUsers", "*", POLICY_IMPLICIT_DENY },
    { "variable after the fifth colon", POLICY(STATEMENT("Allow", "*", "arn:aws:s3:::home/${aws:username}/*")),
      "s3:G", "arn:aws:s3:::home/ann/x", POLICY_ALLOW },
    { "another's home", POLICY(STATEMENT("Allow", "*", "arn:aws:s3:::home/${aws:username}/*")), "s3:G",
      "arn:aws:s3:::home/bob/x", POLICY_IMPLICIT_DENY },
    { "no value: matches nothing", POLICY(STATEMENT("Allow", "*", "arn:aws:s3:::${aws:none}*")), "s3:G",
      "arn:aws:s3:::x", POLICY_IMPLICIT_DENY },
    { "NotAction allows the rest",
      POLICY("{\"Effect\":\"Allow\",\"NotAction\":[\"iam:*\",\"sts:*\"],\"Resource\":\"*\"}"), "s3:G", "*",
      POLICY_ALLOW },
    { "NotAction spares its own", POLICY("{\"Effect\":\"Allow\",\"NotAction\":\"iam:*\",\"Resource\":\"*\"}"),
      "iam:G", "*", POLICY_IMPLICIT_DENY },
    { "NotResource", POLICY("{\"Effect\":\"Deny\",\"Action\":\"*\",\"NotResource\":\"arn:aws:s3:::b\"}"), "s3:G",
      "arn:aws:s3:::c", POLICY_EXPLICIT_DENY },
};

static void each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(4096);
        struct str why;
        if ((int)rows[i].effect == -1) {
            if (policy_check(arena, POLICY_IDENTITY, str_of(rows[i].policy), &why))
                fail_msg("%s: accepted", rows[i].name);
            arena_free(arena);
            continue;
        }
        struct policy_set *set = set_of(POLICY_IDENTITY, rows[i].policy);
        const struct policy_key keys[] = { { STR("aws:username"), &STR("ann"), 1 } };
        struct policy_request request = { .action = str_of(rows[i].action), .resource = str_of(rows[i].resource),
                                          .keys = keys, .n_keys = 1 };
        struct policy_decision decision;
        if (policy_decide(arena, &(struct policy_layers){ .identity = set }, &request, &decision) != rows[i].effect)
            fail_msg("%s", rows[i].name);
        policy_set_free(set);
        arena_free(arena);
    }
}

static void old_versions_have_no_variables(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct policy_set *set = set_of(POLICY_AUTHORIZER, "{\"Statement\":" STATEMENT("Allow", "*", "arn:a:b:::${u}") "}");
    const struct policy_key keys[] = { { STR("u"), &STR("ann"), 1 } };
    struct policy_request request = { .action = STR("a:B"), .resource = STR("arn:a:b:::ann"), .keys = keys, .n_keys = 1 };
    struct policy_decision decision;
    assert_int_equal(policy_set_decide(arena, set, "", &request, &decision), POLICY_IMPLICIT_DENY);
    request.resource = STR("arn:a:b:::${u}");
    assert_int_equal(policy_set_decide(arena, set, "", &request, &decision), POLICY_ALLOW);
    policy_set_free(set);
    arena_free(arena);
}

/* Which layer speaks, and in which words. */
static void layers_and_texts(void **state)
{
    (void)state;
    static const char all[] = POLICY(STATEMENT("Allow", "*", "*"));
    static const char other[] = POLICY(STATEMENT("Allow", "x:*", "*"));
    static const char denies[] = POLICY(STATEMENT("Deny", "*", "*"));
    static const struct {
        const char *identity, *boundary, *session, *text;
    } layers[] = {
        { other, NULL, NULL, "because no identity-based policy allows the cognito-idp:ListUsers action" },
        { denies, NULL, NULL, "with an explicit deny in an identity-based policy" },
        { all, other, NULL, "because no permissions boundary allows the cognito-idp:ListUsers action" },
        { all, denies, NULL, "with an explicit deny in a permissions boundary" },
        { all, all, other, "because no session policy allows the cognito-idp:ListUsers action" },
        { other, all, denies, "with an explicit deny in a session policy" },
        { all, all, all, NULL },
        { NULL, all, all, "because no identity-based policy allows the cognito-idp:ListUsers action" },
    };
    for (size_t i = 0; i < COUNT(layers); i++) {
        struct arena *arena = arena_new(4096);
        struct policy_layers sets = {
            .identity = layers[i].identity ? set_of(POLICY_IDENTITY, layers[i].identity) : NULL,
            .boundary = layers[i].boundary ? set_of(POLICY_IDENTITY, layers[i].boundary) : NULL,
            .session = layers[i].session ? set_of(POLICY_IDENTITY, layers[i].session) : NULL,
        };
        struct policy_request request = {
            .principal_arn = STR("arn:aws:iam::000000000000:user/x"),
            .action = STR("cognito-idp:ListUsers"),
            .resource = STR("arn:aws:cognito-idp:us-east-1:000000000000:userpool/p"),
        };
        struct policy_decision decision;
        policy_decide(arena, &sets, &request, &decision);
        assert_int_equal(decision.effect == POLICY_ALLOW, layers[i].text == NULL);
        if (layers[i].text) {
            struct str want = str_printf(arena,
                                         "User: arn:aws:iam::000000000000:user/x is not authorized to perform: "
                                         "cognito-idp:ListUsers on resource: arn:aws:cognito-idp:us-east-1:"
                                         "000000000000:userpool/p %s",
                                         layers[i].text);
            assert_string_equal(policy_denial(arena, &request, &decision).ptr, want.ptr);
        }
        policy_set_free(sets.identity);
        policy_set_free(sets.boundary);
        policy_set_free(sets.session);
        arena_free(arena);
    }
}

static void the_deciding_statement_is_named(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct policy_set *set = set_of(
        POLICY_IDENTITY, POLICY(STATEMENT("Allow", "x:*", "*") ",{\"Sid\":\"Read\",\"Effect\":\"Allow\","
                                                               "\"Action\":\"s3:Get*\",\"Resource\":\"*\"}"));
    struct policy_request request = { .action = STR("s3:GetObject"), .resource = STR("*") };
    struct policy_decision decision;
    policy_decide(arena, &(struct policy_layers){ .identity = set }, &request, &decision);
    assert_int_equal(decision.statement, 1);
    assert_string_equal(policy_reason(arena, &request, &decision).ptr,
                        "allowed by statement 2 (Sid Read) of identity-based policy Editors");
    policy_set_free(set);
    arena_free(arena);
}

static void principals(void **state)
{
    (void)state;
    static const struct {
        const char *principal;
        bool allowed, to_account;
    } rows_[] = {
        { "\"Principal\":\"*\"", true, false },
        { "\"Principal\":{\"AWS\":\"*\"}", true, false },
        { "\"Principal\":{\"AWS\":\"123456789012\"}", true, true },
        { "\"Principal\":{\"AWS\":\"arn:aws:iam::123456789012:root\"}", true, true },
        { "\"Principal\":{\"AWS\":[\"210987654321\",\"arn:aws:iam::123456789012:role/p/r\"]}", true, false },
        { "\"Principal\":{\"AWS\":\"arn:aws:sts::123456789012:assumed-role/r/s\"}", true, false },
        { "\"Principal\":{\"AWS\":\"arn:aws:sts::123456789012:assumed-role/r/*\"}", false, false },
        { "\"Principal\":{\"AWS\":\"210987654321\"}", false, false },
        { "\"Principal\":{\"Service\":\"lambda.amazonaws.com\"}", false, false },
        { "\"NotPrincipal\":{\"AWS\":\"210987654321\"}", true, false },
        { "\"NotPrincipal\":{\"AWS\":\"123456789012\"}", false, false },
    };
    for (size_t i = 0; i < COUNT(rows_); i++) {
        struct arena *arena = arena_new(4096);
        struct str text = str_printf(arena,
                                     "{\"Statement\":{\"Effect\":\"Allow\",%s,\"Action\":\"a:B\",\"Resource\":\"*\"}}",
                                     rows_[i].principal);
        struct policy_set *set = set_of(POLICY_RESOURCE, text.ptr);
        struct policy_request request = {
            .principal_arn = STR("arn:aws:sts::123456789012:assumed-role/r/s"),
            .role_arn = STR("arn:aws:iam::123456789012:role/p/r"),
            .account = STR("123456789012"),
            .action = STR("a:B"),
            .resource = STR("arn:aws:x:::y"),
        };
        struct policy_decision decision;
        policy_set_decide(arena, set, "resource-based policy", &request, &decision);
        if ((decision.effect == POLICY_ALLOW) != rows_[i].allowed || decision.to_account != rows_[i].to_account)
            fail_msg("%s", rows_[i].principal);
        policy_set_free(set);
        arena_free(arena);
    }
}

#define RESOURCE(effect, principal) \
    "{\"Statement\":{\"Effect\":\"" effect "\",\"Principal\":" principal ",\"Action\":\"a:B\",\"Resource\":\"*\"}}"

/* AWS's tables A (same account) and B (another), and what a principal that is an account means. */
static void two_sides_are_combined(void **state)
{
    (void)state;
    const enum policy_effect SILENT = POLICY_IMPLICIT_DENY, ALLOW = POLICY_ALLOW, DENY = POLICY_EXPLICIT_DENY;
    static const char *const policies[] = {
        [POLICY_IMPLICIT_DENY] = "{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"x:Y\",\"Resource\":\"*\"}}",
        [POLICY_ALLOW] = RESOURCE("Allow", "\"*\""),
        [POLICY_EXPLICIT_DENY] = RESOURCE("Deny", "\"*\""),
    };
    const struct {
        enum policy_effect own;
        const char *resource; /* NULL: none */
        bool capped;
        enum policy_effect same, other;
        const char *same_type, *other_type;
    } table[] = {
        { ALLOW, policies[ALLOW], false, ALLOW, ALLOW, "own", "resource-based policy" },
        { ALLOW, policies[SILENT], false, ALLOW, SILENT, "own", "resource-based policy" },
        { ALLOW, policies[DENY], false, DENY, DENY, "resource-based policy", "resource-based policy" },
        { SILENT, policies[ALLOW], false, ALLOW, SILENT, "resource-based policy", "own" },
        { SILENT, policies[SILENT], false, SILENT, SILENT, "own", "own" },
        { SILENT, policies[DENY], false, DENY, DENY, "resource-based policy", "resource-based policy" },
        { DENY, policies[ALLOW], false, DENY, DENY, "own", "own" },
        { DENY, policies[SILENT], false, DENY, DENY, "own", "own" },
        { DENY, policies[DENY], false, DENY, DENY, "own", "own" },
        { ALLOW, NULL, false, ALLOW, SILENT, "own", "resource-based policy" },
        { SILENT, NULL, false, SILENT, SILENT, "own", "own" },
        /* the account is named: its own policies have the word; in the other account they had it */
        { SILENT, RESOURCE("Allow", "{\"AWS\":\"123456789012\"}"), false, SILENT, SILENT, "own", "own" },
        { ALLOW, RESOURCE("Allow", "{\"AWS\":\"123456789012\"}"), false, ALLOW, ALLOW, "own", "resource-based policy" },
        { SILENT, policies[ALLOW], true, SILENT, SILENT, "own", "own" },
    };
    struct policy_request request = { .principal_arn = STR("arn:aws:iam::123456789012:user/x"), .account = STR("123456789012"),
                                      .action = STR("a:B"), .resource = STR("arn:aws:x:::y") };
    for (size_t i = 0; i < COUNT(table); i++)
        for (int other = 0; other < 2; other++) {
            struct arena *arena = arena_new(4096);
            struct policy_set *set = table[i].resource ? set_of(POLICY_RESOURCE, table[i].resource) : NULL;
            const struct policy_decision own = { .effect = table[i].own, .policy_type = STR("own"), .statement = -1 };
            struct policy_decision decision;
            enum policy_effect is = policy_combine(arena, &own, set, other, table[i].capped, &request, &decision);
            if (is != (other ? table[i].other : table[i].same) || decision.effect != is ||
                !str_is(decision.policy_type, other ? table[i].other_type : table[i].same_type))
                fail_msg("row %zu, %s account: %d of %.*s", i, other ? "other" : "same", is, STR_FMT(decision.policy_type));
            policy_set_free(set);
            arena_free(arena);
        }
}

static void statements_are_located(void **state)
{
    (void)state;
    static const struct {
        const char *document;
        int statement;
        int64_t line, from, to; /* 0: not there */
    } places[] = {
        { "{\"Version\": \"2012-10-17\", \"Statement\": {\"Sid\": \"\"}}", 0, 1, 41, 51 }, /* as AWS counts */
        { "{\"Statement\":[{},{\"Sid\":\"}]\\\"{\"}]}", 1, 1, 19, 33 },
        { "{\"Id\":\"Statement\",\n\"Statement\":[{}]}", 0, 2, 15, 16 },
        { "{\"Statement\":[{}]}", 1, 0, 0, 0 },
    };
    for (size_t i = 0; i < COUNT(places); i++) {
        struct policy_position start = { 0 }, end = { 0 };
        bool found = policy_locate(str_of(places[i].document), places[i].statement, &start, &end);
        if (found != (places[i].line > 0) ||
            (found && (start.line != places[i].line || start.column != places[i].from || end.column != places[i].to)))
            fail_msg("%s: %d %lld %lld-%lld", places[i].document, found, (long long)start.line,
                     (long long)start.column, (long long)end.column);
    }
}

static void keys_and_principals_are_told(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct policy_set *set = set_of(POLICY_RESOURCE, "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
        "\"Principal\":{\"AWS\":[\"123456789012\",\"arn:aws:iam::123456789012:user/x\"]},\"Action\":\"a:B\","
        "\"Resource\":\"arn:aws:s3:::${aws:username}\",\"Condition\":{\"StringEquals\":{\"k\":\"${aws:userid}\",\"K\":\"v\"}}}]}");
    struct str *names;
    assert_int_equal(policy_set_keys(set, arena, &names), 3);
    assert_true(str_is(names[0], "aws:username") && str_is(names[1], "k") && str_is(names[2], "aws:userid"));
    assert_int_equal(policy_set_principals(set, arena, &names), 1);
    assert_true(str_is(names[0], "arn:aws:iam::123456789012:user/x"));
    policy_set_free(set);
    arena_free(arena);
}

/* 20 statements in under 2 µs, in a release build; the debug build gets a wide margin. */
static void twenty_statements_are_quick(void **state)
{
    (void)state;
    struct arena *arena = arena_new(64 * 1024);
    struct strbuf buf = strbuf_in(arena, 8192);
    strbuf_add(&buf, STR("{\"Version\":\"2012-10-17\",\"Statement\":["));
    for (int i = 0; i < 20; i++)
        strbuf_printf(&buf,
                      "%s{\"Effect\":\"Allow\",\"Action\":\"execute-api:Invoke\",\"Resource\":"
                      "\"arn:aws:execute-api:us-east-1:000000000000:api%d/*/GET/*\"}",
                      i ? "," : "", i);
    strbuf_add(&buf, STR("]}"));
    struct policy_set *set = set_of(POLICY_IDENTITY, strbuf_view(&buf).ptr);
    struct policy_request request = {
        .action = STR("execute-api:Invoke"),
        .resource = STR("arn:aws:execute-api:us-east-1:000000000000:api19/dev/GET/pets/7"),
    };
    struct env env;
    env_system(&env);
    struct policy_decision decision;
    enum { ROUNDS = 20000 };
    int64_t start_us = env_monotonic_us(&env);
    for (int i = 0; i < ROUNDS; i++)
        policy_decide(arena, &(struct policy_layers){ .identity = set }, &request, &decision);
    double each_us = (double)(env_monotonic_us(&env) - start_us) / ROUNDS;
    assert_int_equal(decision.effect, POLICY_ALLOW);
    print_message("20 statements: %.2f us\n", each_us);
    assert_true(each_us < 100);
    policy_set_free(set);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row),
        cmocka_unit_test(old_versions_have_no_variables),
        cmocka_unit_test(layers_and_texts),
        cmocka_unit_test(the_deciding_statement_is_named),
        cmocka_unit_test(principals),
        cmocka_unit_test(two_sides_are_combined),
        cmocka_unit_test(statements_are_located),
        cmocka_unit_test(keys_and_principals_are_told),
        cmocka_unit_test(twenty_statements_are_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
