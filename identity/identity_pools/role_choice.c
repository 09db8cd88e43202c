#include "identity/identity_pools/roles.h"

gh_err role_misconfigured(struct call *call)
{
    return gh_fail(call->arena, &ci_InvalidIdentityPoolConfigurationException,
                   "Invalid identity pool configuration. Check assigned IAM roles for this pool.");
}

static gh_err denied(struct call *call)
{
    return gh_fail(call->arena, &ci_NotAuthorizedException, "Access denied");
}

static struct str default_role(const struct identity_pool *pool, bool authenticated)
{
    for (size_t i = 0; pool->roles && i < pool->roles->roles.n; i++)
        if (str_is(pool->roles->roles.items[i].key, authenticated ? "authenticated" : "unauthenticated"))
            return pool->roles->roles.items[i].value;
    return STR_NONE;
}

/* ---- what a claim must be ---- */

static bool equals(struct str claim, struct str value) { return str_eq(claim, value); }
static bool differs(struct str claim, struct str value) { return !str_eq(claim, value); }
static bool contains(struct str claim, struct str value) { return str_find_str(claim, value) >= 0; }

static const struct {
    const char *name;
    bool (*holds)(struct str claim, struct str value);
    bool all; /* of a claim's several values; else one is enough */
} matches[] = {
    { "Equals", equals, false }, { "NotEqual", differs, true }, { "StartsWith", str_starts, false },
    { "Contains", contains, false },
};

static bool holds(struct call *call, const struct ci_MappingRule *rule, const json_t *claim)
{
    for (size_t i = 0; i < COUNT(matches); i++) {
        if (!str_is(rule->match_type, matches[i].name))
            continue;
        size_t n = json_is_array(claim) ? json_array_size(claim) : 1, held = 0;
        for (size_t v = 0; v < n; v++) {
            const json_t *one = json_is_array(claim) ? json_array_get(claim, v) : claim;
            held += matches[i].holds(login_claim_text(call->arena, one), rule->value);
        }
        return matches[i].all ? held == n : held > 0;
    }
    return false;
}

/* ---- by rules, by token ---- */

/* "Rules are evaluated in order, and the IAM role for the first matching rule is used, unless CustomRoleArn is
 * specified to override the order." A claim that is not there matches nothing. */
static struct str by_rules(struct call *call, const struct ci_RoleMapping *mapping, const json_t *claims, struct str custom)
{
    const struct ci_MappingRulesList *rules = &mapping->rules_configuration->rules;
    for (size_t i = 0; i < rules->n; i++) {
        const struct ci_MappingRule *rule = rules->items[i];
        const json_t *claim = json_at(claims, rule->claim);
        if (claim && holds(call, rule, claim) && (!custom.ptr || str_eq(custom, rule->role_arn)))
            return rule->role_arn;
    }
    return STR_NONE;
}

/* "If the parameter CustomRoleArn is set and it matches a role in the cognito:roles claim … that role; else
 * cognito:preferred_role; else the one role of cognito:roles" */
static struct str by_token(const json_t *claims, struct str custom)
{
    const json_t *roles = json_object_get(claims, "cognito:roles");
    struct str preferred = json_str(claims, "cognito:preferred_role");
    if (!custom.ptr && preferred.ptr)
        return preferred;
    if (!custom.ptr)
        return json_array_size(roles) == 1 ? json_value_str(json_array_get(roles, 0)) : STR_NONE;
    for (size_t i = 0; i < json_array_size(roles); i++)
        if (str_eq(json_value_str(json_array_get(roles, i)), custom))
            return custom;
    return STR_NONE;
}

static const struct ci_RoleMapping *mapping_of(struct call *call, const struct identity_pool *pool, const struct login *login)
{
    for (size_t i = 0; pool->roles && i < pool->roles->role_mappings.n; i++) {
        struct provider named = provider_named(call, pool->doc, pool->roles->role_mappings.items[i].key, true);
        if (named.kind == login->provider.kind && str_eq(named.name, login->provider.name) &&
            (!named.client.ptr || str_eq(named.client, login->provider.client)))
            return pool->roles->role_mappings.items[i].value;
    }
    return NULL;
}

/* What one login says; *role absent: nothing, so the default. */
static gh_err by_login(struct call *call, const struct identity_pool *pool, const struct login *login, struct str custom,
                       struct str *role)
{
    const struct ci_RoleMapping *mapping = mapping_of(call, pool, login);
    *role = STR_NONE;
    if (!mapping)
        return NULL;
    *role = mapping->rules_configuration ? by_rules(call, mapping, login->claims, custom) : by_token(login->claims, custom);
    if (!role->ptr && (custom.ptr || str_is(mapping->ambiguous_role_resolution, "Deny")))
        return denied(call);
    return NULL;
}

gh_err role_choose(struct call *call, const struct identity_pool *pool, const struct logins *logins, struct str custom,
                   struct str *role_arn)
{
    *role_arn = STR_NONE;
    for (size_t i = 0; i < logins->n; i++) {
        struct str role;
        gh_err err = by_login(call, pool, &logins->items[i], custom, &role);
        if (err)
            return err;
        if (role.ptr && role_arn->ptr && !str_eq(role, *role_arn))
            return denied(call); /* several logins, and they do not agree */
        if (role.ptr)
            *role_arn = role;
    }
    if (!role_arn->ptr)
        *role_arn = default_role(pool, logins_prove(logins));
    if (!role_arn->ptr)
        return role_misconfigured(call);
    /* "CustomRoleArn: only what the rules or the token give": without a mapping that is the default role. */
    return custom.ptr && !str_eq(custom, *role_arn) ? denied(call) : NULL;
}
