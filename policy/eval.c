#include "policy/eval.h"

#include "policy/index.h"

static void decide(struct arena *arena, const struct policy_set *set, const char *type,
                   const struct prepared *prepared, struct policy_decision *out);
static void note(const struct policy *policy, size_t statement, enum policy_effect effect, bool to_account,
                 struct policy_decision *out);

enum policy_effect policy_decide(struct arena *arena, const struct policy_layers *layers,
                                 const struct policy_request *request, struct policy_decision *decision)
{
    const struct {
        const char *type;
        const struct policy_set *set;
        bool always; /* an absent set allows nothing, rather than everything */
    } rows[] = {
        { "identity-based policy", layers->identity, true },
        { "permissions boundary", layers->boundary, false },
        { "session policy", layers->session, false },
    };
    struct prepared prepared;
    prepare(request, &prepared);

    /* A deny anywhere ends it; else the first layer that is silent; else what the identity allows. */
    struct policy_decision decisions[COUNT(rows)];
    size_t silent = COUNT(rows);
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!rows[i].set && !rows[i].always)
            continue;
        decide(arena, rows[i].set, rows[i].type, &prepared, &decisions[i]);
        if (decisions[i].effect == POLICY_EXPLICIT_DENY) {
            *decision = decisions[i];
            return decision->effect;
        }
        if (decisions[i].effect == POLICY_IMPLICIT_DENY && silent == COUNT(rows))
            silent = i;
    }
    *decision = decisions[silent == COUNT(rows) ? 0 : silent];
    return decision->effect;
}

enum policy_effect policy_set_decide(struct arena *arena, const struct policy_set *set, const char *type,
                                     const struct policy_request *request, struct policy_decision *decision)
{
    struct prepared prepared;
    prepare(request, &prepared);
    decide(arena, set, type, &prepared, decision);
    return decision->effect;
}

enum policy_effect policy_combine(struct arena *arena, const struct policy_decision *own,
                                  const struct policy_set *resource, bool cross_account, bool capped,
                                  const struct policy_request *request, struct policy_decision *decision)
{
    struct policy_decision theirs;
    *decision = *own;
    if (own->effect == POLICY_EXPLICIT_DENY || (!resource && !cross_account))
        return decision->effect;
    enum policy_effect effect = policy_set_decide(arena, resource, "resource-based policy", request, &theirs);
    if (effect == POLICY_EXPLICIT_DENY || (cross_account && own->effect == POLICY_ALLOW))
        *decision = theirs;
    else if (effect == POLICY_ALLOW && own->effect != POLICY_ALLOW && !cross_account && !theirs.to_account && !capped)
        *decision = theirs;
    return decision->effect;
}

static void decide(struct arena *arena, const struct policy_set *set, const char *type,
                   const struct prepared *prepared, struct policy_decision *out)
{
    *out = (struct policy_decision){ .effect = POLICY_IMPLICIT_DENY, .statement = -1, .policy_type = str_of(type) };
    struct candidates candidates;
    const struct policy *policy;
    const struct statement *statement;
    candidates_find(arena, set, prepared, &candidates);
    while ((statement = candidates_next(&candidates, &policy))) {
        bool settled = out->effect == POLICY_ALLOW && !out->to_account;
        if (settled && !statement->deny)
            continue;
        enum statement_fit fit = statement_fit(arena, statement, prepared);
        if (fit == STATEMENT_SILENT)
            continue;
        note(policy, (size_t)(statement - policy->statements), statement->deny ? POLICY_EXPLICIT_DENY : POLICY_ALLOW,
             fit == STATEMENT_TO_ACCOUNT, out);
        if (statement->deny)
            return;
    }
}

static void note(const struct policy *policy, size_t statement, enum policy_effect effect, bool to_account,
                 struct policy_decision *out)
{
    out->effect = effect;
    out->policy_name = policy->name;
    out->document = policy->text;
    out->sid = policy->statements[statement].sid;
    out->statement = (int)statement;
    out->to_account = to_account;
}
