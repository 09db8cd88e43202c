#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "gateway/content.h"

#define ZIPPED "\x1f\x8b\x00\xff"
#define ZIPPED64 "H4sA/w=="
#define ZIPPED_CLEAN "\x1f\xef\xbf\xbd\x00\xef\xbf\xbd"
#define TEXT "plain text"
#define TEXT64 "cGxhaW4gdGV4dA=="

static const struct str zipped = { ZIPPED, 4 }, zipped64 = { ZIPPED64, 8 }, zipped_clean = { ZIPPED_CLEAN, 8 },
                        text = { TEXT, 10 }, text64 = { TEXT64, 16 }, none = { NULL, 0 };

/* "Content type conversions in API Gateway", both tables: a request wants what its Content-Type is, an answer
 * what its Accept is. Recorded of real AWS: text that is no UTF-8 has U+FFFD in it, text that is no base64 is 500. */
static void every_row_of_both_tables(void **state)
{
    (void)state;
    const struct {
        const char *name;
        bool binary, wanted;
        enum content_handling handling;
        struct str in, out; /* out absent: refused */
        bool is_text;
    } rows[] = {
        { "request: text, undefined", false, false, CONTENT_AS_IS, text, text, true },
        { "request: text that is no UTF-8", false, false, CONTENT_AS_IS, zipped, zipped_clean, true },
        { "request: text to binary", false, false, CONTENT_TO_BINARY, zipped64, zipped, false },
        { "request: text to binary, no base64", false, false, CONTENT_TO_BINARY, text, none, false },
        { "request: text to binary, raw bytes", false, false, CONTENT_TO_BINARY, zipped, none, false },
        { "request: text to text", false, false, CONTENT_TO_TEXT, text, text, true },
        { "request: text to text, no UTF-8", false, false, CONTENT_TO_TEXT, zipped, zipped_clean, true },
        { "request: binary, undefined", true, true, CONTENT_AS_IS, zipped, zipped, false },
        { "request: binary to binary", true, true, CONTENT_TO_BINARY, zipped, zipped, false },
        { "request: binary to text", true, true, CONTENT_TO_TEXT, zipped, zipped64, true },
        { "request: what looks like base64 is encoded again", true, true, CONTENT_TO_TEXT, text, text64, true },
        { "answer: text, Accept text, undefined", false, false, CONTENT_AS_IS, text, text, true },
        { "answer: text, Accept text, to binary", false, false, CONTENT_TO_BINARY, text64, text, false },
        { "answer: text, Accept text, to text", false, false, CONTENT_TO_TEXT, text, text, true },
        { "answer: text, Accept binary, undefined", false, true, CONTENT_AS_IS, zipped64, zipped, false },
        { "answer: text, Accept binary, undefined, no base64", false, true, CONTENT_AS_IS, text, none, false },
        { "answer: text, Accept binary, to binary", false, true, CONTENT_TO_BINARY, zipped64, zipped, false },
        { "answer: text, Accept binary, to text", false, true, CONTENT_TO_TEXT, text, text, true },
        { "answer: binary, Accept text, undefined", true, false, CONTENT_AS_IS, zipped, zipped64, true },
        { "answer: binary, Accept text, to binary", true, false, CONTENT_TO_BINARY, zipped, zipped, false },
        { "answer: binary, Accept text, to text", true, false, CONTENT_TO_TEXT, zipped, zipped64, true },
        { "answer: binary, Accept binary, undefined", true, true, CONTENT_AS_IS, zipped, zipped, false },
        { "answer: binary, Accept binary, to binary", true, true, CONTENT_TO_BINARY, zipped, zipped, false },
        { "answer: binary, Accept binary, to text", true, true, CONTENT_TO_TEXT, zipped, zipped64, true },
        { "nothing becomes nothing", false, true, CONTENT_AS_IS, STR(""), STR(""), false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(1024);
        struct str out;
        bool is_text = false;
        bool done = content_convert(arena, rows[i].in, rows[i].binary, rows[i].wanted, rows[i].handling, &out, &is_text);
        if (done != (rows[i].out.ptr != NULL) || (done && (!str_eq(out, rows[i].out) || is_text != rows[i].is_text)))
            fail_msg("%s: \"%.*s\"", rows[i].name, STR_FMT(out));
        arena_free(arena);
    }
}

static void texts_that_are_no_utf8(void **state)
{
    (void)state;
    static const struct { const char *in, *out; } rows[] = {
        { "gr\xc3\xbc\xc3\x9f" "e", "gr\xc3\xbc\xc3\x9f" "e" },
        { "long enough for words of eight \xc3\xbc", "long enough for words of eight \xc3\xbc" },
        { "\xff", "\xef\xbf\xbd" },
        { "12345678\xff" "9", "12345678\xef\xbf\xbd" "9" },
        { "\xc3", "\xef\xbf\xbd" },
        { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* a surrogate */
        { "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },                 /* '/' the long way */
        { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(256);
        struct str out;
        bool is_text;
        content_convert(arena, str_of(rows[i].in), false, false, CONTENT_AS_IS, &out, &is_text);
        if (!str_is(out, rows[i].out))
            fail_msg("row %zu: \"%.*s\"", i, STR_FMT(out));
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_both_tables),
        cmocka_unit_test(texts_that_are_no_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
