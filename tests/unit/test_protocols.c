/* AWS's wire protocols, both directions: the public protocol vectors, turned round. A client's request
 * is decoded and must give the parameters; a result is encoded and must be what a client reads. */
#include "tests/unit/vectors.h"

#include <math.h>

#include "tests/support/protocol_model.h"
#include "tests/support/xml_tree.h"
#include "wire/codec_json.h"
#include "wire/codec_query.h"
#include "wire/codec_rest.h"
#include "wire/reply.h"

/* Cases that are right as they fail. An entry that no longer fails must go. */
static const struct {
    const char *direction, *protocol, *id, *reason;
} exceptions[] = {
#include "tests/support/protocol_exceptions.h"
};

static bool used[COUNT(exceptions)];

static bool is_excepted(const char *direction, const char *protocol, const char *id)
{
    for (size_t i = 0; i < COUNT(exceptions); i++)
        if (!strcmp(exceptions[i].direction, direction) && !strcmp(exceptions[i].protocol, protocol) &&
            !strcmp(exceptions[i].id, id))
            return used[i] = true;
    return false;
}

/* The vectors' parameters as our JSON documents have them: names of the wire for members of the
 * body, blobs in base64. A new reference. */
static json_t *as_document(struct arena *arena, const struct shape *shape, json_t *value)
{
    if (json_is_null(value))
        return json_null();
    if (shape->kind == SHAPE_BLOB)
        return json_of(base64_encode(arena, json_value_str(value)));
    if (shape->kind == SHAPE_LIST) {
        json_t *list = json_array(), *item;
        size_t i;
        json_array_foreach(value, i, item)
            json_array_append_new(list, as_document(arena, shape->element, item));
        return list;
    }
    if (shape->kind != SHAPE_MAP && shape->kind != SHAPE_STRUCT)
        return json_incref(value);
    json_t *object = json_object(), *item;
    const char *name;
    json_object_foreach(value, name, item)
    {
        if (shape->kind == SHAPE_MAP)
            json_object_set_new(object, name, as_document(arena, shape->element, item));
        for (size_t i = 0; i < shape->n_members; i++)
            if (!strcmp(shape->members[i].name, name))
                json_object_set_new(object,
                                    shape->members[i].in == IN_BODY ? shape->members[i].wire_name : name,
                                    as_document(arena, shape->members[i].shape, item));
    }
    return object;
}

/* Numbers by value (1 is 1.0), absent is null. */
static bool same(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return fabs(json_number_value(a) - json_number_value(b)) < 1e-6;
    if (json_is_array(a) && json_is_array(b)) {
        if (json_array_size(a) != json_array_size(b))
            return false;
        for (size_t i = 0; i < json_array_size(a); i++)
            if (!same(json_array_get(a, i), json_array_get(b, i)))
                return false;
        return true;
    }
    if (!json_is_object(a) || !json_is_object(b))
        return json_equal(a, b);
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)a, name, value) if (!json_is_null(value) &&
                                                      !same(value, json_object_get(b, name))) return false;
    json_object_foreach((json_t *)b, name,
                        value) if (!json_is_null(value) && !json_object_get(a, name)) return false;
    return true;
}

struct bench {
    struct arena *arena;
    const char *protocol;
    struct service service;
    struct operation operation;
    const json_t *one; /* the case */
    struct str why;
};

static const struct shape nothing = {
    .name = "Nothing", .kind = SHAPE_STRUCT, .size = sizeof(void *), .alloc = 8
};

static void set_up(struct bench *b, struct protocol_model *model, const json_t *one)
{
    const json_t *given = json_object_get(one, "given"), *http = json_object_get(given, "http");
    const json_t *in = json_object_get(given, "input"), *out = json_object_get(given, "output");
    const char *name = model_name(b->arena, given, "name", "");
    b->one = one;
    b->operation =
        (struct operation){ .name = name,
                            .method = model_name(b->arena, http, "method", "POST"),
                            .path = model_name(b->arena, http, "requestUri", "/"),
                            .status = (int)json_i64(http, "responseCode", 200),
                            .in = in ? model_shape(model, model_name(b->arena, in, "shape", "")) : &nothing,
                            .out =
                                out ? model_shape(model, model_name(b->arena, out, "shape", "")) : &nothing,
                            .output = out != NULL,
                            .result_wrapper = out ? str_printf(b->arena, "%sResult", name).ptr : NULL };
}

static struct http_headers headers_of(struct arena *arena, json_t *object)
{
    struct http_headers headers = { 0 };
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
        http_header_add(arena, &headers, str_of(name), json_value_str(value));
    return headers;
}

static bool input_holds(struct bench *b)
{
    json_t *sent = json_object_get(b->one, "serialized");
    struct http_headers headers = headers_of(b->arena, json_object_get(sent, "headers"));
    struct str path = json_str(sent, "uri"), body = json_str(sent, "body");
    ptrdiff_t mark = str_find(path, '?');
    const struct wire_request request = { .method = json_str(sent, "method"),
                                          .path = mark < 0 ? path : str_sub(path, 0, (size_t)mark),
                                          .query = mark < 0 ? STR_NONE : str_from(path, (size_t)mark + 1),
                                          .headers = &headers,
                                          .body = body };
    void *in = arena_zalloc(b->arena, b->operation.in->alloc);
    bool ok;
    b->why = STR("");
    if (!strcmp(b->protocol, "query")) {
        ok = query_decode(b->arena, b->operation.in, body, in, &b->why);
    } else if (!strcmp(b->protocol, "json")) {
        const json_t *json = json_parse(b->arena, body.len ? body : STR("{}"), &b->why);
        ok = json && json_decode(b->arena, b->operation.in, json, in, JSON_BODY, &b->why);
    } else {
        struct label labels[MAX_LABELS];
        size_t n;
        ok = rest_match(str_of(b->operation.path), request.path, labels, &n) &&
             rest_decode(b->arena, &b->operation, &request, labels, n, in, &b->why);
    }
    json_t *got = shape_to_json(b->arena, b->operation.in, in);
    json_t *want =
        json_own(b->arena, as_document(b->arena, b->operation.in, json_object_get(b->one, "params")));
    if (ok && same(got, want))
        return true;
    if (ok)
        b->why = str_printf(b->arena, "got %.*s, want %.*s", STR_FMT(json_print(b->arena, got)),
                            STR_FMT(json_print(b->arena, want)));
    return false;
}

static bool same_body(struct bench *b, struct str got, struct str want)
{
    struct str trimmed = str_trim(want);
    bool xml = trimmed.len && trimmed.ptr[0] == '<',
         json = trimmed.len && (trimmed.ptr[0] == '{' || trimmed.ptr[0] == '[');
    if (xml)
        return json_equal(xml_tree(b->arena, got), xml_tree(b->arena, want));
    if (json)
        return same(json_parse(b->arena, got, NULL), json_parse(b->arena, want, NULL));
    return str_eq(got, want);
}

/* The error of the case as a handler would give it. */
static gh_err error_of(struct bench *b)
{
    struct gh_kind *kind = ARENA_NEW(b->arena, struct gh_kind);
    const json_t *response = json_object_get(b->one, "response");
    *kind = (struct gh_kind){ .code = model_name(b->arena, b->one, "errorCode", ""),
                              .status = (int)json_i64(response, "status_code", 400) };
    kind->server_fault = kind->status >= 500;
    struct gh_err *err = ARENA_NEW(b->arena, struct gh_err);
    *err = (struct gh_err){ kind, json_str(b->one, "errorMessage"), STR_NONE };
    if (!err->message.ptr) {
        err->message = STR_NONE;
        err->extra = json_print(b->arena, json_object_get(b->one, "error"));
    }
    struct error_form *form = ARENA_NEW(b->arena, struct error_form);
    *form = (struct error_form){ .kind = kind, .message_name = "Message" };
    b->service.errors = form;
    b->service.n_errors = 1;
    return err;
}

static bool output_holds(struct bench *b)
{
    json_t *response = json_object_get(b->one, "response");
    struct http_headers want = headers_of(b->arena, json_object_get(response, "headers"));
    struct str sent_id = http_header_get(&want, "X-Amzn-Requestid"),
               id = sent_id.ptr ? sent_id : STR("foo-id");
    struct wire_reply reply;
    if (json_object_get(b->one, "errorCode")) {
        reply_error(b->arena, &b->service, error_of(b), id, &reply);
    } else {
        json_t *result =
            json_own(b->arena, as_document(b->arena, b->operation.out, json_object_get(b->one, "result")));
        void *out = arena_zalloc(b->arena, b->operation.out->alloc);
        if (!shape_from_json(b->arena, b->operation.out, result, out, &b->why))
            return false;
        reply_success(b->arena, &b->service, &b->operation, out, id, &reply);
    }
    b->why = str_printf(b->arena, "status %d, body %.*s", reply.status, STR_FMT(reply.body));
    struct str body = json_str(response, "body");
    if (reply.status != json_i64(response, "status_code", 200))
        return false;
    for (size_t i = 0; i < want.n; i++) {
        struct str name = want.items[i].name, got = http_header_get(&reply.headers, str_c(b->arena, name));
        bool code =
            str_eq_nocase(name, STR("X-Amzn-Errortype")); /* JSON 1.1 has a colon after it, as Cognito has */
        if (!str_eq(code && str_ends(got, STR(":")) ? str_sub(got, 0, got.len - 1) : got,
                    want.items[i].value)) {
            b->why = str_printf(b->arena, "%.*s: got %.*s, want %.*s", STR_FMT(name), STR_FMT(got),
                                STR_FMT(want.items[i].value));
            return false;
        }
    }
    if (!body.ptr)
        return true;
    /* the query protocol's envelope has an id that the vectors leave out */
    struct str ours = reply.body;
    ptrdiff_t metadata = str_find_str(ours, STR("<ResponseMetadata>"));
    if (metadata >= 0 && str_find_str(body, STR("<ResponseMetadata>")) < 0)
        ours = str_printf(b->arena, "%.*s</%sResponse>", (int)metadata, ours.ptr, b->operation.name);
    return same_body(b, ours, body);
}

static void run(const char *direction, const char *protocol, enum protocol kind,
                bool (*holds)(struct bench *), size_t expected_cases)
{
    size_t cases = 0, failed = 0;
    struct arena *arena = arena_new(1 << 20);
    char path[128];
    snprintf(path, sizeof path, "aws-protocols/%s/%s.json", direction, protocol);
    json_t *suites = vector_json(arena, path), *suite, *one;
    size_t s, c;
    json_array_foreach(suites, s, suite)
    {
        struct protocol_model model = { arena, json_object_get(suite, "shapes"),
                                        json_own(arena, json_object()) };
        json_array_foreach(json_object_get(suite, "cases"), c, one)
        {
            struct bench b = { .arena = arena,
                               .protocol = protocol,
                               .service = { .id = "test", .protocol = kind } };
            const char *id = json_string_value(json_object_get(one, "id"));
            set_up(&b, &model, one);
            bool ok = holds(&b), excepted = is_excepted(direction, protocol, id);
            cases++;
            if (ok == excepted) {
                failed++;
                print_error("%s %s %s: %s%.*s\n", direction, protocol, id,
                            excepted ? "holds: its exception is needless. " : "", STR_FMT(b.why));
            }
        }
    }
    arena_free(arena);
    assert_int_equal(failed, 0);
    assert_int_equal(cases, expected_cases);
}

#define CASE(name, direction, protocol, kind, holds, n)                                                      \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        (void)state;                                                                                         \
        run(direction, protocol, kind, holds, n);                                                            \
    }
CASE(test_query_requests_give_their_parameters, "input", "query", PROTOCOL_QUERY, input_holds, 38)
CASE(test_json_requests_give_their_parameters, "input", "json", PROTOCOL_JSON11, input_holds, 54)
CASE(test_rest_json_requests_give_their_parameters, "input", "rest-json", PROTOCOL_REST_JSON, input_holds,
     113)
CASE(test_query_answers_are_what_clients_read, "output", "query", PROTOCOL_QUERY, output_holds, 38)
CASE(test_json_answers_are_what_clients_read, "output", "json", PROTOCOL_JSON11, output_holds, 58)
CASE(test_rest_json_answers_are_what_clients_read, "output", "rest-json", PROTOCOL_REST_JSON, output_holds,
     91)

static void test_every_exception_names_a_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(exceptions); i++)
        if (!used[i])
            fail_msg("no case %s %s %s", exceptions[i].direction, exceptions[i].protocol, exceptions[i].id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query_requests_give_their_parameters),
        cmocka_unit_test(test_json_requests_give_their_parameters),
        cmocka_unit_test(test_rest_json_requests_give_their_parameters),
        cmocka_unit_test(test_query_answers_are_what_clients_read),
        cmocka_unit_test(test_json_answers_are_what_clients_read),
        cmocka_unit_test(test_rest_json_answers_are_what_clients_read),
        cmocka_unit_test(test_every_exception_names_a_case), /* last: needs what the others marked */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
