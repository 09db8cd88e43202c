/* What a usage plan must be as a whole, and whose stages it may have. */
#include "gateway/ops/apikey.h"
#include "gateway/store/deployment.h"

enum { METHODS_MAX = 20, STAGES_MAX = 500 };

static const struct {
    const char *period;
    int64_t offset_max;
} periods[] = { { "DAY", 0 }, { "WEEK", 6 }, { "MONTH", 27 } };

static gh_err check_quota(struct call *call, json_t *quota)
{
    json_t *limit = json_object_get(quota, "limit");
    struct str period = json_str(quota, "period");
    if (!quota)
        return NULL;
    if (!json_is_integer(limit) || json_integer_value(limit) < 0)
        return ops_bad_request(call, "Usage Plan quota limit must be a non-negative numeric");
    size_t i = 0;
    while (i < COUNT(periods) && !str_is(period, periods[i].period))
        i++;
    if (i == COUNT(periods))
        return ops_bad_request(call, "Invalid Usage Plan quota period specified. Must be one of [DAY, WEEK, MONTH]");
    if (!json_object_get(quota, "offset"))
        json_set_i64(quota, "offset", 0);
    int64_t offset = json_i64(quota, "offset", -1);
    if (offset == 0 || (offset > 0 && offset <= periods[i].offset_max))
        return NULL;
    if (!periods[i].offset_max)
        return ops_bad_request(call, "Usage Plan quota offset must be zero in the DAY period");
    return ops_bad_request(call, "Usage Plan quota offset must be between 0 and %lld inclusive in the %s period",
                           (long long)periods[i].offset_max, periods[i].period);
}

/* The rate is a real number in answers, whatever was given. */
static gh_err check_throttle(struct call *call, json_t *throttle)
{
    json_t *rate = json_object_get(throttle, "rateLimit"), *burst = json_object_get(throttle, "burstLimit");
    if (rate && (!json_is_number(rate) || json_number_value(rate) < 0 || json_number_value(rate) > 1e9))
        return ops_bad_request(call, "Usage Plan throttle rate limit must be a non-negative numeric");
    if (burst && (!json_is_integer(burst) || json_integer_value(burst) < 0 || json_integer_value(burst) > 1000000000))
        return ops_bad_request(call, "Usage Plan throttle burst limit must be a non-negative numeric");
    if (json_is_integer(rate))
        json_object_set_new(throttle, "rateLimit", json_real(json_number_value(rate)));
    return NULL;
}

gh_err plan_stage_required(struct call *call, struct tx *tx, struct str api_id, struct str stage)
{
    json_t *api = NULL, *found = NULL;
    gh_err err = api_load(call->db, tx, call->arena, ops_key(call, api_id), &api);
    if (!err && api)
        err = stage_load(call->db, tx, call->arena, api_id, stage, &found);
    if (err || found)
        return err;
    return ops_not_found(call, "API Stage not found: %.*s:%.*s", STR_FMT(api_id), STR_FMT(stage));
}

static bool has_method(const json_t *api, struct str path, struct str verb)
{
    const char *id;
    json_t *resource;
    json_object_foreach(json_object_get(api, "resources"), id, resource)
        if (str_eq(json_str(resource, "path"), path))
            return json_at(json_object_get(resource, "resourceMethods"), verb) != NULL;
    return false;
}

/* "/pets/GET"; methods of what is deployed to the stage. */
static gh_err check_methods(struct call *call, struct tx *tx, const json_t *stage)
{
    json_t *throttles = json_object_get(stage, "throttle"), *throttle;
    struct stage_source source;
    const char *name;
    bool found;
    if (!json_object_size(throttles))
        return NULL;
    if (json_object_size(throttles) > METHODS_MAX)
        return gh_fail(call->arena, &apigw_LimitExceededException,
                       "A stage of a usage plan can have at most %d method throttles", METHODS_MAX);
    gh_err err = stage_source_load(call->db, tx, call->arena, json_str(stage, "apiId"), json_str(stage, "stage"),
                                   &found, &source);
    json_object_foreach(throttles, name, throttle) {
        struct str whole = str_of(name);
        ptrdiff_t slash = str_find_last(whole, '/');
        struct str path = str_sub(whole, 0, slash < 0 ? whole.len : (size_t)slash);
        struct str verb = slash < 0 ? STR("") : str_from(whole, (size_t)slash + 1);
        if (!err && (!found || !has_method(source.api, path.len ? path : STR("/"), verb)))
            err = ops_bad_request(call, "Invalid method {resourcePath: %.*s,method: %.*s} specified", STR_FMT(path),
                                  STR_FMT(verb));
        if (!err)
            err = check_throttle(call, throttle);
    }
    return err;
}

json_t *plan_stage(const json_t *plan, struct str api_id, struct str stage)
{
    json_t *stages = json_object_get(plan, "apiStages"), *one;
    size_t i;
    json_array_foreach(stages, i, one)
        if (str_eq(json_str(one, "apiId"), api_id) && str_eq(json_str(one, "stage"), stage))
            return one;
    return NULL;
}

static gh_err check_stages(struct call *call, struct tx *tx, const json_t *plan)
{
    json_t *stages = json_object_get(plan, "apiStages"), *one;
    size_t i;
    gh_err err = NULL;
    if (json_array_size(stages) > STAGES_MAX)
        return gh_fail(call->arena, &apigw_LimitExceededException, "A usage plan can have at most %d stages", STAGES_MAX);
    json_array_foreach(stages, i, one) {
        struct str api_id = json_str(one, "apiId"), stage = json_str(one, "stage");
        if (!err && (str_empty(api_id) || str_empty(stage)))
            err = ops_bad_request(call, "Invalid API Stage specified");
        if (!err)
            err = plan_stage_required(call, tx, api_id, stage);
        if (!err && plan_stage(plan, api_id, stage) != one)
            err = ops_conflict(call, "API Stage %.*s:%.*s is in the usage plan already", STR_FMT(api_id), STR_FMT(stage));
        if (!err)
            err = check_methods(call, tx, one);
    }
    return err;
}

gh_err plan_check(struct call *call, struct tx *tx, json_t *plan)
{
    if (str_empty(json_str(plan, "name")))
        return ops_bad_request(call, "Usage Plan name cannot be blank");
    if (json_str(plan, "name").len > 1024 || json_str(plan, "description").len > 4096 ||
        json_str(plan, "productCode").len > 1024)
        return ops_bad_request(call, "Usage Plan name, description or product code is too long");
    gh_err err = check_throttle(call, json_object_get(plan, "throttle"));
    if (!err)
        err = check_quota(call, json_object_get(plan, "quota"));
    if (!err)
        err = check_stages(call, tx, plan);
    return err ? err : ops_check_tags(call, json_object_get(plan, "tags"));
}

const json_t *plans_common_stage(const json_t *a, const json_t *b)
{
    json_t *stages = json_object_get(a, "apiStages"), *one;
    size_t i;
    json_array_foreach(stages, i, one)
        if (plan_stage(b, json_str(one, "apiId"), json_str(one, "stage")))
            return one;
    return NULL;
}

gh_err plan_check_conflicts(struct call *call, struct tx *tx, const json_t *plan)
{
    struct id_list others;
    struct str id = json_str(plan, "id"), key_id = STR_NONE;
    gh_err err = plans_sharing_keys(call->db, tx, call->arena, id, &others);
    for (size_t i = 0; !err && i < others.n; i++) {
        json_t *other;
        err = plan_load(call->db, tx, call->arena, ops_key(call, others.items[i]), &other);
        const json_t *common = err ? NULL : plans_common_stage(plan, other);
        if (!common)
            continue;
        err = plans_common_key(call->db, tx, call->arena, id, others.items[i], &key_id);
        if (!err)
            err = ops_conflict(call,
                               "Usage Plan %.*s cannot be added because API Key %.*s cannot reference multiple Usage "
                               "Plans with the same API stage: %.*s:%.*s",
                               STR_FMT(id), STR_FMT(key_id), STR_FMT(json_str(common, "apiId")),
                               STR_FMT(json_str(common, "stage")));
    }
    return err;
}

/* --- stages that go --- */

static bool forget(json_t *plan, struct str api_id, struct str stage)
{
    json_t *stages = json_object_get(plan, "apiStages");
    size_t before = json_array_size(stages);
    for (size_t i = before; i-- > 0;) {
        const json_t *one = json_array_get(stages, i);
        if (str_eq(json_str(one, "apiId"), api_id) && (!stage.ptr || str_eq(json_str(one, "stage"), stage)))
            json_array_remove(stages, i);
    }
    return json_array_size(stages) != before;
}

gh_err plans_forget_stage(struct call *call, struct tx *tx, struct str api_id, struct str stage, struct id_list *changed)
{
    struct docs plans;
    *changed = (struct id_list){ 0 };
    gh_err err = plan_list(call->db, tx, call->arena, call->account, call->region, &plans);
    if (err)
        return err;
    changed->items = ARENA_ARRAY(call->arena, struct str, plans.n + 1);
    for (size_t i = 0; i < plans.n; i++) {
        struct str id = json_str(plans.items[i], "id");
        if (!forget(plans.items[i], api_id, stage))
            continue;
        plan_save(tx, ops_key(call, id), call->now_us, plans.items[i]);
        changed->items[changed->n++] = id;
    }
    return NULL;
}

gh_err plans_publish(struct call *call, const struct id_list *changed)
{
    gh_err err = NULL;
    for (size_t i = 0; i < changed->n; i++) {
        gh_err one = usage_publish_plan(call->module, call, changed->items[i]);
        err = err ? err : one;
    }
    return err;
}
