#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "gateway/ops/mapping.h"

enum what { REQUEST, RESPONSE, GATEWAY, TYPES };

#define BAD                                                                                                  \
    "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping "     \
    "expression specified: "
#define UNDECLARED                                                                                           \
    "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping "     \
    "expression parameter specified: "

/* The method declares header X, querystring q and path id; its 200 declares header Y. */
static const char METHOD[] =
    "{\"requestParameters\":{\"method.request.header.X\":true,\"method.request.querystring.q\":false,"
    "\"method.request.path.id\":true}}";
static const char METHOD_RESPONSE[] =
    "{\"statusCode\":\"200\",\"responseParameters\":{\"method.response.header.Y\":false}}";

static const struct {
    const char *name;
    enum what what;
    const char *parameters;
    const char *message; /* NULL: taken */
} rows[] = {
    { "a declared header", REQUEST, "{\"integration.request.header.A\":\"method.request.header.X\"}", NULL },
    { "all its values", REQUEST, "{\"integration.request.header.A\":\"method.request.multivalueheader.X\"}",
      NULL },
    { "a declared query parameter into the path", REQUEST,
      "{\"integration.request.path.p\":\"method.request.querystring.q\"}", NULL },
    { "an undeclared one", REQUEST, "{\"integration.request.path.p\":\"method.request.querystring.r\"}",
      UNDECLARED "method.request.querystring.r]" },
    { "declared names are case-sensitive", REQUEST,
      "{\"integration.request.header.A\":\"method.request.header.x\"}",
      UNDECLARED "method.request.header.x]" },
    { "a static value stands in quotes", REQUEST, "{\"integration.request.header.A\":\"'text'\"}", NULL },
    { "an empty static value", REQUEST, "{\"integration.request.header.A\":\"''\"}", NULL },
    { "one quote is none", REQUEST, "{\"integration.request.header.A\":\"'\"}", BAD "']" },
    { "text without quotes", REQUEST, "{\"integration.request.header.A\":\"text\"}", BAD "text]" },
    { "the context", REQUEST, "{\"integration.request.header.A\":\"context.requestId\"}", NULL },
    { "stage variables", REQUEST, "{\"integration.request.header.A\":\"stageVariables.v\"}", NULL },
    { "the whole body", REQUEST, "{\"integration.request.header.A\":\"method.request.body\"}", NULL },
    { "a part of the body", REQUEST, "{\"integration.request.header.A\":\"method.request.body.a[0].b\"}",
      NULL },
    { "what only begins like the body", REQUEST,
      "{\"integration.request.header.A\":\"method.request.bodyguard\"}", BAD "method.request.bodyguard]" },
    { "nothing is mapped into the body", REQUEST, "{\"integration.request.body\":\"'x'\"}",
      BAD "integration.request.body]" },
    { "a target without a name", REQUEST, "{\"integration.request.header.\":\"'x'\"}",
      BAD "integration.request.header.]" },
    { "a target in another place", REQUEST, "{\"integration.request.cookie.a\":\"'x'\"}",
      BAD "integration.request.cookie.a]" },
    { "a target of the method's side", REQUEST, "{\"method.request.header.A\":\"'x'\"}",
      BAD "method.request.header.A]" },
    { "names have no blanks", REQUEST, "{\"integration.request.header.A B\":\"'x'\"}",
      BAD "integration.request.header.A B]" },
    { "names may have dots and dollars", REQUEST, "{\"integration.request.header.a.b_c-d$\":\"'x'\"}", NULL },
    { "a header cannot smuggle a line", REQUEST, "{\"integration.request.header.a\\r\\nb\":\"'x'\"}",
      BAD "integration.request.header.a\r\nb]" },
    { "a value's NUL ends no check", REQUEST,
      "{\"integration.request.header.A\":\"method.request.header.X\\u0000\"}",
      BAD "method.request.header.X" },

    { "a declared response header", RESPONSE,
      "{\"method.response.header.Y\":\"integration.response.header.Z\"}", NULL },
    { "from the answer's body", RESPONSE, "{\"method.response.header.Y\":\"integration.response.body.a\"}",
      NULL },
    { "an undeclared response header", RESPONSE, "{\"method.response.header.N\":\"'x'\"}",
      UNDECLARED "method.response.header.N]" },
    { "the request is not to be had any more", RESPONSE,
      "{\"method.response.header.Y\":\"method.request.header.X\"}", BAD "method.request.header.X]" },
    { "only headers go out", RESPONSE, "{\"method.response.querystring.q\":\"'x'\"}",
      BAD "method.response.querystring.q]" },

    { "a gateway response's header", GATEWAY,
      "{\"gatewayresponse.header.A\":\"method.request.header.anything\"}", NULL },
    { "gateway responses know no integration", GATEWAY,
      "{\"gatewayresponse.header.A\":\"integration.response.header.Z\"}",
      BAD "integration.response.header.Z]" },

    { "a media type", TYPES, "{\"application/json\":\"\",\"$default\":\"\"}", NULL },
    { "no media type [recorded]", TYPES, "{\"123\":\"\"}",
      "Validation Result: warnings : [], errors : [Invalid content type specified: 123]" },
    { "half a media type", TYPES, "{\"text/\":\"\"}",
      "Validation Result: warnings : [], errors : [Invalid content type specified: text/]" },
};

static void every_expression(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(4096);
        struct call call = { .arena = arena };
        struct str why;
        gh_err err = NULL;
        json_t *parameters = json_parse(arena, str_of(rows[i].parameters), &why);
        assert_non_null(parameters);
        if (rows[i].what == REQUEST)
            err = mapping_request_check(&call, parameters, json_parse(arena, str_of(METHOD), &why));
        else if (rows[i].what == RESPONSE)
            err = mapping_response_check(&call, parameters, json_parse(arena, str_of(METHOD_RESPONSE), &why));
        else if (rows[i].what == GATEWAY)
            err = mapping_gateway_check(&call, parameters);
        else
            err = content_types_check(&call, parameters);
        struct str got = err ? err->message : STR("taken"),
                   want = str_of(rows[i].message ? rows[i].message : "taken");
        if (!str_starts(got, want)) /* a NUL cuts the row's own text short */
            fail_msg("%s: got %.*s", rows[i].name, STR_FMT(got));
        arena_free(arena);
    }
}

static void without_a_method_response_nothing_can_be_mapped(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct call call = { .arena = arena };
    struct str why;
    json_t *parameters = json_parse(arena, STR("{\"method.response.header.Y\":\"'x'\"}"), &why);
    gh_err err = mapping_response_check(&call, parameters, NULL);
    assert_true(str_ends(err->message, STR("errors : [No method response exists for method.]")));
    assert_null(mapping_response_check(&call, json_own(arena, json_object()), NULL));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_expression),
        cmocka_unit_test(without_a_method_response_nothing_can_be_mapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
