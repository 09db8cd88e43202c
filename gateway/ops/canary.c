#include "gateway/ops/canary.h"

#include <stdlib.h>

#include "gateway/ops/method_setting.h"
#include "gateway/ops/ops.h"

static json_t *canary_of(json_t *stage)
{
    json_t *canary = json_object_get(stage, "canarySettings");
    if (canary)
        return canary;
    canary = json_object();
    json_object_set_new(canary, "percentTraffic", json_real(0.0));
    json_set_str(canary, "deploymentId", json_str(stage, "deploymentId"));
    json_set_flag(canary, "useStageCache", false);
    json_object_set_new(stage, "canarySettings", canary);
    return canary;
}

void canary_put(json_t *stage, const json_t *given, struct str deployment_id)
{
    json_t *canary = canary_of(stage);
    json_object_update(canary, (json_t *)given);
    if (!json_object_size(json_object_get(canary, "stageVariableOverrides")))
        json_object_del(canary, "stageVariableOverrides");
    json_set_str(canary, "deploymentId", deployment_id);
}

gh_err canary_check(struct call *call, const json_t *stage)
{
    json_t *canary = json_object_get(stage, "canarySettings");
    double percent = json_number_value(json_object_get(canary, "percentTraffic"));
    if (!canary || (percent >= 0 && percent <= 100))
        return NULL;
    return ops_bad_request(call, "Invalid canary percentTraffic %g. Must be between 0.0 and 100.0", percent);
}

static gh_err patch_percent(struct patch *patch, json_t *canary)
{
    const char *text = str_c(patch->arena, patch->value.ptr ? patch->value : STR(""));
    char *end = NULL;
    double percent = strtod(text, &end);
    if (end == text || *end || !(percent >= 0 && percent <= 100))
        return gh_fail(patch->arena, &apigw_BadRequestException,
                       "Invalid canary percentTraffic %s. Must be between 0.0 and 100.0", text);
    json_object_set_new(canary, "percentTraffic", json_real(percent));
    return NULL;
}

gh_err canary_patch(struct patch *patch)
{
    json_t *canary = canary_of(patch->target);
    struct str member = str_from(patch->path, strlen("/canarySettings/"));
    if (str_is(member, "percentTraffic"))
        return patch_percent(patch, canary);
    if (str_is(member, "useStageCache"))
        json_set_flag(canary, "useStageCache", str_eq_nocase(patch->value, STR("true")));
    else
        json_set_str(canary, "deploymentId", patch->value.ptr ? patch->value : STR(""));
    return NULL;
}

gh_err canary_patch_overrides(struct patch *patch)
{
    struct str why;
    json_t *all = json_parse(patch->arena, patch->value.ptr ? patch->value : STR("{}"), &why), *value;
    const char *name;
    bool good = json_is_object(all);
    json_object_foreach(all, name, value)
        good = good && json_is_string(value);
    if (!good)
        return gh_fail(patch->arena, &apigw_BadRequestException,
                       "Invalid value for %.*s: a JSON object of strings is wanted", STR_FMT(patch->path));
    json_t *canary = canary_of(patch->target);
    if (json_object_size(all))
        json_object_set(canary, "stageVariableOverrides", all);
    else
        json_object_del(canary, "stageVariableOverrides");
    return NULL;
}

gh_err canary_patch_override(struct patch *patch)
{
    json_t *canary = json_object_get(patch->target, "canarySettings");
    json_t *all = json_object_get(canary, "stageVariableOverrides");
    if (patch->op == PATCH_REMOVE) {
        if (!json_at(all, patch->key))
            return gh_fail(patch->arena, &apigw_NotFoundException, "Invalid stage variable name specified");
        child_remove(canary, "stageVariableOverrides", patch->key);
        return NULL;
    }
    json_t *value = json_own(patch->arena, json_of(patch->value.ptr ? patch->value : STR("")));
    child_set(canary_of(patch->target), "stageVariableOverrides", patch->key, value);
    return NULL;
}

gh_err canary_remove(struct patch *patch)
{
    if (json_object_del(patch->target, "canarySettings") != 0)
        return method_setting_refuse(patch);
    return NULL;
}

/* "To promote a canary deployment, you copy the canary deployment ID to the affiliated deployment ID".
 * Variables are merged into the stage's [recorded]. */
gh_err canary_promote(struct patch *patch)
{
    bool deployment = str_is(patch->path, "/deploymentId");
    if (!str_is(patch->from, deployment ? "/canarySettings/deploymentId" : "/canarySettings/stageVariableOverrides"))
        return method_setting_refuse(patch);
    json_t *canary = json_object_get(patch->target, "canarySettings");
    json_t *overrides = json_object_get(canary, "stageVariableOverrides");
    if (!canary)
        return gh_fail(patch->arena, &apigw_BadRequestException, "Promotion not available. Canary does not exist.");
    if (deployment)
        json_set_str(patch->target, "deploymentId", json_str(canary, "deploymentId"));
    else if (overrides)
        json_object_update(child_object(patch->target, "variables"), overrides);
    return NULL;
}
