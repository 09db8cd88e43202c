#include "policy/set.h"

#include "policy/control.h"

struct policy_set *policy_set_new(void)
{
    struct arena *arena = arena_new(2048);
    struct policy_set *set = ARENA_NEW(arena, struct policy_set);
    set->arena = arena;
    set->cap = 4;
    set->policies = ARENA_ARRAY(arena, struct policy *, set->cap);
    return set;
}

bool policy_set_add(struct policy_set *set, enum policy_use use, struct str name, struct str document,
                    struct arena *arena, struct str *why)
{
    /* Refused documents must not grow the set: look first, where the caller's memory is. */
    if (!policy_check(arena, use, document, why))
        return false;
    struct policy *policy = ARENA_NEW(set->arena, struct policy);
    struct str unused;
    struct str text = str_copy(set->arena, document);
    policy_parse(set->arena, use, text, policy, &unused);
    policy->text = text;
    policy->name = str_copy(set->arena, name);
    if (set->n == set->cap) {
        size_t bytes = set->cap * sizeof *set->policies;
        set->policies = arena_grow(set->arena, set->policies, bytes, 2 * bytes);
        set->cap *= 2;
    }
    set->policies[set->n++] = policy;
    return true;
}

void policy_set_free(const struct policy_set *set)
{
    if (set)
        arena_free(set->arena);
}

bool policy_check(struct arena *arena, enum policy_use use, struct str document, struct str *why)
{
    struct policy policy;
    bool control = policy_is_control(use);
    if (control && document.len > POLICY_CONTROL_BYTES)
        *why = STR("It is larger than 5120 characters.");
    else if (policy_parse(arena, use, document, &policy, why) && policy_validate(arena, use, &policy, why))
        return true;
    if (control)
        *why = control_refusal(arena, *why);
    return false;
}

/* "IAM does not count white space when calculating the size of a policy against these quotas." */
size_t policy_size(struct str document)
{
    size_t n = 0;
    for (size_t i = 0; i < document.len; i++)
        n += !strchr(" \t\r\n", document.ptr[i]) || document.ptr[i] == '\0';
    return n;
}
