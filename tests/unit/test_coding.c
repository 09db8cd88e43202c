#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <zlib.h>

#include "core/coding.h"

static void what_an_accept_encoding_wants(void **state)
{
    (void)state;
    static const struct { const char *header; enum coding wanted; } rows[] = {
        { "gzip", CODING_GZIP },
        { "deflate", CODING_DEFLATE },
        { "deflate,gzip", CODING_DEFLATE },
        { "GZIP", CODING_GZIP },
        { "gzip, deflate, br", CODING_GZIP },
        { "br, gzip", CODING_GZIP },
        { "deflate;q=0.5,gzip;q=1.0", CODING_GZIP },
        { "gzip;q=1.0,identity;q=0.5,*;q=0", CODING_GZIP },
        { "br;q=1.0, gzip;q=0.8", CODING_IDENTITY },
        { "identity;q=1, gzip;q=0.9", CODING_IDENTITY },
        { "gzip ; q=0.2 , deflate ; q=0.3", CODING_DEFLATE },
        { "gzip;q=0", CODING_IDENTITY },
        { "gzip;q=2", CODING_IDENTITY },
        { "gzip;q=x", CODING_IDENTITY },
        { "gzip;q=0.0001", CODING_IDENTITY },
        { "", CODING_IDENTITY },
        { "*", CODING_IDENTITY },
        { ",,gzip", CODING_GZIP },
        { "gzipp", CODING_IDENTITY },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (coding_wanted(str_of(rows[i].header)) != rows[i].wanted)
            fail_msg("\"%s\": %s", rows[i].header, coding_name(coding_wanted(str_of(rows[i].header))));
}

static void a_content_encoding_is_one_coding(void **state)
{
    (void)state;
    static const struct { const char *header; enum coding coding; } rows[] = {
        { "gzip", CODING_GZIP },   { " GZip ", CODING_GZIP },         { "x-gzip", CODING_GZIP },
        { "deflate", CODING_DEFLATE }, { "identity", CODING_IDENTITY }, { "", CODING_IDENTITY },
        { "br", CODING_UNKNOWN },  { "deflate, gzip", CODING_UNKNOWN }, { "gzip, gzip", CODING_UNKNOWN },
        { "gzip;q=1", CODING_UNKNOWN },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (coding_of(str_of(rows[i].header)) != rows[i].coding)
            fail_msg("\"%s\"", rows[i].header);
}

static struct str gathered;
static struct arena *gathering;

static void gather(void *ctx, struct str bytes)
{
    (void)ctx;
    char *grown = arena_alloc(gathering, gathered.len + bytes.len, 1);
    memcpy(grown, gathered.ptr, gathered.len);
    memcpy(grown + gathered.len, bytes.ptr, bytes.len);
    gathered = (struct str){ grown, gathered.len + bytes.len };
}

static void what_is_deflated_inflates_to_the_same(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 1000, 70000, 3000000 };
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (int coding = CODING_GZIP; coding <= CODING_DEFLATE; coding++) {
            gathering = arena_new(1024);
            gathered = STR("");
            char *bytes = arena_alloc(gathering, sizes[i] + 1, 1);
            for (size_t k = 0; k < sizes[i]; k++)
                bytes[k] = (char)(k * k >> 7);
            struct str text = { bytes, sizes[i] }, packed = deflate_whole(gathering, (enum coding)coding, text), out;
            assert_int_equal(inflate_whole(gathering, (enum coding)coding, packed, sizes[i], &out), INFLATED);
            assert_true(str_eq(out, text));
            if (sizes[i])
                assert_int_equal(inflate_whole(gathering, (enum coding)coding, packed, sizes[i] - 1, &out), INFLATE_TOO_LARGE);
            struct deflater *deflater = deflater_new(gathering, (enum coding)coding);
            for (size_t at = 0; at < text.len; at += 50000)
                deflater_add(deflater, str_sub(text, at, text.len - at < 50000 ? text.len - at : 50000), false, gather, NULL);
            deflater_add(deflater, STR(""), true, gather, NULL);
            assert_int_equal(inflate_whole(gathering, (enum coding)coding, gathered, sizes[i], &out), INFLATED);
            assert_true(str_eq(out, text));
            arena_free(gathering);
        }
    }
}

static void what_is_broken_is_told(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct str good = deflate_whole(arena, CODING_GZIP, STR("hello hello hello hello")), out;
    char bad_crc[128], two[256], more[256];
    memcpy(bad_crc, good.ptr, good.len);
    bad_crc[good.len - 6] ^= 1;
    memcpy(two, good.ptr, good.len);
    memcpy(two + good.len, good.ptr, good.len);
    memcpy(more, good.ptr, good.len);
    memcpy(more + good.len, "junk", 4);
    const struct { const char *name; struct str bytes; enum coding coding; enum inflated result; } rows[] = {
        { "whole", good, CODING_GZIP, INFLATED },
        { "truncated", str_sub(good, 0, good.len - 1), CODING_GZIP, INFLATE_BROKEN },
        { "head only", str_sub(good, 0, 10), CODING_GZIP, INFLATE_BROKEN },
        { "nothing", STR(""), CODING_GZIP, INFLATE_BROKEN },
        { "a bad checksum", { bad_crc, good.len }, CODING_GZIP, INFLATE_BROKEN },
        { "two members", { two, 2 * good.len }, CODING_GZIP, INFLATED },
        { "something behind", { more, good.len + 4 }, CODING_GZIP, INFLATE_BROKEN },
        { "gzip called deflate", good, CODING_DEFLATE, INFLATE_BROKEN },
        { "no gzip", STR("{\"a\":1}"), CODING_GZIP, INFLATE_BROKEN },
        { "text called deflate", STR("{\"a\":1}"), CODING_DEFLATE, INFLATE_BROKEN },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (inflate_whole(arena, rows[i].coding, rows[i].bytes, 1000, &out) != rows[i].result)
            fail_msg("%s", rows[i].name);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_accept_encoding_wants),
        cmocka_unit_test(a_content_encoding_is_one_coding),
        cmocka_unit_test(what_is_deflated_inflates_to_the_same),
        cmocka_unit_test(what_is_broken_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
