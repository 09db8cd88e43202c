#include "vectors.h"

#include "core/jsonpath.h"

static const char pets[] = "{\"pets\":[{\"id\":1,\"name\":\"Rex\",\"tags\":[\"a\",\"b\"]},{\"id\":2,\"name\":\"Tom\"}],"
                           "\"a-b\":3,\"null\":null,\"0x\":true,\"deep\":{\"id\":9}}";

/* Jayway's dialect: what $input.path and parameter mappings see. */
static const struct {
    const char *name, *path, *want; /* NULL: nothing found */
    bool definite;
} rows[] = {
    { "the root", "$.deep", "{\"id\":9}", true },
    { "a definite path gives the value", "$.pets[0].name", "\"Rex\"", true },
    { "missing gives nothing", "$.pets[0].age", NULL, true },
    { "past the end", "$.pets[9]", NULL, true },
    { "from the end", "$.pets[-1].id", "2", true },
    { "null is a value", "$.null", "null", true },
    { "quoted name", "$['a-b']", "3", true },
    { "hyphen in a dotted name", "$.a-b", "3", true },
    { "name that begins with a digit", "$.0x", "true", true },
    { "without $", "deep.id", "9", true },
    { "wild card gives a list", "$.pets[*].id", "[1,2]", false },
    { "deep scan gives a list", "$..id", "[1,2,9]", false },
    { "slice", "$.pets[0:1].name", "[\"Rex\"]", false },
    { "several indexes", "$.pets[0,1].id", "[1,2]", false },
    { "several names", "$.pets[0]['id','name']", "[1,\"Rex\"]", false },
    { "filter by number", "$.pets[?(@.id > 1)].name", "[\"Tom\"]", false },
    { "filter by text", "$.pets[?(@.name == 'Rex')].id", "[1]", false },
    { "filter by existence", "$.pets[?(@.tags)].id", "[1]", false },
    { "filter with and, or, not", "$.pets[?(@.id < 2 && !(@.name == 'Tom') || @.id == 7)].id", "[1]", false },
    { "filter by regular expression", "$.pets[?(@.name =~ /r.x/i)].id", "[1]", false },
    { "filter in", "$.pets[?(@.name in ['Tom','Ann'])].id", "[2]", false },
    { "length()", "$.pets.length()", "2", true },
    { "length() of text", "$.pets[0].name.length()", "3", true },
    { "max() of a list found", "$.pets[*].id.max()", "2.0", true },
};

static void as_api_gateway(void **state)
{
    (void)state;
    struct arena *arena = arena_new(65536);
    const struct jt *doc = jt_parse(arena, str_of(pets), NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str why = STR_NONE;
        struct jsonpath *path = jsonpath_compile(arena, str_of(rows[i].path), &why);
        if (!path)
            fail_msg("%s: %.*s", rows[i].name, STR_FMT(why));
        const struct jt *found = jsonpath_find(arena, path, doc, NULL);
        struct str got = found ? jt_string(arena, found) : STR_NONE;
        struct str want = str_of(rows[i].want);
        if (!str_eq(got, want) || !got.ptr != !want.ptr || jsonpath_is_definite(path) != rows[i].definite)
            fail_msg("%s: %.*s", rows[i].name, STR_FMT(got));
    }
    arena_free(arena);
}

static const char *const refused[] = { "$.", "$[", "$['a", "$.a[?(@.b ==)]", "$.a[?(@.b =~ /(/)]", "$.a.length(", "$[1" };

static void malformed(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct str why = STR_NONE;
        if (jsonpath_compile(arena, str_of(refused[i]), &why))
            fail_msg("%s compiles", refused[i]);
        assert_non_null(why.ptr);
    }
    arena_free(arena);
}

/* RFC 9535's suite. API Gateway is older: what differs is counted, a drop is seen. */
static void rfc9535(void **state)
{
    (void)state;
    struct arena *arena = arena_new(65536);
    json_t *tests = json_object_get(vector_json(arena, "jsonpath/rfc9535-cts.json"), "tests"), *one, *want;
    size_t i, k, valid = 0, good = 0;
    assert_int_equal(json_array_size(tests), 703);
    json_array_foreach(tests, i, one) {
        struct jsonpath *path = jsonpath_compile(arena, json_str(one, "selector"), NULL);
        if (json_is_true(json_object_get(one, "invalid_selector")))
            continue;
        valid++;
        if (!path)
            continue;
        char *text = json_dumps(json_object_get(one, "document"), JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY);
        const struct jt *doc = jt_parse(arena, str_copy(arena, str_of(text)), NULL);
        free(text);
        json_t *got = json_parse(arena, jt_string(arena, jsonpath_find_all(arena, path, doc)), NULL);
        bool same = json_equal(got, json_object_get(one, "result"));
        json_array_foreach(json_object_get(one, "results"), k, want)
            same = same || json_equal(got, want);
        good += same;
    }
    printf("RFC 9535: %zu of %zu results\n", good, valid);
    assert_int_equal(valid, 456);
    assert_true(good >= 345); /* the rest: match(), search(), count(), which Jayway lacks, and its comparisons */
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_api_gateway),
        cmocka_unit_test(malformed),
        cmocka_unit_test(rfc9535),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
