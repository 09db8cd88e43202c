/* SetRiskConfiguration, DescribeRiskConfiguration: what a pool, or one of its clients, does about risk. */
#pragma once

#include "identity/pools/client.h"

/* UserPoolAddOns.AdvancedSecurityMode; of CUSTOM_AUTH flows the additional one. */
enum threat_mode { THREAT_OFF, THREAT_AUDIT, THREAT_ENFORCED };
enum threat_mode threat_mode(const struct pool *pool, bool custom_auth);

/* The client's own, else the pool's, else one without members. Never NULL. */
gh_err risk_config_of(struct call *call, const struct pool *pool, struct str client_id,
                      const struct idp_RiskConfigurationType **out);
/* For operations that need threat protection: UserPoolAddOnNotEnabledException. */
gh_err threat_protection_needed(struct call *call, const struct pool *pool);
