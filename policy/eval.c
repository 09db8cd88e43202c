#include "policy/eval.h"

#include "policy/index.h"

static void decide(struct arena *arena, const struct policy_set *set, const char *type,
                   const struct prepared *prepared, struct policy_decision *out);
static void note(const struct policy *policy, size_t statement, enum policy_effect effect, enum statement_fit fit,
                 struct policy_decision *out);

enum layer { RESOURCE_CONTROL, SERVICE_CONTROL, IDENTITY, BOUNDARY, SESSION, RESOURCE, LAYERS };

/* Which layer's silence denies; LAYERS: none's. In AWS's order of evaluation. */
static enum layer silent_layer(const struct policy_layers *layers, const struct policy_decision *decisions,
                               unsigned asked)
{
    const struct policy_decision *resource = &decisions[RESOURCE];
    bool resource_allows = (asked & 1u << RESOURCE) && resource->effect == POLICY_ALLOW;
    bool lifts = resource_allows && !layers->cross_account && !resource->to_account;
    unsigned must = asked & ~(1u << RESOURCE);
    if (layers->trust || layers->party == PARTY_OUTSIDER || layers->cross_account)
        must |= 1u << RESOURCE;
    if (lifts)
        must &= resource->to_role ? ~(1u << IDENTITY) : ~(1u << IDENTITY | 1u << BOUNDARY | 1u << SESSION);
    if (layers->trust && decisions[RESOURCE].effect != POLICY_ALLOW)
        return RESOURCE;
    for (enum layer i = 0; i < LAYERS; i++)
        if ((must & 1u << i) && decisions[i].effect != POLICY_ALLOW)
            return i;
    return LAYERS;
}

/* Whose allow is told of: the resource's when it was needed, else the principal's own. */
static enum layer allowing_layer(const struct policy_layers *layers, const struct policy_decision *decisions,
                                 unsigned asked)
{
    if (layers->trust || layers->party == PARTY_OUTSIDER || layers->cross_account)
        return RESOURCE;
    for (enum layer i = IDENTITY; i <= SESSION; i++)
        if ((asked & 1u << i) && decisions[i].effect != POLICY_ALLOW)
            return RESOURCE;
    if (layers->party == PARTY_ROOT)
        return (asked & 1u << SESSION) ? SESSION : LAYERS;
    return IDENTITY;
}

enum policy_effect policy_decide(struct arena *arena, const struct policy_layers *layers,
                                 const struct policy_request *request, struct policy_decision *decision)
{
    bool own = layers->party == PARTY_PRINCIPAL;
    const struct {
        const char *type;
        const struct policy_set *set;
        bool always; /* an absent set allows nothing, rather than everything */
    } rows[LAYERS] = {
        [RESOURCE_CONTROL] = { "resource control policy", layers->resource_control, false },
        [SERVICE_CONTROL] = { "service control policy", layers->service_control, false },
        [IDENTITY] = { "identity-based policy", own ? layers->identity : NULL, own },
        [BOUNDARY] = { "permissions boundary", own ? layers->boundary : NULL, false },
        [SESSION] = { "session policy", layers->session, false },
        [RESOURCE] = { layers->trust ? "role trust policy" : "resource-based policy", layers->resource,
                       layers->trust || layers->cross_account || layers->party == PARTY_OUTSIDER },
    };
    struct prepared prepared;
    prepare(request, &prepared);
    prepared.bounded = rows[BOUNDARY].set != NULL;

    struct policy_decision decisions[LAYERS];
    unsigned asked = 0;
    for (enum layer i = 0; i < LAYERS; i++) {
        if (!rows[i].set && !rows[i].always)
            continue;
        asked |= 1u << i;
        decide(arena, rows[i].set, rows[i].type, &prepared, &decisions[i]);
        if (decisions[i].effect == POLICY_EXPLICIT_DENY) {
            *decision = decisions[i];
            return decision->effect;
        }
    }
    enum layer told = silent_layer(layers, decisions, asked);
    if (told == LAYERS)
        told = allowing_layer(layers, decisions, asked);
    if (told == LAYERS)
        *decision = (struct policy_decision){ .effect = POLICY_ALLOW, .statement = -1, .policy_type = STR("root user") };
    else
        *decision = decisions[told];
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

/* An allow is settled when no other could say more: the principal itself is named, or nobody need be. */
static void decide(struct arena *arena, const struct policy_set *set, const char *type,
                   const struct prepared *prepared, struct policy_decision *out)
{
    enum statement_fit best = STATEMENT_SILENT;
    *out = (struct policy_decision){ .effect = POLICY_IMPLICIT_DENY, .statement = -1, .policy_type = str_of(type) };
    struct candidates candidates;
    const struct policy *policy;
    const struct statement *statement;
    candidates_find(arena, set, prepared, &candidates);
    while ((statement = candidates_next(&candidates, &policy))) {
        if (best == STATEMENT_APPLIES && !statement->deny)
            continue;
        enum statement_fit fit = statement_fit(arena, statement, prepared);
        size_t at = (size_t)(statement - policy->statements);
        if (fit != STATEMENT_SILENT && statement->deny) {
            note(policy, at, POLICY_EXPLICIT_DENY, fit, out);
            return;
        }
        if (fit > best) {
            best = fit;
            note(policy, at, POLICY_ALLOW, fit, out);
        }
    }
}

static void note(const struct policy *policy, size_t statement, enum policy_effect effect, enum statement_fit fit,
                 struct policy_decision *out)
{
    out->effect = effect;
    out->policy_name = policy->name;
    out->document = policy->text;
    out->sid = policy->statements[statement].sid;
    out->statement = (int)statement;
    out->to_account = fit == STATEMENT_TO_ACCOUNT;
    out->to_role = fit == STATEMENT_TO_ROLE;
}
