/* Which operation is a request for, and what is it about in IAM's words? */
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
#include "wire/registry.h"
#include "wire/resource.h"

static const struct registered services[] = {
    { &idp_service },   { &ci_service },    { &iam_service },  { &sts_service },
    { &apigw_service }, { &apiv2_service }, { &conn_service }, { &lambda_service },
};

#define SCOPE(service)                                                                                       \
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/" service                                    \
    "/aws4_request, SignedHeaders=host, Signature=00"

static const struct {
    const char *method, *path, *query, *target, *authorization, *body;
    const char *service, *operation; /* service NULL: not ours; operation NULL: unknown */
} rows[] = {
    { "POST", "/", NULL, "AWSCognitoIdentityProviderService.InitiateAuth", NULL, "{}", "cognito-idp",
      "InitiateAuth" },
    { "POST", "/", NULL, "AWSCognitoIdentityService.GetId", NULL, "{}", "cognito-identity", "GetId" },
    { "POST", "/", NULL, "AWSCognitoIdentityProviderService.Frobnicate", NULL, "{}", "cognito-idp", NULL },
    { "POST", "/", NULL, "DynamoDB_20120810.ListTables", SCOPE("dynamodb"), "{}", NULL, NULL },
    { "POST", "/", NULL, NULL, SCOPE("iam"), "Action=CreateUser&Version=2010-05-08&UserName=bob", "iam",
      "CreateUser" },
    { "POST", "/", NULL, NULL, SCOPE("sts"), "Action=GetCallerIdentity&Version=2011-06-15", "sts",
      "GetCallerIdentity" },
    { "POST", "/", NULL, NULL, NULL, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15", "sts",
      "AssumeRoleWithWebIdentity" },
    { "GET", "/", "Action=GetCallerIdentity&Version=2011-06-15", NULL, NULL, "", "sts", "GetCallerIdentity" },
    { "POST", "/", NULL, NULL, SCOPE("iam"), "Action=Frobnicate&Version=2010-05-08", "iam", NULL },
    { "POST", "/", NULL, NULL, SCOPE("iam"), "", "iam", NULL },
    { "POST", "/", NULL, NULL, SCOPE("iam"), "Action=CreateUser&Version=1999-01-01&UserName=bob", "iam", NULL },
    { "GET", "/", NULL, "AWSCognitoIdentityProviderService.InitiateAuth", NULL, "", "cognito-idp", NULL },
    { "POST", "/", NULL, NULL, SCOPE("sqs"), "Action=ListQueues&Version=2012-11-05", NULL, NULL },
    { "GET", "/restapis", NULL, NULL, SCOPE("apigateway"), "", "apigateway", "GetRestApis" },
    { "POST", "/restapis", NULL, NULL, SCOPE("apigateway"), "{}", "apigateway", "CreateRestApi" },
    { "POST", "/restapis", "mode=import", NULL, SCOPE("apigateway"), "{}", "apigateway", "ImportRestApi" },
    { "POST", "/restapis", "failonwarnings=true&mode=import", NULL, SCOPE("apigateway"), "{}", "apigateway",
      "ImportRestApi" },
    { "PUT", "/restapis/abc/resources/def/methods/GET/integration/responses/200", NULL, NULL,
      SCOPE("apigateway"), "{}", "apigateway", "PutIntegrationResponse" },
    { "GET", "/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fabc", NULL, NULL,
      SCOPE("apigateway"), "", "apigateway", "GetTags" },
    { "GET", "/v2/apis/abc/routes", NULL, NULL, SCOPE("apigateway"), "", "apigatewayv2", "GetRoutes" },
    { "POST", "/v2/tags/arn%3Aaws%3Aapigateway", NULL, NULL, SCOPE("apigateway"), "{}", "apigatewayv2",
      "TagResource" },
    { "GET", "/2015-03-31/functions/", NULL, NULL, SCOPE("lambda"), "", "lambda", "ListFunctions" },
    { "GET", "/2015-03-31/functions", NULL, NULL, SCOPE("lambda"), "", "lambda", "ListFunctions" },
    { "POST", "/2015-03-31/functions/f/invocations", NULL, NULL, NULL, "{}", "lambda", "Invoke" },
    { "POST", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af/invocations", NULL,
      NULL, NULL, "{}", "lambda", "Invoke" },
    { "GET", "/2018-10-31/layers", "find=LayerVersion&Arn=x", NULL, SCOPE("lambda"), "", "lambda",
      "GetLayerVersionByArn" },
    { "GET", "/2018-10-31/layers", NULL, NULL, SCOPE("lambda"), "", "lambda", "ListLayers" },
    { "GET", "/2019-09-30/functions/f/provisioned-concurrency", "List=ALL", NULL, SCOPE("lambda"), "",
      "lambda", "ListProvisionedConcurrencyConfigs" },
    { "GET", "/2019-09-30/functions/f/provisioned-concurrency", "Qualifier=1", NULL, SCOPE("lambda"), "",
      "lambda", "GetProvisionedConcurrencyConfig" },
    { "POST", "/@connections/abc%3D", NULL, NULL, SCOPE("execute-api"), "hi", "apigatewaymanagementapi",
      "PostToConnection" },
    { "GET", "/restapis/abc/frobs", NULL, NULL, SCOPE("apigateway"), "", "apigateway", NULL },
    { "PATCH", "/restapis", NULL, NULL, SCOPE("apigateway"), "", "apigateway", NULL },
    { "GET", "/restapis//resources", NULL, NULL, SCOPE("apigateway"), "", "apigateway", NULL },
    { "GET", "/mybucket", NULL, NULL, SCOPE("s3"), "", NULL, NULL },
    { "GET", "/nothing/here", NULL, NULL, NULL, "", NULL, NULL },
    /* the scope says lambda: its path is not API Gateway's, whatever it looks like */
    { "GET", "/restapis", NULL, NULL, SCOPE("lambda"), "", "lambda", NULL },
};

static void test_requests_find_their_operation(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 16);
    struct registry *registry = registry_new(services, COUNT(services));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_headers headers = { 0 };
        if (rows[i].target)
            http_header_add(arena, &headers, STR("X-Amz-Target"), str_of(rows[i].target));
        if (rows[i].authorization)
            http_header_add(arena, &headers, STR("Authorization"), str_of(rows[i].authorization));
        if (str_starts(str_of(rows[i].body), STR("Action=")))
            http_header_add(arena, &headers, STR("Content-Type"),
                            STR("application/x-www-form-urlencoded; charset=utf-8"));
        const struct wire_request request = { .method = str_of(rows[i].method),
                                              .path = str_of(rows[i].path),
                                              .query = str_of(rows[i].query),
                                              .headers = &headers,
                                              .body = str_of(rows[i].body) };
        struct route route;
        registry_find(registry, arena, &request, &route);
        const char *service = route.registered ? route.registered->service->id : NULL;
        const char *operation = route.operation ? route.operation->name : NULL;
        if (!service != !rows[i].service || (service && strcmp(service, rows[i].service)) ||
            !operation != !rows[i].operation || (operation && strcmp(operation, rows[i].operation)))
            fail_msg("row %zu %s %s: %s %s", i, rows[i].method, rows[i].path, service ? service : "none",
                     operation ? operation : "none");
    }
    registry_free(registry);
    arena_free(arena);
}

/* No path of ours may be answered by another operation. */
static void test_every_operation_is_found_by_its_own_path(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 16);
    struct registry *registry = registry_new(services, COUNT(services));
    size_t n = 0;
    for (size_t s = 0; s < COUNT(services); s++) {
        const struct service *service = services[s].service;
        for (size_t i = 0; i < service->n_operations && service->protocol == PROTOCOL_REST_JSON; i++) {
            struct str path = str_of(service->operations[i].path), query = STR_NONE, made = STR("");
            ptrdiff_t mark = str_find(path, '?');
            if (mark >= 0) {
                query = str_from(path, (size_t)mark + 1);
                path = str_sub(path, 0, (size_t)mark);
            }
            struct str segment;
            while (str_split(&path, '/', &segment))
                made = str_printf(arena, "%.*s/%.*s", STR_FMT(made),
                                  STR_FMT(segment.len && segment.ptr[0] == '{' ? STR("x1") : segment));
            struct http_headers headers = { 0 };
            const struct wire_request request = { .method = str_of(service->operations[i].method),
                                                  .path = str_from(made, 1),
                                                  .query = query,
                                                  .headers = &headers,
                                                  .body = STR("") };
            struct route route;
            registry_find(registry, arena, &request, &route);
            if (route.operation != &service->operations[i])
                fail_msg("%s %s gives %s", service->operations[i].name, request.path.ptr,
                         route.operation ? route.operation->name : "none");
            n++;
        }
    }
    assert_int_equal(n, 124 + 103 + 3 + 91);
    registry_free(registry);
    arena_free(arena);
}

static void test_capabilities_count_every_operation(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 16);
    static const char *const refused[] = { "CreateRestApi.cloneFrom", NULL };
    const struct registered one[] = { { &apigw_service, NULL, refused }, { &sts_service } };
    struct registry *registry = registry_new(one, 2);
    json_t *all = registry_capabilities(registry, arena);
    assert_int_equal(json_i64(all, "operations", 0), 124 + 11);
    json_t *apigw = json_object_get(json_object_get(all, "services"), "apigateway");
    assert_int_equal(json_array_size(json_object_get(apigw, "built")) +
                         json_array_size(json_object_get(apigw, "missing")),
                     124);
    assert_string_equal(json_string_value(json_array_get(json_object_get(apigw, "refused_members"), 0)),
                        "CreateRestApi.cloneFrom");
    registry_free(registry);
    arena_free(arena);
}

static const struct {
    const struct service *service;
    const char *operation, *input, *action, *resource, *shown;
} resources[] = {
    { &idp_service, "AdminGetUser", "{'UserPoolId':'us-east-1_a','Username':'b'}", "cognito-idp:AdminGetUser",
      "arn:aws:cognito-idp:us-east-1:111111111111:userpool/us-east-1_a", NULL },
    { &idp_service, "ListUserPools", "{}", "cognito-idp:ListUserPools", "*", NULL },
    { &idp_service, "TagResource", "{'ResourceArn':'arn:aws:cognito-idp:us-east-1:1:userpool/p'}",
      "cognito-idp:TagResource", "arn:aws:cognito-idp:us-east-1:1:userpool/p", NULL },
    { &iam_service, "GetUser", "{'UserName':'bob'}", "iam:GetUser", "arn:aws:iam::111111111111:user/bob",
      NULL },
    { &iam_service, "GetUser", "{}", "iam:GetUser", "arn:aws:iam::111111111111:user/caller", NULL },
    { &iam_service, "CreateUser", "{'UserName':'bob'}", "iam:CreateUser",
      "arn:aws:iam::111111111111:user/bob", NULL },
    { &iam_service, "CreateUser", "{'UserName':'bob','Path':'/dev/'}", "iam:CreateUser",
      "arn:aws:iam::111111111111:user/dev/bob", NULL },
    { &iam_service, "ListUsers", "{}", "iam:ListUsers", "*", "arn:aws:iam::111111111111:user/" },
    { &iam_service, "CreateOpenIDConnectProvider", "{'Url':'https://id.example.com/x'}",
      "iam:CreateOpenIDConnectProvider", "arn:aws:iam::111111111111:oidc-provider/id.example.com/x", NULL },
    { &sts_service, "AssumeRole", "{'RoleArn':'arn:aws:iam::1:role/r'}", "sts:AssumeRole",
      "arn:aws:iam::1:role/r", NULL },
    { &apigw_service, "CreateResource", "{'restApiId':'abc','parentId':'def'}", "apigateway:POST",
      "arn:aws:apigateway:us-east-1::/restapis/abc/resources/def", NULL },
    { &apiv2_service, "GetRoutes", "{'ApiId':'abc'}", "apigateway:GET",
      "arn:aws:apigateway:us-east-1::/apis/abc/routes", NULL },
    { &apiv2_service, "CreateRoutingRule", "{'DomainName':'a.example'}", "apigateway:CreateRoutingRule",
      "arn:aws:apigateway:us-east-1:111111111111:/domainnames/a.example/routingrules/*", NULL },
    { &lambda_service, "Invoke", "{'FunctionName':'f'}", "lambda:InvokeFunction",
      "arn:aws:lambda:us-east-1:111111111111:function:f", NULL },
    { &lambda_service, "Invoke", "{'FunctionName':'f','Qualifier':'PROD'}", "lambda:InvokeFunction",
      "arn:aws:lambda:us-east-1:111111111111:function:f:PROD", NULL },
    { &lambda_service, "Invoke", "{'FunctionName':'222222222222:function:f'}", "lambda:InvokeFunction",
      "arn:aws:lambda:us-east-1:111111111111:function:f", NULL },
    { &lambda_service, "Invoke", "{'FunctionName':'arn:aws:lambda:eu-west-1:2:function:g'}",
      "lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:2:function:g", NULL },
    { &lambda_service, "GetLayerVersion", "{'LayerName':'l','VersionNumber':3}", "lambda:GetLayerVersion",
      "arn:aws:lambda:us-east-1:111111111111:layer:l:3", NULL },
};

static void test_resources(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 16);
    const struct principal caller = { .kind = PRINCIPAL_USER,
                                      .arn = STR("arn:aws:iam::111111111111:user/caller") };
    for (size_t i = 0; i < COUNT(resources); i++) {
        const struct operation *operation = NULL;
        for (size_t o = 0; o < resources[i].service->n_operations; o++)
            if (!strcmp(resources[i].service->operations[o].name, resources[i].operation))
                operation = &resources[i].service->operations[o];
        assert_non_null(operation);
        const struct call call = { .arena = arena,
                                   .account = STR("111111111111"),
                                   .region = STR("us-east-1"),
                                   .partition = STR("aws"),
                                   .principal = &caller,
                                   .operation = operation };
        char *json = (char *)str_c(arena, str_of(resources[i].input));
        for (char *c = json; *c; c++)
            *c = *c == '\'' ? '"' : *c;
        void *in = arena_zalloc(arena, operation->in->alloc);
        assert_true(shape_parse(arena, operation->in, str_of(json), in));
        struct str shown, resource = resource_of(&call, in, &shown);
        if (strcmp(operation->action, resources[i].action) || !str_is(resource, resources[i].resource) ||
            !str_eq(shown, str_of(resources[i].shown)))
            fail_msg("row %zu %s: %s %.*s %.*s", i, operation->name, operation->action, STR_FMT(resource),
                     STR_FMT(shown));
    }
    arena_free(arena);
}

static void test_tags_become_condition_keys(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct iam_Tag tags[] = { { STR("team"), STR("red") }, { STR("cost"), STR("7") } };
    struct iam_Tag *items[] = { &tags[0], &tags[1] };
    struct iam_CreateUser_in in = { .tags = { true, 2, items }, .permissions_boundary = STR("arn:aws:iam::1:policy/b") };
    static const char *const own[] = { "iam:PermissionsBoundary|PermissionsBoundary", NULL };
    const struct operation operation = { .in = &iam_shape_CreateUser_in, .keys = own };
    const struct call call = { .arena = arena, .service = &iam_service, .operation = &operation };
    struct policy_context context = policy_context_in(arena);
    request_keys(&call, &in, &context);
    const struct policy_key *team = policy_context_find(context.keys, context.n, STR("aws:RequestTag/team"));
    const struct policy_key *keys = policy_context_find(context.keys, context.n, STR("aws:TagKeys"));
    const struct policy_key *boundary = policy_context_find(context.keys, context.n, STR("iam:PermissionsBoundary"));
    assert_true(boundary && str_is(boundary->values[0], "arn:aws:iam::1:policy/b"));
    assert_null(policy_context_find(context.keys, context.n, STR("iam:PolicyARN")));
    assert_true(team && team->n == 1 && str_is(team->values[0], "red"));
    assert_true(keys && keys->n == 2 && str_is(keys->values[1], "cost"));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_find_their_operation),
        cmocka_unit_test(test_every_operation_is_found_by_its_own_path),
        cmocka_unit_test(test_capabilities_count_every_operation),
        cmocka_unit_test(test_resources),
        cmocka_unit_test(test_tags_become_condition_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
