/* gatehouse policy test: cases in YAML (or JSON), decided offline by the evaluator that enforces. Each case
 * is a question as policy/order.h has it, over what stands beside `cases`; a policy may be the name of a
 * file.
 *
 *     policies: { identity: [readers.json], boundary: team.json }
 *     principal: arn:aws:iam::123456789012:user/ada
 *     cases:
 *       - name: readers read
 *         action: s3:GetObject
 *         resource: arn:aws:s3:::books/1
 *         context: { aws:SourceIp: 10.0.0.7 }
 *         expect: allowed                # denied, implicitDeny, explicitDeny */
#include <stdio.h>
#include <string.h>

#include "admin/cli_policy.h"
#include "core/yaml.h"
#include "policy/order.h"
#include "policy/why.h"

struct suite {
    struct arena *arena; /* of the file */
    const char *file;
    struct str folder;
    json_t *shared; /* what every case begins with */
    int passed, failed;
};

static bool wrong(const struct suite *suite, int line, struct str what)
{
    fprintf(stderr, "gatehouse: %s:%d: %.*s\n", suite->file, line, STR_FMT(what));
    return false;
}

/* ---- files that policies name ---- */

static json_t *read_file(struct suite *suite, struct str name)
{
    bool whole = name.len && name.ptr[0] == '/';
    return cli_policy_named(
        suite->arena, str_c(suite->arena, whole ? name : str_concat(suite->arena, suite->folder, name)));
}

static bool is_file(const json_t *given)
{
    return json_is_string(given) && !str_starts(str_trim(json_value_str(given)), STR("{"));
}

static bool read_files(struct suite *suite, json_t *policies)
{
    const char *layer;
    json_t *given, *item, *file;
    size_t i;
    json_object_foreach(policies, layer, given) {
        if (is_file(given)) {
            if (!(file = read_file(suite, json_value_str(given))))
                return false;
            json_object_set(policies, layer, file);
        }
        json_array_foreach(given, i, item) {
            if (!is_file(item))
                continue;
            if (!(file = read_file(suite, json_value_str(item))))
                return false;
            json_array_set(given, i, file);
        }
    }
    return true;
}

/* ---- a case ---- */

static const char *const effect_names[] = { "implicitDeny", "allowed", "explicitDeny" };

static bool effect_known(struct str expect)
{
    bool known = str_is(expect, "denied");
    for (size_t e = 0; e < COUNT(effect_names); e++)
        known |= str_is(expect, effect_names[e]);
    return known;
}

static void indent(struct str text)
{
    struct str line;
    while (str_split(&text, '\n', &line))
        if (line.len)
            printf("       %.*s\n", STR_FMT(line));
}

static void decide(struct suite *suite, struct arena *arena, const struct policy_order *order,
                   struct str name, struct str expect, int line)
{
    struct policy_decision decision;
    enum policy_effect effect = policy_decide(arena, &order->layers, &order->request, &decision);
    bool good = str_is(expect, effect_names[effect]) || (str_is(expect, "denied") && effect != POLICY_ALLOW);
    printf("%s %s:%d %.*s\n", good ? "ok    " : "FAILED", suite->file, line,
           STR_FMT(name.len ? name : order->request.action));
    if (good) {
        suite->passed++;
        return;
    }
    struct policy_why why;
    suite->failed++;
    printf("       expected %.*s, and it is %s\n", STR_FMT(expect), effect_names[effect]);
    policy_why(arena, &order->layers, &order->request, &why);
    indent(policy_why_text(arena, &why));
}

static bool run_case(struct suite *suite, struct arena *arena, const struct yaml *node)
{
    struct policy_order order;
    struct str why;
    json_t *given = yaml_json(arena, node), *question = json_own(arena, json_deep_copy(suite->shared));
    if (!json_is_object(given))
        return wrong(suite, node->line, STR("a case is a map with action and expect"));
    struct str name = json_str(given, "name"), expect = json_str(given, "expect");
    if (!effect_known(expect))
        return wrong(suite, node->line, STR("expect is one of allowed, denied, implicitDeny, explicitDeny"));
    json_t *context = json_object_get(question, "context"), *own = json_object_get(given, "context");
    if (json_is_object(context) && json_is_object(own))
        json_object_update_missing(own, context);
    if (!read_files(suite, json_object_get(given, "policies")))
        return false;
    json_object_update(question, given);
    json_object_del(question, "name"); /* `given` still has them */
    json_object_del(question, "expect");
    if (!policy_order_read(arena, question, &order, &why))
        return wrong(suite, node->line, why);
    policy_order_complete(arena, &order);
    decide(suite, arena, &order, name, expect, node->line);
    return true;
}

/* ---- a file ---- */

static bool run_file(struct suite *suite)
{
    struct str text = cli_policy_file(suite->arena, suite->file), why, path = str_of(suite->file);
    const struct yaml *root = text.ptr ? yaml_parse(suite->arena, text, &why) : NULL, *cases;
    if (!text.ptr)
        return false;
    if (!root) {
        fprintf(stderr, "gatehouse: %s: %.*s\n", suite->file, STR_FMT(why));
        return false;
    }
    if (root->kind != YAML_MAP || !(cases = yaml_get(root, "cases")) || cases->kind != YAML_LIST)
        return wrong(suite, root->line, STR("a map with a list of cases is expected"));
    suite->folder = str_sub(path, 0, (size_t)(str_find_last(path, '/') + 1));
    suite->shared = yaml_json(suite->arena, root);
    json_object_del(suite->shared, "cases");
    if (!read_files(suite, json_object_get(suite->shared, "policies")))
        return false;
    bool good = true;
    for (size_t i = 0; i < cases->n && good; i++) {
        struct arena *arena = arena_new(32 * 1024);
        good = run_case(suite, arena, &cases->items[i]);
        arena_free(arena);
    }
    return good;
}

int cli_policy_test(int argc, char **argv)
{
    int passed = 0, failed = 0;
    bool read = argc > 0 && cli_words(argc, argv) == argc;
    if (!read)
        return cli_usage("policy test CASES.yaml…");
    for (int i = 0; i < argc && read; i++) {
        struct suite suite = { .arena = arena_new(64 * 1024), .file = argv[i] };
        read = run_file(&suite);
        passed += suite.passed;
        failed += suite.failed;
        arena_free(suite.arena);
    }
    if (read)
        printf("%d passed, %d failed\n", passed, failed);
    return read && failed == 0 && passed > 0 ? 0 : 1;
}
