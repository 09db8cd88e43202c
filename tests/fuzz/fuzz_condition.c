/* Values of policies and of requests meet in every operator. Whatever they are, the manual's laws hold: a negated
 * operator says the opposite, …IfExists the same of what is there, set operators the same of one value, and what is
 * absent has its answer. */
#include <stdlib.h>

#include "policy/condition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const operators[][2] = {
    { "StringEquals", "StringNotEquals" },
    { "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase" },
    { "StringLike", "StringNotLike" },
    { "NumericEquals", "NumericNotEquals" },
    { "NumericLessThan", NULL },
    { "NumericLessThanEquals", NULL },
    { "NumericGreaterThan", NULL },
    { "NumericGreaterThanEquals", NULL },
    { "DateEquals", "DateNotEquals" },
    { "DateLessThan", NULL },
    { "DateLessThanEquals", NULL },
    { "DateGreaterThan", NULL },
    { "DateGreaterThanEquals", NULL },
    { "Bool", NULL },
    { "BinaryEquals", NULL },
    { "IpAddress", "NotIpAddress" },
    { "ArnEquals", "ArnNotEquals" },
    { "ArnLike", "ArnNotLike" },
};

struct question {
    struct arena *arena;
    struct str listed[8]; /* of the policy */
    size_t n_listed;
    struct policy_request request;
};

static bool holds(struct question *q, const char *set, const char *name, const char *if_exists)
{
    struct condition condition;
    struct str written = str_printf(q->arena, "%s%s%s", set, name, if_exists);
    if (!condition_operator(written, &condition))
        __builtin_trap();
    struct operand *operands = ARENA_ARRAY(q->arena, struct operand, q->n_listed);
    for (size_t i = 0; i < q->n_listed; i++)
        operands[i] = condition.op->read(q->arena, q->listed[i], true);
    condition.key = STR("K");
    condition.operands = operands;
    condition.n = q->n_listed;
    return condition_holds(q->arena, &condition, &q->request);
}

static void expect(bool yes)
{
    if (!yes)
        __builtin_trap();
}

static void laws(struct question *q, const char *name, const char *negated, size_t n_values, bool empty)
{
    bool plain = holds(q, "", name, ""), any = holds(q, "ForAnyValue:", name, ""), every = holds(q, "ForAllValues:", name, "");
    bool there = n_values > 0;
    expect(plain == any);                       /* of several values without a set operator, one will do */
    expect(there || (!plain && !any && every)); /* "ForAllValues also returns true if there are no context keys" */
    expect(n_values != 1 || empty || every == plain);
    expect(!every || !there || empty || plain);
    expect(holds(q, "", name, "IfExists") == (there ? plain : true));
    expect(holds(q, "ForAnyValue:", name, "IfExists") == (there ? any : true));
    expect(holds(q, "ForAllValues:", name, "IfExists") == every);
    if (!negated)
        return;
    expect(holds(q, "", negated, "") == !plain);
    expect(holds(q, "ForAnyValue:", negated, "") == (there && (!every || empty) && (n_values > 1 || !plain)));
    expect(holds(q, "ForAllValues:", negated, "") == (!there || empty || !any));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct question q = { .arena = arena_new(4096) };
    struct str rest = { (const char *)data, size }, values[4], line;
    size_t n_values = 0;
    if (size == 0 || size > 600) {
        arena_free(q.arena);
        return 0;
    }
    const char *const *pair = operators[data[0] % COUNT(operators)];
    rest = str_from(rest, 1);
    while (str_split(&rest, '\n', &line)) { /* ">value" of the request, else of the policy */
        if (str_starts(line, STR(">")) && n_values < COUNT(values))
            values[n_values++] = str_from(line, 1);
        else if (q.n_listed < COUNT(q.listed))
            q.listed[q.n_listed++] = line;
    }
    const struct policy_key keys[] = { { STR("u"), &STR("a*"), 1 }, { STR("k"), values, n_values } };
    q.request = (struct policy_request){ .keys = keys, .n_keys = COUNT(keys) };
    laws(&q, pair[0], pair[1], n_values, n_values == 1 && values[0].len == 0);
    q.listed[0] = STR("true");
    q.listed[1] = STR("false");
    q.n_listed = 1;
    expect(holds(&q, "", "Null", "") == (n_values == 0));
    q.listed[0] = STR("False");
    expect(holds(&q, "", "Null", "") == (n_values > 0));
    arena_free(q.arena);
    return 0;
}
