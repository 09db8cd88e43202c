/* gatehouse policy test: cases in YAML (or JSON), decided offline by the evaluator that enforces.
 *
 *     identity: [readers.json]           # files beside this one, or documents in place
 *     boundary: team-boundary.json       # also session, resource, trust, service_control, resource_control
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
#include "policy/arn.h"

static const struct layer {
    const char *name;
    enum policy_use use;
    size_t offset; /* in struct policy_layers */
} layers_known[] = {
    { "identity", POLICY_IDENTITY, offsetof(struct policy_layers, identity) },
    { "boundary", POLICY_IDENTITY, offsetof(struct policy_layers, boundary) },
    { "session", POLICY_IDENTITY, offsetof(struct policy_layers, session) },
    { "resource", POLICY_RESOURCE, offsetof(struct policy_layers, resource) },
    { "trust", POLICY_TRUST, offsetof(struct policy_layers, resource) },
    { "service_control", POLICY_SERVICE_CONTROL, offsetof(struct policy_layers, service_control) },
    { "resource_control", POLICY_RESOURCE_CONTROL, offsetof(struct policy_layers, resource_control) },
};

struct suite {
    struct arena *arena;
    const char *file;
    struct str folder;
    struct policy_set *sets[COUNT(layers_known)];
    struct policy_layers layers;
    struct str principal;
    int passed, failed;
};

static bool wrong(const struct suite *suite, int line, const char *what, struct str which)
{
    fprintf(stderr, "gatehouse: %s:%d: %s%.*s\n", suite->file, line, what, STR_FMT(which));
    return false;
}

/* ---- the policies ---- */

static bool add_document(struct suite *suite, const struct layer *layer, size_t index,
                         const struct yaml *node)
{
    struct str name = STR("in place"), text, why;
    if (node->kind == YAML_TEXT) {
        name = node->text;
        const char *path = str_c(suite->arena, node->text.len && node->text.ptr[0] == '/'
                                                   ? node->text
                                                   : str_concat(suite->arena, suite->folder, node->text));
        text = cli_policy_file(suite->arena, path);
        if (!text.ptr)
            return false;
    } else {
        text = json_print(suite->arena, yaml_json(suite->arena, node));
    }
    if (!suite->sets[index])
        suite->sets[index] = policy_set_new();
    if (!policy_set_add(suite->sets[index], layer->use, name, text, suite->arena, &why))
        return wrong(suite, node->line, "",
                     str_printf(suite->arena, "%.*s: %.*s", STR_FMT(name), STR_FMT(why)));
    *(const struct policy_set **)((char *)&suite->layers + layer->offset) = suite->sets[index];
    suite->layers.trust |= layer->use == POLICY_TRUST;
    return true;
}

static bool add_layer(struct suite *suite, const struct layer *layer, size_t index, const struct yaml *node)
{
    if (node->kind != YAML_LIST)
        return add_document(suite, layer, index, node);
    for (size_t i = 0; i < node->n; i++)
        if (!add_document(suite, layer, index, &node->items[i]))
            return false;
    return true;
}

/* ---- a case ---- */

struct asked {
    struct str name, action, resource, expect, principal, resource_account;
    struct policy_context context;
    int line;
};

static bool add_key(struct suite *suite, struct policy_context *context, struct str name,
                    const struct yaml *value)
{
    if (value->kind == YAML_MAP)
        return wrong(suite, value->line, "a value or a list of values belongs to the key ", name);
    if (value->kind == YAML_TEXT) {
        policy_context_add(context, str_c(suite->arena, name), value->text);
        return true;
    }
    struct str *values = ARENA_ARRAY(suite->arena, struct str, value->n);
    for (size_t i = 0; i < value->n; i++) {
        if (value->items[i].kind != YAML_TEXT)
            return wrong(suite, value->items[i].line, "a list of values belongs to the key ", name);
        values[i] = value->items[i].text;
    }
    policy_context_add_list(context, str_c(suite->arena, name), values, value->n);
    return true;
}

static bool read_case(struct suite *suite, const struct yaml *node, struct asked *out)
{
    static const struct {
        const char *name;
        size_t offset;
    } texts[] = {
        { "name", offsetof(struct asked, name) },
        { "action", offsetof(struct asked, action) },
        { "resource", offsetof(struct asked, resource) },
        { "expect", offsetof(struct asked, expect) },
        { "principal", offsetof(struct asked, principal) },
        { "resource_account", offsetof(struct asked, resource_account) },
    };
    *out = (struct asked){ .resource = STR("*"),
                           .principal = suite->principal,
                           .line = node->line,
                           .context = policy_context_in(suite->arena) };
    if (node->kind != YAML_MAP)
        return wrong(suite, node->line, "a case is a map with action and expect", STR(""));
    for (size_t i = 0; i < node->n; i++) {
        const struct yaml *value = &node->items[i];
        size_t t = 0;
        if (str_is(node->names[i], "context") && value->kind == YAML_MAP) {
            for (size_t k = 0; k < value->n; k++)
                if (!add_key(suite, &out->context, value->names[k], &value->items[k]))
                    return false;
            continue;
        }
        while (t < COUNT(texts) && !str_is(node->names[i], texts[t].name))
            t++;
        if (t == COUNT(texts) || value->kind != YAML_TEXT)
            return wrong(suite, node->name_lines[i], "a case does not know ", node->names[i]);
        *(struct str *)((char *)out + texts[t].offset) = value->text;
    }
    if (!out->action.len || !out->expect.len)
        return wrong(suite, node->line, "a case needs action and expect", STR(""));
    return true;
}

/* What a signed request always has, where the case does not say otherwise. */
static void add_principal(struct asked *asked, const struct arn *principal)
{
    struct policy_context *context = &asked->context;
    const struct {
        const char *name;
        struct str value;
    } keys[] = {
        { "aws:PrincipalArn", asked->principal },
        { "aws:PrincipalAccount", principal->part[4] },
        { "aws:username",
          str_starts(principal->part[5], STR("user/"))
              ? str_from(principal->part[5], (size_t)str_find_last(principal->part[5], '/') + 1)
              : STR_NONE },
    };
    for (size_t i = 0; i < COUNT(keys); i++)
        if (keys[i].value.ptr && !policy_context_find(context->keys, context->n, str_of(keys[i].name)))
            policy_context_add(context, keys[i].name, keys[i].value);
}

static const char *const effect_names[] = { "implicitDeny", "allowed", "explicitDeny" };

static bool decide(struct suite *suite, struct asked *asked)
{
    struct arn principal = { 0 };
    bool named = arn_split(asked->principal, &principal);
    if (named)
        add_principal(asked, &principal);
    struct policy_layers layers = suite->layers;
    struct policy_request request = { .principal_arn = asked->principal,
                                      .account = named ? principal.part[4] : STR_NONE,
                                      .action = asked->action,
                                      .resource = asked->resource,
                                      .keys = asked->context.keys,
                                      .n_keys = asked->context.n };
    struct policy_decision decision;
    layers.party = !asked->principal.len || str_is(asked->principal, "anonymous") ? PARTY_OUTSIDER
                   : str_is(principal.part[5], "root")                            ? PARTY_ROOT
                                                                                  : PARTY_PRINCIPAL;
    layers.cross_account = asked->resource_account.len && !str_eq(asked->resource_account, request.account);
    enum policy_effect effect = policy_decide(suite->arena, &layers, &request, &decision);
    bool good = str_is(asked->expect, effect_names[effect]) ||
                (str_is(asked->expect, "denied") && effect != POLICY_ALLOW);
    printf("%s %s:%d %.*s\n", good ? "ok    " : "FAILED", suite->file, asked->line,
           STR_FMT(asked->name.len ? asked->name : asked->action));
    if (!good)
        printf("       expected %.*s, and it is %s: %.*s\n", STR_FMT(asked->expect), effect_names[effect],
               STR_FMT(policy_reason(suite->arena, &request, &decision)));
    return good;
}

static bool run_cases(struct suite *suite, const struct yaml *cases)
{
    if (cases->kind != YAML_LIST)
        return wrong(suite, cases->line, "cases is a list", STR(""));
    for (size_t i = 0; i < cases->n; i++) {
        struct asked asked;
        if (!read_case(suite, &cases->items[i], &asked))
            return false;
        bool known = str_is(asked.expect, "denied");
        for (size_t e = 0; e < COUNT(effect_names); e++)
            known |= str_is(asked.expect, effect_names[e]);
        if (!known)
            return wrong(suite, asked.line,
                         "expect is one of allowed, denied, implicitDeny, explicitDeny; not ", asked.expect);
        if (decide(suite, &asked))
            suite->passed++;
        else
            suite->failed++;
    }
    return true;
}

/* ---- a file ---- */

static bool run_file(struct suite *suite)
{
    struct str text = cli_policy_file(suite->arena, suite->file), why, path = str_of(suite->file);
    const struct yaml *root = text.ptr ? yaml_parse(suite->arena, text, &why) : NULL;
    const struct yaml *cases = NULL;
    if (!text.ptr)
        return false;
    if (!root || root->kind != YAML_MAP) {
        fprintf(stderr, "gatehouse: %s: %.*s\n", suite->file,
                STR_FMT(root ? STR("a map with cases is expected") : why));
        return false;
    }
    suite->folder = str_sub(path, 0, (size_t)(str_find_last(path, '/') + 1));
    suite->principal = STR("arn:aws:iam::000000000000:user/somebody");
    for (size_t i = 0; i < root->n; i++) {
        size_t l = 0;
        while (l < COUNT(layers_known) && !str_is(root->names[i], layers_known[l].name))
            l++;
        if (l < COUNT(layers_known)) {
            if (!add_layer(suite, &layers_known[l], l, &root->items[i]))
                return false;
        } else if (str_is(root->names[i], "principal") && root->items[i].kind == YAML_TEXT) {
            suite->principal = root->items[i].text;
        } else if (str_is(root->names[i], "cases")) {
            cases = &root->items[i];
        } else {
            return wrong(suite, root->name_lines[i], "such a file does not know ", root->names[i]);
        }
    }
    return cases ? run_cases(suite, cases) : wrong(suite, root->line, "cases are missing", STR(""));
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
        for (size_t l = 0; l < COUNT(suite.sets); l++)
            policy_set_free(suite.sets[l]);
        arena_free(suite.arena);
    }
    if (read)
        printf("%d passed, %d failed\n", passed, failed);
    return read && failed == 0 && passed > 0 ? 0 : 1;
}
