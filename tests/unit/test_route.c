#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "gateway/route.h"

/* Methods are told apart by address; the number says which resource. */
static char methods[16];
#define METHOD(i) ((const struct gw_method *)(const void *)&methods[i])

static const struct {
    const char *path, *verb;
} resources[] = {
    [0] = { "/", "GET" },
    [1] = { "/pets", "GET" },
    [2] = { "/pets", "ANY" },
    [3] = { "/pets/{id}", "GET" },
    [4] = { "/pets/mine", "GET" },
    [5] = { "/pets/{id}/toys/{toy}", "DELETE" },
    [6] = { "/{proxy+}", "ANY" },
    [7] = { "/files/{path+}", "GET" },
};

static const struct {
    const char *name, *verb, *path;
    int method;               /* -1: none */
    const char *params;       /* "id=7;" */
} rows[] = {
    { "the root", "GET", "/", 0, "" },
    { "the root without a slash", "GET", "", 0, "" },
    { "literal", "GET", "/pets", 1, "" },
    { "a trailing slash is ignored", "GET", "/pets/", 1, "" },
    { "ANY for the other methods", "POST", "/pets", 2, "" },
    { "the exact method beats ANY", "GET", "/pets", 1, "" },
    { "a parameter", "GET", "/pets/7", 3, "id=7;" },
    { "a literal beats a parameter", "GET", "/pets/mine", 4, "" },
    { "values stay as they were sent, recorded", "GET", "/pets/test%2Balias", 3, "id=test%2Balias;" },
    { "two parameters", "DELETE", "/pets/7/toys/ball", 5, "id=7;toy=ball;" },
    { "greedy takes the rest", "GET", "/a/b/c", 6, "proxy=a/b/c;" },
    { "greedy without the trailing slash, recorded", "GET", "/a/b/", 6, "proxy=a/b;" },
    { "two slashes stay in the greedy value, recorded", "GET", "/a//b", 6, "proxy=a//b;" },
    { "a longer literal beats a shorter greedy", "GET", "/files/a/b", 7, "path=a/b;" },
    { "no method there: a less exact resource may have one", "POST", "/files/a", 6, "proxy=files/a;" },
    { "a parameter is never empty", "GET", "/pets//", 6, "proxy=pets/;" },
    { "nothing at the root for POST", "POST", "/", -1, "" },
    { "case counts", "GET", "/Pets", 6, "proxy=Pets;" },
};

static struct route *build(struct arena *arena)
{
    struct route *root = route_new(arena);
    const char *why;
    for (size_t i = 0; i < COUNT(resources); i++)
        assert_true(route_add(arena, root, str_of(resources[i].path), str_of(resources[i].verb), METHOD(i), &why));
    return root;
}

static void precedence(void **state)
{
    (void)state;
    struct arena *arena = arena_new(8192);
    struct route *root = build(arena);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct route_match match;
        struct strbuf params = strbuf_in(arena, 64);
        route_find(root, str_of(rows[i].verb), str_of(rows[i].path), &match);
        const struct gw_method *want = rows[i].method < 0 ? NULL : METHOD(rows[i].method);
        for (size_t p = 0; p < match.n_params; p++)
            strbuf_printf(&params, "%.*s=%.*s;", STR_FMT(match.params[p].name), STR_FMT(match.params[p].value));
        if (match.method != want || (want && !str_is(strbuf_view(&params), rows[i].params)))
            fail_msg("%s: method %td, %s", rows[i].name, match.method ? (const char *)(const void *)match.method - methods : -1,
                     strbuf_view(&params).ptr);
    }
    arena_free(arena);
}

static void refused(void **state)
{
    (void)state;
    struct arena *arena = arena_new(8192);
    struct route *root = build(arena);
    const char *why = "";
    assert_false(route_add(arena, root, STR("/pets/{other}"), STR("GET"), METHOD(9), &why));
    assert_string_equal(why, "A sibling of this resource already has a variable path part");
    assert_false(route_add(arena, root, STR("/x/{rest+}/more"), STR("GET"), METHOD(9), &why));
    assert_string_equal(why, "A greedy path part must be the last one");
    arena_free(arena);
}

/* Thousands of slashes cost no stack and no time. */
static void deep(void **state)
{
    (void)state;
    struct arena *arena = arena_new(8192);
    struct route *root = build(arena);
    struct strbuf path = strbuf_in(arena, 20000);
    for (int i = 0; i < 10000; i++)
        strbuf_add(&path, STR("/a"));
    struct route_match match;
    route_find(root, STR("GET"), strbuf_view(&path), &match);
    assert_ptr_equal(match.method, METHOD(6));
    assert_int_equal(match.params[0].value.len, 19999);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(precedence),
        cmocka_unit_test(refused),
        cmocka_unit_test(deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
