#include "functions/permit.h"

static struct str arn_of(struct arena *arena, const struct permit_target *target)
{
    bool latest = str_is(target->qualifier, "$LATEST");
    return str_printf(arena, "arn:%.*s:lambda:%.*s:%.*s:function:%.*s%s%.*s", STR_FMT(target->partition),
                      STR_FMT(target->region), STR_FMT(target->account), STR_FMT(target->name), latest ? "" : ":",
                      latest ? 0 : (int)target->qualifier.len, target->qualifier.ptr);
}

static struct str hint(struct arena *arena, const struct invoke_caller *caller, struct str arn)
{
    struct str principal = caller->service.ptr ? caller->service : caller->account;
    return str_printf(arena, "%.*s may not call %.*s%s%.*s: nothing in the function's policy allows it (add-permission "
                             "--action lambda:InvokeFunction --principal %.*s --source-arn …)",
                      STR_FMT(caller->service.ptr ? caller->service : caller->principal_arn), STR_FMT(arn),
                      caller->source_arn.ptr ? " for " : "", STR_FMT(caller->source_arn), STR_FMT(principal));
}

bool permit(struct arena *arena, const struct invoke_caller *caller, const struct permit_target *target,
            const struct policy_set *policy, int64_t now_s, struct str *why)
{
    struct policy_decision decision;
    bool known = caller->service.ptr || caller->account.ptr;
    /* "Same account: Allow in either"; a principal's own policies have been asked by whoever calls. */
    if (!known || (!caller->service.ptr && str_eq(caller->account, target->account)))
        return true;
    struct str arn = arn_of(arena, target);
    struct policy_context context = policy_context_in(arena);
    policy_context_add_request(&context, now_s, STR_NONE, STR_NONE, STR_NONE, true, target->region);
    policy_context_add(&context, "aws:SourceArn", caller->source_arn);
    policy_context_add(&context, "aws:SourceAccount", caller->source_account);
    policy_context_add(&context, "aws:PrincipalArn", caller->role_arn.ptr ? caller->role_arn : caller->principal_arn);
    policy_context_add(&context, "aws:PrincipalAccount", caller->account);
    policy_context_add(&context, "aws:PrincipalIsAWSService", caller->service.ptr ? STR("true") : STR("false"));
    policy_context_add(&context, "aws:PrincipalServiceName", caller->service);
    policy_context_add(&context, "aws:PrincipalServiceNamesList", caller->service);
    const struct policy_request request = {
        .principal_arn = caller->principal_arn,
        .role_arn = caller->role_arn,
        .account = caller->account,
        .service = caller->service,
        .action = STR("lambda:InvokeFunction"),
        .resource = arn,
        .keys = context.keys,
        .n_keys = context.n,
    };
    if (policy && policy_set_decide(arena, policy, "resource-based policy", &request, &decision) == POLICY_ALLOW)
        return true;
    *why = hint(arena, caller, arn);
    return false;
}
