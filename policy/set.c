#include "policy/set.h"

#include "policy/control.h"
#include "policy/index.h"

static bool check(struct arena *scratch, struct arena *arena, enum policy_use use, struct str document,
                  struct policy *policy, struct str *why);
static void place(struct policy_set *set, const struct policy *policy);
static void free_arena(void *arena);

struct policy_set *policy_set_new(void)
{
    struct arena *arena = arena_new(1024);
    struct policy_set *set = ARENA_NEW(arena, struct policy_set);
    set->arena = arena;
    set->cap = 4;
    set->policies = ARENA_ARRAY(arena, struct policy *, set->cap);
    return set;
}

bool policy_set_add(struct policy_set *set, enum policy_use use, struct str name, struct str document,
                    struct arena *arena, struct str *why)
{
    /* A policy has an arena of its own, which goes when it is refused. */
    struct arena *own = arena_new(1024 + 3 * document.len);
    struct policy *policy = ARENA_NEW(own, struct policy);
    struct str text = str_copy(own, document);
    if (!check(arena, own, use, text, policy, why)) {
        arena_free(own);
        return false;
    }
    policy->text = text;
    policy->name = str_copy(own, name);
    policy->places = ARENA_ARRAY(own, struct policy_position, policy->n);
    policy_places(text, policy->places, policy->n);
    arena_defer(set->arena, free_arena, own);
    if (set->n == set->cap) {
        size_t bytes = set->cap * sizeof *set->policies;
        set->policies = arena_grow(set->arena, set->policies, bytes, 2 * bytes);
        set->cap *= 2;
    }
    set->policies[set->n++] = policy;
    place(set, policy);
    index_update(set);
    return true;
}

static void free_arena(void *arena)
{
    arena_free(arena);
}

static void place(struct policy_set *set, const struct policy *policy)
{
    size_t wanted = set->n_all + policy->n;
    if (wanted > set->cap_all) {
        wanted = set->cap_all ? wanted * 2 : wanted; /* most sets have one document */
        set->all = arena_grow(set->arena, set->all, set->n_all * sizeof *set->all, wanted * sizeof *set->all);
        set->cap_all = wanted;
    }
    for (size_t i = 0; i < policy->n; i++)
        set->all[set->n_all++] = (struct placed){ policy, &policy->statements[i] };
}

void policy_set_free(const struct policy_set *set)
{
    if (!set)
        return;
    index_free(set->index);
    arena_free(set->arena);
}

bool policy_check(struct arena *arena, enum policy_use use, struct str document, struct str *why)
{
    struct policy policy;
    return check(arena, arena, use, document, &policy, why);
}

static bool check(struct arena *scratch, struct arena *arena, enum policy_use use, struct str document,
                  struct policy *policy, struct str *why)
{
    bool control = policy_is_control(use);
    if (control && document.len > POLICY_CONTROL_BYTES)
        *why = STR("It is larger than 5120 characters.");
    else if (policy_parse(scratch, arena, use, document, policy, why) && policy_validate(scratch, use, policy, why))
        return true;
    if (control)
        *why = control_refusal(scratch, *why);
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
