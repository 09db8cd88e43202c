#include "identity/protection/compromised.h"

#include "core/digest.h"
#include "core/hash_list.h"
#include "identity/pools/options.h"
#include "identity/protection/risk_config.h"
#include "identity/state.h"

static const char *const names[] = { "SIGN_UP", "PASSWORD_CHANGE", "SIGN_IN" };

/* "The default is to perform all events if no event filter is specified." */
static bool filtered_in(const struct idp_EventFiltersType *filter, enum credentials_event event)
{
    for (size_t i = 0; i < filter->n; i++)
        if (str_is(filter->items[i], names[event]))
            return true;
    return filter->n == 0;
}

static bool listed(const struct call *call, struct str password)
{
    const struct hash_list *list = ((struct identity *)call->module)->compromised;
    uint8_t sha1[SHA1_BYTES];
    if (!list)
        return false;
    sha1_of(password, sha1);
    bool found = hash_list_has(list, sha1);
    digest_wipe(sha1, sizeof sha1);
    return found;
}

gh_err compromised_check(struct call *call, const struct pool *pool, struct str client_id,
                         enum credentials_event event, struct str password, bool *detected, bool *block)
{
    const struct idp_RiskConfigurationType *config;
    enum threat_mode mode = threat_mode(pool, false);
    bool option = event != CREDENTIALS_SIGN_IN && option_flag(pool->more, "refuseCompromisedPasswords");
    *detected = *block = false;
    if (mode == THREAT_OFF && !option)
        return NULL;
    gh_err err = risk_config_of(call, pool, client_id, &config);
    if (err)
        return err;
    const struct idp_CompromisedCredentialsRiskConfigurationType *rules =
        mode == THREAT_OFF ? NULL : config->compromised_credentials_risk_configuration;
    bool looks = rules && filtered_in(&rules->event_filter, event);
    if (!looks && !option)
        return NULL;
    *detected = listed(call, password);
    *block = *detected && (option || (mode == THREAT_ENFORCED && str_is(rules->actions->event_action, "BLOCK")));
    return NULL;
}

gh_err compromised_refuse(struct call *call, const struct pool *pool, struct str client_id,
                          enum credentials_event event, struct str password)
{
    bool detected, block;
    gh_err err = compromised_check(call, pool, client_id, event, password, &detected, &block);
    if (!err && block)
        return gh_fail(call->arena, &idp_InvalidPasswordException,
                       "Provided password cannot be used for security reasons.");
    return err;
}
