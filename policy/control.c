/* A service control policy has the whole language of identity policies (since 2025 conditions, NotAction
 * and resources with Allow, too), but names no principal. A resource control policy denies: "the effect of
 * Allow is only supported for the RCPFullAWSAccess policy"; it names everybody, and some actions of some
 * service, never the rest. */
#include "policy/control.h"

static bool is_full_access(const struct policy *policy);
static const char *resource_control_fault(const struct statement *one);

const char *control_fault(enum policy_use use, const struct policy *policy)
{
    if (use == POLICY_RESOURCE_CONTROL && is_full_access(policy))
        return NULL;
    for (size_t i = 0; i < policy->n; i++) {
        const struct statement *one = &policy->statements[i];
        const char *fault = NULL;
        if (use == POLICY_RESOURCE_CONTROL)
            fault = resource_control_fault(one);
        else if (one->has_principal)
            fault = one->not_principal ? "NotPrincipal is not supported." : "Principal is not supported.";
        if (fault)
            return fault;
    }
    return NULL;
}

struct str control_refusal(struct arena *arena, struct str why)
{
    return str_printf(arena, "The provided policy document does not meet the requirements of the specified policy type: %.*s",
                      STR_FMT(why));
}

/* RCPFullAWSAccess, which is there from the start and lets everything through. */
static bool is_full_access(const struct policy *policy)
{
    const struct statement *one = policy->statements;
    return policy->n == 1 && !one->deny && one->has_principal && !one->not_principal && one->n_principals == 1 &&
           one->principals[0].kind == PRINCIPAL_IS_EVERYBODY && !one->not_action && one->n_actions == 1 &&
           one->actions[0].everything && !one->not_resource && one->n_resources == 1 &&
           one->resources[0].arn.everything && one->n_conditions == 0;
}

static const char *resource_control_fault(const struct statement *one)
{
    if (!one->deny)
        return "Only RCPFullAWSAccess may have the Effect Allow.";
    if (!one->has_principal || one->not_principal || one->n_principals == 0)
        return "Principal must be \"*\".";
    for (size_t i = 0; i < one->n_principals; i++)
        if (one->principals[i].kind != PRINCIPAL_IS_EVERYBODY)
            return "Principal must be \"*\".";
    if (one->not_action)
        return "NotAction is not supported.";
    for (size_t i = 0; i < one->n_actions; i++)
        if (one->actions[i].everything)
            return "Action must not be \"*\"; name a service, as in \"s3:*\".";
    return NULL;
}
