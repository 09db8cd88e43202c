/* Verbs about one stage of an API. */
#include <stdio.h>
#include <string.h>

#include "admin/cli.h"
#include "gateway/options.h"

static void print_options(struct client *client, const json_t *set)
{
    for (size_t i = 0; i < gw_n_options; i++) {
        json_t *value = json_object_get(set, gw_options[i].name);
        struct str text = json_is_string(value) ? json_value_str(value) : json_print(client->arena, value);
        printf("%-24s %-10.*s %s\n", gw_options[i].name, value ? (int)text.len : 1, value ? text.ptr : "-",
               gw_options[i].meaning);
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

static int options(struct client *client, int argc, char **argv)
{
    json_t *changes = changes_of(client, argc - 2, argv + 2);
    struct str api = changes ? cli_require_api(client, argv[0]) : STR_NONE;
    if (!changes)
        return cli_usage("options API STAGE [NAME=VALUE…]   (NAME= takes it away)");
    if (!api.ptr)
        return 1;
    struct str path = str_printf(client->arena, "/_gatehouse/apis/%.*s/stages/%s/options", STR_FMT(api), argv[1]);
    bool change = json_object_size(changes) > 0;
    json_t *set = client_rest(client, "apigateway", change ? "PATCH" : "GET", path, change ? changes : NULL);
    if (!set)
        return 1;
    print_options(client, set);
    return 0;
}

int cli_options(int argc, char **argv)
{
    if (argc < 2)
        return cli_usage("options API STAGE [NAME=VALUE…]   (NAME= takes it away)");
    struct arena *arena = arena_new(16384);
    struct client client;
    client_open(&client, arena);
    int code = options(&client, argc, argv);
    arena_free(arena);
    return code;
}
