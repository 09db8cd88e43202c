/* gatehouse policy check: findings as IAM Access Analyzer's ValidatePolicy has them, offline. */
#include <stdio.h>
#include <string.h>

#include "admin/cli_policy.h"
#include "core/json.h"
#include "policy/lint/lint.h"

static bool stops(const struct policy_finding *finding)
{
    return finding->type == FINDING_ERROR || finding->type == FINDING_SECURITY_WARNING;
}

static void print_line(const char *file, const struct policy_finding *finding)
{
    printf("%s:%lld:%lld: %s %s: %.*s\n", file, (long long)finding->begin.line,
           (long long)finding->begin.column, policy_finding_type_name(finding->type), finding->code,
           STR_FMT(finding->details));
}

/* "Position: column, line, offset": the API's columns begin at 0. */
static json_t *position(struct policy_position at, size_t offset)
{
    return json_pack("{sIsIsI}", "line", (json_int_t)at.line, "column", (json_int_t)at.column - 1, "offset",
                     (json_int_t)offset);
}

static json_t *finding_json(const char *file, const struct policy_finding *finding)
{
    json_t *path = json_array();
    for (size_t i = 0; i < finding->n_path; i++) {
        const struct json_step *step = &finding->path[i];
        json_array_append_new(path, step->name.ptr ? json_pack("{so}", "value", json_of(step->name))
                                                   : json_pack("{sI}", "index", (json_int_t)step->index));
    }
    json_t *span = json_pack("{soso}", "start", position(finding->begin, finding->spot.offset), "end",
                             position(finding->end, finding->spot.end));
    return json_pack("{sssssssos[{soso}]}", "file", file, "findingType",
                     policy_finding_type_name(finding->type), "issueCode", finding->code, "findingDetails",
                     json_of(finding->details), "locations", "path", path, "span", span);
}

static int check(struct arena *arena, int files, char **names, enum policy_use use, json_t *all)
{
    int stopping = 0;
    for (int i = 0; i < files; i++) {
        struct policy_finding *findings;
        struct str text = cli_policy_file(arena, names[i]);
        if (!text.ptr)
            return 1;
        size_t n = policy_lint(arena, use, text, &findings);
        for (size_t k = 0; k < n; k++) {
            stopping += stops(&findings[k]);
            if (all)
                json_array_append_new(all, finding_json(names[i], &findings[k]));
            else
                print_line(names[i], &findings[k]);
        }
    }
    if (all)
        printf("%.*s\n", STR_FMT(json_print(arena, all)));
    return stopping ? 2 : 0;
}

int cli_policy_check(int argc, char **argv)
{
    enum policy_use use;
    int files = cli_words(argc, argv);
    if (files == 0 || !cli_flags_known(argc, argv, files, "--type= --json"))
        return cli_usage(
            "policy check FILE… [--type identity|resource|trust|service-control|resource-control] [--json]");
    if (!cli_policy_use(cli_flag(argc, argv, "--type"), &use))
        return 1;
    bool json = cli_given(argc - files, argv + files, "--json");
    struct arena *arena = arena_new(64 * 1024);
    int code = check(arena, files, argv, use, json ? json_own(arena, json_array()) : NULL);
    arena_free(arena);
    return code;
}
