/* pool change: what AWS freezes when a pool is made, with the conflicts first. */
#include <stdio.h>
#include <string.h>

#include "admin/cli_pool.h"

static const char usage[] = "pool change POOL [--aliases email,phone_number,preferred_username] [--username-attributes email,phone_number] "
                            "[--case-sensitive yes|no] [--require ATTRIBUTE]… [--optional ATTRIBUTE]… [--attribute JSON]… [--apply]";

/* "email,phone_number"; "" or "none": an empty list. */
static json_t *list_of(const char *text)
{
    json_t *list = json_array();
    struct str rest = str_of(strcmp(text, "none") == 0 ? "" : text), one;
    while (rest.len && str_split(&rest, ',', &one))
        json_array_append_new(list, json_of(str_trim(one)));
    return list;
}

static json_t *member(json_t *object, const char *name, json_t *fresh)
{
    if (json_object_get(object, name))
        json_decref(fresh);
    else
        json_object_set_new(object, name, fresh);
    return json_object_get(object, name);
}

/* False: it is none of ours, or makes no sense. */
static bool take(struct client *client, json_t *body, const char *flag, const char *value)
{
    if (strcmp(flag, "--aliases") == 0)
        return json_object_set_new(body, "aliasAttributes", list_of(value)) == 0;
    if (strcmp(flag, "--username-attributes") == 0)
        return json_object_set_new(body, "usernameAttributes", list_of(value)) == 0;
    if (strcmp(flag, "--case-sensitive") == 0 && (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0))
        return json_object_set_new(body, "caseSensitive", json_boolean(value[0] == 'y')) == 0;
    if (strcmp(flag, "--require") == 0 || strcmp(flag, "--optional") == 0)
        return json_object_set_new(member(body, "required", json_object()), value, json_boolean(flag[2] == 'r')) == 0;
    json_t *attribute = strcmp(flag, "--attribute") == 0 ? json_parse(client->arena, str_of(value), NULL) : NULL;
    return attribute && json_array_append(member(body, "attributes", json_array()), attribute) == 0;
}

int cli_pool_change(struct client *client, int argc, char **argv)
{
    json_t *body = json_own(client->arena, json_object()), *one;
    bool apply = false;
    size_t k;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--apply") == 0)
            apply = true;
        else if (i + 1 >= argc || !take(client, body, argv[i], argv[i + 1]))
            return cli_usage(usage);
        else
            i++;
    }
    struct str pool = cli_require_pool(client, argv[0]);
    if (!pool.ptr)
        return 1;
    json_set_flag(body, "apply", apply);
    const json_t *answer = cli_pool_ask(client, client->arena,
                                        str_printf(client->arena, "/_gatehouse/user-pools/%.*s/schema-change", STR_FMT(pool)), body);
    if (!answer)
        return 1;
    long long conflicts = json_i64(answer, "conflicts", 0), users = json_i64(answer, "users", 0);
    json_array_foreach(json_object_get(answer, "shown"), k, one)
        printf("%.*s: %.*s\n", STR_FMT(json_str(one, "username")), STR_FMT(json_str(one, "why")));
    printf("%lld conflicts among %lld users; %s\n", conflicts, users,
           json_flag(answer, "applied", false) ? "changed"
           : conflicts                         ? "nothing was changed"
                                               : "--apply makes the change");
    return conflicts ? 2 : 0;
}
