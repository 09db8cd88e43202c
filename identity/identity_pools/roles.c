/* SetIdentityPoolRoles, GetIdentityPoolRoles. */
#include "identity/identity_pools/provider.h"
#include "wire/codec_json.h"

enum { MOST_RULES = 25 };

/* "The rules for a provider: up to 25" (measured; the model says 400). */
static gh_err check_mapping(struct call *call, const struct ci_IdentityPool *doc, struct str key,
                            const struct ci_RoleMapping *mapping)
{
    struct provider provider = provider_named(call, doc, key, true);
    bool rules = str_is(mapping->type, "Rules");
    bool named = provider.kind == PROVIDER_USER_POOL ? provider.client.ptr != NULL : provider.kind != PROVIDER_NONE;
    if (!provider.configured || !named)
        return gh_fail(call->arena, &ci_InvalidParameterException,
                       "(%.*s) is not a valid RoleMapping ProviderName or is not a configured provider.", STR_FMT(key));
    if (!mapping->ambiguous_role_resolution.ptr)
        return gh_fail(call->arena, &ci_InvalidParameterException,
                       "AmbiguousRoleResolution is required for a role mapping of type %.*s.", STR_FMT(mapping->type));
    if (rules != (mapping->rules_configuration != NULL))
        return gh_fail(call->arena, &ci_InvalidParameterException,
                       rules ? "RulesConfiguration is required for a role mapping of type Rules."
                             : "RulesConfiguration is for role mappings of type Rules only.");
    if (rules && mapping->rules_configuration->rules.n > MOST_RULES)
        return gh_fail(call->arena, &ci_InvalidParameterException, "The number of rules in the request exceeded %d.",
                       MOST_RULES);
    return NULL;
}

gh_err ci_SetIdentityPoolRoles(struct call *call, const struct ci_SetIdentityPoolRoles_in *in,
                               struct ci_SetIdentityPoolRoles_out *out)
{
    (void)out;
    struct identity_pool pool;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = identity_pool_load(call, &tx, in->identity_pool_id, &pool);
    for (size_t i = 0; !err && i < in->role_mappings.n; i++)
        err = check_mapping(call, pool.doc, in->role_mappings.items[i].key, in->role_mappings.items[i].value);
    if (!err)
        store_identity_pool_update_roles(&tx, pool.id, shape_print(call->arena, &ci_shape_SetIdentityPoolRoles_in, in));
    return identity_pool_end(&tx, err);
}

gh_err ci_GetIdentityPoolRoles(struct call *call, const struct ci_GetIdentityPoolRoles_in *in,
                               struct ci_GetIdentityPoolRoles_out *out)
{
    struct identity_pool pool;
    gh_err err = identity_pool_load(call, NULL, in->identity_pool_id, &pool);
    if (err)
        return err;
    out->identity_pool_id = pool.id;
    if (pool.roles) {
        out->roles = pool.roles->roles;
        out->role_mappings = pool.roles->role_mappings;
    }
    return NULL;
}
