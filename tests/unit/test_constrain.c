/* Constraints: AWS's sentences, from recordings of AWS and the reference notes. */
#include "tests/unit/vectors.h"

#include "gen/apigateway.h"
#include "gen/apigatewaymanagementapi.h"
#include "gen/apigatewayv2.h"
#include "gen/cognito_identity.h"
#include "gen/cognito_idp.h"
#include "gen/iam.h"
#include "gen/lambda.h"
#include "gen/sts.h"
#include "wire/codec_json.h"
#include "wire/constrain.h"
#include "wire/pattern.h"

static const struct service *const services[] = { &idp_service,  &ci_service,    &iam_service,
                                                  &sts_service,  &apigw_service, &apiv2_service,
                                                  &conn_service, &lambda_service };

static const struct operation *operation_of(const struct service *service, const char *name)
{
    for (size_t i = 0; i < service->n_operations; i++)
        if (!strcmp(service->operations[i].name, name))
            return &service->operations[i];
    fail_msg("no operation %s", name);
    return NULL;
}

#define REPEAT_129                                                                                           \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define MUST " failed to satisfy constraint: Member must "
#define ONE  "1 validation error detected: "

static const struct {
    const struct service *service;
    const char *operation, *input, *message; /* NULL: nothing to complain about */
} rows[] = {
    { &idp_service, "CreateUserPool", "{'PoolName':'shop'}", NULL },
    { &idp_service, "CreateUserPool", "{'PoolName':'" REPEAT_129 "'}",
      ONE "Value '" REPEAT_129 "' at 'poolName'" MUST "have length less than or equal to 128" },
    { &idp_service, "CreateUserPool", "{}", ONE "Value null at 'poolName'" MUST "not be null" },
    { &idp_service, "ListUsers", "{'UserPoolId':'us-east-1_a','Limit':61}",
      ONE "Value '61' at 'limit'" MUST "have value less than or equal to 60" },
    { &idp_service, "DescribeUserPool", "{'UserPoolId':'string'}",
      ONE "Value 'string' at 'userPoolId'" MUST "satisfy regular expression pattern: [\\w-]+_[0-9a-zA-Z]+" },
    { &idp_service, "AdminGetUser", "{'UserPoolId':'us-east-1_a'}",
      ONE "Value null at 'username'" MUST "not be null" },
    { &idp_service, "DescribeUserPool", "{'UserPoolId':''}",
      "2 validation errors detected: Value '' at 'userPoolId'" MUST
      "have length greater than or equal to 1; Value '' at 'userPoolId'" MUST
      "satisfy regular expression pattern: [\\w-]+_[0-9a-zA-Z]+" },
    /* a password is never printed */
    { &idp_service, "SignUp", "{'ClientId':'abc','Username':'bob','Password':''}",
      ONE "Value at 'password'" MUST "satisfy regular expression pattern: [\\S]+" },
    { &idp_service, "InitiateAuth", "{'ClientId':'abc','AuthFlow':'X'}",
      ONE "Value 'X' at 'authFlow'" MUST "satisfy enum value set: [USER_SRP_AUTH, REFRESH_TOKEN_AUTH, "
                                         "REFRESH_TOKEN, CUSTOM_AUTH, ADMIN_NO_SRP_AUTH, "
          "USER_PASSWORD_AUTH, ADMIN_USER_PASSWORD_AUTH, USER_AUTH]" },
    { &ci_service, "DescribeIdentityPool", "{'IdentityPoolId':'us-east-2-mock'}",
      ONE "Value 'us-east-2-mock' at 'identityPoolId'" MUST
          "satisfy regular expression pattern: [\\w-]+:[0-9a-f-]+" },
    { &sts_service, "AssumeRole",
      "{'RoleArn':'arn:aws:iam::111111111111:role/a','RoleSessionName':'Session1:2'}",
      ONE "Value 'Session1:2' at 'roleSessionName'" MUST "satisfy regular expression pattern: [\\w+=,.@-]*" },
    { &sts_service, "AssumeRole",
      "{'RoleArn':'arn:aws:iam::111111111111:role/a','RoleSessionName':'ab','DurationSeconds':100}",
      ONE "Value '100' at 'durationSeconds'" MUST "have value greater than or equal to 900" },
    { &iam_service, "TagUser", "{'UserName':'bob','Tags':[{'Key':'" REPEAT_129 "','Value':''}]}",
      ONE "Value '" REPEAT_129 "' at 'tags.1.member.key'" MUST "have length less than or equal to 128" },
    /* recorded: these operations leave out values and enums */
    { &iam_service, "UpdateServiceSpecificCredential",
      "{'ServiceSpecificCredentialId':'abcdefghijklmnopqrstuv','Status':'Invalid'}",
      ONE "Value at 'status'" MUST "satisfy enum value set" },
    { &apigw_service, "UpdateMethodResponse",
      "{'restApiId':'a','resourceId':'b','httpMethod':'GET','statusCode':'wrong','patchOperations':[{'op':'"
      "wrong_op','path':'/'}]}",
      "2 validation errors detected: Value 'wrong_op' at "
      "'updateMethodResponseInput.patchOperations.1.member.op'" MUST
      "satisfy enum value set: [add, remove, move, test, replace, copy]; Value 'wrong' at 'statusCode'" MUST
      "satisfy regular expression pattern: [1-5]\\d\\d" },
    { &apigw_service, "CreateRestApi",
      "{'name':'a','endpointConfiguration':{'types':['wrong'],'ipAddressType':'wrong'}}",
      "2 validation errors detected: Value '[wrong]' at 'createRestApiInput.endpointConfiguration.types'" MUST
      "satisfy constraint: [Member must satisfy enum value set: [PRIVATE, EDGE, REGIONAL]]; Value 'wrong' at "
      "'createRestApiInput.endpointConfiguration.ipAddressType'" MUST
      "satisfy enum value set: [ipv4, dualstack]" },
    { &apigw_service, "PutIntegration",
      "{'restApiId':'a','resourceId':'b','httpMethod':'GET','type':'wrong'}",
      ONE "Value 'wrong' at 'putIntegrationInput.type'" MUST
          "satisfy enum value set: [HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]" },
    { &lambda_service, "CreateFunction", "{'FunctionName':'f','Role':'r1','Code':{}}",
      ONE
      "Value 'r1' at 'role'" MUST
      "satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+" },
    { &lambda_service, "CreateFunction",
      "{'FunctionName':'f','Role':'arn:aws:iam::111111111111:role/r','Code':{},'Architectures':['X86_64']}",
      ONE
      "Value '[X86_64]' at 'architectures'" MUST
      "satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]" },
    { &lambda_service, "CreateFunction",
      "{'FunctionName':'f','Role':'arn:aws:iam::111111111111:role/"
      "r','Code':{},'Architectures':['x86_64','arm64']}",
      ONE "Value '[x86_64, arm64]' at 'architectures'" MUST "have length less than or equal to 1" },
    { &lambda_service, "UpdateAlias",
      "{'FunctionName':'f','Name':'a','RoutingConfig':{'AdditionalVersionWeights':{'$LATEST':0.5}}}",
      ONE "Value '{$LATEST=0.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: "
          "Map keys must satisfy constraint: "
          "[Member must have length less than or equal to 1024, Member must have length greater than or "
          "equal to 1, Member must satisfy regular "
          "expression pattern: [0-9]+]" },
    { &lambda_service, "UpdateAlias",
      "{'FunctionName':'f','Name':'a','RoutingConfig':{'AdditionalVersionWeights':{'2':2.0}}}",
      ONE "Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map "
          "value must satisfy constraint: "
          "[Member must have value less than or equal to 1.0, Member must have value greater than or equal "
          "to 0.0, Member must not be null]" },
    { &lambda_service, "CreateAlias", "{'FunctionName':'f','Name':'2024','FunctionVersion':'1'}",
      ONE "Value '2024' at 'name'" MUST "satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)" },
    { &lambda_service, "PutProvisionedConcurrencyConfig",
      "{'FunctionName':'f','Qualifier':'1','ProvisionedConcurrentExecutions':0}",
      ONE "Value '0' at 'provisionedConcurrentExecutions'" MUST "have value greater than or equal to 1" },
    { &lambda_service, "UntagResource", "{'Resource':'arn:aws:lambda:us-east-1:111111111111:function:f'}",
      ONE "Value null at 'tagKeys'" MUST "not be null" },
    /* length counts characters as Java does, not bytes */
    { &idp_service, "CreateUserPool", "{'PoolName':'\\u00e9\\u00e9'}",
      ONE "Value '\xc3\xa9\xc3\xa9' at 'poolName'" MUST
          "satisfy regular expression pattern: [\\w\\s+=,.@-]+" },
};

static void *input_of(struct arena *arena, const struct operation *operation, const char *text)
{
    char *json = (char *)str_c(arena, str_of(text));
    for (char *c = json; *c; c++)
        if (*c == '\'')
            *c = '"';
    void *in = arena_zalloc(arena, operation->in->alloc);
    if (!shape_parse(arena, operation->in, str_of(json), in))
        fail_msg("not an input: %s", text);
    return in;
}

static void test_sentences(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct operation *operation = operation_of(rows[i].service, rows[i].operation);
        gh_err err =
            constrain_check(arena, rows[i].service, operation, input_of(arena, operation, rows[i].input));
        if (!err != !rows[i].message || (err && !str_is(err->message, rows[i].message)))
            fail_msg("row %zu %s:\n got %.*s\nwant %s", i, rows[i].operation, err ? (int)err->message.len : 4,
                     err ? err->message.ptr : "NULL", rows[i].message ? rows[i].message : "NULL");
    }
    arena_free(arena);
}

static const struct {
    const struct service *service;
    const char *validation, *refusal;
} codes[] = {
    { &idp_service, "InvalidParameterException", "InvalidParameterException" },
    { &ci_service, "ValidationException", "InvalidParameterException" },
    { &iam_service, "ValidationError", "InvalidInput" },
    { &sts_service, "ValidationError", "InvalidParameterValue" },
    { &apigw_service, "ValidationException", "BadRequestException" },
    { &lambda_service, "ValidationException", "InvalidParameterValueException" },
};

static void test_codes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(codes); i++) {
        assert_string_equal(codes[i].service->validation->code, codes[i].validation);
        assert_string_equal(codes[i].service->refusal->code, codes[i].refusal);
        assert_int_equal(codes[i].service->validation->status, 400);
    }
}

/* Every pattern of every model must compile: one that does not would refuse everything. */
static size_t patterns_of(const struct shape *shape, int depth)
{
    size_t n = 0;
    if (shape->pattern) {
        if (!pattern_is_valid(shape->pattern))
            fail_msg("%s: %s does not compile", shape->name, shape->pattern);
        n++;
    }
    if (depth == 0)
        return n;
    if (shape->key)
        n += patterns_of(shape->key, depth - 1);
    if (shape->element)
        n += patterns_of(shape->element, depth - 1);
    for (size_t i = 0; i < shape->n_members; i++)
        n += patterns_of(shape->members[i].shape, depth - 1);
    return n;
}

static void test_every_pattern_compiles(void **state)
{
    (void)state;
    size_t n = 0;
    for (size_t s = 0; s < COUNT(services); s++)
        for (size_t i = 0; i < services[s]->n_operations; i++)
            n += patterns_of(services[s]->operations[i].in, 5);
    assert_true(n > 500);
}

static void test_patterns_are_bounded(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 16);
    struct strbuf text = strbuf_in(arena, 60000);
    for (int i = 0; i < 50000; i++)
        strbuf_char(&text, 'a');
    strbuf_char(&text, '!');
    assert_false(pattern_matches("(a+)+b", strbuf_view(&text))); /* catastrophic in Java */
    assert_false(pattern_matches("[a-z]+", STR("ab\n")));        /* $ is the very end */
    assert_false(pattern_matches("[a-z]+", (struct str){ "ab\0", 3 }));
    assert_false(pattern_matches("\\w+", STR("\xff"))); /* not UTF-8 */
    assert_true(pattern_matches("[\\u0009\\u0020-\\u00FF]+", STR("caf\xc3\xa9")));
    assert_false(pattern_matches("\\w+", STR("caf\xc3\xa9"))); /* ASCII, as in Java */
    assert_true(pattern_matches("[\\p{L}]+", STR("caf\xc3\xa9")));
    arena_free(arena);
}

static const char *const refused[] = { "CreateFunction.VpcConfig.SubnetIds",
                                       "CreateRestApi.endpointConfiguration.vpcEndpointIds",
                                       "PutIntegration.connectionType=VPC_LINK",
                                       "CreateFunction.FileSystemConfigs.Arn",
                                       "CreateStage.tracingEnabled",
                                       "CreateFunction.MemorySize=42",
                                       NULL };
static const struct {
    const struct service *service;
    const char *operation, *input, *message;
} refusals[] = {
    { &lambda_service, "CreateFunction", "{'FunctionName':'f','VpcConfig':{'SubnetIds':['subnet-1']}}",
      "CreateFunction: VpcConfig.SubnetIds is not supported by Gatehouse yet" },
    { &lambda_service, "CreateFunction", "{'FunctionName':'f','VpcConfig':{'SubnetIds':[]}}", NULL },
    { &lambda_service, "CreateFunction",
      "{'FunctionName':'f','FileSystemConfigs':[{'Arn':'arn:x','LocalMountPath':'/mnt/a'}]}",
      "CreateFunction: FileSystemConfigs.Arn is not supported by Gatehouse yet" },
    { &lambda_service, "CreateFunction", "{'FunctionName':'f','MemorySize':42}",
      "CreateFunction: MemorySize=42 is not supported by Gatehouse yet" },
    { &lambda_service, "CreateFunction", "{'FunctionName':'f','MemorySize':43}", NULL },
    { &lambda_service, "UpdateFunctionConfiguration",
      "{'FunctionName':'f','VpcConfig':{'SubnetIds':['subnet-1']}}", NULL },
    { &apigw_service, "PutIntegration", "{'connectionType':'VPC_LINK'}",
      "PutIntegration: connectionType=VPC_LINK is not supported by Gatehouse yet" },
    { &apigw_service, "PutIntegration", "{'connectionType':'INTERNET'}", NULL },
    { &apigw_service, "CreateStage", "{'tracingEnabled':false}", NULL },
    { &apigw_service, "CreateStage", "{'tracingEnabled':true}",
      "CreateStage: tracingEnabled is not supported by Gatehouse yet" },
};

static void test_members_that_are_refused(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const struct registered registered = { refusals[i].service, NULL, refused };
        const struct operation *operation = operation_of(refusals[i].service, refusals[i].operation);
        gh_err err =
            constrain_refused(arena, &registered, operation, input_of(arena, operation, refusals[i].input));
        if (!err != !refusals[i].message || (err && !str_is(err->message, refusals[i].message)))
            fail_msg("row %zu: %.*s", i, err ? (int)err->message.len : 4, err ? err->message.ptr : "NULL");
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_every_pattern_compiles),
        cmocka_unit_test(test_patterns_are_bounded),
        cmocka_unit_test(test_members_that_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
