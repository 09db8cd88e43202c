/* Which role somebody gets: the pool's default for guests or for who has signed in, or what the token or rules say. */
#pragma once

#include "identity/identity_pools/login.h"

/* custom: CustomRoleArn, or absent.
 * Errors: NotAuthorizedException "Access denied" (nothing fits and AmbiguousRoleResolution is Deny; the custom role is
 * none of those that he could have), InvalidIdentityPoolConfigurationException (no role is set). */
gh_err role_choose(struct call *call, const struct identity_pool *pool, const struct logins *logins, struct str custom,
                   struct str *role_arn);
gh_err role_misconfigured(struct call *call);
