#include "policy/why_parts.h"

/* --- what the layers say --- */

static unsigned required_by(const struct why_case *c, const enum statement_fit best[LAYERS])
{
    enum statement_fit fit = best[LAYER_RESOURCE];
    const struct policy_decision resource = {
        .effect = fit == STATEMENT_SILENT ? POLICY_IMPLICIT_DENY : POLICY_ALLOW,
        .to_account = fit == STATEMENT_TO_ACCOUNT,
        .to_role = fit == STATEMENT_TO_ROLE,
    };
    return layers_required(c->layers, c->rows, &resource);
}

static unsigned silent_of(unsigned required, const enum statement_fit best[LAYERS])
{
    for (enum layer i = 0; i < LAYERS; i++)
        if (best[i] != STATEMENT_SILENT)
            required &= ~(1u << i);
    return required;
}

static void ask(struct why_case *c, enum layer i)
{
    const struct policy_set *set = c->rows[i].set;
    for (size_t p = 0; set && p < set->n; p++)
        for (size_t s = 0; s < set->policies[p]->n; s++) {
            const struct statement *statement = &set->policies[p]->statements[s];
            enum statement_fit fit = statement_fit(c->arena, statement, &c->prepared);
            if (fit == STATEMENT_SILENT)
                continue;
            c->denies[i] += statement->deny;
            c->allows[i] += !statement->deny;
            if (!statement->deny && fit > c->best[i])
                c->best[i] = fit;
        }
}

void why_case_of(struct arena *arena, const struct policy_layers *layers, const struct policy_request *request,
                 struct why_case *out)
{
    *out = (struct why_case){ .arena = arena, .layers = layers, .request = request };
    layers_list(layers, out->rows);
    prepare(request, &out->prepared);
    out->prepared.bounded = out->rows[LAYER_BOUNDARY].asked;
    for (enum layer i = 0; i < LAYERS; i++)
        ask(out, i);
    out->required = required_by(out, out->best);
    out->silent = silent_of(out->required, out->best);
}

bool why_case_open(const struct why_case *c)
{
    for (enum layer i = 0; i < LAYERS; i++)
        if (c->denies[i])
            return false;
    return c->silent == 0;
}

unsigned why_case_if(const struct why_case *c, enum layer i, enum statement_fit fit)
{
    enum statement_fit best[LAYERS];
    memcpy(best, c->best, sizeof best);
    best[i] = fit;
    return silent_of(required_by(c, best), best);
}

/* --- a statement --- */

/* What keeps it away: asked again without its conditions, then without its principals, then for any
 * resource. *far: it is for other actions, or more than one thing keeps it away. */
enum why_miss why_miss(const struct why_case *c, const struct statement *statement, bool *far)
{
    struct statement less = *statement;
    *far = false;
    if (statement_fit(c->arena, &less, &c->prepared) != STATEMENT_SILENT)
        return WHY_APPLIES;
    less.n_conditions = 0;
    if (statement_fit(c->arena, &less, &c->prepared) != STATEMENT_SILENT)
        return WHY_CONDITION;
    less.n_conditions = statement->n_conditions;
    less.has_principal = false;
    if (statement_fit(c->arena, &less, &c->prepared) != STATEMENT_SILENT)
        return WHY_OTHER_PRINCIPAL;
    less.has_principal = statement->has_principal;
    less.has_resource = false;
    *far = statement_fit(c->arena, &less, &c->prepared) == STATEMENT_SILENT;
    return WHY_OTHER_RESOURCE;
}

static struct str operator_written(struct arena *arena, const struct condition *condition)
{
    static const char *const each[] = { [EACH_ONE] = "", [EACH_FOR_ALL] = "ForAllValues:", [EACH_FOR_ANY] = "ForAnyValue:" };
    return str_printf(arena, "%s%s%s", each[condition->each], condition->op->name, condition->if_exists ? "IfExists" : "");
}

/* The values as the document has them: what is compiled no longer shows them. */
static const struct str *values_written(struct arena *arena, const json_t *block, struct str op, struct str key, size_t *n)
{
    json_t *given = json_at(json_at(block, op), key), *value;
    size_t i;
    *n = json_is_array(given) ? json_array_size(given) : given != NULL;
    struct str *out = ARENA_ARRAY(arena, struct str, *n + 1);
    if (!json_is_array(given)) {
        if (given)
            out[0] = json_is_string(given) ? json_value_str(given) : json_print(arena, given);
        return out;
    }
    json_array_foreach(given, i, value)
        out[i] = json_is_string(value) ? json_value_str(value) : json_print(arena, value);
    return out;
}

static void tell_conditions(const struct why_case *c, const struct policy *policy, size_t index, struct why_statement *out)
{
    const struct statement *statement = &policy->statements[index];
    struct str why;
    json_t *document = json_parse(c->arena, policy->text, &why), *all = json_object_get(document, "Statement");
    const json_t *block = json_object_get(json_is_array(all) ? json_array_get(all, index) : all, "Condition");
    out->conditions = ARENA_ARRAY(c->arena, struct why_condition, statement->n_conditions);
    for (size_t i = 0; i < statement->n_conditions; i++) {
        const struct condition *from = &statement->conditions[i];
        struct why_condition *to = &out->conditions[out->n_conditions++];
        const struct policy_key *key = policy_context_find(c->request->keys, c->request->n_keys, from->key);
        *to = (struct why_condition){ .operator = operator_written(c->arena, from), .key = from->key };
        to->expected = values_written(c->arena, block, to->operator, from->key, &to->n_expected);
        to->actual = key && key->n ? key->values : NULL;
        to->n_actual = key ? key->n : 0;
        to->holds = condition_holds(c->arena, from, c->request);
    }
}

struct why_statement why_statement(const struct why_case *c, const struct policy *policy, size_t index)
{
    const struct statement *statement = &policy->statements[index];
    bool far;
    struct why_statement out = { .policy = policy->name, .sid = statement->sid, .index = (int)index,
                                 .deny = statement->deny, .miss = why_miss(c, statement, &far),
                                 .at = policy->places[index] };
    policy_locate(policy->text, (int)index, &out.start, &out.end);
    tell_conditions(c, policy, index, &out);
    return out;
}

/* --- a layer --- */

static void tell_layer(const struct why_case *c, enum layer i, struct why_layer *out)
{
    static const enum why_miss order[] = { WHY_APPLIES, WHY_CONDITION, WHY_OTHER_PRINCIPAL, WHY_OTHER_RESOURCE };
    const struct policy_set *set = c->rows[i].set;
    *out = (struct why_layer){ .type = c->rows[i].type, .required = c->required & 1u << i,
                               .effect = c->denies[i] ? POLICY_EXPLICIT_DENY
                                         : c->best[i] ? POLICY_ALLOW : POLICY_IMPLICIT_DENY,
                               .first_policy = set && set->n ? set->policies[0]->name : STR_NONE,
                               .statements = ARENA_ARRAY(c->arena, struct why_statement, WHY_STATEMENTS) };
    for (size_t o = 0; set && o < COUNT(order); o++)
        for (size_t p = 0; p < set->n; p++)
            for (size_t s = 0; s < set->policies[p]->n; s++) {
                bool far;
                if (why_miss(c, &set->policies[p]->statements[s], &far) != order[o] || far)
                    continue;
                if (out->n < WHY_STATEMENTS)
                    out->statements[out->n++] = why_statement(c, set->policies[p], s);
                else
                    out->left_off++;
            }
}

static void find_missing(struct arena *arena, struct policy_why *why)
{
    size_t cap = 0;
    for (size_t l = 0; l < why->n_layers; l++)
        for (size_t s = 0; s < why->layers[l].n; s++)
            cap += why->layers[l].statements[s].n_conditions;
    why->missing = ARENA_ARRAY(arena, struct str, cap);
    for (size_t l = 0; l < why->n_layers; l++)
        for (size_t s = 0; s < why->layers[l].n; s++)
            for (size_t i = 0; i < why->layers[l].statements[s].n_conditions; i++) {
                const struct why_condition *one = &why->layers[l].statements[s].conditions[i];
                bool seen = one->actual != NULL;
                for (size_t m = 0; m < why->n_missing; m++)
                    seen |= str_eq_nocase(why->missing[m], one->key);
                if (!seen)
                    why->missing[why->n_missing++] = one->key;
            }
}

void policy_why(struct arena *arena, const struct policy_layers *layers, const struct policy_request *request,
                struct policy_why *out)
{
    struct why_case c;
    *out = (struct policy_why){ .request = request };
    policy_decide(arena, layers, request, &out->decision);
    why_case_of(arena, layers, request, &c);
    out->layers = ARENA_ARRAY(arena, struct why_layer, LAYERS);
    for (enum layer i = 0; i < LAYERS; i++)
        if (c.rows[i].asked)
            tell_layer(&c, i, &out->layers[out->n_layers++]);
    find_missing(arena, out);
    why_changes(&c, out);
    if (out->decision.effect != POLICY_ALLOW)
        out->denial = policy_denial(arena, request, &out->decision);
    out->nearest = why_nearest(arena, out);
    out->sentence = why_sentence(arena, out);
}
