/* Names of authentication levels (AcrConfiguration): "the combination of factors that satisfies each level is
 * fixed; you customize only the name that is reported in the acr claim". */
#pragma once

#include "identity/pools/pool.h"

enum { ACR_LEVELS = 4 };

/* Of level 1..4: the pool's own name, or "urn:cognito:loa:N". */
struct str pool_acr_name(const struct idp_UserPoolType *doc, int level);
/* Which level has this name; 0: none. */
int pool_acr_level(const struct idp_UserPoolType *doc, struct str name);
/* Unique over all four, defaults included. InvalidParameterException, FeatureUnavailableInTierException. */
gh_err acr_check(struct call *call, const struct idp_UserPoolType *doc);
/* "The response always returns the effective configuration, with the default names merged in" */
void acr_fill(struct call *call, struct idp_UserPoolType *doc);
