/* GetUserPoolMfaConfig, SetUserPoolMfaConfig: MFA is off, and nothing else can be set yet. */
#include "identity/pools/pool.h"

gh_err idp_GetUserPoolMfaConfig(struct call *call, const struct idp_GetUserPoolMfaConfig_in *in,
                                struct idp_GetUserPoolMfaConfig_out *out)
{
    struct pool pool;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        out->mfa_configuration = pool.doc->mfa_configuration;
    return err;
}

/* ON, OPTIONAL and every factor are refused by name before this runs (refused.c). */
gh_err idp_SetUserPoolMfaConfig(struct call *call, const struct idp_SetUserPoolMfaConfig_in *in,
                                struct idp_SetUserPoolMfaConfig_out *out)
{
    struct pool pool;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        out->mfa_configuration = pool.doc->mfa_configuration;
    return err;
}
