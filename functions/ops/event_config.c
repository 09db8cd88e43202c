/* Asynchronous invocation settings: Put, Update, Get, List, DeleteFunctionEventInvokeConfig. */
#include "functions/ops/settings.h"
#include "functions/store/event_config.h"

enum { LIST_MAX = 50 };

/* What a request gives, of Put or of Update. */
struct wanted {
    struct str function_name, qualifier;
    struct opt_i64 retries, age_s;
    const struct lambda_DestinationConfig *destinations;
};

static gh_err set(struct call *call, const struct wanted *wanted, bool merge, struct lambda_FunctionEventInvokeConfig *out);

static gh_err missing(struct call *call, const struct named *named)
{
    struct str qualifier = named->qualifier.ptr ? named->qualifier : STR("$LATEST");
    return lambda_fail(call, &lambda_ResourceNotFoundException, "The function %.*s:%.*s doesn't have an EventInvokeConfig",
                       STR_FMT(named->arn), STR_FMT(qualifier));
}

static struct str key_of(const struct named *named)
{
    return named->qualifier.ptr ? named->qualifier : STR("$LATEST");
}

static gh_err find(struct call *call, struct tx *tx, const struct named *named,
                   struct lambda_FunctionEventInvokeConfig *out)
{
    bool found;
    gh_err err = event_config_find(call->db, tx, call->arena, &named->id, key_of(named), out, &found);
    return err ? err : found ? NULL : missing(call, named);
}

gh_err lambda_PutFunctionEventInvokeConfig(struct call *call, const struct lambda_PutFunctionEventInvokeConfig_in *in,
                                           struct lambda_PutFunctionEventInvokeConfig_out *out)
{
    const struct wanted wanted = { in->function_name, in->qualifier, in->maximum_retry_attempts,
                                   in->maximum_event_age_in_seconds, in->destination_config };
    return set(call, &wanted, false, &out->whole);
}

gh_err lambda_UpdateFunctionEventInvokeConfig(struct call *call,
                                              const struct lambda_UpdateFunctionEventInvokeConfig_in *in,
                                              struct lambda_UpdateFunctionEventInvokeConfig_out *out)
{
    const struct wanted wanted = { in->function_name, in->qualifier, in->maximum_retry_attempts,
                                   in->maximum_event_age_in_seconds, in->destination_config };
    return set(call, &wanted, true, &out->whole);
}

static bool has_destination(const struct lambda_DestinationConfig *config)
{
    return config && ((config->on_success && !str_empty(config->on_success->destination)) ||
                      (config->on_failure && !str_empty(config->on_failure->destination)));
}

/* What AWS finds wrong with a destination comes before what we cannot do yet. */
static gh_err check_destinations(struct call *call, const struct named *named, const struct lambda_DestinationConfig *config)
{
    const struct str all[] = { config->on_success ? config->on_success->destination : STR_NONE,
                               config->on_failure ? config->on_failure->destination : STR_NONE };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct function_row function;
        struct named other;
        if (str_empty(all[i]) || str_find_str(all[i], STR(":lambda:")) < 0)
            continue;
        if (str_eq(all[i], named->arn))
            return lambda_fail(call, &lambda_InvalidParameterValueException,
                               "You can't specify the function as a destination for itself.");
        if (named_resolve(call, all[i], STR_NONE, &other) || named_row(call, NULL, &other, &function))
            return lambda_fail(call, &lambda_InvalidParameterValueException, "The destination ARN %.*s is invalid.",
                               STR_FMT(all[i]));
    }
    return NULL;
}

static gh_err set(struct call *call, const struct wanted *wanted, bool merge, struct lambda_FunctionEventInvokeConfig *out)
{
    struct lambda_FunctionEventInvokeConfig config = { 0 };
    struct version_row row;
    struct named named;
    struct tx tx;
    gh_err err = named_resolve(call, wanted->function_name, wanted->qualifier, &named);
    if (err)
        return err;
    if (!wanted->retries.set && !wanted->age_s.set && !wanted->destinations)
        return lambda_fail(call, &lambda_InvalidParameterValueException,
                           "You must specify at least one of error handling or destination setting.");
    if (named_version(call, NULL, &named, &row))
        return lambda_fail(call, &lambda_ResourceNotFoundException, "The function doesn't exist.");
    err = has_destination(wanted->destinations) ? check_destinations(call, &named, wanted->destinations) : NULL;
    if (err)
        return err;
    if (has_destination(wanted->destinations))
        return refused(call, "DestinationConfig", "there is nothing that results could be sent to yet.");
    tx_begin(&tx, call->db, call->arena);
    if (merge)
        err = find(call, &tx, &named, &config);
    if (!err) {
        config.function_arn = str_printf(call->arena, "%.*s:%.*s", STR_FMT(named.arn), STR_FMT(key_of(&named)));
        config.last_modified = some_time_us(call->now_us);
        if (wanted->retries.set)
            config.maximum_retry_attempts = wanted->retries;
        if (wanted->age_s.set)
            config.maximum_event_age_in_seconds = wanted->age_s;
        config.destination_config = ARENA_NEW(call->arena, struct lambda_DestinationConfig);
        config.destination_config->on_success = ARENA_NEW(call->arena, struct lambda_OnSuccess);
        config.destination_config->on_failure = ARENA_NEW(call->arena, struct lambda_OnFailure);
        event_config_save(&tx, &named.id, key_of(&named), &config);
        err = tx_commit(&tx);
    }
    tx_rollback(&tx);
    *out = config;
    return err;
}

gh_err lambda_GetFunctionEventInvokeConfig(struct call *call, const struct lambda_GetFunctionEventInvokeConfig_in *in,
                                           struct lambda_GetFunctionEventInvokeConfig_out *out)
{
    struct named named;
    gh_err err = named_resolve(call, in->function_name, in->qualifier, &named);
    return err ? err : find(call, NULL, &named, &out->whole);
}

gh_err lambda_DeleteFunctionEventInvokeConfig(struct call *call,
                                              const struct lambda_DeleteFunctionEventInvokeConfig_in *in,
                                              struct lambda_DeleteFunctionEventInvokeConfig_out *out)
{
    struct lambda_FunctionEventInvokeConfig config;
    struct named named;
    struct tx tx;
    (void)out;
    gh_err err = named_resolve(call, in->function_name, in->qualifier, &named);
    if (err)
        return err;
    tx_begin(&tx, call->db, call->arena);
    err = find(call, &tx, &named, &config);
    if (!err) {
        event_config_delete(&tx, &named.id, key_of(&named));
        err = tx_commit(&tx);
    }
    tx_rollback(&tx);
    return err;
}

gh_err lambda_ListFunctionEventInvokeConfigs(struct call *call,
                                             const struct lambda_ListFunctionEventInvokeConfigs_in *in,
                                             struct lambda_ListFunctionEventInvokeConfigs_out *out)
{
    struct function_row function;
    struct named named;
    struct str last;
    size_t n;
    bool found;
    int64_t limit = page_size(in->max_items, LIST_MAX);
    struct lambda_FunctionEventInvokeConfig *rows = ARENA_ARRAY(call->arena, struct lambda_FunctionEventInvokeConfig, limit);
    gh_err err = named_resolve(call, in->function_name, STR_NONE, &named);
    if (!err)
        err = function_find(call->db, NULL, call->arena, &named.id, &function, &found);
    if (!err && !found)
        err = lambda_fail(call, &lambda_ResourceNotFoundException, "The function doesn't exist.");
    if (!err)
        err = event_config_list(call->db, call->arena, &named.id, in->marker, limit, rows, &n, &last);
    if (err)
        return err;
    out->function_event_invoke_configs.set = true;
    out->function_event_invoke_configs.n = n;
    out->function_event_invoke_configs.items = ARENA_ARRAY(call->arena, struct lambda_FunctionEventInvokeConfig *, n);
    for (size_t i = 0; i < n; i++)
        out->function_event_invoke_configs.items[i] = &rows[i];
    if ((int64_t)n == limit)
        out->next_marker = last;
    return NULL;
}
