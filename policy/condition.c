#include "policy/condition.h"

static bool value_matches(struct arena *arena, const struct condition *condition,
                          const struct policy_request *request, struct str value);
static bool holds_when_absent(const struct condition *condition);

bool condition_operator(struct str written, struct condition *out)
{
    struct str name = written;
    *out = (struct condition){ .each = EACH_ONE };
    if (str_starts(name, STR("ForAllValues:"))) {
        out->each = EACH_FOR_ALL;
        name = str_from(name, sizeof "ForAllValues:" - 1);
    } else if (str_starts(name, STR("ForAnyValue:"))) {
        out->each = EACH_FOR_ANY;
        name = str_from(name, sizeof "ForAnyValue:" - 1);
    }
    if (str_ends(name, STR("IfExists"))) {
        out->if_exists = true;
        name.len -= sizeof "IfExists" - 1;
    }
    out->op = operator_find(name);
    return out->op && !(out->op->is_null && out->if_exists); /* "…except the Null condition" */
}

bool condition_holds(struct arena *arena, const struct condition *condition, const struct policy_request *request)
{
    const struct policy_key *key = policy_context_find(request->keys, request->n_keys, condition->key);
    bool absent = !key || key->n == 0;
    if (condition->op->is_null) {
        for (size_t i = 0; i < condition->n; i++)
            if (condition->operands[i].valid && condition->operands[i].flag == absent)
                return true;
        return false;
    }
    if (absent)
        return holds_when_absent(condition);
    /* "ForAllValues … also returns true if … the key resolves to a null data set, such as an empty string." */
    if (condition->each == EACH_FOR_ALL && key->n == 1 && key->values[0].len == 0)
        return true;

    size_t matched = 0;
    for (size_t i = 0; i < key->n; i++)
        matched += value_matches(arena, condition, request, key->values[i]);
    switch (condition->each) {
    case EACH_FOR_ALL: /* every value passes; a negated test passes when it matches none listed */
        return condition->op->negated ? matched == 0 : matched == key->n;
    case EACH_FOR_ANY:
        return condition->op->negated ? matched < key->n : matched > 0;
    case EACH_ONE:
    default:
        return condition->op->negated ? matched == 0 : matched > 0;
    }
}

/* "If the key is not present, … the values do not match and the condition is false. If the condition
 * requires that the key is not matched, such as StringNotLike, … the condition is true." */
static bool holds_when_absent(const struct condition *condition)
{
    if (condition->if_exists || condition->each == EACH_FOR_ALL)
        return true;
    return condition->op->negated && condition->each != EACH_FOR_ANY;
}

static bool value_matches(struct arena *arena, const struct condition *condition,
                          const struct policy_request *request, struct str value)
{
    for (size_t i = 0; i < condition->n; i++)
        if (condition->operands[i].valid &&
            condition->op->match(arena, &condition->operands[i], request, value))
            return true;
    return false;
}
