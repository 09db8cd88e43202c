#include "vectors.h"

#include "core/cbor_tree.h"

/* RFC 7049, appendix A: what has a definite length and no tag is read, and is the same when written again. */
static void appendix_a(void **state)
{
    (void)state;
    struct arena *arena = arena_new(65536);
    /* 2^64-1 and the big numbers are more than an integer of jansson's holds */
    json_t *cases = json_load_file(VECTORS "/cbor/appendix_a.json", JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL,
                                   NULL),
           *one;
    assert_non_null(cases);
    json_own(arena, cases);
    size_t i, read = 0, refused = 0;
    json_array_foreach(cases, i, one) {
        struct str bytes = vector_hex(arena, one, "hex"), hex = json_str(one, "hex");
        const cbor_item_t *item = cbor_tree_read(arena, bytes);
        uint8_t first = (uint8_t)bytes.ptr[0], major = first >> 5, info = first & 0x1f;
        if (!item) {
            /* tags, indefinite lengths (somewhere), and simple values that libcbor does not know */
            bool expected =
                major == 6 || str_find_str(hex, STR("ff")) >= 0 || (major == 7 && (info < 20 || info == 24));
            if (!expected)
                fail_msg("%.*s was refused", STR_FMT(hex));
            refused++;
            continue;
        }
        read++;
        if (json_flag(one, "roundtrip", false) && major != 7) {
            unsigned char again[256];
            size_t len = cbor_serialize(item, again, sizeof again);
            if (!str_eq((struct str){ (const char *)again, len }, bytes))
                fail_msg("%.*s did not come back", STR_FMT(hex));
        }
        const json_t *decoded = json_object_get(one, "decoded");
        int64_t number;
        if (json_is_real(decoded) && cbor_tree_int(item, &number))
            assert_true((double)number == json_real_value(decoded));
        if (json_is_string(decoded))
            assert_true(str_eq(cbor_tree_text(item), json_value_str(decoded)));
    }
    assert_int_equal(read + refused, json_array_size(cases));
    assert_true(read >= 50);
    arena_free(arena);
}

static const struct {
    const char *name, *hex;
    size_t extent; /* bytes of the first item; 0: refused */
} rows[] = {
    { "nothing", "", 0 },
    { "a number", "00", 1 },
    { "a number, and something behind it", "0000", 1 },
    { "reserved 28", "1c", 0 },
    { "reserved 30", "7e", 0 },
    { "head cut off", "19ff", 0 },
    { "text cut off", "6361", 0 },
    { "bytes that claim 2^64-1", "5bffffffffffffffff", 0 },
    { "an array that claims 2^31", "9a7fffffff", 0 },
    { "an array that claims 2^64-1", "9bffffffffffffffff", 0 },
    { "a map that claims 2^63", "bb8000000000000000", 0 },
    { "a map that claims one more than there is", "a2616101", 0 },
    { "a map with a key alone", "a16161", 0 },
    { "a map", "a1616101", 4 },
    { "eight levels", "8181818181818100", 8 },
    { "nine levels", "818181818181818100", 0 },
    { "an indefinite array", "9fff", 0 },
    { "indefinite bytes within", "815f4100ff", 0 },
    { "a tag", "c000", 0 },
    { "a lone break", "ff", 0 },
    { "simple value 24 in two bytes", "f818", 0 },
    { "true", "f5", 1 },
    { "a float", "fb3ff199999999999a", 9 },
};

static void bounds(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str bytes = STR(""), hex = str_of(rows[i].hex);
        if (hex.len && !hex_decode(arena, hex, &bytes))
            fail_msg("%s: not hex", rows[i].name);
        size_t extent = cbor_tree_extent(bytes);
        if (extent != rows[i].extent)
            fail_msg("%s: %zu, not %zu", rows[i].name, extent, rows[i].extent);
        bool whole = extent && extent == bytes.len;
        if (whole != (cbor_tree_read(arena, bytes) != NULL))
            fail_msg("%s: walked and read differ", rows[i].name);
    }
    arena_free(arena);
}

static void members(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct str bytes;
    int64_t number;
    assert_true(hex_decode(arena, STR("a36161016161020326"), &bytes)); /* {"a":1,"a":2,3:-7} */
    const cbor_item_t *map = cbor_tree_read(arena, bytes);
    assert_non_null(map);
    assert_null(cbor_tree_member(map, "a")); /* twice is not at all */
    assert_null(cbor_tree_member(map, "b"));
    assert_null(cbor_tree_numbered(map, -7));
    assert_true(cbor_tree_int(cbor_tree_numbered(map, 3), &number));
    assert_int_equal(number, -7);
    assert_null(cbor_tree_bytes(cbor_tree_numbered(map, 3)).ptr);
    assert_null(cbor_tree_text(NULL).ptr);
    assert_false(cbor_tree_int(map, &number));
    assert_null(cbor_tree_member(NULL, "a"));
    assert_true(hex_decode(arena, STR("3bffffffffffffffff"), &bytes));
    assert_false(cbor_tree_int(cbor_tree_read(arena, bytes), &number)); /* -2^64 is no int64 */
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(appendix_a), cmocka_unit_test(bounds),
                                        cmocka_unit_test(members) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
