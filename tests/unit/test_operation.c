/* A management call from request to answer: order of the checks, error forms, what a handler sees. */
#include "tests/unit/vectors.h"

#include "core/log.h"
#include "wire/operation.h"

/* --- a made-up service in all three protocols --- */

struct greet_in {
    struct str name, pool;
    struct opt_i64 times;
};
struct greet_out {
    struct str text;
};

static const struct shape text_shape = { .name = "Text", .kind = SHAPE_STRING, .size = sizeof(struct str), .has_max = true, .max = 5 };
static const struct shape times_shape = { .name = "Times", .kind = SHAPE_INT, .size = sizeof(struct opt_i64) };
static const struct shape plain_shape = { .name = "Plain", .kind = SHAPE_STRING, .size = sizeof(struct str) };
static const struct member in_members[] = {
    { .name = "Name", .wire_name = "Name", .shape = &text_shape, .offset = offsetof(struct greet_in, name), .required = true },
    { .name = "Pool", .wire_name = "Pool", .shape = &plain_shape, .offset = offsetof(struct greet_in, pool) },
    { .name = "Times", .wire_name = "Times", .shape = &times_shape, .offset = offsetof(struct greet_in, times) },
};
static const struct member out_members[] = { { .name = "Text", .wire_name = "Text", .shape = &plain_shape, .offset = offsetof(struct greet_out, text) } };
static const struct shape in_shape = { .name = "GreetIn", .kind = SHAPE_STRUCT, .size = sizeof(void *), .alloc = sizeof(struct greet_in), .members = in_members, .n_members = 3 };
static const struct shape out_shape = { .name = "GreetOut", .kind = SHAPE_STRUCT, .size = sizeof(void *), .alloc = sizeof(struct greet_out), .members = out_members, .n_members = 1 };
static const struct shape empty_shape = { .name = "Empty", .kind = SHAPE_STRUCT, .size = sizeof(void *), .alloc = 1 };

static const struct gh_kind not_found = { "NoSuchEntityException", 404, false, "NoSuchEntity" };
static const struct gh_kind broken = { "ServiceException", 500, true, NULL };
static const struct gh_kind validation = { "ValidationException", 400, false, NULL };
static const struct gh_kind refusal = { "InvalidParameterValueException", 400, false, NULL };
static const struct error_form forms[] = { { &not_found, "Message", true }, { &broken, "message", true } };

static int runs;
static struct str seen_account, seen_region, seen_principal;

static gh_err greet(struct call *call, const void *in_ptr, void *out_ptr)
{
    const struct greet_in *in = in_ptr;
    struct greet_out *out = out_ptr;
    runs++;
    seen_account = str_copy(call->arena, call->account);
    seen_region = str_copy(call->arena, call->region);
    seen_principal = call->principal->arn;
    if (str_is(in->name, "gone"))
        return gh_fail(call->arena, &not_found, "No <%.*s> & co.", STR_FMT(in->name));
    if (str_is(in->name, "bug"))
        return gh_fail(call->arena, &broken, "broken");
    out->text = str_printf(call->arena, "Hello <%.*s>", STR_FMT(in->name));
    return NULL;
}
static gh_err nothing(struct call *call, const void *in, void *out)
{
    (void)call, (void)in, (void)out;
    return NULL;
}

#define OPERATION(name_, path_, arn_) .name = name_, .method = "POST", .path = path_, .status = 200, .in = &in_shape, .out = &out_shape, .run = greet, \
    .handler = (void (*)(void))greet, .action = "test:" name_, .arn = arn_, .output = true
static const struct operation json_operations[] = {
    { OPERATION("Greet", "/", "arn:{p}:test:{r}:{a}:pool/{Pool}") },
    { .name = "Later", .method = "POST", .path = "/", .status = 200, .in = &in_shape, .out = &out_shape, .run = greet, .action = "test:Later", .arn = "*" },
    { .name = "Nothing", .method = "POST", .path = "/", .status = 200, .in = &empty_shape, .out = &empty_shape, .run = nothing, .handler = (void (*)(void))nothing, .action = "test:Nothing", .arn = "*" },
    { OPERATION("Open", "/", "*"), .unsigned_ = true },
};
static const struct operation query_operations[] = { { OPERATION("Greet", "/", "*"), .result_wrapper = "GreetResult" } };
static const struct operation rest_operations[] = { { OPERATION("Greet", "/greetings", "*") } };

#define SERVICE(id_, protocol_, operations_) .id = id_, .signing_name = id_, .protocol = protocol_, .api_version = "2026-01-01", .validation = &validation, \
    .refusal = &refusal, .operations = operations_, .n_operations = COUNT(operations_), .errors = forms, .n_errors = 2
static const struct service json_service = { SERVICE("jsonish", PROTOCOL_JSON11, json_operations), .target_prefix = "JsonService" };
static const struct service query_service = { SERVICE("queryish", PROTOCOL_QUERY, query_operations), .xml_namespace = "https://q.example/" };
static const struct service rest_service = { SERVICE("restish", PROTOCOL_REST_JSON, rest_operations) };
static const char *const refused[] = { "Greet.Times", NULL };
static const struct registered services[] = { { &json_service, NULL, refused }, { &query_service }, { &rest_service } };

/* --- the world --- */

static int64_t now_us(void *ctx)
{
    (void)ctx;
    return 1795233600000000; /* 2026-11-21T04:00:00Z */
}
static void no_random(void *ctx, void *out, size_t n)
{
    (void)ctx;
    memset(out, 7, n);
}
static const struct env env = { NULL, now_us, now_us, no_random, NULL };
static const struct principal bob = { .kind = PRINCIPAL_USER, .account = STR("222222222222"), .arn = STR("arn:aws:iam::222222222222:user/bob"),
                                      .access_key_id = STR("AKIDEXAMPLE") };

static enum sigv4_verdict find(void *ctx, struct arena *arena, struct str id, struct str token, int64_t now_s, struct sigv4_key *out)
{
    (void)ctx, (void)arena, (void)token, (void)now_s;
    *out = (struct sigv4_key){ STR("secret"), &bob, NULL };
    return str_is(id, "AKIDEXAMPLE") ? SIGV4_OK : SIGV4_UNKNOWN_KEY;
}

static struct str asked_action, asked_resource;
static bool denied;
static bool allows(void *ctx, struct arena *arena, const void *credential, struct policy_request *request, struct policy_decision *decision)
{
    (void)ctx, (void)arena, (void)credential;
    asked_action = request->action;
    asked_resource = request->resource;
    decision->effect = denied ? POLICY_IMPLICIT_DENY : POLICY_ALLOW;
    decision->policy_type = STR("identity-based policy");
    return !denied;
}

enum signer { NOBODY, BOB, STRANGER, FORGER };
static const struct row {
    const char *name, *service, *method, *path, *type, *target, *body;
    enum signer signer;
    bool denied;
    int status;
    const char *error_type, *answer; /* answer: whole body */
    bool ran;
    const char *action, *resource;
} rows[] = {
    { "json", "jsonish", "POST", "/", "application/x-amz-json-1.1", "JsonService.Greet", "{\"Name\":\"you\",\"Pool\":\"p1\"}", BOB, false, 200, NULL,
      "{\"Text\":\"Hello <you>\"}", true, "test:Greet", "arn:aws:test:eu-west-1:222222222222:pool/p1" },
    { "query", "queryish", "POST", "/", "application/x-www-form-urlencoded", NULL, "Action=Greet&Version=2026-01-01&Name=you", BOB, false, 200, NULL,
      "<GreetResponse xmlns=\"https://q.example/\"><GreetResult><Text>Hello &lt;you&gt;</Text></GreetResult><ResponseMetadata><RequestId>ID</RequestId>"
      "</ResponseMetadata></GreetResponse>", true, "test:Greet", "*" },
    { "rest", "restish", "POST", "/greetings", "application/json", NULL, "{\"Name\":\"you\"}", BOB, false, 200, NULL, "{\"Text\":\"Hello <you>\"}", true },
    { "empty body is an empty input", "jsonish", "POST", "/", NULL, "JsonService.Nothing", "", BOB, false, 200, NULL, "" },
    { "an unsigned operation asks nobody", "jsonish", "POST", "/", NULL, "JsonService.Open", "{\"Name\":\"you\"}", NOBODY, true, 200, NULL, "{\"Text\":\"Hello <you>\"}", true },

    { "json: no signature", "jsonish", "POST", "/", NULL, "JsonService.Greet", "{}", NOBODY, false, 400, "MissingAuthenticationTokenException:",
      "{\"__type\":\"MissingAuthenticationTokenException\",\"message\":\"Missing Authentication Token\"}" },
    { "query: no signature", "queryish", "POST", "/", "application/x-www-form-urlencoded", NULL, "Action=Greet&Version=2026-01-01", NOBODY, false, 403, NULL,
      "<ErrorResponse xmlns=\"https://q.example/\"><Error><Type>Sender</Type><Code>MissingAuthenticationToken</Code><Message>Request is missing Authentication "
      "Token</Message></Error><RequestId>ID</RequestId></ErrorResponse>" },
    { "rest: no signature", "restish", "POST", "/greetings", NULL, NULL, "{}", NOBODY, false, 403, "MissingAuthenticationTokenException",
      "{\"message\":\"Missing Authentication Token\"}" },
    { "a key nobody made", "restish", "POST", "/greetings", NULL, NULL, "{\"Name\":\"you\"}", STRANGER, false, 403, "UnrecognizedClientException",
      "{\"message\":\"The security token included in the request is invalid.\"}" },
    { "the signature is looked at before the content", "jsonish", "POST", "/", NULL, "JsonService.Greet", "{nonsense", STRANGER, false, 400, "UnrecognizedClientException:", NULL },
    { "a wrong signature", "jsonish", "POST", "/", NULL, "JsonService.Greet", "{\"Name\":\"you\"}", FORGER, false, 400, "InvalidSignatureException:", NULL },

    { "broken JSON", "jsonish", "POST", "/", NULL, "JsonService.Greet", "{nonsense", BOB, false, 400, "SerializationException:", NULL },
    { "broken JSON, rest", "restish", "POST", "/greetings", NULL, NULL, "[1", BOB, false, 400, "SerializationException", NULL },
    { "wrong type", "jsonish", "POST", "/", NULL, "JsonService.Greet", "{\"Name\":true}", BOB, false, 400, "SerializationException:",
      "{\"__type\":\"SerializationException\",\"message\":\"class java.lang.Boolean can not be converted to an String\"}" },
    { "denied before values are looked at", "jsonish", "POST", "/", NULL, "JsonService.Greet", "{\"Name\":\"much too long\",\"Pool\":\"p1\"}", BOB, true, 400, "AccessDeniedException:",
      "{\"__type\":\"AccessDeniedException\",\"message\":\"User: arn:aws:iam::222222222222:user/bob is not authorized to perform: test:Greet on resource: "
      "arn:aws:test:eu-west-1:222222222222:pool/p1 because no identity-based policy allows the test:Greet action\"}" },
    { "denied, query", "queryish", "POST", "/", "application/x-www-form-urlencoded", NULL, "Action=Greet&Version=2026-01-01&Name=you", BOB, true, 403, NULL, NULL },
    { "denied, rest: Message", "restish", "POST", "/greetings", NULL, NULL, "{\"Name\":\"you\"}", BOB, true, 403, "AccessDeniedException",
      "{\"Message\":\"User: arn:aws:iam::222222222222:user/bob is not authorized to perform: test:Greet on resource: * because no identity-based policy "
      "allows the test:Greet action\"}" },
    { "a constraint", "jsonish", "POST", "/", NULL, "JsonService.Greet", "{\"Name\":\"much too long\"}", BOB, false, 400, "ValidationException:",
      "{\"__type\":\"ValidationException\",\"message\":\"1 validation error detected: Value 'much too long' at 'name' failed to satisfy constraint: Member must "
      "have length less than or equal to 5\"}" },
    { "bytes that are no text", "queryish", "POST", "/", "application/x-www-form-urlencoded", NULL, "Action=Greet&Version=2026-01-01&Name=%ff", BOB, false, 400, NULL,
      "<ErrorResponse xmlns=\"https://q.example/\"><Error><Type>Sender</Type><Code>MalformedInput</Code><Message>Invalid UTF-8</Message></Error><RequestId>ID</RequestId>"
      "</ErrorResponse>" },
    { "null is absent", "jsonish", "POST", "/", NULL, "JsonService.Greet", "{\"Name\":null}", BOB, false, 400, "ValidationException:", NULL },
    { "a member that is not supported", "jsonish", "POST", "/", NULL, "JsonService.Greet", "{\"Name\":\"you\",\"Times\":3}", BOB, false, 400, "InvalidParameterValueException:",
      "{\"__type\":\"InvalidParameterValueException\",\"message\":\"Greet: Times is not supported by Gatehouse yet\"}" },

    { "not built", "jsonish", "POST", "/", NULL, "JsonService.Later", "{}", BOB, false, 501, "NotImplemented:",
      "{\"__type\":\"NotImplemented\",\"message\":\"Later is not built in Gatehouse yet\"}" },
    { "unknown, json", "jsonish", "POST", "/", NULL, "JsonService.Frob", "{}", BOB, false, 400, "UnknownOperationException:", NULL },
    { "unknown, query", "queryish", "POST", "/", "application/x-www-form-urlencoded", NULL, "Action=Frob&Version=2026-01-01", BOB, false, 400, NULL,
      "<ErrorResponse xmlns=\"https://q.example/\"><Error><Type>Sender</Type><Code>InvalidAction</Code><Message>Could not find operation Frob for version "
      "2026-01-01</Message></Error><RequestId>ID</RequestId></ErrorResponse>" },
    { "unknown, rest", "restish", "POST", "/frobs", NULL, NULL, "{}", BOB, false, 403, "MissingAuthenticationTokenException", "{\"message\":\"Missing Authentication Token\"}" },

    { "the handler's error, rest: its form", "restish", "POST", "/greetings", NULL, NULL, "{\"Name\":\"gone\"}", BOB, false, 404, "NoSuchEntityException",
      "{\"Message\":\"No <gone> & co.\",\"Type\":\"User\"}", true },
    { "the handler's error, query: its code", "queryish", "POST", "/", "application/x-www-form-urlencoded", NULL, "Action=Greet&Version=2026-01-01&Name=gone", BOB, false, 404, NULL,
      "<ErrorResponse xmlns=\"https://q.example/\"><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>No &lt;gone&gt; &amp; co.</Message></Error>"
      "<RequestId>ID</RequestId></ErrorResponse>", true },
    { "the service's fault", "restish", "POST", "/greetings", NULL, NULL, "{\"Name\":\"bug\"}", BOB, false, 500, "ServiceException", "{\"Type\":\"Service\",\"message\":\"broken\"}", true },
};

static struct wire *make_wire(void)
{
    const struct wire_config config = { .env = &env, .partition = STR("aws"), .region = STR("us-east-1"), .default_account = STR("111111111111"),
        .services = services, .n_services = COUNT(services), .keys = { NULL, find }, .allows = allows };
    return wire_new(&config);
}

static void sign(struct arena *arena, const struct row *row, const struct wire_request *request, struct http_headers *headers)
{
    const struct sigv4_request unsigned_part = { .method = request->method, .path = request->path, .headers = headers,
                                                 .body = row->signer == FORGER ? STR("something else") : request->body };
    const struct sigv4_signer signer = { .access_key_id = row->signer == STRANGER ? STR("AKIDSTRANGER") : STR("AKIDEXAMPLE"), .secret = STR("secret"),
        .region = str_is(str_of(row->service), "queryish") ? STR("us-east-1") : STR("eu-west-1"), .service = str_of(row->service), .now_s = now_us(NULL) / 1000000 };
    sigv4_sign(arena, &unsigned_part, &signer, headers);
}

static void check(struct arena *arena, const struct wire *wire, const struct row *row)
{
    struct http_headers headers = { 0 };
    http_header_add(arena, &headers, STR("Host"), STR("localhost"));
    if (row->type)
        http_header_add(arena, &headers, STR("Content-Type"), str_of(row->type));
    if (row->target)
        http_header_add(arena, &headers, STR("X-Amz-Target"), str_of(row->target));
    const struct wire_request request = { .method = str_of(row->method), .path = str_of(row->path), .headers = &headers, .body = str_of(row->body) };
    if (row->signer != NOBODY)
        sign(arena, row, &request, &headers);
    runs = 0;
    denied = row->denied;
    struct wire_reply reply;
    operation_run(wire, arena, &request, &reply);
    struct str id = http_header_get(&reply.headers, "x-amzn-RequestId"), want = str_of(row->answer);
    ptrdiff_t mark = want.ptr ? str_find_str(want, STR("<RequestId>ID<")) : -1;
    if (mark >= 0)
        want = str_printf(arena, "%.*s<RequestId>%.*s%s", (int)mark, want.ptr, STR_FMT(id), want.ptr + mark + strlen("<RequestId>ID"));
    bool fits = reply.status == row->status && id.len == 36 && (!want.ptr || str_eq(reply.body, want)) && runs == row->ran &&
                (!row->error_type || str_is(http_header_get(&reply.headers, "x-amzn-ErrorType"), row->error_type)) &&
                (!row->action || (str_is(asked_action, row->action) && str_is(asked_resource, row->resource)));
    if (!fits)
        fail_msg("%s: %d %.*s, runs %d, type %.*s, %.*s", row->name, reply.status, STR_FMT(reply.body), runs,
                 STR_FMT(http_header_get(&reply.headers, "x-amzn-ErrorType")), STR_FMT(asked_resource));
    if (row->ran && row->signer == BOB)
        assert_true(str_is(seen_account, "222222222222") && str_eq(seen_principal, bob.arn));
    if (row->ran && row->signer == NOBODY)
        assert_true(str_is(seen_account, "111111111111") && str_is(seen_principal, "anonymous"));
}

static void test_calls(void **state)
{
    (void)state;
    struct wire *wire = make_wire();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(4096);
        check(arena, wire, &rows[i]);
        arena_free(arena);
    }
    wire_free(wire);
}

static void test_other_services_are_not_ours(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct wire *wire = make_wire();
    struct http_headers headers = { 0 };
    const struct wire_request request = { .method = STR("GET"), .path = STR("/favicon.ico"), .headers = &headers, .body = STR("") };
    struct wire_reply reply;
    operation_run(wire, arena, &request, &reply);
    assert_true(reply.unknown);
    assert_int_equal(reply.status, 404);
    wire_free(wire);
    arena_free(arena);
}

static void test_refusals_before_a_call_have_its_form(void **state)
{
    (void)state;
    static const struct gh_kind too_large = { "RequestEntityTooLargeException", 413, false, NULL };
    struct arena *arena = arena_new(4096);
    struct wire *wire = make_wire();
    struct http_headers headers = { 0 };
    http_header_add(arena, &headers, STR("X-Amz-Target"), STR("JsonService.Greet"));
    const struct wire_request request = { .method = STR("POST"), .path = STR("/"), .headers = &headers, .body = STR("") };
    struct wire_reply reply;
    operation_refuse(wire, arena, &request, &too_large, "Too large.", &reply);
    assert_int_equal(reply.status, 413);
    assert_true(str_is(reply.body, "{\"__type\":\"RequestEntityTooLargeException\",\"message\":\"Too large.\"}"));
    operation_refuse(wire, arena, &request, &GH_UNAVAILABLE, "Busy.", &reply);
    assert_int_equal(reply.status, 503);
    wire_free(wire);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls), cmocka_unit_test(test_other_services_are_not_ours),
        cmocka_unit_test(test_refusals_before_a_call_have_its_form),
    };
    log_set_level(LOG_ERROR + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
