/* Conditions, operator by operator: what IAM's manual says of present, absent and several values. */
#include "vectors.h"

#include "core/glob.h"
#include "core/ip.h"
#include "policy/eval.h"

static enum policy_effect decide(const char *condition, const struct policy_key *keys, size_t n)
{
    struct arena *arena = arena_new(8192);
    struct str why = STR_NONE;
    struct policy_set *set = policy_set_new();
    struct str document = str_printf(arena,
                                     "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\","
                                     "\"Resource\":\"*\",\"Condition\":%s}}",
                                     condition);
    if (!policy_set_add(set, POLICY_IDENTITY, STR("p"), document, arena, &why))
        fail_msg("%s: %.*s", condition, STR_FMT(why));
    struct policy_request request = { .action = STR("a:B"), .resource = STR("*"), .keys = keys, .n_keys = n };
    struct policy_decision decision;
    enum policy_effect effect = policy_set_decide(arena, set, "identity-based policy", &request, &decision);
    policy_set_free(set);
    arena_free(arena);
    return effect;
}

/* value: NULL absent; "a|b" two values; "" one empty value. */
static const struct {
    const char *name, *condition, *value;
    bool holds;
} rows[] = {
    { "equals", "{\"StringEquals\":{\"k\":\"a\"}}", "a", true },
    { "equals minds case", "{\"StringEquals\":{\"k\":\"a\"}}", "A", false },
    { "equals knows no wild card", "{\"StringEquals\":{\"k\":\"a*\"}}", "ab", false },
    { "one of the values will do", "{\"StringEquals\":{\"k\":[\"a\",\"b\"]}}", "b", true },
    { "key names fold case", "{\"StringEquals\":{\"K\":\"a\"}}", "a", true },
    { "absent: positive fails", "{\"StringEquals\":{\"k\":\"a\"}}", NULL, false },
    { "absent: negated holds", "{\"StringNotEquals\":{\"k\":\"a\"}}", NULL, true },
    { "absent: IfExists holds", "{\"StringEqualsIfExists\":{\"k\":\"a\"}}", NULL, true },
    { "present: IfExists compares", "{\"StringEqualsIfExists\":{\"k\":\"a\"}}", "b", false },
    { "not equals any listed", "{\"StringNotEquals\":{\"k\":[\"a\",\"b\"]}}", "b", false },
    { "not equals, none listed", "{\"StringNotEquals\":{\"k\":[\"a\",\"b\"]}}", "c", true },
    { "ignore case", "{\"StringEqualsIgnoreCase\":{\"k\":\"aB\"}}", "Ab", true },
    { "not ignore case", "{\"StringNotEqualsIgnoreCase\":{\"k\":\"aB\"}}", "Ab", false },
    { "like star", "{\"StringLike\":{\"k\":\"a*c\"}}", "abbc", true },
    { "like one", "{\"StringLike\":{\"k\":\"a?c\"}}", "abbc", false },
    { "like minds case", "{\"StringLike\":{\"k\":\"A*\"}}", "ab", false },
    { "not like", "{\"StringNotLike\":{\"k\":\"a*\"}}", "ab", false },
    { "number equals", "{\"NumericEquals\":{\"k\":10}}", "10.0", true },
    { "number not equals", "{\"NumericNotEquals\":{\"k\":\"10\"}}", "11", true },
    { "number less", "{\"NumericLessThan\":{\"k\":\"10\"}}", "9.5", true },
    { "number not less than itself", "{\"NumericLessThan\":{\"k\":\"10\"}}", "10", false },
    { "number less or equal", "{\"NumericLessThanEquals\":{\"k\":\"10\"}}", "10", true },
    { "number greater", "{\"NumericGreaterThan\":{\"k\":\"-1\"}}", "0", true },
    { "number greater or equal", "{\"NumericGreaterThanEquals\":{\"k\":\"3\"}}", "2", false },
    { "no number is not smaller", "{\"NumericLessThan\":{\"k\":\"10\"}}", "many", false },
    { "no number differs", "{\"NumericNotEquals\":{\"k\":\"10\"}}", "many", true },
    { "date equals across zones", "{\"DateEquals\":{\"k\":\"2024-01-01T01:00:00+01:00\"}}",
      "2024-01-01T00:00:00Z", true },
    { "date equals epoch", "{\"DateEquals\":{\"k\":\"1704067200\"}}", "2024-01-01T00:00:00Z", true },
    { "date not equals", "{\"DateNotEquals\":{\"k\":\"2024-01-01\"}}", "2024-01-01T00:00:01Z", true },
    { "date less", "{\"DateLessThan\":{\"k\":\"2024-01-01T00:00:00.5Z\"}}", "2024-01-01T00:00:00.25Z", true },
    { "date less or equal", "{\"DateLessThanEquals\":{\"k\":\"2024-01-01\"}}", "2024-01-01T00:00:00Z", true },
    { "date greater", "{\"DateGreaterThan\":{\"k\":\"2024-02-29\"}}", "2024-03-01T00:00:00Z", true },
    { "date greater or equal", "{\"DateGreaterThanEquals\":{\"k\":\"2024\"}}", "2023-12-31T23:59:59Z", false },
    { "bool folds case", "{\"Bool\":{\"k\":true}}", "True", true },
    { "bool false", "{\"Bool\":{\"k\":\"false\"}}", "true", false },
    { "binary", "{\"BinaryEquals\":{\"k\":\"QUJD\"}}", "ABC", true },
    { "binary differs", "{\"BinaryEquals\":{\"k\":\"QUJD\"}}", "QUJD", false },
    { "address in network", "{\"IpAddress\":{\"k\":\"10.0.0.0/8\"}}", "10.200.3.4", true },
    { "address outside", "{\"IpAddress\":{\"k\":\"10.0.0.0/15\"}}", "10.2.0.0", false },
    { "address alone is /32", "{\"IpAddress\":{\"k\":\"10.0.0.1\"}}", "10.0.0.2", false },
    { "v6 network", "{\"IpAddress\":{\"k\":\"2001:db8::/32\"}}", "2001:db8:1::1", true },
    { "families never match", "{\"IpAddress\":{\"k\":\"0.0.0.0/0\"}}", "::1", false },
    { "not in network", "{\"NotIpAddress\":{\"k\":\"10.0.0.0/8\"}}", "11.0.0.1", true },
    { "arn equals takes wild cards", "{\"ArnEquals\":{\"k\":\"arn:aws:sns:*:1:t*\"}}", "arn:aws:sns:eu:1:topic", true },
    { "arn like stays inside a part", "{\"ArnLike\":{\"k\":\"arn:aws:sns:*:t\"}}", "arn:aws:sns:eu:1:t", false },
    { "arn last part crosses colons", "{\"ArnLike\":{\"k\":\"arn:aws:lambda:eu:1:function:*\"}}",
      "arn:aws:lambda:eu:1:function:f:7", true },
    { "arn not equals", "{\"ArnNotEquals\":{\"k\":\"arn:aws:sns:eu:1:a\"}}", "arn:aws:sns:eu:1:b", true },
    { "arn not like", "{\"ArnNotLike\":{\"k\":\"arn:aws:sns:*:1:*\"}}", "arn:aws:sns:eu:1:b", false },
    { "null true: absent", "{\"Null\":{\"k\":\"true\"}}", NULL, true },
    { "null true: present", "{\"Null\":{\"k\":\"true\"}}", "x", false },
    { "null false: present", "{\"Null\":{\"k\":false}}", "x", true },
    { "for all: every value", "{\"ForAllValues:StringEquals\":{\"k\":[\"a\",\"b\"]}}", "a|b", true },
    { "for all: one stranger", "{\"ForAllValues:StringEquals\":{\"k\":[\"a\",\"b\"]}}", "a|c", false },
    { "for all: absent holds", "{\"ForAllValues:StringEquals\":{\"k\":\"a\"}}", NULL, true },
    { "for all: an empty string holds", "{\"ForAllValues:StringEquals\":{\"k\":\"a\"}}", "", true },
    { "for all, negated: none listed", "{\"ForAllValues:StringNotEquals\":{\"k\":\"a\"}}", "b|c", true },
    { "for all, negated: one listed", "{\"ForAllValues:StringNotEquals\":{\"k\":\"a\"}}", "a|c", false },
    { "for any: one is enough", "{\"ForAnyValue:StringLike\":{\"k\":\"a*\"}}", "b|ax", true },
    { "for any: absent fails", "{\"ForAnyValue:StringLike\":{\"k\":\"a*\"}}", NULL, false },
    { "for any, negated: one that is not", "{\"ForAnyValue:StringNotEquals\":{\"k\":\"a\"}}", "a|b", true },
    { "for any, negated: absent fails", "{\"ForAnyValue:StringNotEquals\":{\"k\":\"a\"}}", NULL, false },
    { "for any, if exists: absent holds", "{\"ForAnyValue:StringEqualsIfExists\":{\"k\":\"a\"}}", NULL, true },
    { "several values without a set operator", "{\"StringEquals\":{\"k\":\"a\"}}", "b|a", true },
    { "operators are joined by and", "{\"StringEquals\":{\"k\":\"a\"},\"Null\":{\"k\":\"true\"}}", "a", false },
    { "empty condition", "{}", NULL, true },
    /* what is compared, and how */
    { "a list with a value that is none", "{\"NumericEquals\":{\"k\":[\"many\",\"3\"]}}", "3", true },
    { "numbers are exact", "{\"NumericEquals\":{\"k\":\"9007199254740993\"}}", "9007199254740992", false },
    { "a number with an exponent", "{\"NumericEquals\":{\"k\":\"1e3\"}}", "1000", true },
    { "no hexadecimal numbers", "{\"NumericEquals\":{\"k\":\"0x10\"}}", "16", false },
    { "infinity is no number", "{\"NumericLessThan\":{\"k\":\"1e999999\"}}", "1", false },
    { "date with one digit", "{\"DateEquals\":{\"k\":\"2016-12-13t2:00:00.5+01\"}}", "2016-12-13T01:00:00.5Z", true },
    { "date, west of Greenwich", "{\"DateEquals\":{\"k\":\"2016-12-13T02:00:00-01:30\"}}", "2016-12-13T03:30:00Z", true },
    { "date: absent, negated", "{\"DateNotEquals\":{\"k\":\"2024\"}}", NULL, true },
    { "date: no date is not later", "{\"DateGreaterThan\":{\"k\":\"2024\"}}", "soon", false },
    { "bool knows true and false alone", "{\"Bool\":{\"k\":\"1\"}}", "1", false },
    { "bool: absent fails", "{\"Bool\":{\"k\":\"false\"}}", NULL, false },
    { "bool, if exists: absent holds", "{\"BoolIfExists\":{\"k\":\"false\"}}", NULL, true },
    { "bool, a variable", "{\"Bool\":{\"k\":\"${yes}\"}}", "TRUE", true },
    { "null takes no variable", "{\"Null\":{\"k\":\"${yes}\"}}", NULL, false },
    { "null true: an empty value is there", "{\"Null\":{\"k\":\"true\"}}", "", false },
    { "binary: no base64 matches nothing", "{\"BinaryEquals\":{\"k\":\"%%\"}}", "%%", false },
    { "v4 in v6 clothes", "{\"IpAddress\":{\"k\":\"10.0.0.0/8\"}}", "::ffff:10.0.0.1", true },
    { "not in network: another family", "{\"NotIpAddress\":{\"k\":\"10.0.0.0/8\"}}", "2001:db8::1", true },
    { "no address is in no network", "{\"NotIpAddress\":{\"k\":\"10.0.0.0/8\"}}", "here", true },
    { "a network that is none holds nobody", "{\"IpAddress\":{\"k\":\"10.0.0.0/99\"}}", "10.0.0.0", false },
    { "arn: everything", "{\"ArnLike\":{\"k\":\"*\"}}", "no arn", true },
    { "arn: a text that is none", "{\"ArnLike\":{\"k\":\"arn:aws:sns:*:*:*\"}}", "topic", false },
    { "arn: the case matters", "{\"ArnEquals\":{\"k\":\"arn:aws:sns:eu:1:T\"}}", "arn:aws:sns:eu:1:t", false },
    { "arn, negated: absent holds", "{\"ArnNotLike\":{\"k\":\"arn:aws:sns:*:*:*\"}}", NULL, true },
    { "arn in each value", "{\"ForAllValues:ArnLike\":{\"k\":\"arn:aws:sns:*:1:*\"}}", "arn:aws:sns:eu:1:a|arn:aws:sns:us:1:b", true },
    { "strings compare as written", "{\"StringEquals\":{\"k\":10.0}}", "10", false },
    { "like: an empty value", "{\"StringLike\":{\"k\":\"*\"}}", "", true },
    { "like: absent fails even for a star", "{\"StringLike\":{\"k\":\"*\"}}", NULL, false },
    { "no values: nothing equals", "{\"StringEquals\":{\"k\":[]}}", "a", false },
    { "no values: everything differs", "{\"StringNotEquals\":{\"k\":[]}}", "a", true },
    { "several values, negated, without a set operator: none may match", "{\"StringNotEquals\":{\"k\":\"a\"}}", "b|a", false },
    { "for all, like", "{\"ForAllValues:StringLike\":{\"k\":[\"a*\",\"b*\"]}}", "ax|bx", true },
    { "for all, if exists: absent holds", "{\"ForAllValues:StringEqualsIfExists\":{\"k\":\"a\"}}", NULL, true },
    { "for all, numbers", "{\"ForAllValues:NumericLessThan\":{\"k\":\"5\"}}", "1|9", false },
    { "for any, negated: all are listed", "{\"ForAnyValue:StringNotEquals\":{\"k\":[\"a\",\"b\"]}}", "a|b", false },
    { "for any, negated, if exists: absent holds", "{\"ForAnyValue:StringNotEqualsIfExists\":{\"k\":\"a\"}}", NULL, true },
    { "negated, if exists: present compares", "{\"StringNotLikeIfExists\":{\"k\":\"a*\"}}", "ab", false },
    { "keys are joined by and", "{\"StringEquals\":{\"k\":\"a\",\"n\":\"8\"}}", "a", false },
    /* variables */
    { "a key that is a list is no variable", "{\"StringEquals\":{\"k\":\"${aws:TagKeys}\"}}", "team", false },
    { "a default instead of an empty value", "{\"StringEquals\":{\"k\":\"${empty, 'x'}\"}}", "x", false },
    { "a default may be empty", "{\"StringEquals\":{\"k\":\"a${aws:none, ''}b\"}}", "ab", true },
    { "a default is text, not a pattern", "{\"StringLike\":{\"k\":\"${aws:none, '*'}\"}}", "x", false },
    { "values are not looked up again", "{\"StringEquals\":{\"k\":\"${twice}\"}}", "${aws:username}", true },
    { "variables in a negated list: one has no value", "{\"StringNotEquals\":{\"k\":[\"${aws:none}\",\"x\"]}}", "x", false },
    { "a dollar sign alone is text", "{\"StringEquals\":{\"k\":\"$5 {a}\"}}", "$5 {a}", true },
    { "variable", "{\"StringEquals\":{\"k\":\"${aws:username}\"}}", "ann*", true },
    { "variable names fold case", "{\"StringEquals\":{\"k\":\"${AWS:UserName}\"}}", "ann*", true },
    { "a star in a value is text", "{\"StringLike\":{\"k\":\"${aws:username}\"}}", "anne", false },
    { "a star in a value equals itself", "{\"StringLike\":{\"k\":\"${aws:username}/?\"}}", "ann*/x", true },
    { "no value: positive fails", "{\"StringEquals\":{\"k\":\"${aws:none}\"}}", "", false },
    { "no value: negated holds", "{\"StringNotEquals\":{\"k\":\"${aws:none}\"}}", "x", true },
    { "default", "{\"StringEquals\":{\"k\":\"${aws:none, 'team'}\"}}", "team", true },
    { "default unused", "{\"StringEquals\":{\"k\":\"${aws:username, 'team'}\"}}", "team", false },
    { "literal star", "{\"StringLike\":{\"k\":\"a${*}b\"}}", "a*b", true },
    { "literal star is no pattern", "{\"StringLike\":{\"k\":\"a${*}b\"}}", "axb", false },
    { "literal question mark", "{\"StringLike\":{\"k\":\"${?}${$}\"}}", "?$", true },
    { "several values are no variable", "{\"StringEquals\":{\"k\":\"${many}\"}}", "1", false },
    { "an unclosed variable is text", "{\"StringEquals\":{\"k\":\"${aws:username\"}}", "${aws:username", true },
    { "variable in an ARN", "{\"ArnLike\":{\"k\":\"arn:aws:iam::${aws:PrincipalAccount}:role/*\"}}",
      "arn:aws:iam::123456789012:role/x", true },
    { "variables are not numbers", "{\"NumericEquals\":{\"k\":\"${n}\"}}", "7", false },
};

static void each_row(void **state)
{
    (void)state;
    const struct str many[] = { STR("1"), STR("2") };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str values[4], rest = str_of(rows[i].value);
        size_t n = 0;
        while (n < 4 && str_split(&rest, '|', &values[n]))
            n++;
        const struct policy_key keys[] = {
            { STR("aws:username"), &STR("ann*"), 1 },
            { STR("aws:PrincipalAccount"), &STR("123456789012"), 1 },
            { STR("n"), &STR("7"), 1 },
            { STR("many"), many, 2 },
            { STR("yes"), &STR("true"), 1 },
            { STR("aws:TagKeys"), &STR("team"), 1 },
            { STR("empty"), &STR(""), 1 },
            { STR("twice"), &STR("${aws:username}"), 1 },
            { STR("k"), values, n },
        };
        bool holds = decide(rows[i].condition, keys, COUNT(keys) - (rows[i].value ? 0 : 1)) == POLICY_ALLOW;
        if (holds != rows[i].holds)
            fail_msg("%s", rows[i].name);
    }
}

/* A wild card must not come in through a value, whatever its bytes. */
static void marks_in_values_are_refused(void **state)
{
    (void)state;
    const struct str evil[] = { STR("\xfe"), STR("\xff") };
    for (size_t i = 0; i < COUNT(evil); i++) {
        const struct policy_key keys[] = { { STR("aws:UserAgent"), &evil[i], 1 }, { STR("k"), &STR("x"), 1 } };
        assert_int_equal(decide("{\"StringLike\":{\"k\":\"${aws:UserAgent}\"}}", keys, 2), POLICY_IMPLICIT_DENY);
    }
}

static void globs(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool match;
    } globs[] = {
        { "", "", true },        { "*", "", true },         { "?", "", false },       { "a*b*c", "aXbYc", true },
        { "a*b", "ab", true },   { "a**b", "axxb", true },  { "*a*a*a", "aa", false }, { "?*", "x", true },
        { "ab", "abc", false },  { "*.txt", "a.txt.txt", true },
    };
    for (size_t i = 0; i < COUNT(globs); i++)
        if (glob_match(str_of(globs[i].pattern), str_of(globs[i].text)) != globs[i].match)
            fail_msg("%s on %s", globs[i].pattern, globs[i].text);
    /* No pattern explodes. */
    char text[4096];
    memset(text, 'a', sizeof text);
    assert_false(glob_match(STR("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"), (struct str){ text, sizeof text }));
}

static void networks(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "10.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "::1/129", "x/8", "010.0.0.1" };
    struct ip_net net;
    struct ip ip;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (ip_net_parse(str_of(bad[i]), &net))
            fail_msg("%s", bad[i]);
    assert_true(ip_parse(STR("::ffff:10.0.0.1"), &ip) && ip_net_parse(STR("10.0.0.0/24"), &net) && ip_in(&ip, &net));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row),
        cmocka_unit_test(marks_in_values_are_refused),
        cmocka_unit_test(globs),
        cmocka_unit_test(networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
