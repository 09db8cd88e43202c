#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "core/base64.h"
#include "core/env.h"
#include "core/id.h"
#include "core/json.h"
#include "core/map.h"
#include "core/time.h"
#include "core/uri.h"

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(4096);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void same(const char *row, struct str got, const char *want)
{
    if (!(want ? str_is(got, want) : got.ptr == NULL))
        fail_msg("%s: got \"%.*s\", should be \"%s\"", row, STR_FMT(got), want ? want : "(absent)");
}

static void strings_split_trim_and_find(void **state)
{
    (void)state;
    struct str rest = STR("a,,b"), part;
    const char *parts[] = { "a", "", "b" };
    for (size_t i = 0; i < COUNT(parts); i++) {
        assert_true(str_split(&rest, ',', &part));
        same("split", part, parts[i]);
    }
    assert_false(str_split(&rest, ',', &part));
    same("trim", str_trim(STR(" \t a b\r\n")), "a b");
    assert_true(str_eq_nocase(STR("Content-Type"), STR("content-type")));
    assert_false(str_eq_nocase(STR("a"), STR("ab")));
    assert_int_equal(str_find_str(STR("hello"), STR("ll")), 2);
    assert_int_equal(str_find_str(STR("hello"), STR("x")), -1);
    same("sub beyond the end", str_sub(STR("abc"), 2, 9), "c");
    same("from beyond the end", str_from(STR("abc"), 9), "");
}

static void integers_are_decimal_and_in_range(void **state)
{
    (void)state;
    static const struct { const char *text; bool ok; int64_t value; } rows[] = {
        { "0", true, 0 }, { "-1", true, -1 }, { "9223372036854775807", true, INT64_MAX },
        { "-9223372036854775808", true, INT64_MIN }, { "9223372036854775808", false, 0 }, { "", false, 0 },
        { "-", false, 0 }, { "+1", false, 0 }, { " 1", false, 0 }, { "1x", false, 0 }, { "0x10", false, 0 },
        { "99999999999999999999", false, 0 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t value = 0;
        if (str_i64(str_of(rows[i].text), &value) != rows[i].ok || value != rows[i].value)
            fail_msg("\"%s\" gives %lld", rows[i].text, (long long)value);
    }
}

static void base64_is_strict_both_ways(void **state)
{
    (void)state;
    static const struct { const char *bytes, *standard, *url; } rows[] = {
        { "", "", "" }, { "f", "Zg==", "Zg" }, { "fo", "Zm8=", "Zm8" }, { "foo", "Zm9v", "Zm9v" },
        { "foobar", "Zm9vYmFy", "Zm9vYmFy" }, { "\xfb\xff\xfe", "+//+", "-__-" },
    };
    struct str out;
    for (size_t i = 0; i < COUNT(rows); i++) {
        same("encode", base64_encode(arena, str_of(rows[i].bytes)), rows[i].standard);
        same("encode url", base64url_encode(arena, str_of(rows[i].bytes)), rows[i].url);
        assert_true(base64_decode(arena, str_of(rows[i].standard), &out));
        same("decode", out, rows[i].bytes);
        assert_true(base64url_decode(arena, str_of(rows[i].url), &out));
        same("decode url", out, rows[i].bytes);
    }
    static const char *const bad[] = { "Zg", "Zg=", "Zh==", "Zm9=", "Z m9", "Zm9v\n", "====", "A===", "-__-" };
    for (size_t i = 0; i < COUNT(bad); i++)
        if (base64_decode(arena, str_of(bad[i]), &out))
            fail_msg("\"%s\" must not decode", bad[i]);
    static const char *const bad_url[] = { "Zg==", "Zh", "Zm9", "A", "+//+", "Zg " };
    for (size_t i = 0; i < COUNT(bad_url); i++)
        if (base64url_decode(arena, str_of(bad_url[i]), &out))
            fail_msg("\"%s\" must not decode as URL text", bad_url[i]);
}

static void time_reads_what_it_writes(void **state)
{
    (void)state;
    int64_t s;
    double exact;
    same("iso", time_iso8601(arena, 1795230245), "2026-11-21T03:04:05Z");
    same("iso ms", time_iso8601_ms(arena, 1795230245123456), "2026-11-21T03:04:05.123Z");
    same("basic", time_basic(arena, 1795230245), "20261121T030405Z");
    same("rfc1123", time_rfc1123(arena, 1795230245), "Sat, 21 Nov 2026 03:04:05 GMT");
    same("clf", time_clf(arena, 1795230245), "21/Nov/2026:03:04:05 +0000");
    assert_true(time_parse_basic(STR("20261121T030405Z"), &s) && s == 1795230245);
    assert_true(time_parse_rfc1123(STR("Sat, 21 Nov 2026 03:04:05 GMT"), &s) && s == 1795230245);
    assert_true(time_parse_iso8601(STR("2026-11-21T04:04:05.5+01:00"), &exact) && exact == 1795230245.5);
    assert_true(time_parse_iso8601(STR("1970-01-01"), &exact) && exact == 0);
    static const char *const bad[] = { "2026-02-30T00:00:00Z", "2026-11-21T03:04:05", "2026-13-01", "20261121T030405Z",
                                       "2026-11-21T03:04:05Zx", "2026-11-21T25:00:00Z", "" };
    for (size_t i = 0; i < COUNT(bad); i++)
        if (time_parse_iso8601(str_of(bad[i]), &exact))
            fail_msg("\"%s\" is no instant", bad[i]);
    assert_false(time_parse_basic(STR("20150830T123600"), &s));
    assert_false(time_parse_rfc1123(STR("Sat, 21 Foo 2026 03:04:05 GMT"), &s));
}

static void uris_split_into_their_parts(void **state)
{
    (void)state;
    static const struct { const char *text, *scheme, *host; int port; const char *path, *query; } rows[] = {
        { "http://127.0.0.1:3000", "http", "127.0.0.1", 3000, "", NULL },
        { "HTTPS://Example.COM/a%20b?x=1&y#f", "https", "example.com", 443, "/a%20b", "x=1&y" },
        { "http://[::1]:8080/", "http", "::1", 8080, "/", NULL },
        { "http://user@host/p", "http", "host", 80, "/p", NULL },
        { "http://host?q", "http", "host", 80, "", "q" },
    };
    struct uri uri;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!uri_parse(arena, str_of(rows[i].text), &uri))
            fail_msg("%s must parse", rows[i].text);
        same(rows[i].text, uri.scheme, rows[i].scheme);
        same(rows[i].text, uri.host, rows[i].host);
        assert_int_equal(uri.port, rows[i].port);
        same(rows[i].text, uri.path, rows[i].path);
        same(rows[i].text, uri.query, rows[i].query);
    }
    static const char *const bad[] = { "", "host/path", "ftp://host/", "http://", "http://host:0/", "http://host:65536/",
                                       "http://host:x/", "http://[::1/", "http://ho st/", "http:///path", "http://a\"b/" };
    for (size_t i = 0; i < COUNT(bad); i++)
        if (uri_parse(arena, str_of(bad[i]), &uri))
            fail_msg("\"%s\" must not parse", bad[i]);
}

static void percent_coding_and_queries(void **state)
{
    (void)state;
    same("decode", uri_decode(arena, STR("a%20b+c%zz%4"), false), "a b+c%zz%4");
    same("decode form", uri_decode(arena, STR("a+b%2B"), true), "a b+");
    same("encode", uri_encode(arena, STR("a b/~*\xc3\xa9"), false), "a%20b%2F~%2A%C3%A9");
    same("encode, slash kept", uri_encode(arena, STR("a/b c"), true), "a/b%20c");
    same("get", uri_query_get(arena, STR("a=1&to=x%40y&to=z"), "to"), "x@y");
    same("get empty", uri_query_get(arena, STR("a&b="), "a"), "");
    same("get missing", uri_query_get(arena, STR("a=1"), "b"), NULL);
    same("get from none", uri_query_get(arena, STR_NONE, "b"), NULL);
}

static void json_is_strict(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "{\"a\":1,\"a\":2}", "[1,]", "NaN", "{} x", "\"\xff\"", "\"\\ud800\"", "01",
                                       "[1e999]", "{'a':1}", "\"a\nb\"" };
    struct str why;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (json_parse(arena, str_of(bad[i]), &why))
            fail_msg("%s must be refused", bad[i]);
    assert_null(json_parse(arena, STR("{\"Password\":\"hunter2 and no end"), &why));
    assert_int_equal(str_find(why, 'h'), -1); /* `why` is logged: it quotes nothing of the text */
    assert_true(str_starts(why, STR("premature end of input at line 1")));
    char *deep = malloc(20001);
    memset(deep, '[', 10000);
    memset(deep + 10000, ']', 10000);
    assert_null(json_parse(arena, (struct str){ deep, 20000 }, &why));
    free(deep);
    json_t *doc = json_parse(arena, STR("{\"s\":\"a\\u0000b\",\"n\":5,\"t\":true}"), &why);
    assert_int_equal(json_str(doc, "s").len, 3); /* a NUL does not end it */
    assert_int_equal(json_i64(doc, "n", 0), 5);
    assert_true(json_flag(doc, "t", false));
    same("missing", json_str(doc, "x"), NULL);
    same("of another type", json_str(doc, "n"), NULL);
    struct strbuf buf = strbuf_in(arena, 16);
    json_quote(&buf, STR("a\"\\\n\x01\xff\xc3\xa9\x1b"));
    same("quote", strbuf_view(&buf), "\"a\\\"\\\\\\n\\u0001\\ufffd\xc3\xa9\\u001b\"");
}

static void maps_survive_growth_and_removal(void **state)
{
    (void)state;
    struct map *map = map_new();
    enum { N = 2000 };
    static int values[N];
    for (int i = 0; i < N; i++)
        assert_null(map_set(map, str_printf(arena, "key%d", i), &values[i]));
    for (int i = 0; i < N; i += 2)
        assert_ptr_equal(map_remove(map, str_printf(arena, "key%d", i)), &values[i]);
    for (int i = 0; i < N; i++)
        assert_ptr_equal(map_get(map, str_printf(arena, "key%d", i)), i % 2 ? &values[i] : NULL);
    assert_int_equal(map_count(map), N / 2);
    assert_ptr_equal(map_set(map, STR("key1"), &values[0]), &values[1]);
    struct str key;
    void *value;
    size_t n = 0;
    for (size_t at = 0; map_each(map, &at, &key, &value);)
        n++;
    assert_int_equal(n, N / 2);
    assert_null(map_remove(map, STR("none")));
    map_free(map, NULL);
}

static void count_cleanup(void *ptr)
{
    ++*(int *)ptr;
}

static void arenas_run_cleanups_once(void **state)
{
    (void)state;
    int cleaned = 0;
    struct arena *own = arena_new(64);
    char *first = arena_alloc(own, 10, 1);
    memcpy(first, "123456789", 10);
    char *grown = arena_grow(own, first, 10, 100000); /* does not fit: moves */
    assert_string_equal(grown, "123456789");
    arena_defer(own, count_cleanup, &cleaned);
    arena_reset(own);
    assert_int_equal(cleaned, 1);
    arena_defer(own, count_cleanup, &cleaned);
    arena_free(own);
    assert_int_equal(cleaned, 2);
}

static void ids_have_their_shape(void **state)
{
    (void)state;
    struct env env;
    env_system(&env);
    struct str uuid = id_uuid(&env, arena);
    assert_int_equal(uuid.len, 36);
    assert_int_equal(uuid.ptr[14], '4');
    int seen[10] = { 0 };
    struct str digits = id_random(&env, arena, 100000, ID_DIGITS);
    for (size_t i = 0; i < digits.len; i++)
        seen[digits.ptr[i] - '0']++;
    for (int i = 0; i < 10; i++) /* each 10,000 +- 6 sigma */
        assert_in_range(seen[i], 9430, 10570);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_split_trim_and_find),
        cmocka_unit_test(integers_are_decimal_and_in_range),
        cmocka_unit_test(base64_is_strict_both_ways),
        cmocka_unit_test(time_reads_what_it_writes),
        cmocka_unit_test(uris_split_into_their_parts),
        cmocka_unit_test(percent_coding_and_queries),
        cmocka_unit_test(json_is_strict),
        cmocka_unit_test(maps_survive_growth_and_removal),
        cmocka_unit_test(arenas_run_cleanups_once),
        cmocka_unit_test(ids_have_their_shape),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
