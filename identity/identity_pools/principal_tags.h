/* Attributes for access control: claims that become tags of the session. */
#pragma once

#include "identity/identity_pools/login.h"

/* What the pool's maps make of these logins, and of a developer's token. */
gh_err principal_tags(struct call *call, const struct identity_pool *pool, const struct logins *logins, struct tags *out);
