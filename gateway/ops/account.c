/* What an account has set for API Gateway in a region. */
#include "gateway/ops/apikey.h"
#include "gateway/ops/pass_role.h"
#include "gateway/state.h"

static gh_err patch_role(struct patch *patch);
static gh_err patch_feature(struct patch *patch);

static const struct patch_row rows[] = {
    { "/cloudwatchRoleArn", PATCH_REPLACE, patch_role },
    { "/features", PATCH_ADD | PATCH_REMOVE, patch_feature },
};
static const struct patch_rules rules = { rows, COUNT(rows), patch_refuse_listed, "[/cloudwatchRoleArn]" };

/* Without a limit of ours there are no throttleSettings: they would promise one. */
static gh_err answer(struct call *call, const json_t *doc, void *out)
{
    const struct gateway *gateway = call->module;
    json_t *shown = json_own(call->arena, json_object()), *throttle, *features;
    json_set_str(shown, "apiKeyVersion", STR("4"));
    json_set_str(shown, "cloudwatchRoleArn", json_str(doc, "cloudwatchRoleArn"));
    json_object_set_new(shown, "features", features = json_array());
    json_array_append_new(features, json_string("UsagePlans"));
    if (gateway->config.account_rate_per_s > 0) {
        json_object_set_new(shown, "throttleSettings", throttle = json_object());
        json_set_i64(throttle, "burstLimit", gateway->config.account_burst);
        json_object_set_new(throttle, "rateLimit", json_real(gateway->config.account_rate_per_s));
    }
    return ops_answer(call, shown, out);
}

gh_err apigw_GetAccount(struct call *call, const struct apigw_GetAccount_in *in, struct apigw_GetAccount_out *out)
{
    (void)in;
    json_t *doc;
    gh_err err = account_load(call->db, NULL, call->arena, call->account, call->region, &doc);
    return err ? err : answer(call, doc, out);
}

gh_err apigw_UpdateAccount(struct call *call, const struct apigw_UpdateAccount_in *in, struct apigw_UpdateAccount_out *out)
{
    struct tx tx;
    json_t *doc;
    struct str role = STR_NONE;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = account_load(call->db, &tx, call->arena, call->account, call->region, &doc);
    if (!err && !doc)
        doc = json_own(call->arena, json_object());
    if (!err)
        role = json_str(doc, "cloudwatchRoleArn").ptr ? str_copy(call->arena, json_str(doc, "cloudwatchRoleArn")) : STR_NONE;
    if (!err)
        err = patch_apply(&rules, call->arena, doc, &in->patch_operations, NULL);
    if (!err)
        err = ops_check_pass_role(call, json_str(doc, "cloudwatchRoleArn"), role);
    if (!err)
        account_save(&tx, call->account, call->region, doc);
    err = ops_finish(&tx, err);
    return err ? err : answer(call, doc, out);
}

/* "arn:aws:iam::123456789012:role/name"; an empty one takes it away. */
static gh_err patch_role(struct patch *patch)
{
    struct str rest = patch->value, part[5] = { STR_NONE };
    if (str_empty(rest))
        return patch_text(patch);
    for (size_t i = 0; i < COUNT(part); i++)
        str_split(&rest, ':', &part[i]);
    bool good = str_is(part[0], "arn") && str_is(part[2], "iam") && str_empty(part[3]) && part[4].len == 12 &&
                str_starts(rest, STR("role/")) && rest.len > 5 && patch->value.len <= 512;
    if (!good)
        return gh_fail(patch->arena, &apigw_BadRequestException, "The role ARN is not well formed");
    return patch_string(patch);
}

/* "UsagePlans" is what there is, and it stays: "you cannot disable it". */
static gh_err patch_feature(struct patch *patch)
{
    if (!str_is(patch->value, "UsagePlans"))
        return gh_fail(patch->arena, &apigw_BadRequestException, "Invalid feature specified: %.*s", STR_FMT(patch->value));
    if (patch->op == PATCH_REMOVE)
        return gh_fail(patch->arena, &apigw_BadRequestException, "Usage Plans cannot be disabled once enabled");
    return NULL;
}
