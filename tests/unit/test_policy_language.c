/* What strangers may write into a policy, and what must never follow from it. */
#include "vectors.h"

#include <time.h>

#include "core/glob.h"
#include "policy/condition_key.h"
#include "policy/eval.h"

#define ONE(members) "{\"Version\":\"2012-10-17\",\"Statement\":{" members "}}"
#define TWO(one, other) "{\"Version\":\"2012-10-17\",\"Statement\":[{" one "},{" other "}]}"
#define INVOKE "\"Action\":\"execute-api:Invoke\""
#define ON(resource) "\"Resource\":\"arn:aws:execute-api:us-east-1:123456789012:" resource "\""
#define ALLOW "\"Effect\":\"Allow\","
#define DENY "\"Effect\":\"Deny\","
#define WHEN(condition) ",\"Condition\":{" condition "}"

static enum policy_effect decide(enum policy_use use, const char *document, const struct policy_request *request)
{
    struct arena *arena = arena_new(16 * 1024);
    struct policy_set *set = policy_set_new();
    struct str why;
    if (!policy_set_add(set, use, STR("p"), str_of(document), arena, &why))
        fail_msg("%s: %.*s", document, STR_FMT(why));
    struct policy_decision decision;
    enum policy_effect effect = policy_set_decide(arena, set, "policy", request, &decision);
    policy_set_free(set);
    arena_free(arena);
    return effect;
}

/* Case c25: what IAM's evaluation has that is easily missed. The request: GET /pets/7 of stage dev, by ann*. */
static const struct {
    const char *name, *document;
    enum policy_effect effect;
} evaluation[] = {
    { "an explicit deny beats an allow behind it", TWO(DENY INVOKE "," ON("api/*"), ALLOW "\"Action\":\"*\",\"Resource\":\"*\""), POLICY_EXPLICIT_DENY },
    { "an explicit deny beats an allow before it", TWO(ALLOW "\"Action\":\"*\",\"Resource\":\"*\"", DENY INVOKE "," ON("api/dev/GET/pets/7")), POLICY_EXPLICIT_DENY },
    { "a deny of something else does not", TWO(ALLOW INVOKE "," ON("api/*"), DENY INVOKE "," ON("api/dev/POST/*")), POLICY_ALLOW },
    { "a deny whose condition fails does not", TWO(ALLOW INVOKE "," ON("api/*"), DENY INVOKE "," ON("api/*") WHEN("\"Bool\":{\"aws:SecureTransport\":\"false\"}")), POLICY_ALLOW },
    { "NotAction allows the rest", ONE(ALLOW "\"NotAction\":\"iam:*\",\"Resource\":\"*\""), POLICY_ALLOW },
    { "NotAction keeps what it lists", ONE(ALLOW "\"NotAction\":\"execute-api:*\",\"Resource\":\"*\""), POLICY_IMPLICIT_DENY },
    { "NotAction and Deny denies the rest", TWO(ALLOW "\"Action\":\"*\",\"Resource\":\"*\"", DENY "\"NotAction\":\"s3:*\",\"Resource\":\"*\""), POLICY_EXPLICIT_DENY },
    { "NotResource allows the rest", ONE(ALLOW INVOKE ",\"NotResource\":\"arn:aws:execute-api:*:*:other/*\""), POLICY_ALLOW },
    { "NotResource keeps what it lists", ONE(ALLOW INVOKE ",\"NotResource\":[\"arn:aws:execute-api:*:*:other/*\",\"arn:aws:execute-api:*:*:api/*\"]"), POLICY_IMPLICIT_DENY },
    { "a missing key fails", ONE(ALLOW INVOKE ",\"Resource\":\"*\"" WHEN("\"StringEquals\":{\"aws:PrincipalTag/team\":\"pets\"}")), POLICY_IMPLICIT_DENY },
    { "a missing key holds with IfExists", ONE(ALLOW INVOKE ",\"Resource\":\"*\"" WHEN("\"StringEqualsIfExists\":{\"aws:PrincipalTag/team\":\"pets\"}")), POLICY_ALLOW },
    { "a key that is there is compared with IfExists", ONE(ALLOW INVOKE ",\"Resource\":\"*\"" WHEN("\"BoolIfExists\":{\"aws:SecureTransport\":\"false\"}")), POLICY_IMPLICIT_DENY },
    { "a star crosses slashes", ONE(ALLOW INVOKE "," ON("api/*/7")), POLICY_ALLOW },
    { "a star does not cross the first five colons", ONE(ALLOW INVOKE ",\"Resource\":\"arn:aws:execute-api:*:api/*\""), POLICY_IMPLICIT_DENY },
    { "a star is no shorter path", ONE(ALLOW INVOKE "," ON("api/dev/GET/*/7/*")), POLICY_IMPLICIT_DENY },
    { "the case of an action does not matter", ONE(ALLOW "\"Action\":\"Execute-API:iNVOKE\"," ON("api/*")), POLICY_ALLOW },
    { "that of a resource does", ONE(ALLOW INVOKE "," ON("API/*")), POLICY_IMPLICIT_DENY },
    { "an action is no beginning of another", ONE(ALLOW "\"Action\":\"execute-api:Inv\"," ON("api/*")), POLICY_IMPLICIT_DENY },
    { "a star that comes in through a variable is text", ONE(ALLOW INVOKE "," ON("api/dev/GET/${aws:username}/7")), POLICY_IMPLICIT_DENY },
    { "also in a condition", ONE(ALLOW INVOKE ",\"Resource\":\"*\"" WHEN("\"StringLike\":{\"aws:UserAgent\":\"${aws:username}\"}")), POLICY_IMPLICIT_DENY },
    { "a variable before the fifth colon is text", ONE(ALLOW INVOKE ",\"Resource\":\"arn:aws:execute-api:us-east-1:${aws:PrincipalAccount}:api/*\""), POLICY_IMPLICIT_DENY },
    { "a variable behind it is not", ONE(ALLOW INVOKE "," ON("${api, 'api'}/*")), POLICY_ALLOW },
};

static void c25_evaluation(void **state)
{
    (void)state;
    const struct policy_key keys[] = {
        { STR("aws:username"), &STR("p*"), 1 },
        { STR("aws:UserAgent"), &STR("pets/7"), 1 },
        { STR("aws:SecureTransport"), &STR("true"), 1 },
        { STR("aws:PrincipalAccount"), &STR("123456789012"), 1 },
    };
    const struct policy_request request = { .action = STR("execute-api:Invoke"), .keys = keys, .n_keys = COUNT(keys),
                                            .resource = STR("arn:aws:execute-api:us-east-1:123456789012:api/dev/GET/pets/7") };
    for (size_t i = 0; i < COUNT(evaluation); i++)
        if (decide(POLICY_IDENTITY, evaluation[i].document, &request) != evaluation[i].effect)
            fail_msg("%s", evaluation[i].name);
}

/* Case c26, the confused deputy: the service may, but not for everybody whom it serves. */
static void c26_confused_deputy(void **state)
{
    (void)state;
    static const char policy[] = ONE(ALLOW "\"Principal\":{\"Service\":\"apigateway.amazonaws.com\"},\"Action\":\"lambda:InvokeFunction\",\"Resource\":\"*\""
        WHEN("\"ArnLike\":{\"aws:SourceArn\":\"arn:aws:execute-api:us-east-1:123456789012:api/*/GET/pets\"},"
             "\"StringEquals\":{\"aws:SourceAccount\":\"123456789012\"}"));
    static const struct {
        const char *name, *service, *arn, *account;
        bool allowed;
    } rows[] = {
        { "as meant", "apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1:123456789012:api/dev/GET/pets", "123456789012", true },
        { "for another API", "apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1:123456789012:bad/dev/GET/pets", "123456789012", false },
        { "for another method", "apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1:123456789012:api/dev/POST/pets", "123456789012", false },
        { "for another's API of that id", "apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1:210987654321:api/dev/GET/pets", "210987654321", false },
        { "for another account", "apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1:123456789012:api/dev/GET/pets", "210987654321", false },
        { "for nobody in particular", "apigateway.amazonaws.com", NULL, NULL, false },
        { "another service", "events.amazonaws.com", "arn:aws:execute-api:us-east-1:123456789012:api/dev/GET/pets", "123456789012", false },
        { "no service, but its words", NULL, "arn:aws:execute-api:us-east-1:123456789012:api/dev/GET/pets", "123456789012", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str arn = str_of(rows[i].arn), account = str_of(rows[i].account);
        const struct policy_key keys[] = { { STR("aws:SourceArn"), &arn, arn.ptr != NULL }, { STR("aws:SourceAccount"), &account, account.ptr != NULL } };
        const struct policy_request request = { .service = str_of(rows[i].service), .action = STR("lambda:InvokeFunction"),
                                                .resource = STR("arn:aws:lambda:us-east-1:123456789012:function:f"), .keys = keys, .n_keys = 2 };
        if ((decide(POLICY_RESOURCE, policy, &request) == POLICY_ALLOW) != rows[i].allowed)
            fail_msg("%s", rows[i].name);
    }
}

/* --- documents that are meant to hurt --- */

static struct str repeated(struct arena *arena, const char *before, const char *what, size_t times, const char *after)
{
    struct strbuf buf = strbuf_in(arena, strlen(before) + times * strlen(what) + strlen(after) + 1);
    strbuf_add(&buf, str_of(before));
    for (size_t i = 0; i < times; i++)
        strbuf_add(&buf, str_of(what));
    strbuf_add(&buf, str_of(after));
    return strbuf_view(&buf);
}

static void hostile_documents_are_refused(void **state)
{
    (void)state;
#define BEFORE "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"a:B\",\"Resource\":\"*\""
    static const struct {
        const char *name, *before, *what;
        size_t times;
        const char *after, *why; /* NULL: accepted */
    } rows[] = {
        { "an abyss of lists", "", "[", 100000, "", "Syntax errors in policy." },
        { "an abyss of objects", "", "{\"a\":", 20000, "", "Syntax errors in policy." },
        { "an abyss that closes again", "{\"Version\":\"2012-10-17\",\"Statement\":[[[[[[[[", "", 0, "]]]]]]]]}", "Syntax errors in policy." },
        { "depth in a condition", BEFORE ",\"Condition\":{\"StringEquals\":{\"k\":", "[", 900, "", "Syntax errors in policy." },
        { "a name twice", BEFORE, ",\"Sid\":\"a\"", 2, "}}", "Syntax errors in policy." },
        { "a name twice, once escaped", BEFORE ",\"Sid\":\"a\",\"\\u0053id\":\"b\"", "", 0, "}}", "Syntax errors in policy." },
        { "a key of a condition twice", BEFORE ",\"Condition\":{\"StringEquals\":{\"k\":\"a\",\"k\":\"b\"}}", "", 0, "}}", "Syntax errors in policy." },
        { "bad UTF-8", BEFORE ",\"Sid\":\"\xc3\x28\"", "", 0, "}}", "Syntax errors in policy." },
        { "our own marks", BEFORE ",\"Condition\":{\"StringLike\":{\"k\":\"\xfe\"}}", "", 0, "}}", "Syntax errors in policy." },
        { "a lone surrogate", BEFORE ",\"Sid\":\"\\ud800\"", "", 0, "}}", "Syntax errors in policy." },
        { "a byte order mark", "\xef\xbb\xbf" BEFORE, "", 0, "}}", "Syntax errors in policy." },
        { "something behind it", BEFORE "}}", "x", 1, "", "Syntax errors in policy." },
        { "a comment", BEFORE "/* */", "", 0, "}}", "Syntax errors in policy." },
        { "nothing", "", "", 0, "", "Syntax errors in policy." },
        { "an unknown operator", BEFORE ",\"Condition\":{\"StringSoundsLike\":{\"k\":\"v\"}}", "", 0, "}}", "Syntax errors in policy." },
        { "an operator in another case", BEFORE ",\"Condition\":{\"stringequals\":{\"k\":\"v\"}}", "", 0, "}}", "Syntax errors in policy." },
        { "IfExists twice", BEFORE ",\"Condition\":{\"StringEqualsIfExistsIfExists\":{\"k\":\"v\"}}", "", 0, "}}", "Syntax errors in policy." },
        { "two set operators", BEFORE ",\"Condition\":{\"ForAllValues:ForAnyValue:StringEquals\":{\"k\":\"v\"}}", "", 0, "}}", "Syntax errors in policy." },
        { "many statements", "{\"Version\":\"2012-10-17\",\"Statement\":[", "{\"Effect\":\"Deny\",\"Action\":\"a:B\",\"Resource\":\"*\"},", 2000,
          "{\"Effect\":\"Allow\",\"Action\":\"a:B\",\"Resource\":\"*\"}]}", NULL },
        { "variables that nothing closes", BEFORE ",\"Condition\":{\"StringLike\":{\"k\":\"", "${", 50000, "\"}}}}", NULL },
        { "variables in variables", BEFORE ",\"Condition\":{\"StringLike\":{\"k\":\"", "${a,b", 25000, "}\"}}}}", NULL },
        { "100 KB of stars", BEFORE ",\"Condition\":{\"StringLike\":{\"k\":\"", "*a*a*b", 17000, "\"}}}}", NULL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(64 * 1024);
        struct str why, document = repeated(arena, rows[i].before, rows[i].what, rows[i].times, rows[i].after);
        clock_t begun = clock();
        bool fine = policy_check(arena, POLICY_IDENTITY, document, &why);
        if (clock() - begun > 2 * CLOCKS_PER_SEC) /* milliseconds, even under ASan; what grows like a square takes minutes */
            fail_msg("%s: took too long", rows[i].name);
        if (fine != !rows[i].why || (!fine && !str_is(why, rows[i].why)))
            fail_msg("%s: %.*s", rows[i].name, fine ? 8 : (int)why.len, fine ? "accepted" : why.ptr);
        arena_free(arena);
    }
}

/* --- patterns: eight times as long takes eight times as long, not sixty-four --- */

static clock_t match_clocks(const char *unit, const char *end, const char *letter, size_t length)
{
    struct arena *arena = arena_new(256 * 1024);
    struct str pattern = repeated(arena, "", unit, length / strlen(unit), end), text = repeated(arena, "", letter, length, "");
    clock_t best = CLOCKS_PER_SEC * 100;
    for (int round = 0; round < 5; round++) {
        clock_t begun = clock();
        for (int i = 0; i < 20; i++)
            assert_false(glob_match(pattern, text));
        clock_t took = clock() - begun;
        best = took < best ? took : best;
    }
    arena_free(arena);
    return best + 1;
}

static void patterns_match_in_linear_time(void **state)
{
    (void)state;
    static const struct {
        const char *name, *unit, *end;
    } rows[] = {
        { "*a*a*b over and over", "*a*a*b", "" },
        { "stars alone", "*", "b" },
        { "one long run, all but its end", "a", "b*" },
        { "a star, and a run as long as the text", "*a", "b" },
    };
    enum { SHORT = 12500, LONG = 100000 };
    for (size_t i = 0; i < COUNT(rows); i++) {
        clock_t brief = match_clocks(rows[i].unit, rows[i].end, "a", SHORT), full = match_clocks(rows[i].unit, rows[i].end, "a", LONG);
        if (full > 32 * brief && full > CLOCKS_PER_SEC / 20)
            fail_msg("%s: %ld clocks for %d, %ld for %d", rows[i].name, (long)brief, SHORT, (long)full, LONG);
    }
    /* half a run, looked for everywhere in twice as much */
    struct arena *arena = arena_new(256 * 1024);
    struct str run = repeated(arena, "*", "a", 50000, "b*"), text = repeated(arena, "", "a", 100000, "");
    clock_t begun = clock();
    assert_false(glob_match(run, text));
    assert_true(clock() - begun < CLOCKS_PER_SEC);
    /* with a question mark: a header's worth of text, a policy's worth of pattern */
    run = repeated(arena, "*a?", "a", 6000, "b*");
    text = str_sub(text, 0, 16000);
    for (int i = 0; i < 10; i++)
        assert_false(glob_match(run, text));
    assert_true(clock() - begun < 2 * CLOCKS_PER_SEC);
    assert_true(glob_match(repeated(arena, "*a?", "a", 6000, "*"), text));
    assert_true(glob_match_nocase(repeated(arena, "*A?", "A", 6000, "*"), text));
    arena_free(arena);
}

/* --- condition keys --- */

static struct str type_name(enum key_type type)
{
    static const char *const names[] = { [KEY_STRING] = "String", [KEY_ARN] = "ARN", [KEY_BOOL] = "Bool", [KEY_NUMBER] = "Numeric",
                                         [KEY_DATE] = "Date", [KEY_ADDRESS] = "IPAddress" };
    return str_of(names[type]);
}

/* The types of AWS's service authorization reference, for the services that are here. */
static void keys_have_the_types_of_the_reference(void **state)
{
    (void)state;
    static const char *const services[] = { "apigateway", "execute-api", "lambda", "cognito-idp", "cognito-identity", "iam" };
    size_t seen = 0;
    for (size_t s = 0; s < COUNT(services); s++) {
        struct arena *arena = arena_new(256 * 1024);
        json_t *all = vector_json(arena, str_printf(arena, "iam-policy/service-authorization/conditionKeys/%s.json", services[s]).ptr), *row;
        const char *folded;
        json_object_foreach(all, folded, row) {
            struct str name = json_str(row, "key"), type = json_str(row, "type");
            ptrdiff_t hole = str_find(name, '$');
            if (hole >= 0)
                name = str_concat(arena, str_sub(name, 0, (size_t)hole), STR("some"));
            const struct condition_key *key = condition_key_find(str_upper(arena, name));
            bool several = str_starts(type, STR("ArrayOf"));
            if (!key || key->multivalued != several || !str_eq(type_name(key->type), several ? str_from(type, 7) : type))
                fail_msg("%s: not as in the reference", folded);
            seen++;
        }
        arena_free(arena);
    }
    assert_true(seen > 80);
    assert_null(condition_key_find(STR("aws:RequestTag/")));
    assert_null(condition_key_find(STR("aws:SourceIpx")));
    assert_true(condition_key_is_multivalued(STR("AWS:tagkeys")) && condition_key_is_multivalued(STR("login.example:amr")));
    assert_false(condition_key_is_multivalued(STR("aws:PrincipalTag/TagKeys")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c25_evaluation),
        cmocka_unit_test(c26_confused_deputy),
        cmocka_unit_test(hostile_documents_are_refused),
        cmocka_unit_test(patterns_match_in_linear_time),
        cmocka_unit_test(keys_have_the_types_of_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
