/* gatehouse guard-rail …: service and resource control policies of the account. */
#include "admin/cli_policy.h"

#include <stdio.h>
#include <string.h>

static const char usage[] = "guard-rail list | show KIND NAME | put KIND NAME FILE | remove KIND NAME\n"
                            "  KIND is service (what the account's principals may do) or resource (what may be done to what it has)";

static void print_list(const json_t *all, const char *kind)
{
    json_t *one;
    size_t i;
    json_array_foreach(json_object_get(all, kind), i, one)
        printf("%-8s %.*s\n", kind, STR_FMT(json_str(one, "name")));
}

static int list(struct client *client)
{
    json_t *all = client_rest(client, "iam", "GET", STR("/_gatehouse/guard-rails/"), NULL);
    if (!all)
        return 1;
    print_list(all, "service");
    print_list(all, "resource");
    return 0;
}

static int run(struct client *client, int argc, char **argv)
{
    if (argc == 1 && strcmp(argv[0], "list") == 0)
        return list(client);
    if (argc < 3 || argc > 4 || (argc == 4) != (strcmp(argv[0], "put") == 0))
        return cli_usage(usage);
    struct str path = str_printf(client->arena, "/_gatehouse/guard-rails/%s/%s", argv[1], argv[2]);
    if (strcmp(argv[0], "show") == 0) {
        json_t *one = client_rest(client, "iam", "GET", path, NULL);
        if (one)
            printf("%.*s\n", STR_FMT(json_str(one, "document")));
        return one ? 0 : 1;
    }
    if (strcmp(argv[0], "remove") == 0)
        return client_rest(client, "iam", "DELETE", path, NULL) ? 0 : 1;
    if (strcmp(argv[0], "put") != 0)
        return cli_usage(usage);
    struct str text = cli_policy_file(client->arena, argv[3]); /* as it is: its lines count in explanations */
    return text.ptr && client_rest_text(client, "iam", "PUT", path, text) ? 0 : 1;
}

int cli_guard_rail(int argc, char **argv)
{
    struct arena *arena = arena_new(16384);
    struct client client;
    client_open(&client, arena);
    int code = run(&client, argc, argv);
    arena_free(arena);
    return code;
}
