/* gatehouse policy diff: what becomes allowed or denied when one document takes another's place. */
#include <stdio.h>
#include <string.h>

#include "admin/cli_policy.h"
#include "core/json.h"
#include "policy/compare.h"

enum { MOST_SHOWN = 8 };

static const char *change_name(const struct policy_change *change)
{
    if (change->after == POLICY_ALLOW)
        return "allowed";
    if (change->before == POLICY_ALLOW)
        return "denied";
    return change->after == POLICY_EXPLICIT_DENY ? "denied explicitly" : "denied no more explicitly";
}

static void print_change(const char *old_file, const char *new_file, const struct policy_change *change)
{
    bool in_new = change->after != POLICY_IMPLICIT_DENY;
    printf("%s now: ", change_name(change));
    for (size_t i = 0; i < change->n_actions && i < MOST_SHOWN; i++)
        printf("%s%.*s", i ? ", " : "", STR_FMT(change->actions[i]));
    if (change->n_actions > MOST_SHOWN)
        printf(" and %zu more", change->n_actions - MOST_SHOWN);
    printf(" on %.*s", STR_FMT(change->resource));
    if (change->when.ptr)
        printf(" when %.*s", STR_FMT(change->when));
    if (change->place.line)
        printf("  (%s:%lld:%lld)", in_new ? new_file : old_file, (long long)change->place.line,
               (long long)change->place.column);
    putchar('\n');
}

static json_t *change_json(const struct policy_change *change)
{
    static const char *const effects[] = { "implicitDeny", "allowed", "explicitDeny" };
    json_t *actions = json_array();
    for (size_t i = 0; i < change->n_actions; i++)
        json_array_append_new(actions, json_of(change->actions[i]));
    return json_pack("{sssssososo s{sIsI}}", "before", effects[change->before], "after",
                     effects[change->after], "actions", actions, "resource", json_of(change->resource),
                     "when", json_of(change->when), "statement", "line", (json_int_t)change->place.line,
                     "column", (json_int_t)change->place.column);
}

static int diff(struct arena *arena, char **files, enum policy_use use, bool json)
{
    struct policy_comparison found;
    struct str before = cli_policy_file(arena, files[0]), why;
    struct str after = before.ptr ? cli_policy_file(arena, files[1]) : STR_NONE;
    if (!after.ptr)
        return 1;
    if (!policy_compare(arena, use, before, after, &found, &why)) {
        fprintf(stderr, "gatehouse: %.*s\n", STR_FMT(why));
        return 1;
    }
    json_t *all = json_own(arena, json_array());
    for (size_t i = 0; i < found.n; i++)
        if (json)
            json_array_append_new(all, change_json(&found.changes[i]));
        else
            print_change(files[0], files[1], &found.changes[i]);
    if (json)
        printf("%.*s\n", STR_FMT(json_print(arena, all)));
    else if (found.n == 0)
        puts("nothing becomes allowed or denied");
    for (size_t i = 0; i < found.n_untried; i++)
        fprintf(stderr, "gatehouse: no request could be made that meets %.*s: look at it yourself\n",
                STR_FMT(found.untried[i]));
    return found.n ? 2 : 0;
}

int cli_policy_diff(int argc, char **argv)
{
    enum policy_use use;
    if (cli_words(argc, argv) != 2 || !cli_flags_known(argc, argv, 2, "--type= --json"))
        return cli_usage(
            "policy diff OLD NEW [--type identity|resource|trust|service-control|resource-control] [--json]");
    if (!cli_policy_use(cli_flag(argc, argv, "--type"), &use))
        return 1;
    struct arena *arena = arena_new(64 * 1024);
    int code = diff(arena, argv, use, cli_given(argc - 2, argv + 2, "--json"));
    arena_free(arena);
    return code;
}
