/* gatehouse policy explain: asks the server, or, with --identity or --offline, the files that are given. */
#include "admin/cli_policy.h"

#include <stdio.h>
#include <string.h>

#include "policy/order.h"
#include "policy/why.h"

static const char usage[] =
    "policy explain PRINCIPAL ACTION [RESOURCE] [KEY=VALUE…] [options]\n"
    "  PRINCIPAL is an ARN, \"anonymous\" or a service; RESOURCE an ARN, * when left out; a KEY may be given several times\n"
    "  --identity FILE, --boundary FILE, --session FILE, --scp FILE, --rcp FILE, --resource-policy FILE, --trust FILE\n"
    "                        policies; with --identity or --offline no server is asked\n"
    "  --resource-account ID the account that RESOURCE belongs to\n"
    "  --json                the whole explanation\n"
    "  It ends with 0 when it is allowed, 2 when not, 1 when it could not be asked.";

static const struct {
    const char *flag, *part;
} files[] = {
    { "--identity", "identity" }, { "--boundary", "boundary" }, { "--session", "session" }, { "--scp", "serviceControl" },
    { "--rcp", "resourceControl" }, { "--resource-policy", "resource" }, { "--trust", "trust" },
};

struct asked {
    struct arena *arena;
    json_t *order, *policies, *context;
    int words;
    bool offline, json;
};

static bool add_policy(struct asked *asked, const char *part, const char *path)
{
    json_t *item = cli_policy_named(asked->arena, path), *list = json_object_get(asked->policies, part);
    if (!item)
        return false;
    if (!list) {
        list = json_array();
        json_object_set_new(asked->policies, part, list);
    }
    json_array_append(list, item);
    asked->offline |= strcmp(part, "identity") == 0;
    return true;
}

/* 1 taken, 2 with its value, 0 not one of ours, -1 it failed. */
static int take_flag(struct asked *asked, int left, char **argv)
{
    if (strcmp(argv[0], "--json") == 0 || strcmp(argv[0], "--offline") == 0) {
        *(argv[0][2] == 'j' ? &asked->json : &asked->offline) = true;
        return 1;
    }
    if (left > 1 && strcmp(argv[0], "--resource-account") == 0) {
        json_set_str(asked->order, "resourceAccount", str_of(argv[1]));
        return 2;
    }
    for (size_t i = 0; left > 1 && i < COUNT(files); i++)
        if (strcmp(argv[0], files[i].flag) == 0)
            return add_policy(asked, files[i].part, argv[1]) ? 2 : -1;
    return 0;
}

static void add_context(struct asked *asked, struct str word)
{
    size_t at = (size_t)str_find(word, '=');
    const char *name = str_c(asked->arena, str_sub(word, 0, at));
    json_t *values = json_object_get(asked->context, name);
    if (!values) {
        values = json_array();
        json_object_set_new(asked->context, name, values);
    }
    json_array_append_new(values, json_of(str_from(word, at + 1)));
}

static bool take_word(struct asked *asked, const char *text)
{
    static const char *const names[] = { "principal", "action", "resource" };
    struct str word = str_of(text);
    bool arn = str_starts(word, STR("arn:"));
    if (asked->words >= 2 && !arn && str_find(word, '=') > 0)
        add_context(asked, word);
    else if (asked->words < (int)COUNT(names))
        json_set_str(asked->order, names[asked->words++], word);
    else
        return false;
    return true;
}

static bool read_arguments(struct asked *asked, int argc, char **argv)
{
    for (int i = 0; i < argc;) {
        bool flag = strncmp(argv[i], "--", 2) == 0;
        int taken = flag ? take_flag(asked, argc - i, argv + i) : take_word(asked, argv[i]);
        if (taken < 0)
            return false;
        if (taken == 0) {
            cli_usage(usage);
            return false;
        }
        i += taken;
    }
    if (asked->words < 2)
        cli_usage(usage);
    return asked->words >= 2;
}

static json_t *answer_here(struct asked *asked)
{
    struct policy_order order;
    struct policy_why why;
    struct str fault;
    if (!policy_order_read(asked->arena, asked->order, &order, &fault)) {
        fprintf(stderr, "gatehouse: %.*s\n", STR_FMT(fault));
        return NULL;
    }
    policy_order_complete(asked->arena, &order);
    policy_why(asked->arena, &order.layers, &order.request, &why);
    json_t *out = policy_why_json(asked->arena, &why);
    json_set_str(out, "text", policy_why_text(asked->arena, &why));
    return out;
}

static json_t *answer_there(struct asked *asked)
{
    struct client client;
    client_open(&client, asked->arena);
    return client_rest(&client, "iam", "POST", STR("/_gatehouse/policy/explain"), asked->order);
}

int cli_policy_explain(int argc, char **argv)
{
    struct asked asked = { .arena = arena_new(65536) };
    int code = 1;
    asked.order = json_own(asked.arena, json_object());
    asked.policies = json_object();
    asked.context = json_object();
    json_object_set_new(asked.order, "policies", asked.policies);
    json_object_set_new(asked.order, "context", asked.context);
    if (read_arguments(&asked, argc, argv)) {
        json_t *answer = asked.offline ? answer_here(&asked) : answer_there(&asked);
        struct str text = json_str(answer, "text");
        if (answer && asked.json) {
            json_object_del(answer, "text");
            text = str_concat(asked.arena, json_print(asked.arena, answer), STR("\n"));
        }
        if (answer)
            printf("%.*s", STR_FMT(text));
        code = !answer ? 1 : json_flag(answer, "allowed", false) ? 0 : 2;
    }
    arena_free(asked.arena);
    return code;
}
