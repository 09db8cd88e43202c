/* The index must never change a decision: documents and requests made of the input's bytes are decided twice,
 * once over every statement in turn and once over the candidates that the index gives. */
#include <stdlib.h>

#include "policy/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct dice {
    const uint8_t *data;
    size_t size, at;
};

static size_t roll(struct dice *dice, size_t sides)
{
    return dice->at < dice->size ? dice->data[dice->at++] % sides : 0;
}

/* Few words, so that beginnings are shared and patterns meet requests. */
static const char *const actions[] = { "a:Get", "a:GetX", "a:GetXY", "b:Put", "A:gET", "a:", "bb:Put", "b:P", "a" };
static const char *const action_patterns[] = { "*",     "a:*",    "a:Get*", "a:G?t",  "a:GetX", "a:get", "A:GETXY",
                                               "b:*ut", "bb:Put", "a:?*",   "a:Ge*X", "b:P",    "a",     "a:" };
static const char *const resources[] = { "*",           "arn:aws:s:::b",   "arn:aws:s:::b/x", "arn:aws:s:::b/x/y", "arn:aws:s::1:b",
                                         "arn:aws:t:r:1:q", "arn:aws:s:::ann", "arn:aws:s:::*",   "arn:aws:s",         "",
                                         "plain" };
static const char *const resource_patterns[] = {
    "*",           "arn:aws:s:::*",   "arn:aws:s:::b",     "arn:aws:s:::b/*",         "arn:aws:s:::b/x", "arn:aws:s:*:*:b*", "arn:aws:*:r:1:q",
    "arn:*:s:::b", "arn:aws:s",       "arn:aws:s:::${u}",  "arn:aws:s:::${u}*",       "arn:aws:s:::${*}", "arn:aws:s:::b?x",  "pl*",
    "plain",       "arn:aws:s:::b/x*", "arn:aws:s:::${n, 'b'}", "arn:aws:s:*"
};
static const char *const conditions[] = { "", "", "", ",\"Condition\":{\"StringEquals\":{\"k\":\"v\"}}", ",\"Condition\":{\"StringNotEquals\":{\"k\":\"v\"}}",
                                          ",\"Condition\":{\"Null\":{\"k\":\"true\"}}" };

static void put_list(struct strbuf *buf, struct dice *dice, const char *name, const char *const *words, size_t n)
{
    strbuf_printf(buf, ",\"%s%s\":[", roll(dice, 8) == 1 ? "Not" : "", name);
    size_t count = 1 + roll(dice, roll(dice, 32) == 1 ? 40 : 2);
    for (size_t i = 0; i < count; i++)
        strbuf_printf(buf, "%s\"%s\"", i ? "," : "", words[roll(dice, n)]);
    strbuf_char(buf, ']');
}

static struct str document_of(struct arena *arena, struct dice *dice)
{
    struct strbuf buf = strbuf_in(arena, 4096);
    strbuf_printf(&buf, "{\"Version\":\"%s\",\"Statement\":[", roll(dice, 4) ? "2012-10-17" : "2008-10-17");
    size_t n = 1 + roll(dice, 24);
    for (size_t i = 0; i < n; i++) {
        strbuf_printf(&buf, "%s{\"Effect\":\"%s\"", i ? "," : "", roll(dice, 6) == 1 ? "Deny" : "Allow");
        if (roll(dice, 5) == 1)
            strbuf_printf(&buf, ",\"Principal\":{\"AWS\":\"%s\"}", roll(dice, 2) ? "000000000001" : "arn:aws:iam::000000000001:user/x");
        put_list(&buf, dice, "Action", action_patterns, COUNT(action_patterns));
        if (roll(dice, 16) != 1)
            put_list(&buf, dice, "Resource", resource_patterns, COUNT(resource_patterns));
        strbuf_printf(&buf, "%s}", conditions[roll(dice, COUNT(conditions))]);
    }
    strbuf_add(&buf, STR("]}"));
    return strbuf_view(&buf);
}

/* As the manual has it, over all: the first deny; else the first allow of those that fit best. */
static void decide_plainly(struct arena *arena, const struct policy_set *set, const struct policy_request *request,
                           struct policy_decision *out)
{
    struct prepared prepared;
    enum statement_fit best = STATEMENT_SILENT;
    const struct placed *deciding = NULL;
    prepare(request, &prepared);
    for (size_t i = 0; i < set->n_all; i++) {
        enum statement_fit fit = statement_fit(arena, set->all[i].statement, &prepared);
        bool denies = set->all[i].statement->deny;
        if (fit == STATEMENT_SILENT || (!denies && fit <= best))
            continue;
        deciding = &set->all[i];
        best = fit;
        if (denies)
            break;
    }
    *out = (struct policy_decision){ .statement = -1 };
    if (!deciding)
        return;
    out->effect = deciding->statement->deny ? POLICY_EXPLICIT_DENY : POLICY_ALLOW;
    out->statement = (int)(deciding->statement - deciding->policy->statements);
    out->document = deciding->policy->text;
    out->to_account = best == STATEMENT_TO_ACCOUNT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(64 * 1024);
    struct policy_set *set = policy_set_new();
    struct dice dice = { data, size, 0 };
    struct str why;
    size_t documents = 1 + roll(&dice, 3);
    for (size_t i = 0; i < documents; i++)
        if (!policy_set_add(set, POLICY_RESOURCE, STR("fuzz"), document_of(arena, &dice), arena, &why))
            __builtin_trap();
    const struct policy_key keys[] = { { STR("u"), &STR("ann"), 1 }, { STR("k"), &STR("v"), roll(&dice, 2) } };
    for (int i = 0; i < 12; i++) {
        struct policy_request request = { .principal_arn = STR("arn:aws:iam::000000000001:user/x"), .account = STR("000000000001"),
                                          .action = str_of(actions[roll(&dice, COUNT(actions))]),
                                          .resource = str_of(resources[roll(&dice, COUNT(resources))]),
                                          .keys = keys, .n_keys = COUNT(keys) };
        struct policy_decision plain, indexed;
        decide_plainly(arena, set, &request, &plain);
        policy_set_decide(arena, set, "", &request, &indexed);
        if (plain.effect != indexed.effect || plain.statement != indexed.statement ||
            plain.document.ptr != indexed.document.ptr || plain.to_account != indexed.to_account)
            __builtin_trap();
    }
    policy_set_free(set);
    arena_free(arena);
    return 0;
}
