/* What a set of policies names: keys of the request, principals. */
#include "core/map.h"
#include "policy/set.h"

struct names {
    struct arena *arena;
    struct map *seen; /* in lower case; a document may name thousands */
    struct str *items;
    size_t n, cap;
};

static struct names names_in(struct arena *arena)
{
    return (struct names){ .arena = arena, .seen = map_new() };
}

static size_t hand_out(struct names *names, struct str **items)
{
    map_free(names->seen, NULL);
    *items = names->items;
    return names->n;
}

static void add(struct names *names, struct str name)
{
    struct str folded = str_lower(names->arena, name);
    if (map_get(names->seen, folded))
        return;
    map_set(names->seen, folded, names);
    if (names->n == names->cap) {
        size_t bytes = names->cap * sizeof *names->items;
        names->cap = names->cap * 2 + 8;
        names->items = arena_grow(names->arena, names->items, bytes, names->cap * sizeof *names->items);
    }
    names->items[names->n++] = name;
}

static void add_variables(struct names *names, const struct template *template)
{
    for (size_t i = 0; i < template->n_pieces; i++)
        if (template->pieces[i].name.ptr)
            add(names, template->pieces[i].name);
}

static void add_arn_variables(struct names *names, const struct arn_pattern *arn)
{
    for (size_t p = 0; arn->part && p < ARN_PARTS; p++)
        add_variables(names, &arn->part[p]);
}

static void add_statement(struct names *names, const struct statement *statement)
{
    for (size_t r = 0; r < statement->n_resources; r++)
        add_arn_variables(names, &statement->resources[r].arn);
    for (size_t c = 0; c < statement->n_conditions; c++) {
        const struct condition *condition = &statement->conditions[c];
        add(names, condition->key);
        for (size_t v = 0; v < condition->n; v++) {
            add_variables(names, &condition->operands[v].text);
            add_arn_variables(names, &condition->operands[v].arn);
        }
    }
}

size_t policy_set_keys(const struct policy_set *set, struct arena *arena, struct str **names)
{
    struct names all = names_in(arena);
    for (size_t i = 0; i < set->n; i++)
        for (size_t s = 0; s < set->policies[i]->n; s++)
            add_statement(&all, &set->policies[i]->statements[s]);
    return hand_out(&all, names);
}

size_t policy_set_principals(const struct policy_set *set, struct arena *arena, struct str **arns)
{
    struct names all = names_in(arena);
    for (size_t i = 0; i < set->n; i++)
        for (size_t s = 0; s < set->policies[i]->n; s++) {
            const struct statement *statement = &set->policies[i]->statements[s];
            for (size_t p = 0; p < statement->n_principals; p++)
                if (statement->principals[p].kind == PRINCIPAL_IS_ARN)
                    add(&all, statement->principals[p].text);
        }
    return hand_out(&all, arns);
}
