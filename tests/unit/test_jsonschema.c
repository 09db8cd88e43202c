#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <time.h>

#include "core/jsonschema.h"
#include "vectors.h"

static struct str slurp(struct arena *arena, const char *path)
{
    char full[1024];
    snprintf(full, sizeof full, VECTORS "/json-schema-draft4/%s", path);
    FILE *file = fopen(full, "rb");
    if (!file)
        return STR_NONE;
    struct strbuf out = strbuf_in(arena, 65536);
    char piece[4096];
    for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;)
        strbuf_add(&out, (struct str){ piece, n });
    fclose(file);
    return strbuf_view(&out);
}

/* The suite's server is a folder here: nothing is fetched. */
static const struct jt *remote(void *user, struct str uri)
{
    struct arena *arena = user;
    struct str host = STR("http://localhost:1234/");
    if (!str_starts(uri, host))
        return NULL;
    struct str text = slurp(arena, str_printf(arena, "remotes/%.*s", STR_FMT(str_from(uri, host.len))).ptr);
    return text.ptr ? jt_parse(arena, text, NULL) : NULL;
}

/* What the suite wants and we do otherwise, each with its reason. */
static const struct {
    const char *file, *group, *test, *reason;
    bool used;
} exceptions[] = {
    { NULL, NULL, NULL, NULL, false },
};
static bool excused[COUNT(exceptions)];

static bool is_exception(const char *file, struct str group, struct str test)
{
    for (size_t i = 0; i < COUNT(exceptions); i++) {
        if (!exceptions[i].file || strcmp(exceptions[i].file, file) != 0 || !str_is(group, exceptions[i].group) ||
            (exceptions[i].test && !str_is(test, exceptions[i].test)))
            continue;
        excused[i] = true;
        return true;
    }
    return false;
}

static size_t run_group(const char *file, const struct jt *group, size_t *wrong)
{
    struct arena *arena = arena_new(64 * 1024);
    const struct jsonschema_names names = { remote, arena };
    const struct jt *tests = jt_get(group, STR("tests"));
    struct str why = STR_NONE;
    struct jsonschema *schema = jsonschema_compile(arena, jt_get(group, STR("schema")), STR_NONE, &names, &why);
    for (uint32_t i = 0; i < tests->n; i++) {
        const struct jt *one = &tests->items[i];
        struct str errors = STR_NONE;
        bool want = jt_get(one, STR("valid"))->flag;
        enum jsonschema_verdict got =
            schema ? jsonschema_check(schema, jt_get(one, STR("data")), 0, arena, &errors) : JSONSCHEMA_LOOP;
        bool good = got == (want ? JSONSCHEMA_VALID : JSONSCHEMA_INVALID);
        if (is_exception(file, jt_get_str(group, "description"), jt_get_str(one, "description")) ? good : !good) {
            ++*wrong;
            print_error("%s: %.*s: %.*s: want %d, got %d %.*s %.*s\n", file, STR_FMT(jt_get_str(group, "description")),
                        STR_FMT(jt_get_str(one, "description")), want, got, STR_FMT(errors), STR_FMT(why));
        }
    }
    size_t n = tests->n;
    arena_free(arena);
    return n;
}

static size_t run_folder(const char *folder, size_t *wrong)
{
    char path[1024];
    snprintf(path, sizeof path, VECTORS "/json-schema-draft4/%s", folder);
    DIR *dir = opendir(path);
    struct dirent *entry;
    size_t n = 0;
    if (!dir)
        fail_msg("%s is missing", path);
    while ((entry = readdir(dir))) {
        if (!strstr(entry->d_name, ".json"))
            continue;
        struct arena *arena = arena_new(64 * 1024);
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        struct str why;
        const struct jt *groups = jt_parse(arena, slurp(arena, path), &why);
        if (!groups)
            fail_msg("%s: %s", path, why.ptr);
        for (uint32_t i = 0; i < groups->n; i++)
            n += run_group(entry->d_name, &groups->items[i], wrong);
        arena_free(arena);
    }
    closedir(dir);
    return n;
}

static void all_of_draft4(void **state)
{
    (void)state;
    size_t wrong = 0, n = run_folder("tests", &wrong);
    n += run_folder("tests/optional", &wrong);
    n += run_folder("tests/optional/format", &wrong);
    assert_int_equal(wrong, 0);
    assert_int_equal(n, 937);
    for (size_t i = 0; i < COUNT(exceptions); i++)
        if (exceptions[i].file && !excused[i])
            fail_msg("%s: %s: no such case any more", exceptions[i].file, exceptions[i].group);
}

/* $context.error.validationErrorString, in the words of the validator behind API Gateway. */
static void words(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *body, *errors;
    } rows[] = {
        { "{'type':'object','required':['name']}", "{}", "[object has missing required properties (['name'])]" },
        { "{'required':['b','a']}", "{'c':1}", "[object has missing required properties (['a','b'])]" },
        { "{'properties':{'n':{'type':'number'}}}", "{'n':'1'}",
          "[instance type (string) does not match any allowed primitive type (allowed: ['integer','number'])]" },
        { "{'type':['string','null']}", "1",
          "[instance type (integer) does not match any allowed primitive type (allowed: ['null','string'])]" },
        { "{'type':'integer'}", "1.0",
          "[instance type (number) does not match any allowed primitive type (allowed: ['integer'])]" },
        { "{'enum':['dog','cat',1]}", "{'a':[1,true]}",
          "[instance value ({'a':[1,true]}) not found in enum (possible values: ['dog','cat',1])]" },
        { "{'minimum':18}", "17", "[numeric instance is lower than the required minimum (minimum: 18, found: 17)]" },
        { "{'maximum':5}", "6.5", "[numeric instance is greater than the required maximum (maximum: 5, found: 6.5)]" },
        { "{'minimum':1,'exclusiveMinimum':true}", "1",
          "[numeric instance is not strictly greater than the required minimum 1]" },
        { "{'maximum':1,'exclusiveMaximum':true}", "1",
          "[numeric instance is not strictly lower than the required maximum 1]" },
        { "{'multipleOf':0.01}", "100.001", "[remainder of division is not zero (100.001 / 0.01)]" },
        { "{'minLength':2}", "'f'", "[string 'f' is too short (length: 1, required minimum: 2)]" },
        { "{'maxLength':2}", "'\xc3\xa9\xc3\xa9\xc3\xa9'",
          "[string '\xc3\xa9\xc3\xa9\xc3\xa9' is too long (length: 3, maximum allowed: 2)]" },
        { "{'pattern':'^[a-z]+$'}", "'pi*lot'", "[ECMA 262 regex '^[a-z]+$' does not match input string 'pi*lot']" },
        { "{'minItems':1}", "[]", "[array is too short: must have at least 1 elements but instance has 0 elements]" },
        { "{'maxItems':1}", "[1,2]", "[array is too long: must have at most 1 elements but instance has 2 elements]" },
        { "{'uniqueItems':true}", "[1,2,1.0]", "[array must not contain duplicate elements]" },
        { "{'items':[{}],'additionalItems':false}", "[1,2]",
          "[schema only allows 1 elements in array but instance has 2 elements]" },
        { "{'minProperties':1}", "{}", "[object has too few properties (found 0 but schema requires at least 1)]" },
        { "{'maxProperties':1}", "{'a':1,'b':2}",
          "[object has too many properties (found 2 but schema requires at most 1)]" },
        { "{'additionalProperties':false,'properties':{'a':{}}}", "{'z':1,'a':1,'b':2}",
          "[object instance has properties which are not allowed by the schema: ['b','z']]" },
        { "{'dependencies':{'a':['b','c']}}", "{'a':1,'c':1}",
          "[property 'a' of object has missing property dependencies (schema requires ['b','c']; missing: ['b'])]" },
        { "{'allOf':[{'type':'string'},{'type':'integer'}]}", "1",
          "[instance failed to match all required schemas (matched only 1 out of 2)]" },
        { "{'anyOf':[{'type':'string'},{'type':'null'}]}", "1",
          "[instance failed to match at least one required schema among 2]" },
        { "{'oneOf':[{'type':'integer'},{'minimum':0},{}]}", "1",
          "[instance failed to match exactly one schema (matched 3 out of 3)]" },
        { "{'not':{'type':'integer'}}", "1", "[instance matched a schema which it should not have]" },
        { "{'format':'email'}", "'x'", "[string 'x' is not a valid email address]" },
        { "{'format':'ipv4'}", "'1.2.3'", "[string '1.2.3' is not a valid IPv4 address]" },
        { "{'format':'date-time'}", "'2018-03-15'",
          "[string '2018-03-15' is invalid against requested date format(s) [yyyy-MM-dd'T'HH:mm:ssZ, "
          "yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,12}Z]]" },
        /* several: keywords by name; members by name, each while nothing deeper is looked at */
        { "{'properties':{'b':{'type':'string'},'a':{'minimum':2,'type':'string'}}}", "{'b':1,'a':1}",
          "[numeric instance is lower than the required minimum (minimum: 2, found: 1), instance type (integer) does "
          "not match any allowed primitive type (allowed: ['string']), instance type (integer) does not match any "
          "allowed primitive type (allowed: ['string'])]" },
        { "{'required':['x'],'properties':{'a':{'type':'string'}}}", "{'a':1}",
          "[object has missing required properties (['x'])]" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(8192);
        struct str text[3] = { str_of(rows[i].schema), str_of(rows[i].body), str_of(rows[i].errors) };
        bool date = strstr(rows[i].schema, "date-time") != NULL;
        for (size_t k = 0; k < 3; k++) {
            text[k] = str_copy(arena, text[k]);
            for (char *p = (char *)(uintptr_t)text[k].ptr; *p; p++) {
                bool quoted_t = date && k == 2 && p[1] == 'T' && p[0] == '\'';
                bool after_t = date && k == 2 && p > text[k].ptr && p[-1] == 'T' && p[0] == '\'';
                if (*p == '\'' && !quoted_t && !after_t)
                    *p = '"';
            }
        }
        struct str why = STR_NONE, errors = STR_NONE;
        const struct jt *schema = jt_parse(arena, text[0], &why), *body = jt_parse(arena, text[1], &why);
        assert_non_null(schema);
        assert_non_null(body);
        struct jsonschema *compiled = jsonschema_compile(arena, schema, STR_NONE, NULL, &why);
        if (!compiled)
            fail_msg("%s: %s", rows[i].schema, why.ptr);
        assert_int_equal(jsonschema_check(compiled, body, 0, arena, &errors), JSONSCHEMA_INVALID);
        assert_string_equal(errors.ptr, text[2].ptr);
        arena_free(arena);
    }
}

static struct str repeat(struct arena *arena, const char *before, const char *piece, size_t n, const char *after)
{
    struct strbuf out = strbuf_in(arena, n * strlen(piece) + 64);
    strbuf_add(&out, str_of(before));
    for (size_t i = 0; i < n; i++)
        strbuf_add(&out, str_of(piece));
    strbuf_add(&out, str_of(after));
    return strbuf_view(&out);
}

/* Schemas and bodies that are made to cost: an answer after bounded steps (security table, e10). */
static void bounded(void **state)
{
    (void)state;
    struct arena *a = arena_new(1 << 20);
    struct strbuf unique = strbuf_in(a, 1 << 20);
    for (int i = 0; i < 100000; i++)
        strbuf_printf(&unique, "%s%d", i ? "," : "[", i);
    strbuf_char(&unique, ']');
    const struct {
        const char *name;
        struct str schema, body;
        int verdict; /* -1: does not compile */
    } rows[] = {
        { "$ref to itself", STR("{\"$ref\":\"#\"}"), STR("1"), -1 },
        { "$ref in a circle", STR("{\"$ref\":\"#/definitions/a\",\"definitions\":{\"a\":{\"$ref\":\"#/definitions/b\"},"
                                  "\"b\":{\"$ref\":\"#/definitions/a\"}}}"), STR("1"), -1 },
        { "a circle through allOf", STR("{\"allOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}"), STR("1"), JSONSCHEMA_LOOP },
        { "a circle through not", STR("{\"not\":{\"$ref\":\"#\"}}"), STR("1"), JSONSCHEMA_LOOP },
        { "http reference", STR("{\"$ref\":\"http://169.254.169.254/x\"}"), STR("1"), -1 },
        { "file reference", STR("{\"$ref\":\"file:///etc/passwd\"}"), STR("1"), -1 },
        { "(a+)+$", STR("{\"pattern\":\"(a+)+$\"}"), repeat(a, "\"", "a", 5000, "b\""), JSONSCHEMA_TOO_MUCH },
        { "^(a|a)*$", STR("{\"pattern\":\"^(a|a)*$\"}"), repeat(a, "\"", "a", 5000, "b\""), JSONSCHEMA_TOO_MUCH },
        { "(.*a){20}", STR("{\"pattern\":\"^(.*a){20}$\"}"), repeat(a, "\"", "a", 500, "b\""), JSONSCHEMA_TOO_MUCH },
        { "ReDoS in many strings", STR("{\"items\":{\"pattern\":\"^(a+)+$\"}}"),
          repeat(a, "[\"aaaaaaaaaaaaaaaaab\"", ",\"aaaaaaaaaaaaaaaaab\"", 20000, "]"), JSONSCHEMA_TOO_MUCH },
        { "just short of it, many times", STR("{\"items\":{\"pattern\":\"^(a+)+$|b$\"}}"),
          repeat(a, "[\"aaaaaaaaaaaaaab\"", ",\"aaaaaaaaaaaaaab\"", 20000, "]"), JSONSCHEMA_TOO_MUCH },
        { "uniqueItems over 100,000", STR("{\"uniqueItems\":true}"), strbuf_view(&unique), JSONSCHEMA_VALID },
        { "uniqueItems over 100,000 equal hashes of one number", STR("{\"uniqueItems\":true}"),
          repeat(a, "[0", ",0.0", 100000, "]"), JSONSCHEMA_INVALID },
        { "oneOf of oneOf of …", repeat(a, "", "{\"oneOf\":[", 480, "{}") , STR("1"), -2 },
        { "2^40 ways", STR("{\"definitions\":{\"a\":{\"anyOf\":[{\"$ref\":\"#/definitions/b\"},{\"$ref\":\"#/definitions/b\"}]},"
          "\"b\":{\"properties\":{\"x\":{\"$ref\":\"#/definitions/a\"}},\"required\":[\"x\"]}},\"$ref\":\"#/definitions/a\"}"),
          repeat(a, "", "{\"x\":", 60, "1}"), -2 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(1 << 16);
        struct str why = STR_NONE, errors = STR_NONE, schema_text = rows[i].schema, body_text = rows[i].body;
        if (rows[i].verdict == -2 && str_starts(schema_text, STR("{\"oneOf")))
            schema_text = str_concat(arena, schema_text, repeat(arena, "", "]}", 480, ""));
        if (rows[i].verdict == -2 && str_starts(body_text, STR("{\"x")))
            body_text = str_concat(arena, body_text, repeat(arena, "", "}", 59, ""));
        const struct jt *schema = jt_parse(arena, schema_text, &why), *body = jt_parse(arena, body_text, &why);
        if (!schema || !body)
            fail_msg("%s: %s", rows[i].name, why.ptr);
        struct jsonschema *compiled = jsonschema_compile(arena, schema, STR_NONE, NULL, &why);
        struct timespec from, to;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
        int verdict = compiled ? (int)jsonschema_check(compiled, body, body_text.len, arena, &errors) : -1;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
        double ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
        if (getenv("SHOW_COST"))
            print_message("%-55s %8.2f ms  %d %.60s\n", rows[i].name, ms, verdict, errors.ptr ? errors.ptr : "");
        if (rows[i].verdict != -2 && verdict != rows[i].verdict)
            fail_msg("%s: verdict %d, not %d", rows[i].name, verdict, rows[i].verdict);
        arena_free(arena);
    }
    arena_free(a);
}

static void schemas_of_schemas(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        bool good;
    } rows[] = {
        { "{}", true },
        { "{\"type\":\"object\",\"required\":[\"a\"]}", true },
        { "{\"type\":\"object\",\"required\":[]}", false },
        { "{\"enum\":[\"A\",\"A\"]}", false },
        { "{\"type\":\"string \"}", false },
        { "{\"type\":\"text\"}", false },
        { "{\"properties\":{\"a\":{\"required\":true}}}", false },
        { "{\"minLength\":-1}", false },
        { "{\"pattern\":\"(\"}", false },
        { "{\"exclusiveMaximum\":true}", false },
        { "[]", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(8192);
        struct str errors = STR_NONE;
        if (jsonschema_is_schema(arena, jt_parse(arena, str_of(rows[i].schema), NULL), &errors) != rows[i].good)
            fail_msg("%s: %s", rows[i].schema, errors.ptr);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_draft4),
        cmocka_unit_test(words),
        cmocka_unit_test(bounded),
        cmocka_unit_test(schemas_of_schemas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
