/* Gatehouse: API Gateway, Cognito, IAM/STS and a function runtime in one program.
 *
 * A tour of the house, from the cellar up (each folder sees only those before it):
 *   core/       no AWS name occurs here: strings, arenas, loops, HTTP, storage, keys
 *   policy/     may this happen? Documents, conditions, one evaluator; pure
 *   wire/       AWS's protocols: decode, check, sign, answer; service descriptions come from openapi/
 *   identity/   user pools, tokens, IAM, STS
 *   functions/  functions as sandboxed processes on the Runtime API
 *   gateway/    APIs: ops/ is what management changes, the rest is the way of a request
 *   admin/      this roof: arguments, composition (app), planes (listen), the command line (cli)
 * The way of a request: core/http_server -> admin/listen -> gateway/pipeline (on a loop thread)
 * or wire/operation (on a job thread). ARCHITECTURE.md has the map. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "admin/app.h"
#include "admin/cli.h"
#include "admin/version.h"

static int run_server(int mode, bool talk, int argc, char **argv);
static int run_dev(int argc, char **argv);
static int run_serve(int argc, char **argv);
static int run_up(int argc, char **argv);
static int run_version(int argc, char **argv);
static int run_help(int argc, char **argv);

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} verbs[] = {
    { "up", run_up, "start in dev mode and say what to do next" },
    { "dev", run_dev, "start for development: loopback only, doors open" },
    { "serve", run_serve, "start for production: every management call signed and allowed" },
    { "api", cli_api, "api new NAME --to URL: an API that answers" },
    { "pool", cli_pool, "pool new NAME [--protect API]: sign-in, and a test user; pool keys: its signing keys; pool export, import: a whole pool in a file" },
    { "token", cli_token, "token POOL USER [--password P] [--access]: a token that works" },
    { "why", cli_why, "why TRACE [--json | --save-fixture FILE]: what happened to a request, step by step" },
    { "test", cli_test, "test DIR [--junit FILE]: templates, models and authorizers against fixtures" },
    { "diff", cli_diff, "diff API STAGE [--json]: what of the draft is not live yet" },
    { "options", cli_options, "options {API STAGE | POOLID} [NAME=VALUE…]: settings of a stage or user pool that AWS does not have" },
    { "replay", cli_replay, "replay API STAGE TRACE: a recorded request, tried on the draft" },
    { "policy", cli_policy, "policy check FILE…: what is wrong or unwise with documents; policy explain: may they, and why" },
    { "audit", cli_audit, "audit search, tail, verify, key: who did what, and whether the log of it is as it was written" },
    { "guard-rail", cli_guard_rail, "guard-rail {list | show | put | remove} …: service and resource control policies of the account" },
    { "env", cli_env, "env [--write]: points the AWS CLI and SDKs here" },
    { "capabilities", cli_capabilities, "what is built, what is refused" },
    { "version", run_version, "print the version" },
    { "help", run_help, "this" },
};

static bool asks_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    if (asks_help(name) || (argc > 2 && asks_help(argv[2])))
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (strcmp(name, verbs[i].name) == 0)
            return verbs[i].run(argc - 2, argv + 2);
    fprintf(stderr, "gatehouse: no verb is called \"%s\"; `gatehouse help` lists them\n", name);
    return 1;
}

static int run_server(int mode, bool talk, int argc, char **argv)
{
    struct arena *arena = arena_new(64 * 1024);
    struct options options = { .mode = mode };
    struct app app = { 0 };
    struct str why;
    int code = 1;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of the write, as a full disk is */
    if (!options_read(&options, argc, argv, arena, &why)) {
        fprintf(stderr, "gatehouse: %.*s\n", STR_FMT(why));
        arena_free(arena);
        return 1;
    }
    bool ok = app_open(&app, &options, arena, &why, &code);
    if (ok) {
        if (talk)
            cli_greet(&app.options);
        app_run(&app);
    } else {
        fprintf(stderr, "gatehouse: %.*s\n", STR_FMT(why));
    }
    app_close(&app);
    arena_free(arena);
    return ok ? 0 : code;
}

static int run_dev(int argc, char **argv)
{
    return run_server(MODE_DEV, false, argc, argv);
}

static int run_up(int argc, char **argv)
{
    return run_server(MODE_DEV, true, argc, argv);
}

static int run_serve(int argc, char **argv)
{
    return run_server(MODE_SERVE, false, argc, argv);
}

static int run_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("gatehouse " GATEHOUSE_VERSION);
    return 0;
}

static int run_help(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("gatehouse VERB [options]\n");
    for (size_t i = 0; i < COUNT(verbs); i++)
        printf("  %-14s %s\n", verbs[i].name, verbs[i].help);
    puts("\nThe verbs from api to env speak to AWS_ENDPOINT_URL, or http://127.0.0.1:4566 when it is not set.\n"
         "\nOptions of up, dev and serve (also GATEHOUSE_NAME in the environment, `name = value` in --config FILE):\n");
    options_print_help();
    return 0;
}
