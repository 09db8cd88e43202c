/* What a set of policies names: keys of the request, principals. */
#include "policy/set.h"

struct names {
    struct arena *arena;
    struct str *items;
    size_t n, cap;
};

static void add(struct names *names, struct str name)
{
    for (size_t i = 0; i < names->n; i++)
        if (str_eq_nocase(names->items[i], name))
            return;
    if (names->n == names->cap) {
        struct str *more = ARENA_ARRAY(names->arena, struct str, names->cap * 2 + 8);
        if (names->n)
            memcpy(more, names->items, names->n * sizeof *more);
        names->items = more;
        names->cap = names->cap * 2 + 8;
    }
    names->items[names->n++] = name;
}

static void add_variables(struct names *names, const struct template *template)
{
    for (size_t i = 0; i < template->n_pieces; i++)
        if (template->pieces[i].name.ptr)
            add(names, template->pieces[i].name);
}

static void add_statement(struct names *names, const struct statement *statement)
{
    for (size_t r = 0; r < statement->n_resources; r++)
        for (size_t p = 0; p < ARN_PARTS; p++)
            add_variables(names, &statement->resources[r].arn.part[p]);
    for (size_t c = 0; c < statement->n_conditions; c++) {
        const struct condition *condition = &statement->conditions[c];
        add(names, condition->key);
        for (size_t v = 0; v < condition->n; v++) {
            add_variables(names, &condition->operands[v].text);
            for (size_t p = 0; p < ARN_PARTS; p++)
                add_variables(names, &condition->operands[v].arn.part[p]);
        }
    }
}

size_t policy_set_keys(const struct policy_set *set, struct arena *arena, struct str **names)
{
    struct names all = { .arena = arena };
    for (size_t i = 0; i < set->n; i++)
        for (size_t s = 0; s < set->policies[i]->n; s++)
            add_statement(&all, &set->policies[i]->statements[s]);
    *names = all.items;
    return all.n;
}

size_t policy_set_principals(const struct policy_set *set, struct arena *arena, struct str **arns)
{
    struct names all = { .arena = arena };
    for (size_t i = 0; i < set->n; i++)
        for (size_t s = 0; s < set->policies[i]->n; s++) {
            const struct statement *statement = &set->policies[i]->statements[s];
            for (size_t p = 0; p < statement->n_principals; p++)
                if (statement->principals[p].kind == PRINCIPAL_IS_ARN)
                    add(&all, statement->principals[p].text);
        }
    *arns = all.items;
    return all.n;
}
