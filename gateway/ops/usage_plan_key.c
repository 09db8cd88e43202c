/* Which keys are in a usage plan. */
#include "gateway/ops/apikey.h"

enum { PLANS_MAX = 10 };

static gh_err show(struct call *call, struct tx *tx, const json_t *key, json_t **out);
static gh_err member_required(struct call *call, struct tx *tx, struct str plan_id, struct str key_id);

gh_err apigw_CreateUsagePlanKey(struct call *call, const struct apigw_CreateUsagePlanKey_in *in,
                                struct apigw_CreateUsagePlanKey_out *out)
{
    struct tx tx;
    json_t *plan, *key, *shown = NULL;
    bool member = false;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = plan_required(call, &tx, in->usage_plan_id, &plan);
    if (!err && !str_is(in->key_type, "API_KEY"))
        err = ops_bad_request(call, "Invalid key type specified. Must be one of [API_KEY]");
    if (!err)
        err = apikey_required(call, &tx, in->key_id, &key);
    if (!err)
        err = plan_has_key(call->db, &tx, call->arena, in->usage_plan_id, in->key_id, &member);
    if (!err && member)
        err = ops_conflict(call, "Usage Plan %.*s already has API Key %.*s", STR_FMT(in->usage_plan_id), STR_FMT(in->key_id));
    if (!err)
        err = plan_attach_key(call, &tx, plan, in->key_id);
    if (!err)
        err = show(call, &tx, key, &shown);
    if (!(err = ops_finish(&tx, err)))
        err = usage_publish_keys(call->module, call, &in->key_id, 1);
    return err ? err : ops_answer(call, shown, out);
}

gh_err apigw_GetUsagePlanKey(struct call *call, const struct apigw_GetUsagePlanKey_in *in,
                             struct apigw_GetUsagePlanKey_out *out)
{
    json_t *plan, *key, *shown = NULL;
    gh_err err = plan_required(call, NULL, in->usage_plan_id, &plan);
    if (!err)
        err = member_required(call, NULL, in->usage_plan_id, in->key_id);
    if (!err)
        err = apikey_required(call, NULL, in->key_id, &key);
    if (!err)
        err = show(call, NULL, key, &shown);
    return err ? err : ops_answer(call, shown, out);
}

/* An unknown plan has no keys, and that is an answer [recorded]. */
gh_err apigw_GetUsagePlanKeys(struct call *call, const struct apigw_GetUsagePlanKeys_in *in,
                              struct apigw_GetUsagePlanKeys_out *out)
{
    struct apikey_query query;
    struct apikey_page page;
    gh_err err = apikey_query_of(call, in->position, in->limit, &query);
    query.name_prefix = in->name_query;
    if (!err)
        err = plan_keys_page(call->db, call->arena, in->usage_plan_id, &query, &page);
    json_t *answer = json_own(call->arena, json_object()), *items = json_array();
    json_object_set_new(answer, "item", items);
    for (size_t i = 0; !err && i < page.docs.n; i++) {
        json_t *shown;
        if (!(err = show(call, NULL, page.docs.items[i], &shown)))
            json_array_append(items, shown);
    }
    if (err)
        return err;
    apikey_set_position(call, &page, answer);
    return ops_answer(call, answer, out);
}

gh_err apigw_DeleteUsagePlanKey(struct call *call, const struct apigw_DeleteUsagePlanKey_in *in,
                                struct apigw_DeleteUsagePlanKey_out *out)
{
    (void)out;
    struct tx tx;
    json_t *plan;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = plan_required(call, &tx, in->usage_plan_id, &plan);
    if (!err)
        err = member_required(call, &tx, in->usage_plan_id, in->key_id);
    if (!err)
        plan_key_remove(&tx, in->usage_plan_id, in->key_id);
    if ((err = ops_finish(&tx, err)))
        return err;
    return usage_publish_keys(call->module, call, &in->key_id, 1);
}

gh_err plan_attach_key(struct call *call, struct tx *tx, const json_t *plan, struct str key_id)
{
    struct id_list others;
    struct str id = json_str(plan, "id");
    gh_err err = plans_of_key(call->db, tx, call->arena, key_id, &others);
    if (!err && others.n >= PLANS_MAX)
        return gh_fail(call->arena, &apigw_LimitExceededException, "An API key can be in at most %d usage plans", PLANS_MAX);
    for (size_t i = 0; !err && i < others.n; i++) {
        json_t *other;
        err = plan_load(call->db, tx, call->arena, ops_key(call, others.items[i]), &other);
        const json_t *common = err ? NULL : plans_common_stage(plan, other);
        if (common)
            return ops_conflict(call,
                                "Usage Plan %.*s cannot be added because API Key %.*s cannot reference multiple "
                                "Usage Plans with the same API stage: %.*s:%.*s",
                                STR_FMT(id), STR_FMT(key_id), STR_FMT(json_str(common, "apiId")),
                                STR_FMT(json_str(common, "stage")));
    }
    if (!err)
        plan_key_add(tx, id, key_id, call->now_us);
    return err;
}

static gh_err show(struct call *call, struct tx *tx, const json_t *key, json_t **out)
{
    struct str value;
    *out = json_own(call->arena, json_object());
    json_set_str(*out, "id", json_str(key, "id"));
    json_set_str(*out, "type", STR("API_KEY"));
    json_set_str(*out, "name", json_str(key, "name"));
    gh_err err = apikey_newest_value(call, tx, json_str(key, "id"), &value);
    json_set_str(*out, "value", value);
    return err;
}

static gh_err member_required(struct call *call, struct tx *tx, struct str plan_id, struct str key_id)
{
    bool member;
    gh_err err = plan_has_key(call->db, tx, call->arena, plan_id, key_id, &member);
    return err || member ? err : ops_not_found(call, "Invalid API Key identifier specified");
}
