/* Which API a host and a path mean, and who may enter: decisions over a table, without a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/domain/domain.h"
#include "gateway/domain/security_policy.h"

static struct docs docs_from(struct arena *arena, const char *text)
{
    struct str why;
    json_t *list = json_parse(arena, str_of(text), &why), *one;
    struct docs docs = { ARENA_ARRAY(arena, json_t *, json_array_size(list)), 0 };
    size_t i;
    assert_non_null(list);
    json_array_foreach(list, i, one)
        docs.items[docs.n++] = one;
    return docs;
}

static struct domain *domain_from(struct arena *arena, const char *domain, const char *mappings, const char *rules)
{
    struct str why;
    struct domain_source source = { .domain = json_parse(arena, str_of(domain), &why),
                                    .mappings = docs_from(arena, mappings),
                                    .rules = docs_from(arena, rules) };
    assert_non_null(source.domain);
    return domain_compile(&source, arena);
}

static const char mappings[] = "[{\"basePath\":\"(none)\",\"restApiId\":\"root\",\"stage\":\"s\"},"
                               "{\"basePath\":\"a\",\"restApiId\":\"a\",\"stage\":\"s\"},"
                               "{\"basePath\":\"a/b\",\"restApiId\":\"ab\"},"
                               "{\"basePath\":\"a/b/c/d\",\"restApiId\":\"abcd\",\"stage\":\"s\"}]";

static const struct {
    const char *name, *path, *api, *left, *base_path;
} paths[] = {
    { "the root", "/", "root", "/", "" },
    { "no mapping of its own", "/x/y", "root", "/x/y", "" },
    { "one level, nothing behind", "/a", "a", "/", "a" },
    { "one level, a slash behind", "/a/", "a", "/", "a" },
    { "one level, more behind", "/a/x", "a", "/x", "a" },
    { "two levels", "/a/b/x", "ab", "/x", "a/b" },
    { "between two and four", "/a/b/c", "ab", "/c", "a/b" },
    { "four levels", "/a/b/c/d/e", "abcd", "/e", "a/b/c/d" },
    { "a longer segment is another", "/ab/x", "root", "/ab/x", "" },
    { "two, of which one is longer", "/a/bc", "a", "/bc", "a" },
    { "case counts", "/A/x", "root", "/A/x", "" },
    { "a doubled slash is a segment", "//a/x", "root", "//a/x", "" },
    { "one within", "/a//b/x", "a", "//b/x", "a" },
    { "escapes stand for themselves", "/%61/x", "root", "/%61/x", "" },
    { "an escaped slash is no level", "/a%2fb/x", "root", "/a%2fb/x", "" },
    { "dots are not walked", "/a/../b", "a", "/../b", "a" },
};

static void test_longest_mapping(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    const struct http_headers none = { 0 };
    struct domain *domain = domain_from(arena, "{\"domainName\":\"x.test\"}", mappings, "[]");
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct domain_match match = { 0 };
        assert_true(domain_route(domain, &none, str_of(paths[i].path), &match));
        if (!str_is(match.api_id, paths[i].api) || !str_is(match.path, paths[i].left) ||
            !str_is(match.base_path, paths[i].base_path))
            fail_msg("%s: %.*s %.*s %.*s", paths[i].name, STR_FMT(match.api_id), STR_FMT(match.path),
                     STR_FMT(match.base_path));
    }
    struct domain_match match;
    assert_true(domain_route(domain, &none, STR("/a/b/x"), &match));
    assert_null(match.stage.ptr); /* it comes in the path */
    assert_false(domain_route(domain_from(arena, "{\"domainName\":\"x.test\"}", "[]", "[]"), &none, STR("/"), &match));
    arena_free(arena);
}

#define ACTION(api, strip) "\"actions\":[{\"invokeApi\":{\"apiId\":\"" api "\",\"stage\":\"s\",\"stripBasePath\":" strip "}}]"
static const char rules[] =
    "[{\"priority\":1,\"routingRuleId\":\"r1\",\"conditions\":["
    "{\"matchHeaders\":{\"anyOf\":[{\"header\":\"X-V\",\"valueGlob\":\"beta*\"}]}},"
    "{\"matchHeaders\":{\"anyOf\":[{\"header\":\"x-w\",\"valueGlob\":\"*1\"},{\"header\":\"x-w\",\"valueGlob\":\"two\"}]}},"
    "{\"matchBasePaths\":{\"anyOf\":[\"a\",\"a/b\"]}}]," ACTION("both", "true") "},"
    "{\"priority\":2,\"routingRuleId\":\"r2\",\"conditions\":[{\"matchHeaders\":{\"anyOf\":["
    "{\"header\":\"X-V\",\"valueGlob\":\"*t?*\"}]}}]," ACTION("literal", "false") "},"
    "{\"priority\":9,\"routingRuleId\":\"r9\",\"conditions\":[{\"matchBasePaths\":{\"anyOf\":[\"a\"]}}]," ACTION("kept", "false") "}]";

static const struct {
    const char *name, *v, *w, *path, *api, *left;
} ruled[] = {
    { "all conditions, the longest of its paths", "beta-1", "x1", "/a/b/c", "both", "/c" },
    { "any of the values", "beta", "two", "/a", "both", "/" },
    { "one condition fails", "beta", "three", "/a/x", "kept", "/a/x" },
    { "values have case", "Beta", "two", "/a/x", "kept", "/a/x" },
    { "? means itself", "what?so", NULL, "/q", "literal", "/q" },
    { "? is no wild card", "whatsso", NULL, "/q", NULL, NULL },
    { "no rule, no mapping asked", NULL, NULL, "/q", NULL, NULL },
};

static void test_rules(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct domain *domain =
        domain_from(arena, "{\"domainName\":\"x.test\",\"routingMode\":\"ROUTING_RULE_ONLY\"}", mappings, rules);
    for (size_t i = 0; i < COUNT(ruled); i++) {
        struct http_headers headers = { 0 };
        struct domain_match match = { 0 };
        if (ruled[i].v)
            http_header_add(arena, &headers, STR("x-v"), str_of(ruled[i].v));
        if (ruled[i].w)
            http_header_add(arena, &headers, STR("X-W"), str_of(ruled[i].w));
        bool found = domain_route(domain, &headers, str_of(ruled[i].path), &match);
        if (found != (ruled[i].api != NULL) ||
            (found && (!str_is(match.api_id, ruled[i].api) || !str_is(match.path, ruled[i].left))))
            fail_msg("%s: %.*s %.*s", ruled[i].name, STR_FMT(match.api_id), STR_FMT(match.path));
    }
    const struct http_headers none = { 0 };
    struct domain_match match;
    domain->routing = ROUTE_RULES_THEN_MAPPINGS;
    assert_true(domain_route(domain, &none, STR("/q"), &match) && str_is(match.api_id, "root"));
    assert_true(domain_route(domain, &none, STR("/a"), &match) && str_is(match.api_id, "kept"));
    domain->routing = ROUTE_MAPPINGS;
    assert_true(domain_route(domain, &none, STR("/a"), &match) && str_is(match.api_id, "a"));
    arena_free(arena);
}

static const struct {
    const char *host, *domain;
} hosts[] = {
    { "x.test", "x.test" },         { "a.x.test", "a.x.test" }, { "b.x.test", "*.x.test" }, { "c.b.x.test", NULL },
    { ".x.test", NULL },            { "test", NULL },           { "", NULL },               { "*.x.test", "*.x.test" },
    { "x.test.evil.example", NULL }, { "evilx.test", NULL },
};

static void test_hosts(void **state)
{
    (void)state;
    struct domain_table *table = domain_table_new(false, NULL);
    static const char *const names[] = { "x.test", "a.x.test", "*.x.test" };
    for (size_t i = 0; i < COUNT(names); i++) {
        struct domain *domain = ARENA_NEW(table->arena, struct domain);
        domain->name = str_of(names[i]);
        domain_table_add(table, domain);
    }
    for (size_t i = 0; i < COUNT(hosts); i++) {
        const struct domain *found = domain_find(table, str_of(hosts[i].host));
        if ((found != NULL) != (hosts[i].domain != NULL) || (found && !str_is(found->name, hosts[i].domain)))
            fail_msg("%s", hosts[i].host);
    }
    domain_table_unref(table);
}

static void test_gate(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct domain mutual = { .name = STR_INIT("m.test"), .mutual_tls = true };
    struct domain strict = { .name = STR_INIT("s.test"), .strict = true };
    struct domain open = { .name = STR_INIT("o.test") };
    struct tls_peer good = { .site = STR("m.test"), .server_name = STR("m.test"), .verified = true };
    struct tls_peer bad = { .site = STR("m.test"), .server_name = STR("m.test"), .refusal = "expired" };
    struct tls_peer silent = { .site = STR("m.test"), .server_name = STR("m.test") };
    struct tls_peer elsewhere = { .site = STR("n.test"), .server_name = STR("n.test"), .verified = true };
    struct tls_peer at_s = { .site = STR("*.test"), .server_name = STR("s.test") };
    const struct {
        const char *name;
        const struct domain *domain;
        const char *host;
        const struct tls_peer *tls;
        bool in;
    } rows[] = {
        { "its own handshake, verified", &mutual, "m.test", &good, true },
        { "in clear", &mutual, "m.test", NULL, false },
        { "not verified", &mutual, "m.test", &bad, false },
        { "made before certificates were asked for", &mutual, "m.test", &silent, false },
        { "verified for another name", &mutual, "m.test", &elsewhere, false },
        { "strict, the same name", &strict, "s.test", &at_s, true },
        { "strict, another name", &strict, "s.test", &good, false },
        { "strict, in clear", &strict, "s.test", NULL, false },
        { "open", &open, "o.test", NULL, true },
        { "open, by another name", &open, "o.test", &good, true },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct domain_visit visit = { .host = str_of(rows[i].host), .tls = rows[i].tls, .peer_ip = STR("8.8.8.8"),
                                            .partition = STR("aws") };
        if ((domain_turns_away(rows[i].domain, &visit, arena) == NULL) != rows[i].in)
            fail_msg("%s", rows[i].name);
    }
    struct domain hidden = { .name = STR_INIT("h.test"), .is_private = true };
    const struct domain_visit outside = { .host = STR("h.test"), .peer_ip = STR("8.8.8.8") };
    assert_string_equal(domain_turns_away(&hidden, &outside, arena), "the domain is private, and the client's address is not");
    arena_free(arena);
}

/* What is named can be served: OpenSSL takes the ciphers. */
static void test_security_policies(void **state)
{
    (void)state;
    static const char *const served[] = { "TLS_1_2", "SecurityPolicy_TLS13_1_3_2025_09",
                                          "SecurityPolicy_TLS13_1_2_2021_06", "SecurityPolicy_TLS13_2025_EDGE",
                                          "SecurityPolicy_TLS12_PFS_2025_EDGE", "SecurityPolicy_TLS12_2018_EDGE" };
    struct arena *arena = arena_new(4096);
    struct str why = STR_NONE;
    struct tls_certificate *certificate = tls_certificate_self_signed(STR("x.test"), 1800000000, arena, &why);
    struct tls_sites *sites = tls_sites_new(NULL);
    assert_non_null(certificate);
    for (size_t i = 0; i < COUNT(served); i++) {
        const struct security_policy *policy = security_policy_find(str_of(served[i]));
        assert_non_null(policy);
        assert_null(policy->missing);
        assert_true(tls_sites_add(sites, STR("x.test"), certificate, NULL, &policy->limits, NULL, arena, &why));
    }
    assert_non_null(security_policy_find(STR("TLS_1_0"))->missing);
    assert_null(security_policy_find(STR("TLS_1_3")));
    tls_sites_unref(sites);
    tls_certificate_unref(certificate);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_longest_mapping), cmocka_unit_test(test_rules),
        cmocka_unit_test(test_hosts),           cmocka_unit_test(test_gate),
        cmocka_unit_test(test_security_policies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
