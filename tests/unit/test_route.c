#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

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
    { "ANY is seven methods, not whatever a client makes up", "PROPFIND", "/pets", -1, "" },
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
        assert_true(route_add(root, str_of(resources[i].path), str_of(resources[i].verb), METHOD(i), &why));
    return root;
}

static void precedence(void **state)
{
    (void)state;
    struct arena *arena = arena_new(8192);
    struct route *root = build(arena);
    route_seal(arena, root);
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
    assert_false(route_add(root, STR("/pets/{other}"), STR("GET"), METHOD(9), &why));
    assert_string_equal(why, "A sibling of this resource already has a variable path part");
    assert_false(route_add(root, STR("/x/{rest+}/more"), STR("GET"), METHOD(9), &why));
    assert_string_equal(why, "A greedy path part must be the last one");
    arena_free(arena);
}

/* Every way of literal and parameter over six parts, each with another verb than the one asked for but
 * the least exact: all are tried, in the order of a walk down the tree. */
static void backtracks(void **state)
{
    (void)state;
    struct arena *arena = arena_new(8192);
    struct route *root = route_new(arena);
    struct route_match match;
    const char *why;
    for (int mask = 0; mask < 64; mask++) {
        struct strbuf path = strbuf_in(arena, 64);
        for (int i = 0; i < 6; i++)
            strbuf_printf(&path, mask >> i & 1 ? "/{p%d}" : "/a", i);
        assert_true(route_add(root, strbuf_view(&path), mask == 63 ? STR("GET") : STR("PUT"), METHOD(mask % 16), &why));
    }
    route_seal(arena, root);
    route_find(root, STR("GET"), STR("/a/a/a/a/a/a"), &match);
    assert_ptr_equal(match.method, METHOD(15));
    assert_int_equal(match.n_params, 6);
    route_find(root, STR("PUT"), STR("/a/a/a/a/a/a"), &match);
    assert_ptr_equal(match.method, METHOD(0));
    assert_int_equal(match.n_params, 0);
    route_find(root, STR("PUT"), STR("/a/b/a/a/a/c"), &match);
    assert_int_equal(match.n_params, 2);
    assert_true(str_is(match.params[1].name, "p5") && str_is(match.params[1].value, "c"));
    route_find(root, STR("DELETE"), STR("/a/a/a/a/a/a"), &match);
    assert_true(match.resource_found && !match.method && match.n_params == 0);
    arena_free(arena);
}

/* Against the slow and plain way: part by part. */
static bool plain_match(struct str pattern, struct str path)
{
    struct str a = str_from(pattern, 1), b = str_from(path, 1), want, have;
    while (a.ptr && b.ptr) {
        str_split(&a, '/', &want);
        str_split(&b, '/', &have);
        bool variable = want.ptr[0] == '{';
        if (variable ? !have.len : !str_eq(want, have))
            return false;
    }
    return !a.ptr && !b.ptr;
}

static void many(void **state)
{
    (void)state;
    static char all[4096];
    static const char *const parts[] = { "a", "b", "{id}", "longer-than-eight", "longer-than-nine!", "{id}" };
    struct arena *arena = arena_new(1 << 20);
    struct route *root = route_new(arena);
    struct str paths[4096];
    size_t n = 0;
    const char *why;
    srand(7);
    while (n < 1000) {
        struct strbuf path = strbuf_in(arena, 64);
        for (int depth = 1 + rand() % 5; depth; depth--)
            strbuf_printf(&path, "/%s", parts[(size_t)rand() % COUNT(parts)]);
        paths[n] = strbuf_view(&path);
        assert_true(route_add(root, paths[n], STR("GET"), (void *)&all[n], &why));
        n++;
    }
    route_seal(arena, root);
    for (int i = 0; i < 20000; i++) {
        static const char *const values[] = { "a", "b", "c", "longer-than-eight", "longer-than-nine!", "" };
        struct strbuf path = strbuf_in(arena, 64);
        struct route_match match;
        bool any = false;
        for (int depth = 1 + rand() % 5; depth; depth--)
            strbuf_printf(&path, "/%s", values[(size_t)rand() % COUNT(values)]);
        struct str asked = strbuf_view(&path);
        if (asked.ptr[asked.len - 1] == '/')
            continue;
        route_find(root, STR("GET"), asked, &match);
        for (size_t k = 0; k < n && !any; k++)
            any = plain_match(paths[k], asked);
        assert_int_equal(any, match.method != NULL);
        if (match.method)
            assert_true(plain_match(paths[(const char *)(const void *)match.method - all], asked));
    }
    arena_free(arena);
}

/* Thousands of slashes cost no stack and no time. */
static void deep(void **state)
{
    (void)state;
    struct arena *arena = arena_new(8192);
    struct route *root = build(arena);
    route_seal(arena, root);
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
        cmocka_unit_test(backtracks),
        cmocka_unit_test(many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
