#include "core/glob.h"
#include "policy/document.h"

void prepare(const struct policy_request *request, struct prepared *out)
{
    struct str rest = request->action;
    *out = (struct prepared){ .request = request };
    str_split(&rest, ':', &out->vendor);
    out->name = rest;
    arn_split(request->resource, &out->resource);
}

static bool action_fits(const struct statement *statement, const struct prepared *prepared)
{
    for (size_t i = 0; i < statement->n_actions; i++) {
        const struct action_pattern *action = &statement->actions[i];
        if (action->everything || (str_eq_nocase(action->vendor, prepared->vendor) &&
                                   glob_match_nocase(action->name, prepared->name)))
            return !statement->not_action;
    }
    return statement->not_action;
}

/* In a trust policy the role itself is the resource, and unwritten. */
static bool resource_fits(struct arena *arena, const struct statement *statement, const struct prepared *prepared)
{
    if (!statement->has_resource)
        return true;
    for (size_t i = 0; i < statement->n_resources; i++)
        if (arn_pattern_match(arena, &statement->resources[i].arn, prepared->request, prepared->request->resource,
                              &prepared->resource))
            return !statement->not_resource;
    return statement->not_resource;
}

static enum principal_fit principal_fits(const struct statement *statement, const struct prepared *prepared)
{
    if (!statement->has_principal)
        return FIT_NAMED;
    /* "NotPrincipal with a Deny effect will always deny any IAM principal that has a permissions boundary
     * policy attached, regardless of the values specified" — Permissions boundaries */
    if (statement->not_principal && statement->deny && prepared->bounded)
        return FIT_NAMED;
    if (statement->not_principal)
        return principal_spared(statement->principals, statement->n_principals, prepared->request) ? FIT_NONE : FIT_NAMED;
    enum principal_fit best = FIT_NONE;
    for (size_t i = 0; i < statement->n_principals; i++) {
        enum principal_fit fit = principal_match(&statement->principals[i], prepared->request);
        best = fit > best ? fit : best;
    }
    return best;
}

enum statement_fit statement_fit(struct arena *arena, const struct statement *statement,
                                 const struct prepared *prepared)
{
    if (!action_fits(statement, prepared) || !resource_fits(arena, statement, prepared))
        return STATEMENT_SILENT;
    enum principal_fit fit = principal_fits(statement, prepared);
    if (fit == FIT_NONE)
        return STATEMENT_SILENT;
    for (size_t i = 0; i < statement->n_conditions; i++)
        if (!condition_holds(arena, &statement->conditions[i], prepared->request))
            return STATEMENT_SILENT;
    return fit == FIT_ACCOUNT ? STATEMENT_TO_ACCOUNT : fit == FIT_ROLE ? STATEMENT_TO_ROLE : STATEMENT_APPLIES;
}
