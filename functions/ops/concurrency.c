/* Reserved concurrency, and what the account has: PutFunctionConcurrency, GetAccountSettings, … */
#include "functions/ops/common.h"

enum { UNRESERVED_AT_LEAST = 100 };

static const int64_t total_code_bytes = 80530636800;

/* One function's reservation; -1 takes it away. */
static gh_err reserve(struct call *call, const struct named *named, int64_t wanted)
{
    struct function_row function;
    struct tx tx;
    int64_t bytes, count, reserved;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = named_row(call, &tx, named, &function);
    if (!err)
        err = function_usage(call->db, &tx, call->arena, named->id.account, named->id.region, &bytes, &count, &reserved);
    if (!err && wanted > 0 &&
        ACCOUNT_CONCURRENCY - (reserved - (function.reserved > 0 ? function.reserved : 0)) - wanted < UNRESERVED_AT_LEAST)
        err = gh_fail(call->arena, &lambda_InvalidParameterValueException,
                      "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
                      "below its minimum value of [%d].", UNRESERVED_AT_LEAST);
    if (!err) {
        function.reserved = wanted;
        function_save(&tx, &function);
        err = tx_commit(&tx);
    }
    tx_rollback(&tx);
    if (!err)
        fleet_forget(functions_of(call), named->id.account, named->id.region, named->id.name, false);
    return err;
}

static gh_err whole_function(struct call *call, struct str name, struct named *named)
{
    gh_err err = named_resolve(call, name, STR_NONE, named);
    if (!err && named->qualifier.ptr)
        err = lambda_fail(call, &lambda_InvalidParameterValueException,
                          "This operation is permitted on Lambda functions only. Aliases and versions do not support this "
                          "operation. Please specify either a function name or an unqualified function ARN.");
    return err;
}

gh_err lambda_PutFunctionConcurrency(struct call *call, const struct lambda_PutFunctionConcurrency_in *in,
                                     struct lambda_PutFunctionConcurrency_out *out)
{
    struct function_row function;
    struct named named;
    bool found;
    gh_err err = whole_function(call, in->function_name, &named);
    if (!err)
        err = function_find(call->db, NULL, call->arena, &named.id, &function, &found);
    if (!err && !found) { /* here, and only here, the answer says $LATEST [recorded] */
        named.qualifier = STR("$LATEST");
        err = named_missing(call, &named);
    }
    if (!err)
        err = reserve(call, &named, in->reserved_concurrent_executions.value);
    if (!err)
        out->whole.reserved_concurrent_executions = in->reserved_concurrent_executions;
    return err;
}

gh_err lambda_GetFunctionConcurrency(struct call *call, const struct lambda_GetFunctionConcurrency_in *in,
                                     struct lambda_GetFunctionConcurrency_out *out)
{
    struct function_row function;
    struct named named;
    gh_err err = whole_function(call, in->function_name, &named);
    if (!err)
        err = named_row(call, NULL, &named, &function);
    if (!err && function.reserved >= 0)
        out->reserved_concurrent_executions = some_i64(function.reserved);
    return err;
}

gh_err lambda_DeleteFunctionConcurrency(struct call *call, const struct lambda_DeleteFunctionConcurrency_in *in,
                                        struct lambda_DeleteFunctionConcurrency_out *out)
{
    struct named named;
    (void)out;
    gh_err err = whole_function(call, in->function_name, &named);
    return err ? err : reserve(call, &named, -1);
}

gh_err lambda_GetAccountSettings(struct call *call, const struct lambda_GetAccountSettings_in *in,
                                 struct lambda_GetAccountSettings_out *out)
{
    int64_t bytes, count, reserved;
    (void)in;
    gh_err err = function_usage(call->db, NULL, call->arena, call->account, call->region, &bytes, &count, &reserved);
    if (err)
        return err;
    out->account_limit = ARENA_NEW(call->arena, struct lambda_AccountLimit);
    *out->account_limit = (struct lambda_AccountLimit){
        .total_code_size = some_i64(total_code_bytes),
        .code_size_unzipped = some_i64(PACKAGE_MAX_UNZIPPED),
        .code_size_zipped = some_i64(PACKAGE_MAX_ZIPPED),
        .concurrent_executions = some_i64(ACCOUNT_CONCURRENCY),
        .unreserved_concurrent_executions = some_i64(ACCOUNT_CONCURRENCY - reserved),
    };
    out->account_usage = ARENA_NEW(call->arena, struct lambda_AccountUsage);
    *out->account_usage = (struct lambda_AccountUsage){ some_i64(bytes), some_i64(count) };
    return NULL;
}
