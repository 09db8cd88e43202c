/* MalformedPolicyDocument: which text, in AWS's order. */
#include "vectors.h"

#include "policy/eval.h"

#define ONE(members) "{\"Version\":\"2012-10-17\",\"Statement\":{" members "}}"
#define ALLOW "\"Effect\":\"Allow\","
#define ANY "\"Action\":\"a:B\",\"Resource\":\"*\""
#define SYNTAX "Syntax errors in policy."
#define LEGACY "The policy failed legacy parsing"
#define UNMET "The provided policy document does not meet the requirements of the specified policy type: "
#define EVERYBODY "\"Principal\":\"*\","

static const struct {
    enum policy_use use;
    const char *document, *why; /* NULL: fine */
} rows[] = {
    { POLICY_IDENTITY, ONE(ALLOW ANY), NULL },
    { POLICY_IDENTITY, "{", SYNTAX },
    { POLICY_IDENTITY, "[]", SYNTAX },
    { POLICY_IDENTITY, "{\"Version\":\"2012-10-17\"}", SYNTAX },
    { POLICY_IDENTITY, "{\"Version\":\"2012-10-17\",\"Statement\":[]}", SYNTAX },
    { POLICY_IDENTITY, "{\"Version\":\"2012-10-17\",\"Version\":\"2012-10-17\",\"Statement\":{" ALLOW ANY "}}", SYNTAX },
    { POLICY_IDENTITY, "{\"Version\":\"2013-10-17\",\"Statement\":{" ALLOW ANY "}}", SYNTAX },
    { POLICY_IDENTITY, "{\"Statement\":{" ALLOW ANY "},\"Extra\":1}", SYNTAX },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Extra\":1"), SYNTAX },
    { POLICY_IDENTITY, ONE(ANY), SYNTAX },
    { POLICY_IDENTITY, ONE("\"Effect\":\"Maybe\"," ANY), SYNTAX },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"NotAction\":\"a:C\""), SYNTAX },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":7,\"Resource\":\"*\""), SYNTAX },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Condition\":{\"StringAlmost\":{\"k\":\"v\"}}"), SYNTAX },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Condition\":{\"ForAnyValue::StringEquals\":{\"k\":\"v\"}}"), SYNTAX },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Condition\":{\"NullIfExists\":{\"k\":\"true\"}}"), SYNTAX },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Condition\":{\"StringAlmost\":{}}"), NULL },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Condition\":{}"), NULL },
    { POLICY_IDENTITY, "{\"Statement\":{" ALLOW ANY "}}", "Policy document must be version 2012-10-17 or greater." },
    { POLICY_IDENTITY, ONE("\"Effect\":\"allow\"," ANY), LEGACY },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Condition\":{\"DateLessThan\":{\"k\":\"soon\"}}"), LEGACY },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Condition\":{\"DateLessThan\":{\"k\":\"2017-07-01T00:00:00+1\"}}"), LEGACY },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Condition\":{\"DateLessThan\":{\"k\":\"2017-07t01\"}}"), NULL },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Condition\":{\"DateLessThan\":{\"k\":\"234-13\"}}"), LEGACY },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Condition\":{\"DateLessThan\":{\"k\":\"2016-12-13t2:00:00.1999999999+10:59\"}}"), LEGACY },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Condition\":{\"DateLessThan\":{\"k\":\"9223372036854775808\"}}"), LEGACY },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Condition\":{\"DateLessThan\":{\"k\":[\"01T\",\"-292275054\",\"2016-12-13t2:00:00.593194+23\"]}}"), NULL },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Condition\":{\"DateLessThan\":{\"k\":[]},\"x\":{},\"Null\":{\"k\":false}}"), NULL },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Condition\":{\"DateLessThan\":{\"k\":{}}}"), SYNTAX },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Condition\":{\"StringEquals\":{\"k\":null}}"), SYNTAX },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Condition\":[]"), SYNTAX },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Condition\":{\"StringEquals\":\"k\"}"), SYNTAX },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"NotResource\":[]"), SYNTAX },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":[[]],\"Resource\":\"*\""), SYNTAX },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":\"a:B\",\"Resource\":[\"*\",{}]"), SYNTAX },
    { POLICY_IDENTITY, ONE("\"Sid\":[]," ALLOW ANY), SYNTAX },
    { POLICY_IDENTITY, "{\"Version\":\"2012-10-17\",\"Id\":{},\"Statement\":{" ALLOW ANY "}}", SYNTAX },
    { POLICY_IDENTITY, "{\"Version\":20121017,\"Statement\":{" ALLOW ANY "}}", SYNTAX },
    { POLICY_IDENTITY, "{\"Version\":\"2012-10-17\",\"Statement\":[\"x\"]}", SYNTAX },
    { POLICY_IDENTITY, "{\"version\":\"2012-10-17\",\"Statement\":{" ALLOW ANY "}}", SYNTAX },
    { POLICY_IDENTITY, "{\"Version\":\"2008-10-17\",\"Statement\":{\"Effect\":\"denY\"," ANY "}}",
      "Policy document must be version 2012-10-17 or greater." },
    { POLICY_IDENTITY, ONE(ALLOW "\"Condition\":{\"DateLessThan\":{\"k\":\"soon\"}}"), LEGACY },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":\"iam: a b \",\"NotResource\":\"*\""), NULL },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":\"a:B\",\"Resource\":\"aws:s3:::x\""),
      "Partition \"s3\" is not valid for resource \"arn:s3:::x:*\"." },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":\"a:B\",\"Resource\":\"a:b:c:d:e:f:g\""),
      "Partition \"b\" is not valid for resource \"arn:b:c:d:e:f:g\"." },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":\"a:B\",\"Resource\":\"\""), "Resource  must be in ARN format or \"*\"." },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":\"a:B\",\"Resource\":\"arn:aws:iam:::x\""),
      "IAM resource path must either be \"*\" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, "
      "server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/." },
    { POLICY_IDENTITY, ONE(ALLOW "\"NotAction\":\"\",\"Resource\":\"*\""),
      "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc." },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":\"s3:G\",\"Resource\":\"arn:aws:s3::x\""), LEGACY },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":\"s3:G\",\"Resource\":\"arn:aws::a:b:c\""), LEGACY },
    { POLICY_IDENTITY,
      "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"a\"," ALLOW ANY "},{\"Sid\":\"a\"," ALLOW ANY "}]}",
      "Statement IDs (SID) in a single policy must be unique." },
    { POLICY_IDENTITY,
      "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"\"," ALLOW ANY "},{\"Sid\":\"\"," ALLOW ANY "}]}", NULL },
    { POLICY_IDENTITY, ONE(ALLOW "\"Resource\":\"*\""), "Policy statement must contain actions." },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":[],\"Resource\":\"*\""), "Policy statement must contain actions." },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":\"a:B\",\"Resource\":\"bucket\""),
      "Resource bucket must be in ARN format or \"*\"." },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":\"a:B\",\"Resource\":[\"a\",\"b\"]"),
      "Resource b must be in ARN format or \"*\"." },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":\"a:B\",\"Resource\":\"arn:p:a:b\""),
      "Partition \"p\" is not valid for resource \"arn:p:a:b:*:*\"." },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":\"a:B\",\"Resource\":\"arn:aws\""),
      "Resource vendor must be fully qualified and cannot contain regexes." },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":\"a:B\",\"Resource\":\"arn:aws:s3:eu:1:b\""),
      "Resource arn:aws:s3:eu:1:b can not contain region information." },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":\"a:B\",\"Resource\":\"arn:aws:iam:eu:1:user/x\""),
      "IAM resource arn:aws:iam:eu:1:user/x cannot contain region information." },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":\"B\",\"Resource\":\"*\""),
      "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc." },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":\"a:b:c\",\"Resource\":\"*\""), "Actions/Condition can contain only one colon." },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":\"a*:b\",\"Resource\":\"*\""), "Vendor a* is not valid" },
    { POLICY_IDENTITY, ONE(ALLOW "\"Action\":\"a:b\""), "Policy statement must contain resources." },
    { POLICY_IDENTITY, ONE(ALLOW ANY ",\"Principal\":\"*\""), "Policy document should not specify a principal." },
    { POLICY_TRUST, ONE(ALLOW "\"Principal\":{\"Service\":\"lambda.amazonaws.com\"},\"Action\":\"sts:AssumeRole\""), NULL },
    { POLICY_TRUST, "nonsense", "This policy contains invalid Json" },
    { POLICY_TRUST, ONE(ALLOW "\"Principal\":{\"AWS\":\"*\"},\"Action\":\"sts:AssumeRole\",\"Resource\":\"*\""),
      "Has prohibited field Resource." },
    { POLICY_TRUST, ONE(ALLOW "\"Principal\":{\"AWS\":\"*\"},\"Action\":\"s3:Get\""),
      "Trust Policy statement actions can only be sts:AssumeRole, sts:AssumeRoleWithSAML,  and "
      "sts:AssumeRoleWithWebIdentity" },
#define TRUSTS(principal) ONE(ALLOW "\"Principal\":" principal ",\"Action\":\"sts:AssumeRole\"")
    { POLICY_TRUST, TRUSTS("{\"AWS\":[\"123456789012\",\"arn:aws:iam::123456789012:user/a/b\",\"AROAEXAMPLEEXAMPLE01\"]}"), NULL },
    { POLICY_TRUST, TRUSTS("{\"AWS\":\"arn:aws:sts::123456789012:assumed-role/r/s\"}"), NULL },
    { POLICY_TRUST, TRUSTS("{\"Federated\":[\"accounts.google.com\",\"arn:aws:iam::123456789012:oidc-provider/h/p\"]}"), NULL },
    { POLICY_TRUST, TRUSTS("{\"AWS\":\"arn:aws:iam::123456789012:group/g\"}"),
      "Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:group/g\"" },
    { POLICY_TRUST, TRUSTS("{\"AWS\":\"arn:aws:iam::123456789012:role/*\"}"),
      "Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:role/*\"" },
    { POLICY_TRUST, TRUSTS("{\"AWS\":\"12345\"}"), "Invalid principal in policy: \"AWS\":\"12345\"" },
    { POLICY_TRUST, TRUSTS("{\"Service\":\"lambda\"}"), "Invalid principal in policy: \"SERVICE\":\"lambda\"" },
    { POLICY_TRUST, TRUSTS("{\"Federated\":\"google\"}"),
      "Federated principals must be valid domain names or SAML metadata ARNs" },
    { POLICY_TRUST, TRUSTS("{\"CanonicalUser\":\"79a5\"}"), "Invalid principal in policy: \"CANONICALUSER\":\"79a5\"" },
    { POLICY_TRUST, ONE(ALLOW "\"NotPrincipal\":{\"AWS\":\"123456789012\"},\"Action\":\"sts:AssumeRole\""),
      "Has prohibited field NotPrincipal." },
    { POLICY_TRUST, ONE(ALLOW "\"Action\":\"sts:AssumeRole\""), "Missing required field Principal" },
    { POLICY_TRUST, ONE(ALLOW "\"Principal\":{\"Nobody\":\"*\"},\"Action\":\"sts:AssumeRole\""), SYNTAX },
    { POLICY_AUTHORIZER, "{\"Statement\":{" ALLOW ANY "}}", NULL },
    /* guard rails: what AWS Organizations lets them contain */
    { POLICY_SERVICE_CONTROL, ONE(ALLOW "\"NotAction\":\"iam:*\",\"NotResource\":\"arn:aws:s3:::b\","
                                  "\"Condition\":{\"Bool\":{\"aws:SecureTransport\":\"true\"}}"), NULL },
    { POLICY_SERVICE_CONTROL, ONE("\"Effect\":\"Deny\"," EVERYBODY ANY), UNMET "Principal is not supported." },
    { POLICY_SERVICE_CONTROL, ONE("\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\":\"000000000000\"}," ANY),
      UNMET "NotPrincipal is not supported." },
    { POLICY_SERVICE_CONTROL, "{\"Statement\":{" ALLOW ANY "}}", UNMET "Policy document must be version 2012-10-17 or greater." },
    { POLICY_SERVICE_CONTROL, "{", UNMET SYNTAX },
    { POLICY_SERVICE_CONTROL, ONE(ALLOW "\"Action\":\"a:B\""), UNMET "Policy statement must contain resources." },
    { POLICY_RESOURCE_CONTROL, ONE("\"Effect\":\"Deny\"," EVERYBODY ANY), NULL },
    { POLICY_RESOURCE_CONTROL, ONE("\"Effect\":\"Deny\",\"Principal\":{\"AWS\":[\"*\"]}," ANY), NULL },
    { POLICY_RESOURCE_CONTROL, ONE(ALLOW EVERYBODY "\"Action\":\"*\",\"Resource\":\"*\""), NULL }, /* RCPFullAWSAccess */
    { POLICY_RESOURCE_CONTROL, ONE(ALLOW EVERYBODY ANY), UNMET "Only RCPFullAWSAccess may have the Effect Allow." },
    { POLICY_RESOURCE_CONTROL, ONE("\"Effect\":\"Deny\"," ANY), UNMET "Principal must be \"*\"." },
    { POLICY_RESOURCE_CONTROL, ONE("\"Effect\":\"Deny\",\"Principal\":{\"AWS\":\"000000000000\"}," ANY),
      UNMET "Principal must be \"*\"." },
    { POLICY_RESOURCE_CONTROL, ONE("\"Effect\":\"Deny\"," EVERYBODY "\"NotAction\":\"a:B\",\"Resource\":\"*\""),
      UNMET "NotAction is not supported." },
    { POLICY_RESOURCE_CONTROL, ONE("\"Effect\":\"Deny\"," EVERYBODY "\"Action\":\"*\",\"Resource\":\"*\""),
      UNMET "Action must not be \"*\"; name a service, as in \"s3:*\"." },
};

static void each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(8192);
        struct str why = STR_NONE;
        bool fine = policy_check(arena, rows[i].use, str_of(rows[i].document), &why);
        if (fine != !rows[i].why)
            fail_msg("%s: %s %.*s", rows[i].document, fine ? "accepted" : "refused:", fine ? 0 : (int)why.len,
                     fine ? "" : why.ptr);
        if (!fine)
            assert_string_equal(str_c(arena, why), rows[i].why);
        arena_free(arena);
    }
}

static void quotas_count_no_white_space(void **state)
{
    (void)state;
    assert_int_equal(policy_size(STR("{ \"a\" :\n\t1 }\r\n")), 7);
}

/* 153 decisions of another evaluator, a second opinion. Where AWS decides otherwise, the reason;
 * a reason that is not needed fails. */
static struct {
    const char *name, *reason;
    bool needed;
} differs[] = {
    { "[DenyWithTagCondition]", "the key is absent, so AWS's condition does not match: implicit deny", false },
    { "BinaryNotEquals condition if meet", "no operator of AWS's", false },
    { "DateEquals condition with ISO time if meet", "milliseconds where AWS counts seconds", false },
    { "DateNotEquals condition with ISO timeif do not meet", "milliseconds where AWS counts seconds", false },
    { "request action is not in any policy", "silence of several policies is an implicit deny", false },
    { "request resource is not in any policy", "silence of several policies is an implicit deny", false },
    { "individually to [Neutral]", "silence of several policies is an implicit deny", false },
    { "individually to [Neutral, Neutral]", "silence of several policies is an implicit deny", false },
    { "metrics for bucket named in policy", "the account in the ARN differs", false },
    { "when accountid in requestContext", "the account in the ARN differs", false },
};

static bool excused(struct str name)
{
    for (size_t i = 0; i < COUNT(differs); i++)
        if (str_find_str(name, str_of(differs[i].name)) >= 0)
            return differs[i].needed = true;
    return false;
}

static enum policy_effect second_opinion(struct arena *arena, json_t *test, struct str *why)
{
    struct policy_set *set = policy_set_new();
    struct policy_context context = policy_context_in(arena);
    size_t i;
    json_t *policy, *value;
    const char *name;
    *why = STR_NONE;
    json_array_foreach(json_object_get(test, "policies"), i, policy)
        policy_set_add(set, POLICY_AUTHORIZER, STR("p"), json_print(arena, policy), arena, why);
    json_object_foreach(json_object_get(test, "context"), name, value) {
        struct str values[16];
        size_t n = json_is_array(value) ? json_array_size(value) : 1;
        for (size_t v = 0; v < n; v++)
            values[v] = json_value_str(json_is_array(value) ? json_array_get(value, v) : value);
        policy_context_add_list(&context, name, values, n);
    }
    if (json_str(test, "now").ptr) { /* the evaluator there supplies the clock itself, in milliseconds */
        policy_context_add(&context, "aws:CurrentTime", json_str(test, "now"));
        policy_context_add(&context, "aws:EpochTime", STR("1467315743431"));
    }
    struct policy_request request = { .action = json_str(test, "action"), .resource = json_str(test, "resource"),
                                      .keys = context.keys, .n_keys = context.n };
    struct policy_decision decision;
    enum policy_effect effect = policy_set_decide(arena, set, "", &request, &decision);
    policy_set_free(set);
    return effect;
}

static void agrees_with_arsenal(void **state)
{
    (void)state;
    static const char *const words[] = { "implicitDeny", "allowed", "explicitDeny" };
    struct arena *arena = arena_new(1 << 20);
    json_t *tests = vector_json(arena, "iam-policy/arsenal-identity-policies.json"), *test;
    size_t i, wrong = 0;
    json_array_foreach(tests, i, test) {
        struct str expected = json_str(test, "expected"), why;
        enum policy_effect effect = second_opinion(arena, test, &why);
        if (str_is(expected, words[effect]) || excused(json_str(test, "name")))
            continue;
        wrong++;
        print_message("%s: %s, not %.*s %.*s\n", json_str(test, "name").ptr, words[effect], STR_FMT(expected),
                      STR_FMT(why));
    }
    assert_int_equal(i, 153);
    assert_int_equal(wrong, 0);
    for (i = 0; i < COUNT(differs); i++)
        if (!differs[i].needed)
            fail_msg("excuse not needed: %s", differs[i].name);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row),
        cmocka_unit_test(quotas_count_no_white_space),
        cmocka_unit_test(agrees_with_arsenal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
