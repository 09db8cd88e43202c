/* The data plane over real sockets: one loop, one API, functions answered by the test itself. */
#include "vectors.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/embed.h"
#include "gateway/stage/stage.h"
#include "gateway/state.h"

/* Names in the document stand for what the test is about. */
static const char api[] =
    "{'id':'abc','name':'pets','rootResourceId':'r',"
    "'authorizers':{"
    " 'tok':{'id':'tok','name':'token','type':'TOKEN','identitySource':'method.request.header.Auth',"
    "   'identityValidationExpression':'[a-z-]+','authorizerUri':'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/authorizer/invocations'},"
    " 'nosource':{'id':'nosource','name':'nosource','type':'REQUEST','authorizerResultTtlInSeconds':300,"
    "   'authorizerUri':'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/authorizer/invocations'}},"
    "'gatewayResponses':{'THROTTLED':{'responseType':'THROTTLED','statusCode':'420',"
    "   'responseParameters':{'gatewayresponse.header.X-Why':'\\'slow down\\'','gatewayresponse.header.X-Path':'context.resourcePath'},"
    "   'responseTemplates':{'application/json':'{\"m\":$context.error.messageString,\"t\":\"$context.error.responseType\",\"s\":\"$stageVariables.color\",\"q\":\"$method.request.querystring.q\"}'}}},"
    "'resources':{'r':{'id':'r','path':'/','resourceMethods':{'GET':{'authorizationType':'NONE',"
    "   'methodResponses':{'200':{}},"
    "   'methodIntegration':{'type':'MOCK','requestTemplates':{'application/json':'{statusCode: 200}'},"
    "   'integrationResponses':{'200':{'statusCode':'200','responseParameters':{'method.response.header.X-Var':'stageVariables.color','method.response.header.Date':'\\'never\\''},"
    "     'responseTemplates':{'application/json':'{\"id\":\"$context.requestId\",\"path\":\"$context.path\",\"color\":\"$stageVariables.color\"}'}}}}}}},"
    "'m':{'id':'m','path':'/mock/{name}','resourceMethods':{'POST':{'authorizationType':'NONE',"
    "   'methodResponses':{'200':{},'404':{}},"
    "   'methodIntegration':{'type':'MOCK','passthroughBehavior':'NEVER','requestTemplates':{'application/json':'#set($c = $input.path(\\'$.code\\'))#if($c == \"\")#set($c = 200)#end{\"statusCode\": $c}'},"
    "   'integrationResponses':{'200':{'statusCode':'200','responseTemplates':{'application/json':'hello $input.params(\\'name\\')'}},"
    "     '404':{'statusCode':'404','selectionPattern':'4..','responseTemplates':{'application/json':'#set($context.responseOverride.status = 418)#set($context.responseOverride.header.X-Tea = \"pot\")gone'}},"
    "     '500':{'statusCode':'500','selectionPattern':'5..'}}}}}},"
    "'p':{'id':'p','path':'/fn','resourceMethods':{'ANY':{'authorizationType':'NONE',"
    "   'methodIntegration':{'type':'AWS_PROXY','httpMethod':'POST','uri':'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/proxy/invocations'}}}},"
    "'g':{'id':'g','path':'/get','resourceMethods':{'ANY':{'authorizationType':'NONE',"
    "   'methodIntegration':{'type':'AWS_PROXY','httpMethod':'GET','uri':'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/proxy/invocations'}}}},"
    "'c':{'id':'c','path':'/custom','resourceMethods':{'POST':{'authorizationType':'NONE','methodResponses':{'200':{},'400':{}},"
    "   'methodIntegration':{'type':'AWS','httpMethod':'POST','uri':'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/custom/invocations',"
    "   'requestTemplates':{'application/json':'{\"in\":$input.json(\\'$.a\\')}'},"
    "   'integrationResponses':{'200':{'statusCode':'200'},'400':{'statusCode':'400','selectionPattern':'Bad.*','responseTemplates':{'application/json':'{\"e\":\"$input.path(\\'$.errorMessage\\')\"}'}}}}}}},"
    "'al':{'id':'al','path':'/alpha','resourceMethods':{'GET':{'authorizationType':'CUSTOM','authorizerId':'tok',"
    "   'methodIntegration':{'type':'AWS_PROXY','httpMethod':'POST','uri':'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/proxy/invocations'}}}},"
    "'be':{'id':'be','path':'/beta','resourceMethods':{'GET':{'authorizationType':'CUSTOM','authorizerId':'tok',"
    "   'methodIntegration':{'type':'AWS_PROXY','httpMethod':'POST','uri':'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/proxy/invocations'}}}},"
    "'ns':{'id':'ns','path':'/nosource','resourceMethods':{'GET':{'authorizationType':'CUSTOM','authorizerId':'nosource',"
    "   'methodIntegration':{'type':'AWS_PROXY','httpMethod':'POST','uri':'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/proxy/invocations'}}}},"
    "'th':{'id':'th','path':'/slow','resourceMethods':{'GET':{'authorizationType':'NONE','methodResponses':{'200':{}},"
    "   'methodIntegration':{'type':'MOCK','requestTemplates':{'application/json':'{statusCode:200}'},'integrationResponses':{'200':{'statusCode':'200'}}}}}},"
    "'re':{'id':'re','path':'/required','resourceMethods':{'GET':{'authorizationType':'NONE','requestValidatorId':'v','methodResponses':{'200':{}},"
    "   'requestParameters':{'method.request.header.X-Need':true,'method.request.querystring.q':true,'method.request.querystring.maybe':false},"
    "   'methodIntegration':{'type':'MOCK','requestTemplates':{'application/json':'{statusCode:200}'},'integrationResponses':{'200':{'statusCode':'200'}}}}}}},"
    "'requestValidators':{'v':{'id':'v','name':'v','validateRequestBody':false,'validateRequestParameters':true}}}";
static const char stage_doc[] = "{'stageName':'dev','variables':{'color':'green'},"
                                "'accessLogSettings':{'format':'$context.httpMethod $context.status $context.identity.user'},"
                                "'methodSettings':{'slow/GET':{'throttlingRateLimit':0.001,'throttlingBurstLimit':1}}}";

struct world {
    struct arena *arena;
    struct env env;
    struct loop *loop;
    struct http_server *server;
    struct gateway *gateway;
    struct db *db;
    char path[64];
    pthread_t thread;
    /* what the functions do */
    const char *answer;        /* of proxy and custom */
    enum invoke_result result;
    const char *policy;        /* of the authorizer */
    enum invoke_result policy_result;
    int authorizer_calls;
    char *event;               /* the last payload */
};
static struct world world;

/* --- functions: the test is the runtime --- */

static void answered(struct loop_task *task)
{
    struct invocation *invocation = (struct invocation *)(void *)((char *)task - offsetof(struct invocation, task));
    invocation->done(invocation);
}

static void start_function(void *ctx, struct invocation *invocation)
{
    (void)ctx;
    bool authorizer = str_is(invocation->function, "authorizer");
    if (authorizer)
        world.authorizer_calls++;
    free(world.event);
    world.event = strndup(invocation->payload.ptr, invocation->payload.len);
    invocation->result = authorizer ? world.policy_result : world.result;
    invocation->answer = str_copy(invocation->arena, str_of(authorizer ? world.policy : world.answer));
    invocation->message = STR("as the test wants");
    invocation->task.fn = answered;
    loop_post(invocation->home, &invocation->task);
}

static const struct invoker invoker = { NULL, start_function };

/* --- the server --- */

static void on_request(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    gateway_serve(world.gateway, x, STR("abc"), STR_NONE, x->path);
}
static void on_done(void *ctx, struct http_exchange *x, bool complete)
{
    (void)ctx;
    gateway_exchange_done(world.gateway, x, complete);
}

static void *run_loop(void *loop)
{
    loop_run(loop);
    return NULL;
}

static struct str with_quotes(struct arena *arena, const char *text)
{
    char *copy = (char *)(uintptr_t)str_copy(arena, str_of(text)).ptr;
    struct strbuf out = strbuf_in(arena, strlen(text));
    for (char *p = copy; *p; p++) {
        if (p[0] == '\\' && p[1] == '\'') { /* \' is a quote of the template's */
            strbuf_char(&out, '\'');
            p++;
        } else if (*p == '"') {
            strbuf_add(&out, STR("\\\""));
        } else {
            strbuf_char(&out, *p == '\'' ? '"' : *p);
        }
    }
    return strbuf_view(&out);
}

static void open_database(void)
{
    struct migration steps[8];
    struct str why;
    int code;
    size_t n = 0;
    for (const struct embedded_file *file = embedded_migrations; file->path; file++)
        if (str_starts(str_of(file->path), STR("gateway/store/")))
            steps[n++] = (struct migration){ "gateway", atoi(file->path + strlen("gateway/store/")), file->bytes };
    snprintf(world.path, sizeof world.path, "/tmp/gh_test_gateway_XXXXXX");
    close(mkstemp(world.path));
    world.db = db_open(world.path, world.arena, &why, &code);
    assert_non_null(world.db);
    assert_true(db_migrate(world.db, steps, n, world.arena, &why, &code));
}

static struct snapshot *compile(struct arena *arena, const char *doc, const char *settings, struct str *why)
{
    const struct stage_source source = { .account = STR("000000000000"), .region = STR("us-east-1"),
                                         .api_id = STR("abc"), .stage = STR("dev"), .deployment_id = STR("d1"),
                                         .api = json_parse(arena, with_quotes(arena, doc), why),
                                         .settings = json_parse(arena, with_quotes(arena, settings), why) };
    if (!source.api || !source.settings)
        fail_msg("%.*s", STR_FMT(*why));
    return snapshot_compile(&source, STR("aws"), arena, why);
}

static int setup(void **state)
{
    (void)state;
    struct str why = STR_NONE;
    world.arena = arena_new(65536);
    env_system(&world.env);
    world.loop = loop_new(&world.env);
    open_database();
    const struct gateway_config config = { .env = &world.env, .db = world.db, .invoker = &invoker,
                                           .loops = &world.loop, .n_loops = 1, .partition = STR("aws"),
                                           .explain = true };
    world.gateway = gateway_open(&config, world.arena, &why);
    assert_non_null(world.gateway);
    struct snapshot *snapshot = compile(world.arena, api, stage_doc, &why);
    if (!snapshot)
        fail_msg("%.*s", STR_FMT(why));
    gateway_install(&world.gateway->loops[0], STR("abc/dev"), snapshot);
    const struct http_server_config server = { .addr = "127.0.0.1", .listen_fd = -1, .max_head_bytes = 12288,
                                               .idle_timeout_s = 30, .max_connections = 64,
                                               .on_request = on_request, .on_done = on_done };
    world.server = http_server_new(world.loop, &server, world.arena, &why);
    assert_non_null(world.server);
    return pthread_create(&world.thread, NULL, run_loop, world.loop);
}

static int teardown(void **state)
{
    (void)state;
    static const char *const ends[] = { "", "-wal", "-shm" };
    loop_stop(world.loop);
    pthread_join(world.thread, NULL);
    http_server_free(world.server);
    gateway_close(world.gateway);
    loop_free(world.loop);
    db_close(world.db);
    for (size_t i = 0; i < COUNT(ends); i++)
        unlink(str_printf(world.arena, "%s%s", world.path, ends[i]).ptr);
    arena_free(world.arena);
    free(world.event);
    return 0;
}

/* --- the client --- */

static struct str ask(struct arena *arena, const char *request)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(http_server_port(world.server)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char piece[4096];
    struct strbuf answer = strbuf_in(arena, 4096);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(write(fd, request, strlen(request)), strlen(request));
    for (ssize_t n; (n = read(fd, piece, sizeof piece)) > 0;)
        strbuf_add(&answer, (struct str){ piece, (size_t)n });
    close(fd);
    return strbuf_view(&answer);
}

/* "GET /x" with headers ("A: b\r\n") and body; Connection: close ends it. */
static struct str call(struct arena *arena, const char *line, const char *headers, const char *body)
{
    return ask(arena, str_printf(arena, "%s HTTP/1.1\r\nHost: abc.execute-api.us-east-1.localhost:4566\r\n"
                                        "Connection: close\r\n%s%s%s\r\n%s",
                                 line, headers, body[0] ? "Content-Length: " : "",
                                 body[0] ? str_printf(arena, "%zu\r\n", strlen(body)).ptr : "", body).ptr);
}

static bool has(struct str text, const char *what)
{
    return str_find_str(text, str_of(what)) >= 0;
}

#define PROXY_OK "{\"statusCode\":200,\"body\":\"ok\"}"

static const struct {
    const char *name, *line, *headers, *body, *answer;
    enum invoke_result result;
    const char *status;        /* begins the answer */
    const char *contains[4];
    const char *lacks;
} rows[] = {
    { "MOCK with stage variable and context", "GET /dev", "", "", NULL, 0, "HTTP/1.1 200",
      { "X-Var: green", "\"path\":\"/dev/\"", "\"color\":\"green\"", "x-gatehouse-trace: " }, "X-Amzn-Trace-Id" },
    { "a Date that is mapped comes out remapped", "GET /dev/", "", "", NULL, 0, "HTTP/1.1 200",
      { "x-amzn-Remapped-Date: never", "x-amz-apigw-id: " }, NULL },
    { "unknown stage", "GET /prod/", "", "", NULL, 0, "HTTP/1.1 403",
      { "{\"message\":\"Forbidden\"}", "x-amzn-ErrorType: ForbiddenException" }, NULL },
    { "no resource", "GET /dev/nowhere", "", "", NULL, 0, "HTTP/1.1 403",
      { "{\"message\":\"Missing Authentication Token\"}", "x-amzn-ErrorType: MissingAuthenticationTokenException",
        "Access-Control-Allow-Origin: *" }, NULL },
    { "wrong method, as recorded the same", "DELETE /dev/", "", "", NULL, 0, "HTTP/1.1 403",
      { "{\"message\":\"Missing Authentication Token\"}" }, NULL },
    { "no resource, and an Authorization that is no signature", "GET /dev/nowhere", "Authorization: Bearer abc\r\n", "",
      NULL, 0, "HTTP/1.1 403", { "IncompleteSignatureException", "missing equal-sign" }, NULL },
    { "MOCK chooses by statusCode", "POST /dev/mock/ann", "Content-Type: application/json\r\n", "{\"code\":200}", NULL, 0,
      "HTTP/1.1 200", { "hello ann" }, NULL },
    { "overrides of status and header", "POST /dev/mock/ann", "", "{\"code\":404}", NULL, 0, "HTTP/1.1 418",
      { "X-Tea: pot", "gone" }, NULL },
    { "an integration response whose status is not declared", "POST /dev/mock/ann", "", "{\"code\":503}", NULL, 0,
      "HTTP/1.1 500", { "{\"message\": \"Internal server error\"}", "InternalServerErrorException" }, NULL },
    { "statusCode that is none", "POST /dev/mock/ann", "", "{\"code\":\"x\"}", NULL, 0, "HTTP/1.1 500",
      { "{\"message\": \"Internal server error\"}" }, NULL },
    { "no template for the type, passthrough NEVER", "POST /dev/mock/ann", "Content-Type: text/plain\r\n", "x", NULL, 0,
      "HTTP/1.1 415", { "{\"message\":\"Unsupported Media Type\"}" }, NULL },
    { "AWS_PROXY", "GET /dev/fn", "", "", PROXY_OK, INVOKE_OK, "HTTP/1.1 200",
      { "\r\n\r\nok", "Content-Type: application/json", "X-Amzn-Trace-Id: Root=1-" }, NULL },
    { "AWS_PROXY: {} is fine", "GET /dev/fn", "", "", "{}", INVOKE_OK, "HTTP/1.1 200", { "Content-Length: 0" }, NULL },
    { "AWS_PROXY: numeric string, headers, multi-value joined", "GET /dev/fn", "", "",
      "{\"statusCode\":\"201\",\"headers\":{\"a-b\":\"solo\",\"flag\":true,\"Server\":\"x\"},\"multiValueHeaders\":{\"A-B\":[\"m\"]}}",
      INVOKE_OK, "HTTP/1.1 201", { "A-B: m, solo", "flag: true", "x-amzn-Remapped-Server: x" }, NULL },
    { "AWS_PROXY: no object", "GET /dev/fn", "", "", "\"text\"", INVOKE_OK, "HTTP/1.1 502",
      { "{\"message\": \"Internal server error\"}", "x-amzn-ErrorType: InternalServerErrorException" }, NULL },
    { "AWS_PROXY: null", "GET /dev/fn", "", "", "null", INVOKE_OK, "HTTP/1.1 502", { "Internal server error" }, NULL },
    { "AWS_PROXY: an unknown member", "GET /dev/fn", "", "", "{\"status\":200}", INVOKE_OK, "HTTP/1.1 502",
      { "Internal server error" }, NULL },
    { "AWS_PROXY: a body that is no string", "GET /dev/fn", "", "", "{\"body\":{}}", INVOKE_OK, "HTTP/1.1 502",
      { "Internal server error" }, NULL },
    { "AWS_PROXY: a header with a line break does not split the answer", "GET /dev/fn", "", "",
      "{\"headers\":{\"x\":\"a\\r\\nEvil: 1\"}}", INVOKE_OK, "HTTP/1.1 200", { "Content-Length: 0" }, "Evil" },
    { "AWS_PROXY: the function fails", "GET /dev/fn", "", "", "{\"errorMessage\":\"secret\"}", INVOKE_FUNCTION_ERROR,
      "HTTP/1.1 502", { "{\"message\": \"Internal server error\"}" }, "secret" },
    { "AWS_PROXY: no such function", "GET /dev/fn", "", "", "", INVOKE_NOT_FOUND, "HTTP/1.1 500",
      { "Internal server error" }, NULL },
    { "AWS_PROXY: too slow", "GET /dev/fn", "", "", "", INVOKE_TIMED_OUT, "HTTP/1.1 504",
      { "{\"message\": \"Endpoint request timed out\"}" }, NULL },
    { "AWS_PROXY by GET is 500 at run time, recorded", "GET /dev/get", "", "", PROXY_OK, INVOKE_OK, "HTTP/1.1 500",
      { "{\"message\": \"Internal server error\"}" }, NULL },
    { "AWS custom: the answer passes through", "POST /dev/custom", "", "{\"a\":[1]}", "{\"x\":1}", INVOKE_OK,
      "HTTP/1.1 200", { "\r\n\r\n{\"x\":1}" }, NULL },
    { "AWS custom: an error chosen by its message", "POST /dev/custom", "", "{}", "{\"errorMessage\":\"Bad luck\"}",
      INVOKE_FUNCTION_ERROR, "HTTP/1.1 400", { "{\"e\":\"Bad luck\"}" }, NULL },
    { "AWS custom: an unmatched error is the default's, 200", "POST /dev/custom", "", "{}", "{\"errorMessage\":\"Other\"}",
      INVOKE_FUNCTION_ERROR, "HTTP/1.1 200", { "{\"errorMessage\":\"Other\"}" }, NULL },
    { "required parameters", "GET /dev/required", "", "", NULL, 0, "HTTP/1.1 400",
      { "{\"message\":\"Missing required request parameters: [X-Need, q]\"}", "BadRequestException" }, NULL },
    { "required parameters are there", "GET /dev/required?q=1", "X-Need: y\r\n", "", NULL, 0, "HTTP/1.1 200", { 0 }, NULL },
    { "the method can be overridden", "GET /dev/mock/ann", "X-HTTP-Method-Override: POST\r\n", "", NULL, 0,
      "HTTP/1.1 200", { "hello ann" }, NULL },
    { "but not by a made-up one", "GET /dev/mock/ann", "X-HTTP-Method-Override: BREW\r\n", "", NULL, 0, "HTTP/1.1 403",
      { "Missing Authentication Token" }, NULL },
};

static void answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(16384);
        world.answer = rows[i].answer ? rows[i].answer : "";
        world.result = rows[i].result;
        struct str got = call(arena, rows[i].line, rows[i].headers, rows[i].body);
        if (!str_starts(got, str_of(rows[i].status)))
            fail_msg("%s: %s", rows[i].name, got.ptr);
        for (size_t k = 0; k < COUNT(rows[i].contains) && rows[i].contains[k]; k++)
            if (!has(got, rows[i].contains[k]))
                fail_msg("%s: no %s in %s", rows[i].name, rows[i].contains[k], got.ptr);
        if (rows[i].lacks && has(got, rows[i].lacks))
            fail_msg("%s: %s in %s", rows[i].name, rows[i].lacks, got.ptr);
        if (!has(got, "x-amzn-RequestId: "))
            fail_msg("%s: no request id", rows[i].name);
        arena_free(arena);
    }
}

/* A configured gateway response: status, header, template with every kind of reference. */
static void throttled(void **state)
{
    (void)state;
    struct arena *arena = arena_new(16384);
    assert_true(has(call(arena, "GET /dev/slow", "", ""), "HTTP/1.1 200"));
    struct str got = call(arena, "GET /dev/slow?q=x%20y", "", "");
    if (!has(got, "HTTP/1.1 420") || !has(got, "X-Why: slow down") || !has(got, "X-Path: /slow") ||
        !has(got, "{\"m\":\"Too Many Requests\",\"t\":\"THROTTLED\",\"s\":\"green\",\"q\":\"x y\"}"))
        fail_msg("%s", got.ptr);
    arena_free(arena);
}

/* The paths of a JSON document, "a.b" each, with null told apart. */
static void the_event_is_awss(void **state)
{
    (void)state;
    struct arena *arena = arena_new(65536);
    world.answer = PROXY_OK;
    world.result = INVOKE_OK;
    call(arena, "POST /dev/fn?a=1&a=2&b=%2B+x", "X-Two: 1\r\nx-two: 2\r\nContent-Type: text/plain\r\n", "hi \"you\"");
    json_t *event = json_parse(arena, str_of(world.event), NULL);
    assert_non_null(event);
    static const struct {
        const char *path, *want;
    } members[] = {
        { "resource", "\"/fn\"" },
        { "path", "\"/fn\"" },
        { "httpMethod", "\"POST\"" },
        { "headers.X-Two", "\"2\"" },
        { "multiValueHeaders.X-Two", "[\"1\",\"2\"]" },
        { "headers.X-Forwarded-Proto", "\"http\"" },
        { "headers.X-Forwarded-Port", "\"4566\"" },
        { "headers.X-Forwarded-For", "\"127.0.0.1\"" },
        { "headers.Content-Length", NULL },
        { "headers.Connection", NULL },
        { "queryStringParameters", "{\"a\":\"2\",\"b\":\"+ x\"}" },
        { "multiValueQueryStringParameters", "{\"a\":[\"1\",\"2\"],\"b\":[\"+ x\"]}" },
        { "pathParameters", "null" },
        { "stageVariables", "{\"color\":\"green\"}" },
        { "requestContext.path", "\"/dev/fn\"" },
        { "requestContext.stage", "\"dev\"" },
        { "requestContext.accountId", "\"000000000000\"" },
        { "requestContext.deploymentId", "\"d1\"" },
        { "requestContext.domainPrefix", "\"abc\"" },
        { "requestContext.resourcePath", "\"/fn\"" },
        { "requestContext.protocol", "\"HTTP/1.1\"" },
        { "requestContext.identity.sourceIp", "\"127.0.0.1\"" },
        { "requestContext.identity.userArn", "null" },
        { "requestContext.identity.cognitoIdentityPoolId", "null" },
        { "requestContext.authorizer", NULL },
        { "body", "\"hi \\\"you\\\"\"" },
        { "isBase64Encoded", "false" },
    };
    for (size_t i = 0; i < COUNT(members); i++) {
        json_t *at = event;
        struct str path = str_of(members[i].path), name;
        while (at && str_split(&path, '.', &name))
            at = json_at(at, name);
        struct str got = at ? json_print(arena, at) : STR_NONE;
        if (!str_eq(got, str_of(members[i].want)))
            fail_msg("%s: %.*s", members[i].path, STR_FMT(got));
    }
    arena_free(arena);
}

/* Every member of the recorded event, and no other. */
static void same_members(const char *where, json_t *ours, json_t *recorded)
{
    const char *name;
    json_t *value;
    json_object_foreach(recorded, name, value)
        if (!json_object_get(ours, name))
            fail_msg("%s lacks %s", where, name);
    json_object_foreach(ours, name, value)
        if (!json_object_get(recorded, name))
            fail_msg("%s has %s, which AWS does not send", where, name);
}

static void the_event_has_the_recorded_members(void **state)
{
    (void)state;
    struct arena *arena = arena_new(65536);
    json_t *all = vector_json(arena, "aws-recorded/snapshots/test_apigateway_lambda.snapshot.json"), *one, *recorded = NULL;
    const char *name;
    json_object_foreach(all, name, one)
        if (str_ends(str_of(name), STR("::test_lambda_aws_proxy_integration")))
            recorded = json_object_get(json_object_get(one, "recorded-content"), "invocation-payload-without-trailing-slash");
    assert_non_null(recorded);
    world.answer = PROXY_OK;
    world.result = INVOKE_OK;
    call(arena, "GET /dev/fn", "", "");
    json_t *event = json_parse(arena, str_of(world.event), NULL);
    same_members("event", event, recorded);
    json_t *context = json_object_get(event, "requestContext"), *theirs = json_object_get(recorded, "requestContext");
    same_members("requestContext", context, theirs);
    same_members("identity", json_object_get(context, "identity"), json_object_get(theirs, "identity"));
    arena_free(arena);
}

/* AWS's table of types: status and x-amzn-ErrorType of each (reference/apigateway-rest.md, 2). */
static void gateway_response_types(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        int status;
        const char *error_type;
    } types[] = {
        { "ACCESS_DENIED", 403, "AccessDeniedException" },
        { "API_CONFIGURATION_ERROR", 500, "InternalServerErrorException" },
        { "AUTHORIZER_CONFIGURATION_ERROR", 500, "AuthorizerConfigurationException" },
        { "AUTHORIZER_FAILURE", 500, "AuthorizerConfigurationException" },
        { "BAD_REQUEST_BODY", 400, "BadRequestException" },
        { "BAD_REQUEST_PARAMETERS", 400, "BadRequestException" },
        { "EXPIRED_TOKEN", 403, "ExpiredTokenException" },
        { "INTEGRATION_FAILURE", 504, "InternalServerErrorException" },
        { "INTEGRATION_TIMEOUT", 504, "InternalServerErrorException" },
        { "INVALID_API_KEY", 403, "ForbiddenException" },
        { "INVALID_SIGNATURE", 403, "InvalidSignatureException" },
        { "MISSING_AUTHENTICATION_TOKEN", 403, "MissingAuthenticationTokenException" },
        { "QUOTA_EXCEEDED", 429, "LimitExceededException" },
        { "REQUEST_TOO_LARGE", 413, "RequestTooLargeException" },
        { "THROTTLED", 429, "TooManyRequestsException" },
        { "UNAUTHORIZED", 401, "UnauthorizedException" },
        { "UNSUPPORTED_MEDIA_TYPE", 415, "BadRequestException" },
        { "WAF_FILTERED", 403, "ForbiddenException" },
    };
    for (size_t i = 0; i < COUNT(types); i++) {
        int type = response_type_of(str_of(types[i].type));
        if (type < 0 || response_kinds[type].status != types[i].status ||
            strcmp(response_kinds[type].error_type, types[i].error_type) != 0)
            fail_msg("%s", types[i].type);
    }
    assert_int_equal(response_type_of(STR("NO_SUCH")), -1);
    assert_int_equal(RESPONSE_FIXED, GW_RESPONSE_TYPES);
}

#define ALLOW(resource) "{\"principalId\":\"me\",\"context\":{\"n\":1,\"t\":true},\"policyDocument\":{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"execute-api:Invoke\",\"Resource\":\"" resource "\"}]}}"
#define ALPHA "arn:aws:execute-api:us-east-1:000000000000:abc/dev/GET/alpha"

static void expect(const char *name, struct str got, const char *status, const char *contains, int calls)
{
    if (!has(got, status) || !has(got, contains) || world.authorizer_calls != calls)
        fail_msg("%s: %d calls, %s", name, world.authorizer_calls, got.ptr);
}

/* The cache holds the policy, not the verdict (USERS-WANT 61), and never what is malformed. */
static void policies_are_cached_verdicts_are_not(void **state)
{
    (void)state;
    struct arena *arena = arena_new(65536);
    world.answer = PROXY_OK;
    world.result = world.policy_result = INVOKE_OK;
    world.authorizer_calls = 0;
    world.policy = ALLOW(ALPHA);
    expect("no token: 401 without a call", call(arena, "GET /dev/alpha", "", ""), " 401 ", "{\"message\":\"Unauthorized\"}", 0);
    expect("empty token", call(arena, "GET /dev/alpha", "Auth: \r\n", ""), " 401 ", "Unauthorized", 0);
    expect("the expression refuses", call(arena, "GET /dev/alpha", "Auth: UPPER\r\n", ""), " 401 ", "Unauthorized", 0);
    expect("allowed", call(arena, "GET /dev/alpha", "Auth: one\r\n", ""), " 200 ", "ok", 1);
    assert_true(has(str_of(world.event), "\"n\":\"1\""));
    assert_true(has(str_of(world.event), "\"t\":\"true\""));
    assert_true(has(str_of(world.event), "\"principalId\":\"me\""));
    expect("allowed from the cache", call(arena, "GET /dev/alpha", "Auth: one\r\n", ""), " 200 ", "ok", 1);
    expect("the same policy does not open /beta", call(arena, "GET /dev/beta", "Auth: one\r\n", ""), " 403 ",
           "{\"Message\":\"User is not authorized to access this resource because no identity-based policy allows the "
           "execute-api:Invoke action\"}", 1);
    expect("another token is another policy", call(arena, "GET /dev/alpha", "Auth: two\r\n", ""), " 200 ", "ok", 2);
    world.policy = "{\"principalId\":\"me\",\"policyDocument\":{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":"
                   "\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}]}}";
    expect("explicit deny", call(arena, "GET /dev/alpha", "Auth: three\r\n", ""), " 403 ",
           "with an explicit deny in an identity-based policy", 3);
    static const char *const malformed[] = { "\"Allow\"", "{}", "{\"principalId\":\"me\"}", "null", "no json",
                                             "{\"principalId\":\"me\",\"policyDocument\":{\"Statement\":\"false\"}}",
                                             "{\"principalId\":\"me\",\"context\":{\"a\":{}},\"policyDocument\":{\"Version\":\"2012-10-17\",\"Statement\":[]}}" };
    for (size_t i = 0; i < COUNT(malformed); i++) {
        world.policy = malformed[i];
        expect(malformed[i], call(arena, "GET /dev/alpha", "Auth: four\r\n", ""), " 500 ", "{\"message\":null}", 4 + (int)i);
    }
    world.policy = ALLOW("*");
    expect("nothing malformed was kept", call(arena, "GET /dev/alpha", "Auth: four\r\n", ""), " 200 ", "ok", 4 + (int)COUNT(malformed));
    world.authorizer_calls = 0;
    world.policy_result = INVOKE_FUNCTION_ERROR;
    world.policy = "{\"errorMessage\":\"Unauthorized\"}";
    expect("Unauthorized by the function", call(arena, "GET /dev/alpha", "Auth: five\r\n", ""), " 401 ", "Unauthorized", 1);
    world.policy = "{\"errorMessage\":\"boom\"}";
    expect("another error", call(arena, "GET /dev/alpha", "Auth: five\r\n", ""), " 500 ", "{\"message\":null}", 2);
    world.policy_result = INVOKE_OK;
    world.authorizer_calls = 0;
    world.policy = ALLOW("*");
    expect("no identity source", call(arena, "GET /dev/nosource", "", ""), " 200 ", "ok", 1);
    expect("is never cached", call(arena, "GET /dev/nosource", "", ""), " 200 ", "ok", 2);
    arena_free(arena);
}

/* Values "a","bc" and "ab","c" are two keys; so are two stages. */
static void cache_keys(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    const struct snapshot dev = { .api_id = STR("abc"), .stage = STR("dev") }, prod = { .api_id = STR("abc"), .stage = STR("prod") };
    const struct gw_authorizer authorizer = { .id = STR("x"), .function = STR("f") };
    const struct str one[] = { STR("a"), STR("bc") }, two[] = { STR("ab"), STR("c") };
    struct str a = auth_cache_key(arena, &dev, &authorizer, one, 2);
    assert_false(str_eq(a, auth_cache_key(arena, &dev, &authorizer, two, 2)));
    assert_false(str_eq(a, auth_cache_key(arena, &prod, &authorizer, one, 2)));
    assert_true(str_eq(a, auth_cache_key(arena, &dev, &authorizer, one, 2)));
    arena_free(arena);
}

/* What a request did can be read by the id in its answer. */
static void traces(void **state)
{
    (void)state;
    struct arena *arena = arena_new(16384);
    struct str got = call(arena, "GET /dev/nowhere", "", "");
    ptrdiff_t at = str_find_str(got, STR("x-gatehouse-trace: "));
    assert_true(at > 0);
    struct str id = str_sub(got, (size_t)at + strlen("x-gatehouse-trace: "), TRACE_ID);
    json_t *record = json_parse(arena, gateway_trace(world.gateway, arena, id), NULL);
    assert_non_null(record);
    assert_true(str_is(json_str(record, "path"), "/nowhere"));
    assert_true(str_is(json_str(record, "stage"), "dev"));
    assert_int_equal(json_i64(record, "status", 0), 403);
    json_t *steps = json_object_get(record, "steps"), *route = json_array_get(steps, 1);
    assert_true(str_is(json_str(route, "step"), "route"));
    assert_true(json_is_true(json_object_get(route, "failed")));
    assert_true(str_is(json_str(json_array_get(json_object_get(route, "notes"), 0), "detail"), "GET /nowhere"));
    assert_null(gateway_trace(world.gateway, arena, STR("0123456789abcdef")).ptr);
    arena_free(arena);
}

static const struct {
    const char *name, *doc, *settings, *why;
} refusals[] = {
    { "a resource policy that is none", "{'policy':'{}'}", "{}", "policy: Syntax errors in policy." },
    { "PRIVATE without a policy", "{'endpointConfiguration':{'types':['PRIVATE']}}", "{}", "Private REST API doesn't have a resource policy attached to it" },
    { "missing authorizer", "{'resources':{'r':{'path':'/a','resourceMethods':{'GET':{'authorizationType':'CUSTOM','authorizerId':'x'}}}}}",
      "{}", "GET /a: authorizer 'x' is missing" },
    { "unknown authorization", "{'resources':{'r':{'path':'/a','resourceMethods':{'GET':{'authorizationType':'MAGIC'}}}}}", "{}",
      "GET /a: authorizationType MAGIC is not known" },
    { "template with an error", "{'resources':{'r':{'path':'/a','resourceMethods':{'GET':{'methodIntegration':{'type':'MOCK','requestTemplates':{'application/json':'#if(true)'}}}}}}}",
      "{}", "GET /a: request template application/json, line 1, column 10: #end expected" },
    { "endpoint that is none", "{'resources':{'r':{'path':'/a','resourceMethods':{'GET':{'methodIntegration':{'type':'HTTP_PROXY','uri':'file:///etc/passwd'}}}}}}",
      "{}", "GET /a: Invalid endpoint address ('file:///etc/passwd' is no http(s) address)" },
    { "a port of somebody's mail server", "{'resources':{'r':{'path':'/a','resourceMethods':{'GET':{'methodIntegration':{'type':'HTTP_PROXY','uri':'http://10.0.0.1:25/'}}}}}}",
      "{}", "GET /a: Invalid endpoint address ('http://10.0.0.1:25/': the port must be 80, 443 or at least 1024)" },
    { "a role of another account", "{'resources':{'r':{'path':'/a','resourceMethods':{'GET':{'methodIntegration':{'type':'AWS_PROXY','httpMethod':'POST','credentials':'arn:aws:iam::999999999999:role/r','uri':'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations'}}}}}}",
      "{}", "GET /a: the role arn:aws:iam::999999999999:role/r is another account's: cross-account pass role is not allowed" },
    { "credentials that are no role", "{'resources':{'r':{'path':'/a','resourceMethods':{'GET':{'methodIntegration':{'type':'AWS_PROXY','httpMethod':'POST','credentials':'arn:aws:iam::000000000000:user/u','uri':'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations'}}}}}}",
      "{}", "GET /a: the credentials 'arn:aws:iam::000000000000:user/u' are neither a role nor arn:aws:iam::*:user/*" },
    { "the caller's credentials without a caller", "{'resources':{'r':{'path':'/a','resourceMethods':{'GET':{'methodIntegration':{'type':'AWS_PROXY','httpMethod':'POST','credentials':'arn:aws:iam::*:user/*','uri':'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations'}}}}}}",
      "{}", "GET /a: the caller's credentials can only be passed through by a method with AWS_IAM" },
    { "an authorizer in another account's role", "{'authorizers':{'z':{'name':'z','type':'TOKEN','identitySource':'method.request.header.A','authorizerCredentials':'arn:aws:iam::999999999999:role/r','authorizerUri':'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations'}}}",
      "{}", "authorizer z: the role arn:aws:iam::999999999999:role/r is another account's: cross-account pass role is not allowed" },
    { "mapping", "{'resources':{'r':{'path':'/a','resourceMethods':{'GET':{'methodIntegration':{'type':'MOCK','requestParameters':{'integration.request.header.X':'magic.x'}}}}}}}",
      "{}", "GET /a: mapping source 'magic.x' is not known" },
};

static void what_cannot_be_served_is_refused_by_name(void **state)
{
    (void)state;
    struct arena *arena = arena_new(65536);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct str why = STR_NONE;
        struct snapshot *snapshot = compile(arena, refusals[i].doc, refusals[i].settings, &why);
        if (snapshot || !str_is(why, refusals[i].why))
            fail_msg("%s: %.*s", refusals[i].name, STR_FMT(why));
    }
    arena_free(arena);
}

/* A request on its way keeps its snapshot; a publish does not wait for it. */
static void replaced_snapshots_live_as_long_as_their_requests(void **state)
{
    (void)state;
    struct str why;
    struct gw_loop home = { .stages = map_new() };
    struct snapshot *first = compile(world.arena, "{}", "{}", &why), *second = compile(world.arena, "{}", "{}", &why);
    gateway_install(&home, STR("abc/dev"), snapshot_ref(first));
    struct gw_entry *entry = gateway_enter(&home, STR("abc"), STR("dev"));
    assert_ptr_equal(entry->snapshot, first);
    gateway_install(&home, STR("abc/dev"), snapshot_ref(second));
    assert_ptr_equal(entry->snapshot, first);
    assert_int_equal(atomic_load(&first->references), 2);
    gateway_leave(entry);
    assert_int_equal(atomic_load(&first->references), 1);
    struct gw_entry *now = gateway_enter(&home, STR("abc"), STR("dev"));
    assert_ptr_equal(now->snapshot, second);
    gateway_leave(now);
    snapshot_unref(first);
    snapshot_unref(now->snapshot);
    snapshot_unref(second);
    free(now);
    map_free(home.stages, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(throttled),
        cmocka_unit_test(the_event_is_awss),
        cmocka_unit_test(the_event_has_the_recorded_members),
        cmocka_unit_test(gateway_response_types),
        cmocka_unit_test(policies_are_cached_verdicts_are_not),
        cmocka_unit_test(cache_keys),
        cmocka_unit_test(traces),
        cmocka_unit_test(what_cannot_be_served_is_refused_by_name),
        cmocka_unit_test(replaced_snapshots_live_as_long_as_their_requests),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
