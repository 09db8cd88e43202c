#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

#include "admin/plane.h"

static const struct {
    const char *name, *host, *path;
    enum plane plane;
    const char *api_id, *stage, *pool_id, *rest;
} rows[] = {
    { "host names the API", "abc123.execute-api.us-east-1.amazonaws.com", "/dev/pets", PLANE_DATA, "abc123", NULL, NULL, "/dev/pets" },
    { "host with localhost suffix", "abc123.execute-api.us-east-1.localhost", "/", PLANE_DATA, "abc123", NULL, NULL, "/" },
    { "host wins over an inner path", "abc.execute-api.r.x", "/_gatehouse/reset", PLANE_DATA, "abc", NULL, NULL, "/_gatehouse/reset" },
    { "path form", "localhost", "/_aws/execute-api/abc/dev/a/b", PLANE_DATA, "abc", "dev", NULL, "/a/b" },
    { "path form, root", "localhost", "/_aws/execute-api/abc/dev", PLANE_DATA, "abc", "dev", NULL, "/" },
    { "path form, root with slash", "localhost", "/_aws/execute-api/abc/dev/", PLANE_DATA, "abc", "dev", NULL, "/" },
    { "path form without a stage", "localhost", "/_aws/execute-api/abc", PLANE_DATA, "abc", "", NULL, "/" },
    { "user request form", "localhost", "/restapis/abc/dev/_user_request_/a", PLANE_DATA, "abc", "dev", NULL, "/a" },
    { "a management path that looks alike", "localhost", "/restapis/abc/stages/dev", PLANE_MANAGEMENT, NULL, NULL, NULL, "/restapis/abc/stages/dev" },
    { "health", "localhost", "/_gatehouse/health", PLANE_LOCAL, NULL, NULL, NULL, "/health" },
    { "only the whole segment counts", "localhost", "/_gatehouses/health", PLANE_MANAGEMENT, NULL, NULL, NULL, "/_gatehouses/health" },
    { "discovery", "localhost", "/us-east-1_AbC123/.well-known/jwks.json", PLANE_POOL, NULL, NULL, "us-east-1_AbC123", "/.well-known/jwks.json" },
    { "pool pages by path", "localhost", "/_aws/cognito-idp/us-east-1_AbC123/login", PLANE_POOL, NULL, NULL, "us-east-1_AbC123", "/login" },
    { "a pool id alone is management's 404", "localhost", "/us-east-1_AbC123", PLANE_MANAGEMENT, NULL, NULL, NULL, "/us-east-1_AbC123" },
    { "keys of identity pools' tokens", "localhost", "/_aws/cognito-identity/.well-known/jwks_uri", PLANE_ISSUER, NULL, NULL, NULL, "/.well-known/jwks_uri" },
    { "the root is management", "localhost", "/", PLANE_MANAGEMENT, NULL, NULL, NULL, "/" },
    { "lambda", "localhost", "/2015-03-31/functions/", PLANE_MANAGEMENT, NULL, NULL, NULL, "/2015-03-31/functions/" },
};

static void check(const char *row, const char *what, struct str got, const char *want)
{
    if (!(want ? str_is(got, want) : got.ptr == NULL))
        fail_msg("%s: %s is %.*s, should be %s", row, what, STR_FMT(got), want ? want : "absent");
}

static void host_and_path_name_the_plane(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct place place = plane_of(str_of(rows[i].host), str_of(rows[i].path));
        if (place.plane != rows[i].plane)
            fail_msg("%s: plane %d, should be %d", rows[i].name, (int)place.plane, (int)rows[i].plane);
        check(rows[i].name, "api", place.api_id, rows[i].api_id);
        check(rows[i].name, "stage", place.stage, rows[i].stage);
        check(rows[i].name, "pool", place.pool_id, rows[i].pool_id);
        check(rows[i].name, "path", place.path, rows[i].rest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(host_and_path_name_the_plane) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
