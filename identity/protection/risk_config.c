#include "identity/protection/risk_config.h"

#include "core/ip.h"
#include "identity/store/protection.h"
#include "wire/codec_json.h"

enum threat_mode threat_mode(const struct pool *pool, bool custom_auth)
{
    const struct idp_UserPoolAddOnsType *add_ons = pool->doc->user_pool_add_ons;
    if (!add_ons)
        return THREAT_OFF;
    struct str mode = add_ons->advanced_security_mode;
    if (custom_auth)
        mode = add_ons->advanced_security_additional_flows ? add_ons->advanced_security_additional_flows->custom_auth_mode
                                                           : STR_NONE;
    return str_is(mode, "ENFORCED") ? THREAT_ENFORCED : str_is(mode, "AUDIT") ? THREAT_AUDIT : THREAT_OFF;
}

gh_err threat_protection_needed(struct call *call, const struct pool *pool)
{
    if (threat_mode(pool, false) != THREAT_OFF)
        return NULL;
    return gh_fail(call->arena, &idp_UserPoolAddOnNotEnabledException,
                   "User pool %.*s does not have advanced security mode enabled.", STR_FMT(pool->id));
}

/* *out NULL: none. */
static gh_err find(struct call *call, const struct pool *pool, struct str client_id,
                   struct idp_RiskConfigurationType **out)
{
    struct risk_row row;
    bool found;
    *out = NULL;
    gh_err err = store_risk_find(call->db, call->arena, pool->id, client_id, &row, &found);
    if (err || !found)
        return err;
    *out = ARENA_NEW(call->arena, struct idp_RiskConfigurationType);
    if (!shape_parse(call->arena, &idp_shape_RiskConfigurationType, row.doc, *out))
        return gh_fail(call->arena, &GH_INTERNAL, "A risk configuration of user pool %.*s is damaged.",
                       STR_FMT(pool->id));
    (*out)->last_modified_date = some_time_us(row.modified_us);
    return NULL;
}

gh_err risk_config_of(struct call *call, const struct pool *pool, struct str client_id,
                      const struct idp_RiskConfigurationType **out)
{
    static const struct idp_RiskConfigurationType none = { 0 };
    struct idp_RiskConfigurationType *found = NULL;
    gh_err err = client_id.ptr ? find(call, pool, client_id, &found) : NULL;
    if (!err && !found)
        err = find(call, pool, STR(""), &found);
    *out = found ? found : &none;
    return err;
}

static gh_err check_ranges(struct call *call, size_t n, const struct str *ranges)
{
    struct ip_net net;
    for (size_t i = 0; i < n; i++)
        if (str_find(ranges[i], '/') < 0 || !ip_net_parse(ranges[i], &net))
            return gh_fail(call->arena, &idp_InvalidParameterException, "Invalid IP address range: %.*s",
                           STR_FMT(ranges[i]));
    return NULL;
}

static bool notifies(const struct idp_AccountTakeoverActionsType *actions)
{
    const struct idp_AccountTakeoverActionType *all[] = { actions->low_action, actions->medium_action,
                                                          actions->high_action };
    for (size_t i = 0; i < COUNT(all); i++)
        if (all[i] && all[i]->notify.value)
            return true;
    return false;
}

static gh_err check(struct call *call, const struct idp_SetRiskConfiguration_in *in)
{
    const struct idp_AccountTakeoverRiskConfigurationType *takeover = in->account_takeover_risk_configuration;
    const struct idp_RiskExceptionConfigurationType *exceptions = in->risk_exception_configuration;
    gh_err err = NULL;
    if (takeover && notifies(takeover->actions) && !takeover->notify_configuration)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "NotifyConfiguration is required to notify users of risk.");
    if (exceptions)
        err = check_ranges(call, exceptions->blocked_ip_range_list.n, exceptions->blocked_ip_range_list.items);
    if (exceptions && !err)
        err = check_ranges(call, exceptions->skipped_ip_range_list.n, exceptions->skipped_ip_range_list.items);
    return err;
}

static gh_err load(struct call *call, struct str pool_id, struct str client_id, struct pool *pool)
{
    struct client client;
    gh_err err = pool_load(call, pool_id, pool);
    if (!err && client_id.ptr)
        err = client_of_pool(call, pool, client_id, &client);
    return err ? err : threat_protection_needed(call, pool);
}

static struct idp_RiskConfigurationType *shown(struct call *call, struct idp_RiskConfigurationType *found,
                                               const struct pool *pool, struct str client_id)
{
    struct idp_RiskConfigurationType *config = found ? found : ARENA_NEW(call->arena, struct idp_RiskConfigurationType);
    if (!found)
        *config = (struct idp_RiskConfigurationType){ 0 };
    config->user_pool_id = pool->id;
    config->client_id = client_id;
    return config;
}

/* "To delete the risk configuration for UserPoolId or ClientId, pass null values for all four configuration types." */
gh_err idp_SetRiskConfiguration(struct call *call, const struct idp_SetRiskConfiguration_in *in,
                                struct idp_SetRiskConfiguration_out *out)
{
    struct pool pool;
    gh_err err = load(call, in->user_pool_id, in->client_id, &pool);
    if (!err)
        err = check(call, in);
    if (err)
        return err;
    struct idp_RiskConfigurationType config = {
        .compromised_credentials_risk_configuration = in->compromised_credentials_risk_configuration,
        .account_takeover_risk_configuration = in->account_takeover_risk_configuration,
        .risk_exception_configuration = in->risk_exception_configuration,
    };
    bool none = !config.compromised_credentials_risk_configuration && !config.account_takeover_risk_configuration &&
                !config.risk_exception_configuration;
    const struct risk_row row = { shape_print(call->arena, &idp_shape_RiskConfigurationType, &config), call->now_us };
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_risk_put(&tx, pool.id, in->client_id.ptr ? in->client_id : STR(""), none ? NULL : &row);
    err = tx_commit(&tx);
    if (err)
        return err;
    config.last_modified_date = some_time_us(call->now_us);
    out->risk_configuration = ARENA_NEW(call->arena, struct idp_RiskConfigurationType);
    *out->risk_configuration = config;
    out->risk_configuration = shown(call, out->risk_configuration, &pool, in->client_id);
    return NULL;
}

gh_err idp_DescribeRiskConfiguration(struct call *call, const struct idp_DescribeRiskConfiguration_in *in,
                                     struct idp_DescribeRiskConfiguration_out *out)
{
    struct pool pool;
    struct idp_RiskConfigurationType *found = NULL;
    gh_err err = load(call, in->user_pool_id, in->client_id, &pool);
    if (!err)
        err = find(call, &pool, in->client_id.ptr ? in->client_id : STR(""), &found);
    if (!err)
        out->risk_configuration = shown(call, found, &pool, in->client_id);
    return err;
}
