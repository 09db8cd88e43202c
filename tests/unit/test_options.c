#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/options.h"
#include "core/arena.h"

static bool read_args(struct options *out, int mode, struct arena *arena, struct str *why, const char *const *args)
{
    char *argv[16];
    int argc = 0;
    for (; args[argc]; argc++)
        argv[argc] = (char *)args[argc];
    *out = (struct options){ .mode = mode };
    return options_read(out, argc, argv, arena, why);
}

static void refused_options_are_named_with_what_they_want(void **state)
{
    (void)state;
    static const struct { const char *args[4], *why; } rows[] = {
        { { "--listen", "127.0.0.1" }, "listen must be an address and a port" },
        { { "--listen", "127.0.0.1:70000" }, "listen must be an address and a port" },
        { { "--listen", "example.com:80" }, "listen must be an address and a port" },
        { { "--listen", "0.0.0.0:4566" }, "loopback only" },
        { { "--account", "12345" }, "account must be 12 digits" },
        { { "--account", "-12345678901" }, "account must be 12 digits" },
        { { "--region", "US East" }, "region must be" },
        { { "--workers", "0" }, "workers must be 1 to 64" },
        { { "--ready-fd", "900" }, "ready-fd must be an open descriptor" },
        { { "--base-url", "ftp://x" }, "base-url must be an http or https URL" },
        { { "--limits", "none" }, "limits must be open or aws" },
        { { "--log-level", "loud" }, "log-level must be debug, info, warn or error" },
        { { "--colour", "red" }, "no option is called \"--colour\"" },
        { { "data" }, "no option is called \"data\"" },
        { { "--data" }, "--data wants a folder" },
        { { "--config", "/nonexistent" }, "cannot read the config file /nonexistent" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(1024);
        struct options options;
        struct str why = STR("");
        if (read_args(&options, MODE_DEV, arena, &why, rows[i].args))
            fail_msg("%s %s must be refused", rows[i].args[0], rows[i].args[1] ? rows[i].args[1] : "");
        if (str_find_str(why, str_of(rows[i].why)) < 0)
            fail_msg("\"%.*s\" does not say \"%s\"", STR_FMT(why), rows[i].why);
        arena_free(arena);
    }
}

static void flags_beat_environment_beats_file_beats_defaults(void **state)
{
    (void)state;
    char path[] = "/tmp/gh_test_options_XXXXXX";
    int fd = mkstemp(path);
    static const char text[] = "# a comment\n\nregion = eu-west-1\naccount=111111111111\nworkers = 3\nenforce = true\n";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    setenv("GATEHOUSE_ACCOUNT", "222222222222", 1);
    setenv("GATEHOUSE_WORKERS", "4", 1);
    struct arena *arena = arena_new(1024);
    struct options options;
    struct str why;
    const char *args[] = { "--config", path, "--workers=5", NULL };
    assert_true(read_args(&options, MODE_DEV, arena, &why, args));
    assert_true(str_is(options.region, "eu-west-1"));
    assert_true(str_is(options.account, "222222222222"));
    assert_int_equal(options.workers, 5);
    assert_int_equal(options.enforce, ENFORCE_ALL);
    assert_true(options.sandbox);
    assert_int_equal(options.port, 4566);
    unsetenv("GATEHOUSE_ACCOUNT");
    unsetenv("GATEHOUSE_WORKERS");
    unlink(path);
    arena_free(arena);
}

static void a_bad_line_is_named_by_file_and_number(void **state)
{
    (void)state;
    char path[] = "/tmp/gh_test_options_XXXXXX";
    int fd = mkstemp(path);
    static const char text[] = "region = us-east-1\ncolour = red\n";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    struct arena *arena = arena_new(1024);
    struct options options;
    struct str why;
    const char *args[] = { "--config", path, NULL };
    assert_false(read_args(&options, MODE_SERVE, arena, &why, args));
    assert_true(str_starts(why, str_of(path)));
    assert_true(str_find_str(why, STR("line 2: no option is called \"colour\"")) > 0);
    unlink(path);
    arena_free(arena);
}

static void serve_may_listen_anywhere(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1024);
    struct options options;
    struct str why;
    const char *args[] = { "--listen", "[::]:443", "--base-url", "https://api.example.com/", NULL };
    assert_true(read_args(&options, MODE_SERVE, arena, &why, args));
    assert_true(str_is(options.addr, "::"));
    assert_true(str_is(options.base_url, "https://api.example.com"));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_options_are_named_with_what_they_want),
        cmocka_unit_test(flags_beat_environment_beats_file_beats_defaults),
        cmocka_unit_test(a_bad_line_is_named_by_file_and_number),
        cmocka_unit_test(serve_may_listen_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
