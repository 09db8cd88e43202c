#include "identity/pools/acr.h"

static const struct str keys[ACR_LEVELS] = { STR_INIT("Level1"), STR_INIT("Level2"), STR_INIT("Level3"),
                                             STR_INIT("Level4") };
static const struct str defaults[ACR_LEVELS] = { STR_INIT("urn:cognito:loa:1"), STR_INIT("urn:cognito:loa:2"),
                                                 STR_INIT("urn:cognito:loa:3"),
                                                 STR_INIT("urn:cognito:loa:4") };

struct str pool_acr_name(const struct idp_UserPoolType *doc, int level)
{
    const struct idp_AcrConfigurationType *own = &doc->acr_configuration;
    for (size_t i = 0; i < own->n; i++)
        if (str_eq(own->items[i].key, keys[level - 1]) && own->items[i].value)
            return own->items[i].value->acr_value;
    return defaults[level - 1];
}

int pool_acr_level(const struct idp_UserPoolType *doc, struct str name)
{
    for (int level = 1; level <= ACR_LEVELS; level++)
        if (str_eq(pool_acr_name(doc, level), name))
            return level;
    return 0;
}

static bool is_custom(const struct idp_UserPoolType *doc)
{
    for (int level = 1; level <= ACR_LEVELS; level++)
        if (!str_eq(pool_acr_name(doc, level), defaults[level - 1]))
            return true;
    return false;
}

gh_err acr_check(struct call *call, const struct idp_UserPoolType *doc)
{
    if (is_custom(doc) && str_is(doc->user_pool_tier, "LITE"))
        return gh_fail(
            call->arena, &idp_FeatureUnavailableInTierException,
            "The following features need to be disabled for the LITE pricing tier configured: Custom ACR "
            "Level Names");
    for (int level = 2; level <= ACR_LEVELS; level++) {
        struct str name = pool_acr_name(doc, level);
        if (pool_acr_level(doc, name) != level)
            return gh_fail(call->arena, &idp_InvalidParameterException,
                           "AcrValue must be unique across all ACR levels: %.*s is used more than once.",
                           STR_FMT(name));
    }
    return NULL;
}

void acr_fill(struct call *call, struct idp_UserPoolType *doc)
{
    struct idp_AcrConfigurationType all = {
        .set = true,
        .n = ACR_LEVELS,
        .items = ARENA_ARRAY(call->arena, struct idp_AcrConfigurationType_entry, ACR_LEVELS),
    };
    for (int level = 1; level <= ACR_LEVELS; level++) {
        struct idp_AcrLevelConfigType *value = ARENA_NEW(call->arena, struct idp_AcrLevelConfigType);
        value->acr_value = pool_acr_name(doc, level);
        all.items[level - 1].key = keys[level - 1];
        all.items[level - 1].value = value;
    }
    doc->acr_configuration = all;
}
