#include "policy/eval.h"

#include "policy/index.h"
#include "policy/layers.h"

static void decide(struct arena *arena, const struct policy_set *set, const char *type,
                   const struct prepared *prepared, struct policy_decision *out);
static void note(const struct policy *policy, size_t statement, enum policy_effect effect, enum statement_fit fit,
                 struct policy_decision *out);

void layers_list(const struct policy_layers *layers, struct layer_row rows[LAYERS])
{
    bool own = layers->party == PARTY_PRINCIPAL;
    bool must = layers->trust || layers->cross_account || layers->party == PARTY_OUTSIDER;
    rows[LAYER_RESOURCE_CONTROL] = (struct layer_row){ "resource control policy", layers->resource_control, false };
    rows[LAYER_SERVICE_CONTROL] = (struct layer_row){ "service control policy", layers->service_control, false };
    rows[LAYER_IDENTITY] = (struct layer_row){ "identity-based policy", own ? layers->identity : NULL, own };
    rows[LAYER_BOUNDARY] = (struct layer_row){ "permissions boundary", own ? layers->boundary : NULL, false };
    rows[LAYER_SESSION] = (struct layer_row){ "session policy", layers->session, false };
    rows[LAYER_RESOURCE] = (struct layer_row){ layers->trust ? "role trust policy" : "resource-based policy",
                                               layers->resource, must };
    for (enum layer i = 0; i < LAYERS; i++)
        rows[i].asked |= rows[i].set != NULL; /* asked without a set: it allows nothing */
}

unsigned layers_required(const struct policy_layers *layers, const struct layer_row rows[LAYERS],
                         const struct policy_decision *resource)
{
    bool resource_allows = rows[LAYER_RESOURCE].asked && resource->effect == POLICY_ALLOW;
    bool must = layers->trust || layers->cross_account || layers->party == PARTY_OUTSIDER;
    unsigned required = 0;
    for (enum layer i = 0; i < LAYERS; i++)
        if (rows[i].asked && (i != LAYER_RESOURCE || must))
            required |= 1u << i;
    if (!resource_allows || layers->cross_account || resource->to_account)
        return required;
    return required & (resource->to_role ? ~(1u << LAYER_IDENTITY)
                                         : ~(1u << LAYER_IDENTITY | 1u << LAYER_BOUNDARY | 1u << LAYER_SESSION));
}

/* The layer whose silence denies, else the one whose allow is told of: the resource's when it was needed,
 * else the principal's own. LAYERS: nobody was asked, it is root. */
static enum layer telling_layer(const struct policy_layers *layers, const struct layer_row *rows,
                                const struct policy_decision *decisions)
{
    unsigned silent = 0;
    for (enum layer i = 0; i < LAYERS; i++)
        if (rows[i].asked && decisions[i].effect != POLICY_ALLOW)
            silent |= 1u << i;
    unsigned missing = silent & layers_required(layers, rows, &decisions[LAYER_RESOURCE]);
    if (layers->trust && (missing & 1u << LAYER_RESOURCE))
        return LAYER_RESOURCE;
    if (missing)
        return (enum layer)__builtin_ctz(missing);
    bool lifted = silent & (1u << LAYER_IDENTITY | 1u << LAYER_BOUNDARY | 1u << LAYER_SESSION);
    if (lifted || layers->trust || layers->party == PARTY_OUTSIDER || layers->cross_account)
        return LAYER_RESOURCE;
    if (layers->party == PARTY_ROOT)
        return rows[LAYER_SESSION].asked ? LAYER_SESSION : LAYERS;
    return LAYER_IDENTITY;
}

enum policy_effect policy_decide(struct arena *arena, const struct policy_layers *layers,
                                 const struct policy_request *request, struct policy_decision *decision)
{
    struct layer_row rows[LAYERS];
    struct policy_decision decisions[LAYERS];
    struct prepared prepared;
    layers_list(layers, rows);
    prepare(request, &prepared);
    prepared.bounded = rows[LAYER_BOUNDARY].asked;
    for (enum layer i = 0; i < LAYERS; i++) {
        if (!rows[i].asked)
            continue;
        decide(arena, rows[i].set, rows[i].type, &prepared, &decisions[i]);
        if (decisions[i].effect == POLICY_EXPLICIT_DENY) {
            *decision = decisions[i];
            return decision->effect;
        }
    }
    enum layer told = telling_layer(layers, rows, decisions);
    *decision = told < LAYERS ? decisions[told]
                              : (struct policy_decision){ .effect = POLICY_ALLOW, .statement = -1,
                                                          .policy_type = STR("root user") };
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
    out->at = policy->places ? policy->places[statement] : (struct policy_position){ 0 };
    out->to_account = fit == STATEMENT_TO_ACCOUNT;
    out->to_role = fit == STATEMENT_TO_ROLE;
}
