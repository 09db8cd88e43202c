/* Findings about policy documents: what is said, of which place. */
#include "policy/lint/lint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#define POLICY(statement) "{\"Version\":\"2012-10-17\",\"Statement\":" statement "}"
#define ALLOW(rest) POLICY("{\"Effect\":\"Allow\"," rest "}")
#define RESOURCE "\"Resource\":\"*\""
#define WITH(condition) ALLOW("\"Action\":\"s3:GetObject\"," RESOURCE ",\"Condition\":" condition)

static const struct row {
    enum policy_use use;
    const char *document;
    const char *codes;  /* in the order of their places */
    const char *at;     /* the text that the first one is about; NULL: not asked */
} rows[] = {
    { POLICY_IDENTITY, ALLOW("\"Action\":\"s3:GetObject\"," RESOURCE), "", NULL },
    { POLICY_IDENTITY, "{\"Version\":\"2012-10-17\",", "JSON_SYNTAX_ERROR", NULL },
    { POLICY_IDENTITY, "[]", "DATA_TYPE_MISMATCH", "[]" },
    { POLICY_IDENTITY, "{\"Version\":\"2012-10-17\"}", "MISSING_STATEMENT", NULL },
    { POLICY_IDENTITY, POLICY("[]"), "MISSING_STATEMENT", NULL },
    { POLICY_IDENTITY, POLICY("[7]"), "DATA_TYPE_MISMATCH", "7" },
    { POLICY_IDENTITY, "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"*\"}}", "MISSING_VERSION", NULL },
    { POLICY_IDENTITY, "{\"Version\":\"2012-10-18\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"*\"}}",
      "INVALID_VERSION", "\"2012-10-18\"" },
    { POLICY_IDENTITY, ALLOW("\"Actions\":[],\"Action\":\"s3:GetObject\"," RESOURCE), "INVALID_POLICY_ELEMENT", "\"Actions\"" },
    { POLICY_IDENTITY, POLICY("{\"Action\":\"s3:GetObject\"," RESOURCE "}"), "MISSING_EFFECT", NULL },
    { POLICY_IDENTITY, POLICY("{\"Effect\":\"allow\",\"Action\":\"s3:GetObject\"," RESOURCE "}"), "INVALID_EFFECT", "\"allow\"" },
    { POLICY_IDENTITY, ALLOW(RESOURCE), "MISSING_ACTION", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"s3:GetObject\""), "MISSING_RESOURCE", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":[]," RESOURCE), "EMPTY_ARRAY_ACTION", "[]" },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"s3:GetObject\",\"Resource\":[]"), "EMPTY_ARRAY_RESOURCE", "[]" },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"s3:GetObject\",\"NotResource\":\"arn:aws:s3:::b\"," RESOURCE), "UNSUPPORTED_ELEMENT_COMBINATION", NULL },
    { POLICY_IDENTITY, ALLOW("\"Sid\":\"\",\"Action\":\"s3:GetObject\"," RESOURCE), "EMPTY_SID_VALUE", "\"\"" },
    { POLICY_IDENTITY, ALLOW("\"Sid\":\"a b\",\"Action\":\"s3:GetObject\"," RESOURCE), "UNSUPPORTED_SID", "\"a b\"" },
    { POLICY_IDENTITY, ALLOW("\"Principal\":\"*\",\"Action\":\"s3:GetObject\"," RESOURCE), "UNSUPPORTED_PRINCIPAL", "\"Principal\"" },
    /* actions */
    { POLICY_IDENTITY, ALLOW("\"Action\":[\"s3:GetObject\",\"lambda:InvokeFunktion\"]," RESOURCE), "INVALID_ACTION", "\"lambda:InvokeFunktion\"" },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"lambda:Frobnicate*\"," RESOURCE), "INVALID_ACTION", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"LAMBDA:invokefunction\"," RESOURCE), "", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"lamda:InvokeFunction\"," RESOURCE), "INVALID_SERVICE_IN_ACTION", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"groundstation:GetConfig\"," RESOURCE), "", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"*code*:List\"," RESOURCE), "WILDCARD_IN_SERVICE_NAME", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"s3:${aws:username}\"," RESOURCE), "INVALID_ACTION VARIABLE_UNSUPPORTED_IN_ELEMENT", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":[\"iam:Get*\",\"iam:GetCredentialReport\"]," RESOURCE), "REDUNDANT_ACTION", "\"iam:GetCredentialReport\"" },
    { POLICY_IDENTITY, ALLOW("\"Action\":[\"iam:GetUser\",\"iam:GetUser\",\"iam:GetUser\"]," RESOURCE), "REDUNDANT_ACTION REDUNDANT_ACTION", NULL },
    /* resources */
    { POLICY_IDENTITY, ALLOW("\"Action\":\"s3:GetObject\",\"Resource\":\"bucket\""), "INVALID_ARN_PREFIX", "\"bucket\"" },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3\""), "MISSING_ARN_FIELD", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"s3:GetObject\",\"Resource\":\"arn:abc:s3:::bucket/*\""), "INVALID_PARTITION", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:S3:::bucket/*\""), "INVALID_ARN_SERVICE_CASE", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"iam:GetUser\",\"Resource\":\"arn:aws:iam:us-east-1:123456789012:user/a\""), "ARN_REGION_NOT_ALLOWED", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"lambda:GetFunction\",\"Resource\":\"arn:aws:lambda::123456789012:function:f\""), "MISSING_ARN_REGION", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"apigateway:GET\",\"Resource\":\"arn:aws:apigateway:us-east-1::/restapis/*\""), "", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"lambda:GetFunction\",\"Resource\":\"arn:aws:lambda:us-east-1:1234:function:f\""), "INVALID_ARN_ACCOUNT", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"lambda:GetFunction\",\"Resource\":\"arn:aws:lambda:us-east-1:123456789012:funktion:f\""), "INVALID_ARN_RESOURCE", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"iam:GetRole\",\"Resource\":[\"arn:aws:iam::111122223333:role/jane-admin\",\"arn:aws:iam::111122223333:role/jane*\"]"),
      "REDUNDANT_RESOURCE", "\"arn:aws:iam::111122223333:role/jane-admin\"" },
    /* variables */
    { POLICY_IDENTITY, ALLOW("\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::b/${aws:username\""), "MISSING_BRACE_IN_VARIABLE", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::b/${}\""), "EMPTY_VARIABLE", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::b/${aws: username}\""), "UNSUPPORTED_SPACE_IN_VARIABLE", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::b/${aws:user#}\""), "UNSUPPORTED_SYMBOL_IN_VARIABLE", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::b/${aws:username, nobody}\""), "MISSING_QUOTE_IN_VARIABLE", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::b/${aws:username, 'nobody'}/${*}\""), "", NULL },
    { POLICY_IDENTITY, "{\"Version\":\"2008-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::b/${aws:username}\"}}",
      "VARIABLE_UNSUPPORTED_IN_VERSION", NULL },
    /* conditions */
    { POLICY_IDENTITY, WITH("{}"), "EMPTY_OBJECT_CONDITION", "{}" },
    { POLICY_IDENTITY, WITH("[]"), "DATA_TYPE_MISMATCH", "[]" },
    { POLICY_IDENTITY, WITH("{\"StringIs\":{\"aws:userid\":\"a\"}}"), "INVALID_CONDITION_OPERATOR", "\"StringIs\"" },
    { POLICY_IDENTITY, WITH("{\"NullIfExists\":{\"aws:userid\":\"true\"}}"), "NULL_WITH_IF_EXISTS", NULL },
    { POLICY_IDENTITY, WITH("{\"ForAllValues:Null\":{\"aws:TagKeys\":\"true\"}}"), "NULL_WITH_QUALIFIER", NULL },
    { POLICY_IDENTITY, WITH("{\"StringEquals\":{\"userid\":\"a\"}}"), "INVALID_CONDITION_KEY_FORMAT", "\"userid\"" },
    { POLICY_IDENTITY, WITH("{\"StringEquals\":{\"aws:ARN\":\"a\"}}"), "UNSUPPORTED_GLOBAL_CONDITION_KEY", NULL },
    { POLICY_IDENTITY, WITH("{\"StringEquals\":{\"aws:UserName\":\"a\"}}"), "", NULL },
    { POLICY_IDENTITY, WITH("{\"StringEquals\":{\"aws:Nobody\":\"a\"}}"), "INVALID_GLOBAL_CONDITION_KEY", NULL },
    { POLICY_IDENTITY, WITH("{\"StringEquals\":{\"lambda:Nothing\":\"a\"}}"), "INVALID_SERVICE_CONDITION_KEY", NULL },
    { POLICY_IDENTITY, WITH("{\"StringEquals\":{\"token.example.com:sub\":\"a\"}}"), "", NULL },
    { POLICY_IDENTITY, WITH("{\"StringEquals\":{\"aws:userid\":\"a\",\"aws:UserId\":\"b\"}}"), "DUPLICATE_KEYS_WITH_DIFFERENT_CASE", "\"aws:UserId\"" },
    { POLICY_IDENTITY, WITH("{\"StringEquals\":{\"aws:TagKeys\":\"a\"}}"), "MISSING_QUALIFIER", NULL },
    { POLICY_IDENTITY, WITH("{\"ForAllValues:StringEquals\":{\"aws:userid\":\"a\"}}"), "FORALLVALUES_WITH_SINGLE_VALUED_KEY", NULL },
    { POLICY_IDENTITY, WITH("{\"StringEquals\":{\"aws:userid\":[]}}"), "EMPTY_ARRAY_CONDITION", NULL },
    { POLICY_IDENTITY, WITH("{\"ForAnyValue:StringEquals\":{\"aws:TagKeys\":[]}}"), "EMPTY_ARRAY_CONDITION_FORANYVALUE", NULL },
    { POLICY_IDENTITY, WITH("{\"ForAllValues:StringEquals\":{\"aws:TagKeys\":[]}}"), "EMPTY_ARRAY_CONDITION_FORALLVALUES", NULL },
    { POLICY_IDENTITY, WITH("{\"StringEqualsIfExists\":{\"aws:userid\":[]}}"), "EMPTY_ARRAY_CONDITION_IFEXISTS", NULL },
    { POLICY_IDENTITY, WITH("{\"StringEquals\":{\"aws:userid\":[\"a\",1]}}"), "INVALID_CONDITION_DATA_TYPE", NULL },
    { POLICY_IDENTITY, WITH("{\"Bool\":{\"aws:SecureTransport\":[true,false]}}"), "INVALID_CONDITION_MULTIPLE_BOOLEAN", NULL },
    { POLICY_IDENTITY, WITH("{\"Bool\":{\"aws:SecureTransport\":\"yes\"}}"), "TYPE_MISMATCH_BOOLEAN", NULL },
    { POLICY_IDENTITY, WITH("{\"NumericLessThan\":{\"aws:MultiFactorAuthAge\":\"soon\"}}"), "TYPE_MISMATCH_NUMBER", NULL },
    { POLICY_IDENTITY, WITH("{\"NumericLessThan\":{\"aws:MultiFactorAuthAge\":[\"2700\",\"3600\"]}}"), "REDUNDANT_CONDITION_VALUE_NUM", NULL },
    { POLICY_IDENTITY, WITH("{\"DateLessThan\":{\"aws:CurrentTime\":\"tomorrow\"}}"), "TYPE_MISMATCH_DATE", NULL },
    { POLICY_IDENTITY, WITH("{\"DateLessThan\":{\"aws:CurrentTime\":\"1700000000\"}}"), "INVALID_DATE_VALUE", NULL },
    { POLICY_IDENTITY, WITH("{\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/33\"}}"), "TYPE_MISMATCH_IP_RANGE", NULL },
    { POLICY_IDENTITY, WITH("{\"IpAddress\":{\"aws:SourceIp\":\"203.0.113.7/24\"}}"), "IMPROVE_IP_RANGE", NULL },
    { POLICY_IDENTITY, WITH("{\"IpAddress\":{\"aws:SourceIp\":\"2001:db8::1/64\"}}"), "IMPROVE_IP_RANGE", NULL },
    { POLICY_IDENTITY, WITH("{\"StringEquals\":{\"aws:userid\":\"a*\"}}"), "WILDCARD_WITHOUT_LIKE_OPERATOR", NULL },
    { POLICY_IDENTITY, WITH("{\"StringEquals\":{\"aws:userid\":\"${*}\"}}"), "", NULL },
    { POLICY_IDENTITY, WITH("{\"StringEquals\":{\"aws:SecureTransport\":\"true\"}}"), "TYPE_MISMATCH", NULL },
    { POLICY_IDENTITY, WITH("{\"Bool\":{\"aws:SecureTransport\":\"${aws:userid}\"}}"), "INVALID_VARIABLE_FOR_OPERATOR", NULL },
    { POLICY_IDENTITY, WITH("{\"BinaryEquals\":{\"x:y\":\"no base64!\"}}"), "TYPE_MISMATCH_STRING", NULL },
    /* what it lets pass */
    { POLICY_IDENTITY, ALLOW("\"Action\":\"iam:PassRole\"," RESOURCE), "PASS_ROLE_WITH_STAR_IN_RESOURCE", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"iam:PassRole\",\"Resource\":\"arn:aws:iam::*:role/*\""), "PASS_ROLE_WITH_STAR_IN_RESOURCE", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"iam:PassRole\",\"Resource\":\"arn:aws:iam::*:role/Service*\""), "", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"iam:Pass*\"," RESOURCE), "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE", NULL },
    { POLICY_IDENTITY, ALLOW("\"NotAction\":\"iam:CreateServiceLinkedRole\"," RESOURCE), "PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"iam:PassRole\",\"NotResource\":\"arn:aws:iam::111122223333:role/a\""), "PASS_ROLE_WITH_NOT_RESOURCE", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"iam:CreateServiceLinkedRole\"," RESOURCE), "CREATE_SLR_WITH_STAR_IN_RESOURCE", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"*\"," RESOURCE), "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE", NULL },
    { POLICY_IDENTITY, ALLOW("\"Action\":\"iam:PassRole\"," RESOURCE ",\"Condition\":{\"StringEquals\":{\"iam:PassedToService\":\"lambda.amazonaws.com\"}}"), "", NULL },
    /* ids, statements twice */
    { POLICY_IDENTITY, POLICY("[{\"Sid\":\"A\",\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\"," RESOURCE "},{\"Sid\":\"A\",\"Effect\":\"Deny\",\"Action\":\"s3:GetObject\"," RESOURCE "}]"),
      "UNIQUE_SIDS_REQUIRED", NULL },
    { POLICY_IDENTITY, POLICY("[{\"Sid\":\"A\",\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\"," RESOURCE "},{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\"," RESOURCE "}]"),
      "REDUNDANT_STATEMENT", NULL },
    /* other kinds of policies */
    { POLICY_RESOURCE, ALLOW("\"Action\":\"execute-api:Invoke\",\"Resource\":\"execute-api:/*\""), "MISSING_PRINCIPAL", NULL },
    { POLICY_RESOURCE, ALLOW("\"Principal\":\"ada\",\"Action\":\"execute-api:Invoke\",\"Resource\":\"execute-api:/*\""), "INVALID_PRINCIPAL_FORMAT", NULL },
    { POLICY_RESOURCE, ALLOW("\"Principal\":{},\"Action\":\"execute-api:Invoke\",\"Resource\":\"execute-api:/*\""), "EMPTY_OBJECT_PRINCIPAL", NULL },
    { POLICY_RESOURCE, ALLOW("\"Principal\":{\"AWS\":[]},\"Action\":\"execute-api:Invoke\",\"Resource\":\"execute-api:/*\""), "EMPTY_ARRAY_PRINCIPAL", NULL },
    { POLICY_RESOURCE, ALLOW("\"Principal\":{\"Aws\":\"*\"},\"Action\":\"execute-api:Invoke\",\"Resource\":\"execute-api:/*\""), "INVALID_PRINCIPAL_KEY", "\"Aws\"" },
    { POLICY_RESOURCE, ALLOW("\"Principal\":{\"AWS\":\"arn:aws:iam::1:user/*\"},\"Action\":\"execute-api:Invoke\",\"Resource\":\"execute-api:/*\""), "UNSUPPORTED_WILDCARD_IN_PRINCIPAL", NULL },
    { POLICY_RESOURCE, ALLOW("\"Principal\":{\"AWS\":\"AROAEXAMPLE\"},\"Action\":\"execute-api:Invoke\",\"Resource\":\"execute-api:/*\""), "INVALID_ROLE_REFERENCE", NULL },
    { POLICY_RESOURCE, ALLOW("\"Principal\":{\"AWS\":\"AIDAEXAMPLE\"},\"Action\":\"execute-api:Invoke\",\"Resource\":\"execute-api:/*\""), "INVALID_USER_REFERENCE", NULL },
    { POLICY_RESOURCE, ALLOW("\"NotPrincipal\":{\"AWS\":\"123456789012\"},\"Action\":\"execute-api:Invoke\",\"Resource\":\"execute-api:/*\""), "ALLOW_WITH_NOT_PRINCIPAL", NULL },
    { POLICY_TRUST, ALLOW("\"Principal\":{\"Service\":\"lambda.amazonaws.com\"},\"Action\":\"sts:AssumeRole\""), "", NULL },
    { POLICY_TRUST, ALLOW("\"Principal\":{\"Service\":\"lambda.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"," RESOURCE), "INVALID_POLICY_ELEMENT", NULL },
    { POLICY_SERVICE_CONTROL, ALLOW("\"Principal\":\"*\",\"Action\":\"s3:GetObject\"," RESOURCE), "SCP_SYNTAX_ERROR_PRINCIPAL", NULL },
};

static void every_row_says_what_it_should(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_new(16 * 1024);
        struct policy_finding *findings;
        size_t n = policy_lint(arena, rows[i].use, str_of(rows[i].document), &findings);
        struct strbuf codes = strbuf_in(arena, 64);
        for (size_t k = 0; k < n; k++)
            strbuf_printf(&codes, "%s%s", k ? " " : "", findings[k].code);
        struct str spot = n ? str_sub(str_of(rows[i].document), findings[0].spot.offset,
                                      findings[0].spot.end - findings[0].spot.offset) : STR("");
        if (!str_is(strbuf_view(&codes), rows[i].codes) || (rows[i].at && !str_is(spot, rows[i].at))) {
            printf("row %zu: %s\n  said %.*s, of %.*s\n  expected %s\n", i, rows[i].document, STR_FMT(strbuf_view(&codes)),
                   STR_FMT(spot), rows[i].codes);
            wrong++;
        }
        arena_free(arena);
    }
    assert_int_equal(wrong, 0);
}

static void a_finding_knows_its_line(void **state)
{
    (void)state;
    struct arena *arena = arena_new(16 * 1024);
    struct policy_finding *findings;
    struct str text = STR("{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{\n    \"Effect\": \"Allow\",\n"
                          "    \"Action\": [\"s3:GetObject\", \"s3:GetObjekt\"],\n    \"Resource\": \"*\"\n  }]\n}\n");
    assert_int_equal(policy_lint(arena, POLICY_IDENTITY, text, &findings), 1);
    assert_string_equal(findings[0].code, "INVALID_ACTION");
    assert_true(str_is(findings[0].details, "The action s3:GetObjekt does not exist. Did you mean s3:GetObject?"));
    assert_int_equal(findings[0].begin.line, 5);
    assert_int_equal(findings[0].begin.column, 32);
    assert_int_equal(findings[0].n_path, 4);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_says_what_it_should),
        cmocka_unit_test(a_finding_knows_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
