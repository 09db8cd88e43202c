/* Which keys of a request policies look at. */
#include "identity/iam/iam.h"
#include "identity/iam/reports/source.h"

static void let_go(void *set)
{
    policy_set_free(set);
}

static gh_err add_documents(struct call *call, struct policy_set *set, const struct iam_SimulationPolicyListType *list)
{
    struct str why;
    for (size_t i = 0; i < list->n; i++)
        if (!policy_set_add(set, POLICY_IDENTITY, STR("given"), list->items[i], call->arena, &why))
            return gh_fail(call->arena, &iam_InvalidInputException, "Invalid Policy at PolicyInputList.%zu: %.*s", i + 1,
                           STR_FMT(why));
    return NULL;
}

static void list_keys(struct call *call, const struct policy_set *set, struct iam_GetContextKeysForPolicyResponse *out)
{
    out->context_key_names.set = true;
    out->context_key_names.n = policy_set_keys(set, call->arena, &out->context_key_names.items);
}

gh_err iam_GetContextKeysForCustomPolicy(struct call *call, const struct iam_GetContextKeysForCustomPolicy_in *in,
                                         struct iam_GetContextKeysForCustomPolicy_out *out)
{
    struct policy_set *set = policy_set_new();
    arena_defer(call->arena, let_go, set);
    gh_err err = add_documents(call, set, &in->policy_input_list);
    if (!err)
        list_keys(call, set, &out->whole);
    return err;
}

/* "If you specify a user, the keys of its groups' policies are among them." */
gh_err iam_GetContextKeysForPrincipalPolicy(struct call *call, const struct iam_GetContextKeysForPrincipalPolicy_in *in,
                                            struct iam_GetContextKeysForPrincipalPolicy_out *out)
{
    struct entity entity;
    struct policy_set *set;
    const struct policy_set *boundary;
    gh_err err = simulated_source(call, in->policy_source_arn, &entity);
    if (!err)
        err = principals_compile(call->db, call->arena, &entity, &set, &boundary);
    if (!err)
        err = add_documents(call, set, &in->policy_input_list);
    if (!err)
        list_keys(call, set, &out->whole);
    return err;
}
