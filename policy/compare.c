#include "policy/compare.h"

#include "core/json_tree.h"
#include "policy/catalogue.h"
#include "policy/document.h"

enum { MOST_REQUESTS = 4 * 1000 * 1000 };

/* Texts, each once. */
struct texts {
    struct arena *arena;
    struct str *items;
    size_t n, cap;
};

static void add_text(struct texts *texts, struct str text)
{
    for (size_t i = 0; i < texts->n; i++)
        if (str_eq(texts->items[i], text))
            return;
    if (texts->n == texts->cap) {
        size_t cap = texts->cap * 2 + 32, size = sizeof *texts->items;
        texts->items = arena_grow(texts->arena, texts->items, texts->cap * size, cap * size);
        texts->cap = cap;
    }
    texts->items[texts->n++] = text;
}

/* The keys of requests that are tried: none of its own, or what one statement's conditions want. */
struct context {
    struct policy_context keys;
    struct str words;
};

struct comparison {
    struct arena *arena;
    struct policy_set *sets[2]; /* before, after */
    struct texts actions, resources, untried;
    struct policy_context variables; /* what ${…} of either document stand for: themselves, as "x" */
    struct context *contexts;
    size_t n_contexts;
    struct policy_change *changes;
    size_t n, cap;
};

/* ---- what is asked about ---- */

static bool add_action(struct str service, struct str name, void *ctx)
{
    struct texts *actions = ctx;
    add_text(actions, str_printf(actions->arena, "%.*s:%.*s", STR_FMT(service), STR_FMT(name)));
    return true;
}

/* One text that the pattern matches. */
static struct str example_of(struct arena *arena, struct str pattern)
{
    struct strbuf out = strbuf_in(arena, pattern.len + 8);
    for (size_t i = 0; i < pattern.len; i++) {
        if (str_starts(str_from(pattern, i), STR("${"))) {
            ptrdiff_t close = str_find(str_from(pattern, i), '}');
            struct str name = str_sub(pattern, i + 2, close < 2 ? 0 : (size_t)close - 2);
            strbuf_add(&out, name.len == 1 ? name : STR("x"));
            i += close < 0 ? pattern.len : (size_t)close;
        } else {
            strbuf_char(&out, pattern.ptr[i] == '*' || pattern.ptr[i] == '?' ? 'x' : pattern.ptr[i]);
        }
    }
    return strbuf_view(&out);
}

static void collect(struct comparison *c, const struct jt *value, void (*fn)(struct comparison *, struct str))
{
    if (jt_is(value, JT_STRING))
        fn(c, jt_text(value));
    for (uint32_t i = 0; jt_is(value, JT_ARRAY) && i < value->n; i++)
        if (jt_is(&value->items[i], JT_STRING))
            fn(c, jt_text(&value->items[i]));
}

static void collect_action(struct comparison *c, struct str pattern)
{
    if (!catalogue_each_action(pattern, add_action, &c->actions) && !str_is(pattern, "*"))
        add_text(&c->actions, example_of(c->arena, pattern));
    if (str_is(pattern, "*"))
        add_text(&c->actions, STR("other:Action"));
}

static void collect_resource(struct comparison *c, struct str pattern)
{
    add_text(&c->resources, pattern);
}

/* ---- contexts ---- */

/* A value that the operator would take, when the policy says `text`. Absent: the key is better left out. */
static struct str value_for(struct arena *arena, const struct condition *condition, struct str text)
{
    const char *op = condition->op->name;
    int64_t number;
    if (condition->op->is_null)
        return str_eq_nocase(text, STR("true")) ? STR_NONE : STR("x");
    if (condition->op->negated)
        return condition->each == EACH_FOR_ANY ? STR("none-of-these") : STR_NONE;
    if (str_i64(text, &number) && (strstr(op, "LessThan") || strstr(op, "GreaterThan")) &&
        !strstr(op, "Equals"))
        return str_printf(arena, "%lld", (long long)(strstr(op, "Less") ? number - 1 : number + 1));
    if (strcmp(op, "DateLessThan") == 0)
        return STR("1970-01-02T00:00:00Z");
    if (strcmp(op, "DateGreaterThan") == 0)
        return STR("9999-01-01T00:00:00Z");
    if (strcmp(op, "IpAddress") == 0) {
        struct str address = text, rest = text;
        str_split(&rest, '/', &address);
        return address;
    }
    return strstr(op, "Like") || str_starts(str_of(op), STR("Arn")) ? example_of(arena, text) : text;
}

static void add_condition(struct comparison *c, struct context *context, const struct condition *condition,
                          struct str key, const struct jt *value)
{
    const struct jt *first = jt_is(value, JT_ARRAY) && value->n ? &value->items[0] : value;
    struct str text = jt_is(first, JT_STRING) || jt_is(first, JT_NUMBER) ? jt_text(first)
                      : jt_is(first, JT_BOOL) ? str_of(first->flag ? "true" : "false")
                                              : STR("");
    struct str given = value_for(c->arena, condition, text);
    if (!given.ptr || policy_context_find(context->keys.keys, context->keys.n, key))
        return;
    policy_context_add(&context->keys, str_c(c->arena, key), given);
    context->words = str_printf(c->arena, "%.*s%s%.*s %.*s", STR_FMT(context->words),
                                context->words.len ? ", " : "", STR_FMT(key), STR_FMT(given));
}

static bool holds(struct comparison *c, const struct statement *statement, const struct context *context)
{
    struct policy_request request = {
        .action = STR("a:b"), .resource = STR("*"), .keys = context->keys.keys, .n_keys = context->keys.n
    };
    for (size_t i = 0; i < statement->n_conditions; i++)
        if (!condition_holds(c->arena, &statement->conditions[i], &request))
            return false;
    return true;
}

static void collect_context(struct comparison *c, const struct jt *statement,
                            const struct statement *compiled)
{
    const struct jt *blocks = jt_get(statement, STR("Condition"));
    struct context context = { .keys = policy_context_in(c->arena), .words = STR("") };
    policy_context_add_keys(&context.keys, c->variables.keys, c->variables.n);
    for (uint32_t b = 0; jt_is(blocks, JT_OBJECT) && b < blocks->n; b++) {
        const struct jt_member *block = &blocks->object->members[b];
        struct condition condition = { 0 };
        if (condition_operator(block->name, &condition))
            for (uint32_t k = 0; k < block->value.n; k++)
                add_condition(c, &context, &condition, block->value.object->members[k].name,
                              &block->value.object->members[k].value);
    }
    if (!holds(c, compiled, &context))
        add_text(&c->untried, jt_string(c->arena, blocks));
    for (size_t i = 0; i < c->n_contexts; i++)
        if (str_eq(c->contexts[i].words, context.words))
            return;
    c->contexts[c->n_contexts++] = context;
}

/* ---- a document ---- */

static const struct jt *statement_at(const struct jt *list, size_t i)
{
    return jt_is(list, JT_ARRAY) ? &list->items[i] : list;
}

static void add_variables(struct comparison *c, struct str document)
{
    for (ptrdiff_t at; (at = str_find_str(document, STR("${"))) >= 0;) {
        size_t n = 0;
        document = str_from(document, (size_t)at + 2);
        while (n < document.len && !strchr("}, \"", document.ptr[n]))
            n++;
        struct str name = str_sub(document, 0, n);
        if (n > 1 && !policy_context_find(c->variables.keys, c->variables.n, name))
            policy_context_add(&c->variables, str_c(c->arena, name), STR("x"));
    }
}

static bool read_document(struct comparison *c, enum policy_use use, int which, struct str document,
                          struct str *why)
{
    c->sets[which] = policy_set_new();
    if (policy_set_add(c->sets[which], use, which ? STR("after") : STR("before"), document, c->arena, why)) {
        add_variables(c, document);
        return true;
    }
    *why = str_printf(c->arena, "the %s document: %.*s", which ? "second" : "first", STR_FMT(*why));
    return false;
}

static void collect_document(struct comparison *c, enum policy_use use, struct str document)
{
    struct str why;
    struct policy policy;
    const struct jt *list = jt_get(jt_parse(c->arena, document, &why), STR("Statement"));
    if (!policy_parse(c->arena, c->arena, use, document, &policy, &why))
        return;
    struct context *contexts = ARENA_ARRAY(c->arena, struct context, c->n_contexts + policy.n);
    if (c->n_contexts)
        memcpy(contexts, c->contexts, c->n_contexts * sizeof *contexts);
    c->contexts = contexts;
    for (size_t i = 0; i < policy.n; i++) {
        const struct jt *statement = statement_at(list, i);
        collect(c, jt_get(statement, STR("Action")), collect_action);
        collect(c, jt_get(statement, STR("NotAction")), collect_action);
        collect(c, jt_get(statement, STR("Resource")), collect_resource);
        collect(c, jt_get(statement, STR("NotResource")), collect_resource);
        if (jt_get(statement, STR("NotAction")))
            collect_action(c, STR("*"));
        if (jt_get(statement, STR("NotResource")) || use == POLICY_TRUST)
            collect_resource(c, STR("*"));
        if (policy.statements[i].n_conditions)
            collect_context(c, statement, &policy.statements[i]);
    }
}

/* ---- asking both ---- */

/* An action of one service is not asked about on a resource of another. */
static bool goes_with(struct str action, struct str resource)
{
    struct arn arn;
    struct str name = action, service;
    str_split(&name, ':', &service);
    return !arn_split(resource, &arn) || str_find(arn.part[2], '*') >= 0 ||
           str_eq_nocase(arn.part[2], service);
}

static bool told_without_context(const struct comparison *c, struct str resource, struct str action)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct policy_change *change = &c->changes[i];
        if (change->when.ptr || !str_eq(change->resource, resource))
            continue;
        for (size_t k = 0; k < change->n_actions; k++)
            if (str_eq(change->actions[k], action))
                return true;
    }
    return false;
}

static void add_change(struct comparison *c, const struct policy_change *what, struct str action)
{
    struct policy_change *change = NULL;
    for (size_t i = 0; i < c->n && !change; i++) {
        struct policy_change *one = &c->changes[i];
        if (one->before == what->before && one->after == what->after &&
            str_eq(one->resource, what->resource) && str_eq(one->when, what->when) &&
            one->place.line == what->place.line && one->place.column == what->place.column)
            change = one;
    }
    if (!change) {
        if (c->n == c->cap) {
            size_t cap = c->cap * 2 + 16, size = sizeof *c->changes;
            c->changes = arena_grow(c->arena, c->changes, c->cap * size, cap * size);
            c->cap = cap;
        }
        change = &c->changes[c->n++];
        *change = *what;
        change->actions = ARENA_ARRAY(c->arena, struct str, c->actions.n);
    }
    ((struct str *)(uintptr_t)change->actions)[change->n_actions++] = action;
}

static void ask(struct comparison *c, struct arena *scratch, struct str action, struct str resource,
                const struct context *context)
{
    struct policy_decision decisions[2];
    struct policy_request request = { .principal_arn = STR("arn:aws:iam::000000000000:user/x"),
                                      .account = STR("000000000000"),
                                      .action = action,
                                      .resource = example_of(scratch, resource),
                                      .keys = context->keys.keys,
                                      .n_keys = context->keys.n };
    if (str_is(resource, "*"))
        request.resource = resource;
    for (int i = 0; i < 2; i++)
        policy_set_decide(scratch, c->sets[i], "", &request, &decisions[i]);
    enum policy_effect before = decisions[0].effect, after = decisions[1].effect;
    struct str when = context->words.len ? context->words : STR_NONE;
    if (before == after || (when.ptr && told_without_context(c, resource, action)))
        return;
    const struct policy_decision *said = decisions[1].statement >= 0 ? &decisions[1] : &decisions[0];
    struct policy_change what = { .before = before, .after = after, .resource = resource, .when = when, .place = said->at };
    add_change(c, &what, action);
}

static void ask_all(struct comparison *c)
{
    struct arena *scratch = arena_new(16 * 1024);
    for (size_t k = 0; k < c->n_contexts; k++)
        for (size_t r = 0; r < c->resources.n; r++)
            for (size_t a = 0; a < c->actions.n; a++)
                if (goes_with(c->actions.items[a], c->resources.items[r])) {
                    ask(c, scratch, c->actions.items[a], c->resources.items[r], &c->contexts[k]);
                    arena_reset(scratch);
                }
    arena_free(scratch);
}

bool policy_compare(struct arena *arena, enum policy_use use, struct str before, struct str after,
                    struct policy_comparison *out, struct str *why)
{
    struct comparison c = { .arena = arena,
                            .actions = { arena },
                            .resources = { arena },
                            .untried = { arena },
                            .variables = policy_context_in(arena) };
    bool good = read_document(&c, use, 0, before, why) && read_document(&c, use, 1, after, why);
    if (good) {
        c.contexts = ARENA_NEW(arena, struct context);
        c.contexts[c.n_contexts++] = (struct context){ .keys = c.variables, .words = STR("") };
        collect_document(&c, use, before);
        collect_document(&c, use, after);
        good = c.actions.n * c.resources.n * c.n_contexts <= MOST_REQUESTS;
        if (good)
            ask_all(&c);
        else
            *why = STR("the documents name too many actions, resources and conditions to try them all with "
                       "each other");
    }
    for (int i = 0; i < 2; i++)
        policy_set_free(c.sets[i]);
    *out = (struct policy_comparison){ c.changes, c.n, c.untried.items, c.untried.n };
    return good;
}
