#include "admin/cli_policy.h"

#include <stdio.h>
#include <string.h>

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} verbs[] = {
    { "check", cli_policy_check,
      "policy check FILE… [--type TYPE] [--json]: what is wrong or unwise, with line and column" },
    { "explain", cli_policy_explain,
      "policy explain PRINCIPAL ACTION [RESOURCE] [KEY=VALUE…]: may they, by which statement, and what would "
      "turn it" },
    { "test", cli_policy_test, "policy test CASES.yaml…: do policies decide as the cases say" },
    { "diff", cli_policy_diff, "policy diff OLD NEW [--type TYPE] [--json]: what becomes allowed or denied" },
    { "denials", cli_policy_denials,
      "policy denials [PRINCIPAL]: what policies denied, or would have with --enforce=soft" },
    { "suggest", cli_policy_suggest,
      "policy suggest PRINCIPAL [--wildcards]: the least policy that what it asked for needs" },
};

int cli_policy(int argc, char **argv)
{
    for (size_t i = 0; argc > 0 && i < COUNT(verbs); i++)
        if (strcmp(argv[0], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    for (size_t i = 0; i < COUNT(verbs); i++)
        fprintf(stderr, "gatehouse %s\n", verbs[i].help);
    return 1;
}

bool cli_policy_use(const char *word, enum policy_use *use)
{
    static const struct {
        const char *word;
        enum policy_use use;
    } types[] = {
        { "identity", POLICY_IDENTITY },
        { "resource", POLICY_RESOURCE },
        { "trust", POLICY_TRUST },
        { "service-control", POLICY_SERVICE_CONTROL },
        { "resource-control", POLICY_RESOURCE_CONTROL },
    };
    for (size_t i = 0; word && i < COUNT(types); i++)
        if (strcmp(word, types[i].word) == 0) {
            *use = types[i].use;
            return true;
        }
    if (word)
        fprintf(stderr,
                "gatehouse: --type is one of identity, resource, trust, service-control, resource-control\n");
    *use = POLICY_IDENTITY;
    return !word;
}

struct str cli_policy_file(struct arena *arena, const char *path)
{
    struct str text = cli_file(arena, path);
    if (!text.ptr)
        fprintf(stderr, "gatehouse: %s cannot be read\n", path);
    return text;
}

json_t *cli_policy_named(struct arena *arena, const char *path)
{
    struct str text = cli_policy_file(arena, path), why;
    if (!text.ptr)
        return NULL;
    json_t *document = json_parse(arena, text, &why), *named = json_own(arena, json_object());
    if (!json_is_object(document)) {
        fprintf(stderr, "gatehouse: %s is no policy document: %.*s\n", path, document ? 15 : (int)why.len,
                document ? "it is no object" : why.ptr);
        return NULL;
    }
    json_set_str(named, "name", str_of(path));
    json_set_str(named, "document", text);
    return named;
}
