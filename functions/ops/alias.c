/* Aliases: CreateAlias, GetAlias, UpdateAlias, ListAliases, DeleteAlias. */
#include "functions/ops/common.h"

enum { LIST_MAX = 50 };

static gh_err check_target(struct call *call, struct tx *tx, const struct named *named, struct str version,
                           const struct lambda_AliasRoutingConfiguration *routing);
static struct lambda_AliasRoutingConfiguration *kept_routing(const struct lambda_AliasRoutingConfiguration *routing);

gh_err lambda_CreateAlias(struct call *call, const struct lambda_CreateAlias_in *in, struct lambda_CreateAlias_out *out)
{
    struct function_row function;
    struct alias_row existing;
    struct named named;
    struct tx tx;
    bool found = false;
    gh_err err = named_resolve(call, in->function_name, STR_NONE, &named);
    if (err)
        return err;
    struct lambda_AliasConfiguration alias = {
        .alias_arn = str_printf(call->arena, "%.*s:%.*s", STR_FMT(named.arn), STR_FMT(in->name)),
        .name = in->name,
        .function_version = in->function_version,
        .description = in->description.ptr ? in->description : STR(""),
        .routing_config = kept_routing(in->routing_config),
        .revision_id = new_revision(call),
    };
    tx_begin(&tx, call->db, call->arena);
    struct named target = named;
    target.qualifier = in->function_version; /* what a missing function is told by [recorded] */
    err = named_row(call, &tx, &target, &function);
    if (!err)
        err = check_target(call, &tx, &named, in->function_version, in->routing_config);
    if (!err)
        err = alias_find(call->db, &tx, call->arena, &named.id, in->name, &existing, &found);
    if (!err && found)
        err = lambda_fail(call, &lambda_ResourceConflictException, "Alias already exists: %.*s", STR_FMT(alias.alias_arn));
    if (!err) {
        alias_save(&tx, &named.id, &alias);
        err = tx_commit(&tx);
    }
    tx_rollback(&tx);
    if (err)
        return err;
    fleet_forget(functions_of(call), named.id.account, named.id.region, named.id.name, false);
    out->whole = alias;
    return NULL;
}

static struct lambda_AliasRoutingConfiguration *kept_routing(const struct lambda_AliasRoutingConfiguration *routing)
{
    return routing && routing->additional_version_weights.n ? (struct lambda_AliasRoutingConfiguration *)(uintptr_t)routing
                                                            : NULL;
}

static gh_err must_exist(struct call *call, struct tx *tx, const struct named *named, struct str version)
{
    struct named target = *named;
    struct version_row row;
    bool found;
    target.qualifier = version;
    gh_err err = function_version_find(call->db, tx, call->sealer, call->arena, &named->id, version, &row, &found);
    return err ? err : found ? NULL : named_missing(call, &target);
}

static gh_err check_target(struct call *call, struct tx *tx, const struct named *named, struct str version,
                           const struct lambda_AliasRoutingConfiguration *routing)
{
    const struct lambda_AdditionalVersionWeights *weights = routing ? &routing->additional_version_weights : NULL;
    if (weights && weights->n > 1)
        return lambda_fail(call, &lambda_InvalidParameterValueException,
                           "Number of items in AdditionalVersionWeights cannot be greater than 1");
    if (weights && weights->n == 1) {
        struct str second = weights->items[0].key;
        if (str_is(version, "$LATEST") || str_is(second, "$LATEST"))
            return lambda_fail(call, &lambda_InvalidParameterValueException,
                               "$LATEST is not supported for an alias pointing to more than 1 version");
        if (str_eq(second, version))
            return lambda_fail(call, &lambda_InvalidParameterValueException,
                               "Invalid function version %.*s. Function version %.*s is already included in routing "
                               "configuration.", STR_FMT(version), STR_FMT(version));
    }
    gh_err err = must_exist(call, tx, named, version);
    return err || !weights || !weights->n ? err : must_exist(call, tx, named, weights->items[0].key);
}

gh_err lambda_GetAlias(struct call *call, const struct lambda_GetAlias_in *in, struct lambda_GetAlias_out *out)
{
    struct alias_row alias;
    struct named named;
    bool found;
    gh_err err = named_resolve(call, in->function_name, STR_NONE, &named);
    if (!err)
        err = alias_find(call->db, NULL, call->arena, &named.id, in->name, &alias, &found);
    if (!err && !found)
        err = lambda_fail(call, &lambda_ResourceNotFoundException, "Cannot find alias arn: %.*s:%.*s", STR_FMT(named.arn),
                          STR_FMT(in->name));
    if (!err)
        out->whole = alias.config;
    return err;
}

gh_err lambda_UpdateAlias(struct call *call, const struct lambda_UpdateAlias_in *in, struct lambda_UpdateAlias_out *out)
{
    struct alias_row alias;
    struct named named;
    struct tx tx;
    bool found;
    gh_err err = named_resolve(call, in->function_name, STR_NONE, &named);
    if (err)
        return err;
    tx_begin(&tx, call->db, call->arena);
    err = alias_find(call->db, &tx, call->arena, &named.id, in->name, &alias, &found);
    if (!err && !found)
        err = lambda_fail(call, &lambda_ResourceNotFoundException, "Alias not found: %.*s:%.*s", STR_FMT(named.arn),
                          STR_FMT(in->name));
    if (!err)
        err = revision_must_match(call, in->revision_id, alias.config.revision_id, "GetFunction/GetAlias");
    if (!err) {
        if (in->function_version.ptr)
            alias.config.function_version = in->function_version;
        if (in->description.ptr)
            alias.config.description = in->description;
        if (in->routing_config)
            alias.config.routing_config = kept_routing(in->routing_config);
        alias.config.revision_id = new_revision(call);
        err = check_target(call, &tx, &named, alias.config.function_version, alias.config.routing_config);
    }
    if (!err) {
        alias_save(&tx, &named.id, &alias.config);
        err = tx_commit(&tx);
    }
    tx_rollback(&tx);
    if (err)
        return err;
    fleet_forget(functions_of(call), named.id.account, named.id.region, named.id.name, false);
    out->whole = alias.config;
    return NULL;
}

gh_err lambda_ListAliases(struct call *call, const struct lambda_ListAliases_in *in, struct lambda_ListAliases_out *out)
{
    struct function_row function;
    struct alias_row *rows;
    struct named named;
    size_t n;
    int64_t limit = page_size(in->max_items, LIST_MAX);
    gh_err err = named_resolve(call, in->function_name, STR_NONE, &named);
    if (!err)
        err = named_row(call, NULL, &named, &function);
    if (!err)
        err = alias_list(call->db, call->arena, &named.id, in->function_version, in->marker, limit, &rows, &n);
    if (err)
        return err;
    out->aliases.set = true;
    out->aliases.n = n;
    out->aliases.items = ARENA_ARRAY(call->arena, struct lambda_AliasConfiguration *, n);
    for (size_t i = 0; i < n; i++)
        out->aliases.items[i] = &rows[i].config;
    if ((int64_t)n == limit)
        out->next_marker = rows[n - 1].config.name;
    return NULL;
}

/* An alias that is not there is deleted with success [recorded]. */
gh_err lambda_DeleteAlias(struct call *call, const struct lambda_DeleteAlias_in *in, struct lambda_DeleteAlias_out *out)
{
    struct named named;
    struct tx tx;
    (void)out;
    gh_err err = named_resolve(call, in->function_name, STR_NONE, &named);
    if (err)
        return err;
    tx_begin(&tx, call->db, call->arena);
    alias_delete(&tx, &named.id, in->name);
    err = tx_commit(&tx);
    if (!err)
        fleet_forget(functions_of(call), named.id.account, named.id.region, named.id.name, false);
    return err;
}
