/* What HTTP server and client share. */
#include "tests/support/net.h"

#include "core/http_msg.h"

static void test_headers_keep_order_and_ignore_case(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1024);
    struct http_headers headers = { 0 };
    for (int i = 0; i < 40; i++)
        http_header_add(arena, &headers, str_printf(arena, "X-%d", i), str_printf(arena, "%d", i));
    http_header_add(arena, &headers, STR("x-7"), STR("again"));
    assert_true(str_is(http_header_get(&headers, "x-7"), "7")); /* the first */
    assert_null(http_header_get(&headers, "x-40").ptr);
    http_header_set(arena, &headers, STR("X-7"), STR("one"));
    assert_int_equal(headers.n, 40); /* both became one, in the first one's place */
    assert_true(str_is(headers.items[7].value, "one"));
    http_header_remove(&headers, "x-0");
    assert_int_equal(headers.n, 39);
    assert_false(http_header_has(&headers, "X-0"));
    http_header_set(arena, &headers, STR("new"), STR(""));
    assert_true(http_header_has(&headers, "New")); /* empty is not absent */
    arena_free(arena);
}

static const struct {
    const char *text;
    bool token, value;
} characters[] = {
    { "X-Ab_c.9~", true, true }, { "!#$%&'*+-.^_`|", true, true }, { "", false, true },
    { "a b", false, true },      { "a\tb", false, true },          { "a:b", false, true },
    { "a\x01", false, false },   { "a\x7f", false, false },        { "a\r", false, false },
    { "a\n", false, false },     { "\xc3\xa9", false, true },      { "(a)", false, true },
    { "\"a\"", false, true },    { "a/b", false, true },
};

static void test_characters(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(characters); i++) {
        struct str text = str_of(characters[i].text);
        if (http_is_token(text) != characters[i].token || http_is_field_value(text) != characters[i].value)
            fail_msg("row %zu: %s", i, characters[i].text);
    }
    assert_false(http_is_token((struct str){ "a\0b", 3 }));
    assert_false(http_is_field_value((struct str){ "a\0b", 3 }));
}

/* Values are checked eight bytes at a time: every byte in every place must still count. */
static void test_every_byte_everywhere(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 20; len++)
        for (size_t at = 0; at < len; at++)
            for (int byte = 0; byte < 256; byte++) {
                char text[20];
                memset(text, at % 2 ? 'a' : '\xe9', sizeof text);
                text[at] = (char)byte;
                bool good = byte == '\t' || (byte >= 0x20 && byte != 0x7f);
                assert_int_equal(http_is_field_value((struct str){ text, len }), good);
            }
}

static void test_hop_by_hop_and_reasons(void **state)
{
    (void)state;
    assert_true(http_is_hop_by_hop(STR("Connection")));
    assert_true(http_is_hop_by_hop(STR("TRANSFER-ENCODING")));
    assert_true(http_is_hop_by_hop(STR("Proxy-Authorization")));
    assert_false(http_is_hop_by_hop(STR("Authorization")));
    assert_string_equal(http_reason(100), "Continue");
    assert_string_equal(http_reason(404), "Not Found");
    assert_string_equal(http_reason(511), "Network Authentication Required");
    assert_string_equal(http_reason(299), "Unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers_keep_order_and_ignore_case),
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_every_byte_everywhere),
        cmocka_unit_test(test_hop_by_hop_and_reasons),
    };
    return cmocka_run_group_tests(tests, net_setup, net_teardown);
}
