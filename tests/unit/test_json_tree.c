#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>

#include "core/json_tree.h"
#include "vectors.h"

static struct str slurp(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct strbuf out = strbuf_in(arena, 4096);
    char piece[4096];
    for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;)
        strbuf_add(&out, (struct str){ piece, n });
    fclose(file);
    return strbuf_view(&out);
}

/* Of the cases that may go either way: numbers of any size are texts here; the rest is no UTF-8 or half a pair. */
static bool may_be_taken(const char *name)
{
    return !strncmp(name, "i_number", 8) || !strcmp(name, "i_structure_500_nested_arrays.json");
}

static void the_parsing_suite(void **state)
{
    (void)state;
    size_t n = 0;
    DIR *folder = opendir(VECTORS "/json-parsing/test_parsing");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        struct arena *arena = arena_new(1 << 16);
        char path[512];
        snprintf(path, sizeof path, VECTORS "/json-parsing/test_parsing/%s", entry->d_name);
        struct str why = STR_NONE;
        const struct jt *json = jt_parse(arena, slurp(arena, path), &why);
        bool want = entry->d_name[0] == 'y' || (entry->d_name[0] == 'i' && may_be_taken(entry->d_name));
        if (!strncmp(entry->d_name, "y_object_duplicated_key", 23))
            want = false; /* which of two is meant decides nothing twice */
        if (!json == want || (!json && !why.len))
            fail_msg("%s: %s %.*s", entry->d_name, json ? "taken" : "refused", STR_FMT(why));
        if (json) {
            int64_t steps = 1000000;
            const struct jt *again = jt_parse(arena, jt_string(arena, json), &why);
            if (!again || !jt_equal(json, again, &steps) || jt_hash(json, &steps) != jt_hash(again, &steps))
                fail_msg("%s: printed and read again it is another", entry->d_name);
        }
        n++;
        arena_free(arena);
    }
    closedir(folder);
    assert_int_equal(n, 318);
}

static void refused_with_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "", "the text ends early at line 1, column 1" },
        { "  ", "the text ends early at line 1, column 3" },
        { "[1,]", "an unexpected character at line 1, column 4" },
        { "{\"a\":1,}", "a member's name is missing at line 1, column 8" },
        { "{\"a\":1\n \"b\":2}", "',' is missing at line 2, column 2" },
        { "[1 2]", "',' is missing at line 1, column 4" },
        { "{\"a\" 1}", "':' is missing at line 1, column 6" },
        { "{a:1}", "a member's name is missing at line 1, column 2" },
        { "NaN", "an unexpected character at line 1, column 1" },
        { "nul", "an unknown word at line 1, column 1" },
        { "01", "a number that begins with 0 at line 1, column 2" },
        { "1.", "a number without a digit at line 1, column 3" },
        { "\"\t\"", "a control character in a string at line 1, column 2" },
        { "\"\xff\"", "bytes that are no UTF-8 at line 1, column 2" },
        { "\"\\q\"", "an unknown escape at line 1, column 3" },
        { "\"\\ud800\"", "half of a surrogate pair at line 1, column 8" },
        { "\"abc", "a string without end at line 1, column 5" },
        { "{\"a\":1,\"a\":2}", "a name that occurs twice at line 1, column 14" },
        { "1 2", "something follows the value at line 1, column 3" },
        { "\xef\xbb\xbf{}", "an unexpected character at line 1, column 1" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(1024);
        struct str why = STR_NONE;
        assert_null(jt_parse(arena, str_of(rows[i].text), &why));
        assert_string_equal(why.ptr, rows[i].why);
        arena_free(arena);
    }
}

/* Bytes are given without a NUL behind them, so that a read too far shows under ASan. */
static void nothing_behind_the_text(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1.5e3,\"x\\u0041\\n\",null,true]}";
    for (size_t len = 0; len < sizeof text; len++) {
        struct arena *arena = arena_new(1024);
        char *copy = malloc(len ? len : 1);
        memcpy(copy, text, len);
        assert_int_equal(jt_parse(arena, (struct str){ copy, len }, NULL) != NULL, len == sizeof text - 1);
        free(copy);
        arena_free(arena);
    }
}

static void depth_and_size(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    for (int deep = 999; deep <= 1001; deep++) {
        struct strbuf text = strbuf_in(arena, 4096);
        for (int i = 0; i < deep; i++)
            strbuf_add(&text, STR("[{\"a\":"));
        text.len = 0;
        for (int i = 0; i < deep; i++)
            strbuf_char(&text, '[');
        for (int i = 0; i < deep; i++)
            strbuf_char(&text, ']');
        assert_int_equal(jt_parse(arena, strbuf_view(&text), NULL) != NULL, deep <= JT_DEPTH);
    }
    struct strbuf many = strbuf_in(arena, 1 << 20);
    strbuf_char(&many, '{');
    for (int i = 0; i < 100000; i++)
        strbuf_printf(&many, "%s\"k%d\":%d", i ? "," : "", i, i);
    strbuf_char(&many, '}');
    const struct jt *json = jt_parse(arena, strbuf_view(&many), NULL);
    assert_non_null(json);
    assert_int_equal(json->n, 100000);
    assert_true(str_is(jt_text(jt_get(json, STR("k77777"))), "77777"));
    assert_null(jt_get(json, STR("k100000")));
    arena_free(arena);
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        int order;
        bool multiple;
    } rows[] = {
        { "1", "1.0", 0, true },
        { "1e2", "100", 0, true },
        { "-0", "0", 0, true },
        { "-1", "1", -1, true },
        { "10000000000000000000001", "1e22", 1, false },
        { "18446744073709551600", "18446744073709551615", -1, false },
        { "0.0075", "0.0001", 1, true },
        { "0.00751", "0.0001", 1, false },
        { "100.001", "0.01", 1, false },
        { "4.35", "0.01", 1, true },
        { "1e400", "0.5", 1, true },
        { "1e400", "3", 1, false },
        { "1e999999999999999999999", "7", 1, false },
        { "0.1", "1e999999999999999999999", -1, false },
        { "12391239123", "0.3333333", 1, false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str a = str_of(rows[i].a), b = str_of(rows[i].b);
        if (jt_number_compare(a, b) != rows[i].order || jt_number_compare(b, a) != -rows[i].order)
            fail_msg("%s and %s: %d", rows[i].a, rows[i].b, jt_number_compare(a, b));
        if (!str_is(b, "0") && jt_number_multiple(a, b) != rows[i].multiple)
            fail_msg("%s is %sa multiple of %s", rows[i].a, rows[i].multiple ? "not " : "", rows[i].b);
    }
}

static void printed_as_written(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct str text = STR(" { \"n\" : 12345678901234567890, \"e\":1e400 , \"z\": [ -0, 1.0, 1E5 ], \"s\":\"\\u00e9\\\"\" }");
    assert_string_equal(jt_string(arena, jt_parse(arena, text, NULL)).ptr,
                        "{\"n\":12345678901234567890,\"e\":1e400,\"z\":[-0,1.0,1E5],\"s\":\"\xc3\xa9\\\"\"}");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parsing_suite), cmocka_unit_test(refused_with_a_place),
        cmocka_unit_test(nothing_behind_the_text), cmocka_unit_test(depth_and_size), cmocka_unit_test(numbers),
        cmocka_unit_test(printed_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
