/* gatehouse pool keys: the signing keys of a user pool. */
#include <stdio.h>
#include <string.h>

#include "admin/cli.h"

static const char USAGE[] = "pool keys POOL [rotate | retire KID]";

static void print_keys(const json_t *answer)
{
    const json_t *key;
    size_t i;
    printf("%-44s  %-6s  %-7s  %-20s  %s\n", "KID", "USE", "STATE", "SIGNS FROM", "LISTED UNTIL");
    json_array_foreach(json_object_get(answer, "keys"), i, key) {
        struct str until = json_str(key, "listedUntil");
        printf("%-44s  %-6s  %-7s  %-20s  %s\n", json_str(key, "kid").ptr, json_str(key, "use").ptr,
               json_str(key, "state").ptr, json_str(key, "from").ptr, until.ptr ? until.ptr : "-");
    }
}

/* A pool's id, or its name. */
static struct str id_of(struct client *client, const char *pool)
{
    struct str id = cli_pool_id(client, pool);
    return id.ptr ? id : str_of(pool);
}

static int keys_of(struct client *client, const char *pool, const char *verb, const char *kid)
{
    json_t *body = verb ? json_own(client->arena, json_object()) : NULL;
    if (kid)
        json_set_str(body, "kid", str_of(kid));
    struct str id = id_of(client, pool);
    json_t *answer = client_rest(client, "cognito-idp", verb ? "POST" : "GET",
                                 str_printf(client->arena, "/_gatehouse/user-pools/%.*s/keys%s%s", STR_FMT(id),
                                            verb ? "/" : "", verb ? verb : ""),
                                 body);
    if (!answer)
        return 1;
    print_keys(answer);
    return 0;
}

int cli_pool_keys(int argc, char **argv)
{
    bool rotate = argc == 2 && strcmp(argv[1], "rotate") == 0, retire = argc == 3 && strcmp(argv[1], "retire") == 0;
    if (argc != 1 && !rotate && !retire)
        return cli_usage(USAGE);
    struct arena *arena = arena_new(16384);
    struct client client;
    client_open(&client, arena);
    int code = keys_of(&client, argv[0], argc > 1 ? argv[1] : NULL, retire ? argv[2] : NULL);
    arena_free(arena);
    return code;
}
