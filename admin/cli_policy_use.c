/* gatehouse policy denials, gatehouse policy suggest: what came of traffic under --enforce=soft. */
#include <stdio.h>
#include <string.h>

#include "admin/client.h"
#include "admin/cli_policy.h"
#include "core/uri.h"

int cli_policy_denials(int argc, char **argv)
{
    struct client client;
    struct arena *arena = arena_new(16384);
    size_t i;
    json_t *one;
    if (argc > 1)
        return cli_usage("policy denials [PRINCIPAL]");
    client_open(&client, arena);
    struct str path = STR("/_gatehouse/policy/denials");
    if (argc == 1)
        path = str_printf(arena, "%.*s?principal=%.*s", STR_FMT(path), STR_FMT(uri_encode(arena, str_of(argv[0]), false)));
    json_t *answer = client_rest(&client, "iam", "GET", path, NULL);
    json_array_foreach(json_object_get(answer, "denials"), i, one) {
        int64_t would = json_i64(one, "wouldBe", 0), refused = json_i64(one, "refused", 0), all = would + refused;
        printf("%.*s  %.*s  %.*s  on %.*s  %lld %s: %.*s\n", STR_FMT(json_str(one, "last")), STR_FMT(json_str(one, "principal")),
               STR_FMT(json_str(one, "action")), STR_FMT(json_str(one, "resource")), (long long)all,
               !refused ? "let through" : would ? "refused or let through" : "refused", STR_FMT(json_str(one, "reason")));
    }
    bool failed = !answer;
    arena_free(arena);
    return failed ? 1 : 0;
}

int cli_policy_suggest(int argc, char **argv)
{
    struct client client;
    struct arena *arena = arena_new(16384);
    const char *principal = NULL;
    bool wildcards = false;
    size_t n;
    json_t *note;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--wildcards") == 0)
            wildcards = true;
        else if (principal || argv[i][0] == '-')
            return cli_usage("policy suggest PRINCIPAL [--wildcards]");
        else
            principal = argv[i];
    }
    if (!principal)
        return cli_usage("policy suggest PRINCIPAL [--wildcards]   (an ARN, user/NAME or role/NAME)");
    client_open(&client, arena);
    json_t *answer = client_rest(&client, "iam", "GET",
                                 str_printf(arena, "/_gatehouse/policy/suggest?principal=%.*s&wildcards=%s",
                                            STR_FMT(uri_encode(arena, str_of(principal), false)), wildcards ? "true" : "false"),
                                 NULL);
    int code = answer ? 0 : 1;
    if (answer) {
        char *text = json_dumps(json_object_get(answer, "policy"), JSON_INDENT(2));
        puts(text);
        free(text);
        if (!json_i64(answer, "uses", 0))
            fprintf(stderr, "gatehouse: nothing that it asked for is known\n");
    }
    json_array_foreach(json_object_get(answer, "notes"), n, note)
        fprintf(stderr, "gatehouse: %s\n", json_string_value(note));
    arena_free(arena);
    return code;
}
