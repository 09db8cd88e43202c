/* Usage plans: "who can access one or more deployed API stages and methods, and also how much and how
 * fast they can access them". */
#include "gateway/ops/apikey.h"

static gh_err refuse(struct patch *patch);
static gh_err patch_stages(struct patch *patch);
static gh_err patch_method_throttle(struct patch *patch);
static gh_err patch_method_throttles(struct patch *patch);
static gh_err patch_group_gone(struct patch *patch);
static gh_err patch_group_number(struct patch *patch);
static gh_err patch_group_text(struct patch *patch);

enum { PLANS_AWS = 300, PLANS_MAX = 5000 };

static const struct patch_row rows[] = {
    { "/name", PATCH_REPLACE, patch_string },
    { "/description", PATCH_REPLACE, patch_text },
    { "/productCode", PATCH_CHANGE, patch_text },
    { "/apiStages", PATCH_ADD | PATCH_REMOVE, patch_stages },
    { "/apiStages/*/throttle", PATCH_CHANGE, patch_method_throttles },
    { "/apiStages/*/throttle/**", PATCH_CHANGE, patch_method_throttle },
    { "/quota", PATCH_REMOVE, patch_group_gone },
    { "/throttle", PATCH_REMOVE, patch_group_gone },
    { "/quota/limit", PATCH_ADD | PATCH_REPLACE, patch_group_number },
    { "/quota/offset", PATCH_ADD | PATCH_REPLACE, patch_group_number },
    { "/quota/period", PATCH_ADD | PATCH_REPLACE, patch_group_text },
    { "/throttle/rateLimit", PATCH_ADD | PATCH_REPLACE, patch_group_number },
    { "/throttle/burstLimit", PATCH_ADD | PATCH_REPLACE, patch_group_number },
};
static const struct patch_rules rules = { rows, COUNT(rows), refuse, NULL };

gh_err apigw_CreateUsagePlan(struct call *call, const struct apigw_CreateUsagePlan_in *in,
                             struct apigw_CreateUsagePlan_out *out)
{
    static const char *const members[] = { "name", "description", "apiStages", "throttle", "quota", "tags" };
    struct tx tx;
    struct str id = ops_id(call, 6);
    size_t have = 0;
    json_t *plan = json_own(call->arena, json_object());
    json_set_str(plan, "id", id);
    json_object_update(plan, ops_given(call, in, members, COUNT(members)));
    if (!json_object_get(plan, "apiStages"))
        json_object_set_new(plan, "apiStages", json_array());
    tx_begin(&tx, call->db, call->arena);
    gh_err err = plan_check(call, &tx, plan);
    if (!err)
        err = plan_count(call->db, &tx, call->arena, call->account, call->region, &have);
    if (!err)
        err = ops_limit(call, have, PLANS_AWS, PLANS_MAX, "Usage Plans");
    if (!err)
        plan_save(&tx, ops_key(call, id), call->now_us, plan);
    if (!(err = ops_finish(&tx, err)))
        err = usage_publish_plan(call->module, call, id);
    return err ? err : ops_answer(call, plan, out);
}

gh_err apigw_GetUsagePlan(struct call *call, const struct apigw_GetUsagePlan_in *in, struct apigw_GetUsagePlan_out *out)
{
    json_t *plan;
    gh_err err = plan_required(call, NULL, in->usage_plan_id, &plan);
    if (err)
        return err;
    child_object(plan, "tags");
    return ops_answer(call, plan, out);
}

/* "keyId: The identifier of the API key associated with the usage plans." */
gh_err apigw_GetUsagePlans(struct call *call, const struct apigw_GetUsagePlans_in *in,
                           struct apigw_GetUsagePlans_out *out)
{
    struct docs all, docs = { 0 };
    gh_err err = plan_list(call->db, NULL, call->arena, call->account, call->region, &all);
    if (err)
        return err;
    docs.items = ARENA_ARRAY(call->arena, json_t *, all.n + 1);
    for (size_t i = 0; i < all.n; i++) {
        bool has = true;
        if (in->key_id.ptr)
            err = plan_has_key(call->db, NULL, call->arena, json_str(all.items[i], "id"), in->key_id, &has);
        if (err)
            return err;
        if (has)
            docs.items[docs.n++] = all.items[i];
    }
    return ops_answer_page(call, &docs, "id", in->position, in->limit, out);
}

gh_err apigw_UpdateUsagePlan(struct call *call, const struct apigw_UpdateUsagePlan_in *in,
                             struct apigw_UpdateUsagePlan_out *out)
{
    struct tx tx;
    json_t *plan;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = plan_required(call, &tx, in->usage_plan_id, &plan);
    if (!err)
        err = patch_apply(&rules, call->arena, plan, &in->patch_operations, NULL);
    if (!err)
        err = plan_check(call, &tx, plan);
    if (!err)
        err = plan_check_conflicts(call, &tx, plan);
    if (!err)
        plan_save(&tx, ops_key(call, in->usage_plan_id), call->now_us, plan);
    if (!(err = ops_finish(&tx, err)))
        err = usage_publish_plan(call->module, call, in->usage_plan_id);
    if (err)
        return err;
    child_object(plan, "tags");
    return ops_answer(call, plan, out);
}

gh_err apigw_DeleteUsagePlan(struct call *call, const struct apigw_DeleteUsagePlan_in *in,
                             struct apigw_DeleteUsagePlan_out *out)
{
    (void)out;
    struct tx tx;
    json_t *plan;
    struct id_list keys = { 0 };
    tx_begin(&tx, call->db, call->arena);
    gh_err err = plan_required(call, &tx, in->usage_plan_id, &plan);
    const json_t *first = err ? NULL : json_array_get(json_object_get(plan, "apiStages"), 0);
    if (first)
        err = ops_bad_request(call,
                              "Cannot delete Usage Plan %.*s because there are API Stages associated with it, "
                              "including %.*s:%.*s",
                              STR_FMT(in->usage_plan_id), STR_FMT(json_str(first, "apiId")),
                              STR_FMT(json_str(first, "stage")));
    if (!err)
        err = plan_keys(call->db, &tx, call->arena, in->usage_plan_id, &keys);
    if (!err)
        plan_delete(&tx, in->usage_plan_id);
    if (!(err = ops_finish(&tx, err)))
        err = usage_publish_plan(call->module, call, in->usage_plan_id);
    return err ? err : usage_publish_keys(call->module, call, keys.items, keys.n);
}

gh_err plan_required(struct call *call, struct tx *tx, struct str id, json_t **out)
{
    gh_err err = plan_load(call->db, tx, call->arena, ops_key(call, id), out);
    return err || *out ? err : ops_not_found(call, "Invalid Usage Plan ID specified");
}

/* --- patches --- */

/* As AWS prints them. */
static gh_err refuse(struct patch *patch)
{
    static const char stage[] = "/apiStages/<apidId:stageName>/throttle";
    struct str path = patch->path.ptr ? patch->path : STR("null");
    struct str choices;
    if (patch->op == PATCH_REMOVE)
        choices = str_printf(patch->arena, "/apiStages, /quota, /throttle, /productCode, %s/<resourcePath>/<httpMethod>, %s",
                             stage, stage);
    else if (patch->op == PATCH_ADD || patch->op == PATCH_REPLACE)
        choices = str_printf(patch->arena,
                             "%s, /quota/limit, /quota/offset, /quota/period, /throttle/rateLimit, "
                             "/throttle/burstLimit, /productCode, %s, %s/<resourcePath>/<httpMethod>/rateLimit, "
                             "%s/<resourcePath>/<httpMethod>/burstLimit",
                             patch->op == PATCH_ADD ? "/apiStages" : "/name, /description", stage, stage, stage);
    else
        return gh_fail(patch->arena, &apigw_BadRequestException,
                       "Invalid patch path  '%.*s' specified for op '%.*s'. Please choose supported operations",
                       STR_FMT(path), STR_FMT(patch->op_name));
    return gh_fail(patch->arena, &apigw_BadRequestException,
                   "Invalid patch path  '%.*s' specified for op '%.*s'. Must be one of: [%.*s]", STR_FMT(path),
                   STR_FMT(patch->op_name), STR_FMT(choices));
}

static bool split_stage(struct str text, struct str *api_id, struct str *stage)
{
    if (!text.ptr || !str_split(&text, ':', api_id))
        return false;
    *stage = text;
    return api_id->len && !str_empty(text);
}

static gh_err no_such_stage(struct patch *patch, struct str api_id, struct str stage)
{
    return gh_fail(patch->arena, &apigw_NotFoundException,
                   "Invalid API Stage {api: %.*s, stage: %.*s} specified for usageplan %.*s", STR_FMT(api_id),
                   STR_FMT(stage), STR_FMT(json_str(patch->target, "id")));
}

/* The value is "api:stage". */
static gh_err patch_stages(struct patch *patch)
{
    json_t *stages = json_object_get(patch->target, "apiStages"), *one;
    struct str api_id, stage;
    size_t i;
    if (!split_stage(patch->value, &api_id, &stage))
        return gh_fail(patch->arena, &apigw_BadRequestException, "Invalid API Stage specified");
    if (patch->op == PATCH_ADD) {
        one = json_object();
        json_set_str(one, "apiId", api_id);
        json_set_str(one, "stage", stage);
        json_array_append_new(stages, one);
        return NULL;
    }
    json_array_foreach(stages, i, one)
        if (one == plan_stage(patch->target, api_id, stage)) {
            json_array_remove(stages, i);
            return NULL;
        }
    return no_such_stage(patch, api_id, stage);
}

static gh_err stage_of(struct patch *patch, json_t **out)
{
    struct str api_id = STR(""), stage = STR("");
    *out = split_stage(patch->key, &api_id, &stage) ? plan_stage(patch->target, api_id, stage) : NULL;
    return *out ? NULL : no_such_stage(patch, api_id, stage);
}

/* The whole map: a JSON object as the value, or nothing. */
static gh_err patch_method_throttles(struct patch *patch)
{
    json_t *stage;
    struct str why;
    gh_err err = stage_of(patch, &stage);
    if (err)
        return err;
    json_object_del(stage, "throttle");
    if (patch->op == PATCH_REMOVE)
        return NULL;
    json_t *map = patch->value.ptr ? json_parse(patch->arena, patch->value, &why) : NULL, *one;
    const char *name;
    bool good = json_is_object(map);
    json_object_foreach(map, name, one)
        good = good && json_is_object(one);
    if (!good)
        return gh_fail(patch->arena, &apigw_BadRequestException,
                       "The value for %.*s must be a JSON object of methods, such as "
                       "{\"/pets/GET\":{\"rateLimit\":1,\"burstLimit\":1}}", STR_FMT(patch->path));
    json_object_set(stage, "throttle", map);
    return NULL;
}

static gh_err number_of(struct patch *patch, json_t **out)
{
    const char *text = patch->value.ptr ? str_c(patch->arena, patch->value) : "";
    char *end = NULL;
    double number = *text ? strtod(text, &end) : -1;
    if (!end || *end || !(number >= 0 && number <= 9e15))
        return gh_fail(patch->arena, &apigw_BadRequestException, "Invalid value for %.*s: %s", STR_FMT(patch->path), text);
    bool rate = str_ends(patch->path, STR("/rateLimit"));
    if (!rate && number != (double)(int64_t)number)
        return gh_fail(patch->arena, &apigw_BadRequestException, "Invalid value for %.*s: %s", STR_FMT(patch->path), text);
    *out = json_own(patch->arena, rate ? json_real(number) : json_integer((json_int_t)number));
    return NULL;
}

/* "/pets/GET", the root's "//GET". */
static struct str method_name(struct arena *arena, struct str given)
{
    ptrdiff_t slash = str_find_last(given, '/');
    struct str path = str_sub(given, 0, slash < 0 ? 0 : (size_t)slash);
    const char *front = str_starts(path, STR("/")) ? "" : "/";
    return str_printf(arena, "%s%.*s/%.*s", front, STR_FMT(path), STR_FMT(str_from(given, (size_t)(slash + 1))));
}

/* key2: "/pets/GET/rateLimit", also "~1pets/GET/rateLimit" and "pets/GET/rateLimit". */
static gh_err patch_method_throttle(struct patch *patch)
{
    static const char *const members[] = { "rateLimit", "burstLimit" };
    json_t *stage, *number;
    struct str method = patch->key2, member = STR_NONE;
    gh_err err = stage_of(patch, &stage);
    for (size_t i = 0; i < COUNT(members); i++)
        if (str_ends(method, str_printf(patch->arena, "/%s", members[i])))
            member = str_of(members[i]);
    if (member.ptr)
        method = str_sub(method, 0, method.len - member.len - 1);
    if (!err && (member.ptr != NULL) == (patch->op == PATCH_REMOVE))
        return refuse(patch);
    if (err)
        return err;
    method = method_name(patch->arena, method);
    if (patch->op != PATCH_REMOVE) {
        if ((err = number_of(patch, &number)))
            return err;
        json_object_set(child_object(child_object(stage, "throttle"), str_c(patch->arena, method)), member.ptr, number);
        return NULL;
    }
    if (!json_at(json_object_get(stage, "throttle"), method))
        return gh_fail(patch->arena, &apigw_NotFoundException, "Invalid method %.*s specified", STR_FMT(method));
    child_remove(stage, "throttle", method);
    return NULL;
}

static gh_err patch_group_gone(struct patch *patch)
{
    json_object_deln(patch->target, patch->member.ptr, patch->member.len);
    return NULL;
}

static const char *group(struct patch *patch, struct str *leaf)
{
    *leaf = str_from(patch->path, patch->member.len + 2);
    return str_c(patch->arena, patch->member);
}

static gh_err patch_group_number(struct patch *patch)
{
    struct str leaf;
    json_t *number;
    const char *name = group(patch, &leaf);
    gh_err err = number_of(patch, &number);
    if (!err)
        json_object_set(child_object(patch->target, name), leaf.ptr, number);
    return err;
}

static gh_err patch_group_text(struct patch *patch)
{
    struct str leaf;
    const char *name = group(patch, &leaf);
    json_set_str(child_object(patch->target, name), leaf.ptr, patch->value.ptr ? patch->value : STR(""));
    return NULL;
}
