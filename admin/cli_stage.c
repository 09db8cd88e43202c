/* Verbs about one stage of an API. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "admin/cli.h"
#include "gateway/options.h"
#include "identity/pools/options.h"

static void print_options(struct client *client, const struct option_table *table, const json_t *set)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct option_spec *spec = &table->specs[i];
        json_t *value = json_object_get(set, spec->name);
        struct str text = json_is_string(value) ? json_value_str(value) : json_print(client->arena, value);
        printf("%-24s %-10.*s %s\n", spec->name, value ? (int)text.len : 1, value ? text.ptr : "-", spec->meaning);
    }
}

/* "name=value" sets, "name=" takes away. NULL: not of that form. */
static json_t *changes_of(struct client *client, int argc, char **argv)
{
    json_t *changes = json_own(client->arena, json_object());
    for (int i = 0; i < argc; i++) {
        struct str rest = str_of(argv[i]), name;
        if (!str_split(&rest, '=', &name) || !rest.ptr)
            return NULL;
        json_object_set_new(changes, str_c(client->arena, name), rest.len ? json_of(rest) : json_null());
    }
    return changes;
}

static const char USAGE[] = "options {API STAGE | POOLID} [NAME=VALUE…]   (NAME= takes it away)";

/* "us-east-1_abcDEF123" with changes or nothing behind it. After the name of an API a stage follows. */
static bool is_pool(int argc, char **argv)
{
    struct str rest = str_of(argv[0]), region = STR_NONE;
    str_split(&rest, '_', &region);
    bool shaped = region.len > 2 && region.ptr[2] == '-' && rest.len > 0;
    for (size_t i = 0; i < rest.len; i++)
        shaped = shaped && isalnum((unsigned char)rest.ptr[i]);
    return shaped && (argc == 1 || strchr(argv[1], '='));
}

/* Sets what is named, then shows all. */
static int options_at(struct client *client, const char *service, const struct option_table *table, struct str path,
                      json_t *changes)
{
    bool change = json_object_size(changes) > 0;
    json_t *set = client_rest(client, service, change ? "PATCH" : "GET", path, change ? changes : NULL);
    if (!set)
        return 1;
    print_options(client, table, set);
    return 0;
}

static int pool_options_of(struct client *client, int argc, char **argv)
{
    json_t *changes = changes_of(client, argc - 1, argv + 1);
    struct str path = str_printf(client->arena, "/_gatehouse/user-pools/%s/options", argv[0]);
    return changes ? options_at(client, "cognito-idp", &pool_options, path, changes) : cli_usage(USAGE);
}

static int stage_options_of(struct client *client, int argc, char **argv)
{
    json_t *changes = argc < 2 ? NULL : changes_of(client, argc - 2, argv + 2);
    struct str api = changes ? cli_require_api(client, argv[0]) : STR_NONE;
    if (!changes)
        return cli_usage(USAGE);
    if (!api.ptr)
        return 1;
    struct str path = str_printf(client->arena, "/_gatehouse/apis/%.*s/stages/%s/options", STR_FMT(api), argv[1]);
    return options_at(client, "apigateway", &gw_options, path, changes);
}

int cli_options(int argc, char **argv)
{
    if (argc < 1)
        return cli_usage(USAGE);
    struct arena *arena = arena_new(16384);
    struct client client;
    client_open(&client, arena);
    int code = is_pool(argc, argv) ? pool_options_of(&client, argc, argv) : stage_options_of(&client, argc, argv);
    arena_free(arena);
    return code;
}

/* ---- diff ---- */

static struct str short_text(struct client *client, const json_t *value)
{
    struct str text = json_print(client->arena, value);
    return text.len <= 100 ? text : str_concat(client->arena, str_sub(text, 0, 97), STR("..."));
}

static void print_difference(struct client *client, const json_t *one)
{
    struct str change = json_str(one, "change"), field = json_str(one, "field");
    const json_t *draft = json_object_get(one, "draft"), *live = json_object_get(one, "live");
    char sign = str_is(change, "added") ? '+' : str_is(change, "removed") ? '-' : '~';
    printf("%c %.*s %.*s", sign, STR_FMT(json_str(one, "part")), STR_FMT(json_str(one, "name")));
    if (field.len)
        printf(" %.*s", STR_FMT(field));
    if (draft && live)
        printf(": %.*s -> %.*s", STR_FMT(short_text(client, live)), STR_FMT(short_text(client, draft)));
    else if (field.len)
        printf(": %.*s", STR_FMT(short_text(client, draft ? draft : live)));
    putchar('\n');
}

static void print_diff(struct client *client, const json_t *diff, const char *what)
{
    struct str deployment = json_str(diff, "deploymentId");
    json_t *one;
    size_t i;
    if (json_flag(diff, "same", false)) {
        printf("%s deployment %.*s is what the draft says.\n", what, STR_FMT(deployment));
        return;
    }
    printf("%s deployment %.*s differs from the draft (+ in the draft only, - live only, ~ live -> draft):\n", what,
           STR_FMT(deployment));
    json_array_foreach(json_object_get(diff, "differences"), i, one)
        print_difference(client, one);
}

static int diff(struct client *client, const char *api, const char *stage, bool as_json)
{
    struct str id = cli_require_api(client, api);
    if (!id.ptr)
        return 1;
    struct str path = str_printf(client->arena, "/_gatehouse/apis/%.*s/stages/%s/diff", STR_FMT(id), stage);
    json_t *answer = client_rest(client, "apigateway", "GET", path, NULL);
    if (!answer)
        return 1;
    json_t *canary = json_object_get(answer, "canary"), *back = json_object_get(answer, "takenBack");
    if (as_json) {
        printf("%.*s\n", STR_FMT(json_print(client->arena, answer)));
    } else {
        print_diff(client, answer, "The stage's");
        if (canary)
            print_diff(client, canary, "The canary's");
        if (json_object_get(answer, "watch"))
            puts("Its newest deployment is watched for errors.");
        if (back)
            printf("Deployment %.*s was taken back: %lld of %lld requests failed.\n", STR_FMT(json_str(back, "deploymentId")),
                   (long long)json_i64(back, "errors", 0), (long long)json_i64(back, "requests", 0));
    }
    return json_flag(answer, "same", false) ? 0 : 2;
}

int cli_diff(int argc, char **argv)
{
    bool as_json = argc == 3 && strcmp(argv[2], "--json") == 0;
    if (argc != 2 && !as_json)
        return cli_usage("diff API STAGE [--json]");
    struct arena *arena = arena_new(65536);
    struct client client;
    client_open(&client, arena);
    int code = diff(&client, argv[0], argv[1], as_json);
    arena_free(arena);
    return code;
}

/* ---- replay ---- */

static void print_body(const char *what, const json_t *answer)
{
    struct str body = json_str(answer, "body");
    printf("%-9s %lld  %.*s\n", what, (long long)json_i64(answer, "status", 0), body.ptr ? (int)body.len : 10,
           body.ptr ? body.ptr : "(not kept)");
}

static int replay(struct client *client, char **argv)
{
    struct str api = cli_require_api(client, argv[0]);
    if (!api.ptr)
        return 1;
    json_t *asked = json_own(client->arena, json_object());
    json_set_str(asked, "trace", str_of(argv[2]));
    struct str path = str_printf(client->arena, "/_gatehouse/apis/%.*s/stages/%s/replay", STR_FMT(api), argv[1]);
    json_t *said = client_rest(client, "apigateway", "POST", path, asked);
    if (!said)
        return 1;
    struct str method = json_str(said, "method"), target = json_str(said, "path");
    const json_t *draft = json_object_get(said, "draft");
    bool same = json_flag(said, "same", false);
    printf("%.*s %.*s\n", STR_FMT(method), STR_FMT(target));
    print_body("recorded", json_object_get(said, "recorded"));
    print_body("draft", draft);
    printf("%s\n", same ? "The draft answers the same." : "The draft answers differently. Its execution log:");
    if (!same)
        printf("%s", json_str(draft, "log").ptr);
    return same ? 0 : 2;
}

int cli_replay(int argc, char **argv)
{
    if (argc != 3)
        return cli_usage("replay API STAGE TRACE   (the stage records requests with the option recordRequests=true)");
    struct arena *arena = arena_new(16384);
    struct client client;
    client_open(&client, arena);
    int code = replay(&client, argv);
    arena_free(arena);
    return code;
}
