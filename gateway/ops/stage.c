/* Stages: which deployment is served under which name, with which settings. */
#include "gateway/ops/stage.h"

#include "gateway/ops/apikey.h"
#include "gateway/ops/canary.h"
#include "gateway/ops/method_setting.h"
#include "gateway/ops/patch.h"
#include "gateway/publish.h"
#include "gateway/store/client_certificate.h"
#include "gateway/watch.h"

static gh_err create(struct draft *draft, const struct apigw_CreateStage_in *in, json_t **out);
static gh_err update(struct draft *draft, const struct apigw_UpdateStage_in *in, json_t **out);
static gh_err publish(struct draft *draft, gh_err err, json_t *stage, void *out);
static gh_err deployment_required(struct draft *draft, struct str id);
static gh_err canary_deployment_required(struct draft *draft, const json_t *stage);
static gh_err check_documentation_version(struct draft *draft, const json_t *stage);
static gh_err check_client_certificate(struct draft *draft, const json_t *stage);
static gh_err patch_access_log(struct patch *patch);
static gh_err patch_access_log_gone(struct patch *patch);
static gh_err patch_variable(struct patch *patch);
static gh_err patch_variables(struct patch *patch);
static gh_err patch_deployment(struct patch *patch);
static gh_err patch_only_false(struct patch *patch);

enum { STAGES_AWS = 10, STAGES_MAX = 1000 };

static const struct patch_row rows[] = {
    { "/deploymentId", PATCH_REPLACE | PATCH_COPY, patch_deployment },
    { "/description", PATCH_REPLACE, patch_text },
    { "/documentationVersion", PATCH_REPLACE, patch_text },
    { "/variables/*", PATCH_REPLACE | PATCH_REMOVE, patch_variable },
    { "/variables", PATCH_REPLACE | PATCH_REMOVE | PATCH_COPY, patch_variables },
    { "/accessLogSettings/destinationArn", PATCH_ADD | PATCH_REPLACE, patch_access_log },
    { "/accessLogSettings/format", PATCH_ADD | PATCH_REPLACE, patch_access_log },
    { "/accessLogSettings", PATCH_REMOVE, patch_access_log_gone },
    { "/tracingEnabled", PATCH_REPLACE, patch_only_false },
    { "/cacheClusterEnabled", PATCH_REPLACE, patch_flag },
    { "/cacheClusterSize", PATCH_REPLACE, patch_cache_size },
    { "/clientCertificateId", PATCH_REPLACE, patch_text },
    { "/canarySettings", PATCH_REMOVE, canary_remove },
    { "/canarySettings/deploymentId", PATCH_REPLACE, canary_patch },
    { "/canarySettings/percentTraffic", PATCH_REPLACE, canary_patch },
    { "/canarySettings/useStageCache", PATCH_REPLACE, canary_patch },
    { "/canarySettings/stageVariableOverrides", PATCH_REPLACE, canary_patch_overrides },
    { "/canarySettings/stageVariableOverrides/*", PATCH_REPLACE | PATCH_REMOVE, canary_patch_override },
    { "/*/*/metrics/enabled", PATCH_REPLACE, method_setting_patch },
    { "/*/*/logging/loglevel", PATCH_REPLACE, method_setting_patch },
    { "/*/*/logging/dataTrace", PATCH_REPLACE, method_setting_patch },
    { "/*/*/throttling/burstLimit", PATCH_REPLACE, method_setting_patch },
    { "/*/*/throttling/rateLimit", PATCH_REPLACE, method_setting_patch },
    { "/*/*/caching/enabled", PATCH_REPLACE, method_setting_patch },
    { "/*/*/caching/ttlInSeconds", PATCH_REPLACE, method_setting_patch },
    { "/*/*/caching/dataEncrypted", PATCH_REPLACE, method_setting_patch },
    { "/*/*/caching/requireAuthorizationForCacheControl", PATCH_REPLACE, method_setting_patch },
    { "/*/*/caching/unauthorizedCacheControlHeaderStrategy", PATCH_REPLACE, method_setting_patch },
    { "/*/*", PATCH_REMOVE, method_setting_remove },
};
static const struct patch_rules rules = { rows, COUNT(rows), method_setting_refuse, NULL };

gh_err apigw_CreateStage(struct call *call, const struct apigw_CreateStage_in *in,
                         struct apigw_CreateStage_out *out)
{
    struct draft draft;
    json_t *stage = NULL;
    gh_err err = draft_open_beside(&draft, call, in->rest_api_id);
    if (!err)
        err = api_required(call, draft.api, in->rest_api_id);
    if (!err)
        err = create(&draft, in, &stage);
    return publish(&draft, err, stage, out);
}

gh_err apigw_GetStage(struct call *call, const struct apigw_GetStage_in *in, struct apigw_GetStage_out *out)
{
    json_t *api, *stage = NULL;
    gh_err err = draft_known(call, in->rest_api_id, &api);
    if (!err)
        err = stage_find(call, NULL, api, in->rest_api_id, in->stage_name, &stage);
    return err ? err : ops_answer(call, stage, out);
}

/* "item", not "items", even in SDKs; not paged. */
gh_err apigw_GetStages(struct call *call, const struct apigw_GetStages_in *in,
                       struct apigw_GetStages_out *out)
{
    json_t *api;
    struct docs docs = { 0 };
    gh_err err = draft_known(call, in->rest_api_id, &api);
    if (!err)
        err = api_required(call, api, in->rest_api_id);
    if (!err)
        err = stage_list(call->db, NULL, call->arena, in->rest_api_id, &docs);
    if (err)
        return err;
    json_t *answer = json_own(call->arena, json_object()), *items = json_array();
    json_object_set_new(answer, "item", items);
    for (size_t i = 0; i < docs.n; i++)
        if (!in->deployment_id.ptr || str_eq(in->deployment_id, json_str(docs.items[i], "deploymentId")))
            json_array_append(items, docs.items[i]);
    return ops_answer(call, answer, out);
}

gh_err apigw_UpdateStage(struct call *call, const struct apigw_UpdateStage_in *in,
                         struct apigw_UpdateStage_out *out)
{
    struct draft draft;
    json_t *stage = NULL;
    gh_err err = draft_open_beside(&draft, call, in->rest_api_id);
    if (!err)
        err = update(&draft, in, &stage);
    return publish(&draft, err, stage, out);
}

gh_err apigw_DeleteStage(struct call *call, const struct apigw_DeleteStage_in *in,
                         struct apigw_DeleteStage_out *out)
{
    (void)out;
    struct draft draft;
    struct id_list plans;
    json_t *stage;
    gh_err err = draft_open_beside(&draft, call, in->rest_api_id);
    if (!err)
        err = stage_find(call, &draft.tx, draft.api, in->rest_api_id, in->stage_name, &stage);
    if (!err)
        err = plans_forget_stage(call, &draft.tx, in->rest_api_id, in->stage_name, &plans);
    if (!err)
        stage_delete(&draft.tx, in->rest_api_id, in->stage_name);
    err = draft_close(&draft, err);
    /* not gateway_unpublish: somebody may have made a stage of that name again, and it must stay */
    if (!err)
        err = gateway_publish(call->module, call, in->rest_api_id, in->stage_name);
    return err ? err : plans_publish(call, &plans);
}

gh_err apigw_FlushStageAuthorizersCache(struct call *call,
                                        const struct apigw_FlushStageAuthorizersCache_in *in,
                                        struct apigw_FlushStageAuthorizersCache_out *out)
{
    (void)out;
    json_t *api, *stage = NULL;
    gh_err err = draft_known(call, in->rest_api_id, &api);
    if (!err)
        err = stage_find(call, NULL, api, in->rest_api_id, in->stage_name, &stage);
    if (!err)
        gateway_flush_authorizers(call->module, in->rest_api_id, in->stage_name);
    return err;
}

/* --- for others too --- */

gh_err stage_find(struct call *call, struct tx *tx, const json_t *api, struct str api_id, struct str name,
                  json_t **out)
{
    *out = NULL;
    gh_err err = api ? stage_load(call->db, tx, call->arena, api_id, name, out) : NULL;
    if (err || *out)
        return err;
    return ops_not_found(call, "Invalid stage identifier specified");
}

json_t *stage_new(struct call *call, struct str name, struct str deployment_id)
{
    json_t *stage = json_own(call->arena, json_object());
    json_set_str(stage, "stageName", name);
    json_set_str(stage, "deploymentId", deployment_id);
    json_set_flag(stage, "cacheClusterEnabled", false);
    json_set_str(stage, "cacheClusterStatus", STR("NOT_AVAILABLE"));
    json_object_set_new(stage, "methodSettings", json_object());
    json_set_flag(stage, "tracingEnabled", false);
    json_set_i64(stage, "createdDate", call->now_us / 1000000);
    json_set_i64(stage, "lastUpdatedDate", call->now_us / 1000000);
    return stage;
}

static bool made_of(struct str text, const char *more)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!c || (!((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9') && !strchr(more, c)))
            return false;
    }
    return true;
}

/* "Stage variables: 100 a stage, a key of 64 and a value of 512 characters at most." */
static gh_err check_variables(struct call *call, const json_t *variables)
{
    const char *name;
    json_t *value;
    if (json_object_size(variables) > 100)
        return gh_fail(call->arena, &apigw_LimitExceededException, "Maximum number of stage variables is 100");
    json_object_foreach((json_t *)variables, name, value) {
        if (!*name || strlen(name) > 64 || !made_of(str_of(name), "_"))
            return ops_bad_request(
                call, "Invalid stage variable name: %s. Please use names with only word characters.", name);
        if (json_string_length(value) > 512 || !made_of(json_value_str(value), "-._~:/?#&=,"))
            return ops_bad_request(
                call,
                "Invalid stage variable value of key %s.  Please use values with alphanumeric "
                "characters and the symbols ' ', -', '.', '_', ':', '/', '?', '&', '=', and ','.",
                name);
    }
    return NULL;
}

gh_err stage_check(struct call *call, const json_t *stage)
{
    struct str stage_name = json_str(stage, "stageName");
    /* the message says no '-', the guide allows it: "Stage names can only contain alphanumeric
     * characters, hyphens, and underscores. Maximum length is 128 characters." */
    if (!stage_name.len || stage_name.len > 128 || !made_of(stage_name, "_-"))
        return ops_bad_request(call, "Stage name only allows a-zA-Z0-9_");
    json_t *canary = json_object_get(stage, "canarySettings");
    gh_err err = check_variables(call, json_object_get(stage, "variables"));
    if (!err)
        err = check_variables(call, json_object_get(canary, "stageVariableOverrides"));
    if (!err)
        err = ops_check_tags(call, json_object_get(stage, "tags"));
    return err ? err : canary_check(call, stage);
}

static gh_err check_count(struct draft *draft, struct str name)
{
    struct call *call = draft->call;
    json_t *existing;
    struct docs all = { 0 };
    gh_err err = stage_load(call->db, &draft->tx, call->arena, draft->key.id, name, &existing);
    if (!err && !existing)
        err = stage_list(call->db, &draft->tx, call->arena, draft->key.id, &all);
    return err ? err : ops_limit(call, all.n, STAGES_AWS, STAGES_MAX, "Stages for this API");
}

/* Compiled from the transaction's own view, before anything is kept. */
gh_err stage_put(struct draft *draft, json_t *stage)
{
    struct call *call = draft->call;
    struct stage_source source;
    bool found;
    stage_cache_settle(stage);
    gh_err err = stage_check(call, stage);
    if (err)
        return err;
    if ((err = check_count(draft, json_str(stage, "stageName"))))
        return err;
    stage_save(&draft->tx, draft->key.id, stage);
    err = stage_source_load_knowing(call->db, &draft->tx, call->arena, draft->key.id, json_str(stage, "stageName"),
                                    &draft->known, &found, &source);
    if (err || !found)
        return err; /* not found: the transaction has failed, its commit says why */
    draft->known.items[0].id = source.deployment_id;
    draft->known.items[0].api = source.api;
    draft->known.items[1].id = source.canary_deployment_id;
    draft->known.items[1].api = source.canary_api;
    return gateway_check(call->module, call, &source);
}

/* --- helpers --- */

static gh_err publish(struct draft *draft, gh_err err, json_t *stage, void *out)
{
    struct call *call = draft->call;
    if ((err = draft_close(draft, err)))
        return err;
    err = gateway_publish_knowing(call->module, call, draft->key.id, json_str(stage, "stageName"), &draft->known);
    if (err)
        return err;
    return ops_answer(call, stage, out);
}

static gh_err create(struct draft *draft, const struct apigw_CreateStage_in *in, json_t **out)
{
    static const char *const members[] = { "description", "variables", "documentationVersion", "tags",
                                           "cacheClusterEnabled", "cacheClusterSize" };
    static const char *const canary_members[] = { "canarySettings" };
    struct call *call = draft->call;
    json_t *existing, *canary = json_object_get(ops_given(call, in, canary_members, 1), "canarySettings");
    gh_err err = deployment_required(draft, in->deployment_id);
    if (!err)
        err = stage_load(call->db, &draft->tx, call->arena, in->rest_api_id, in->stage_name, &existing);
    if (err)
        return err;
    if (existing)
        return ops_conflict(call, "Stage already exists");
    *out = stage_new(call, in->stage_name, in->deployment_id);
    json_object_update(*out, ops_given(call, in, members, COUNT(members)));
    if (!json_object_size(json_object_get(*out, "variables")))
        json_object_del(*out, "variables");
    if (canary)
        canary_put(*out, canary, json_str(canary, "deploymentId"));
    err = canary_deployment_required(draft, *out);
    if (!err)
        err = check_documentation_version(draft, *out);
    return err ? err : stage_put(draft, *out);
}

static gh_err update(struct draft *draft, const struct apigw_UpdateStage_in *in, json_t **out)
{
    struct call *call = draft->call;
    json_t *before = NULL;
    gh_err err = stage_find(call, &draft->tx, draft->api, in->rest_api_id, in->stage_name, out);
    if (!err)
        before = json_own(call->arena, json_deep_copy(*out));
    if (!err)
        err = patch_apply(&rules, call->arena, *out, &in->patch_operations, NULL);
    if (!err)
        err = deployment_required(draft, json_str(*out, "deploymentId"));
    if (!err)
        err = canary_deployment_required(draft, *out);
    if (!err)
        err = check_documentation_version(draft, *out);
    if (!err)
        err = check_client_certificate(draft, *out);
    if (err)
        return err;
    watch_note(call, before, *out);
    json_set_i64(*out, "lastUpdatedDate", call->now_us / 1000000);
    return stage_put(draft, *out);
}

static gh_err deployment_required(struct draft *draft, struct str id)
{
    json_t *deployment;
    struct call *call = draft->call;
    if (str_empty(id))
        return ops_bad_request(call, "DeploymentId cannot be empty");
    gh_err err = deployment_load(call->db, &draft->tx, call->arena, draft->key.id, id, &deployment);
    if (err || deployment)
        return err;
    return ops_bad_request(call, "Deployment id does not exist");
}

static gh_err canary_deployment_required(struct draft *draft, const json_t *stage)
{
    json_t *canary = json_object_get(stage, "canarySettings");
    return canary ? deployment_required(draft, json_str(canary, "deploymentId")) : NULL;
}

static gh_err check_client_certificate(struct draft *draft, const json_t *stage)
{
    struct call *call = draft->call;
    struct str id = json_str(stage, "clientCertificateId");
    json_t *found = NULL;
    if (!id.len)
        return NULL;
    gh_err err = certificate_load(call->db, &draft->tx, call->arena,
                                  (struct api_key){ call->account, call->region, id }, &found);
    if (err || found)
        return err;
    return ops_bad_request(call, "Invalid Client Certificate identifier specified");
}

static gh_err check_documentation_version(struct draft *draft, const json_t *stage)
{
    struct call *call = draft->call;
    struct str version = json_str(stage, "documentationVersion");
    json_t *found;
    if (!version.ptr)
        return NULL;
    gh_err err =
        documentation_load(call->db, &draft->tx, call->arena, draft->key.id, STR("version"), version, &found);
    if (err || found)
        return err;
    return ops_bad_request(call, "Invalid Documentation version specified");
}

static gh_err patch_fail(struct patch *patch, const char *message)
{
    return gh_fail(patch->arena, &apigw_BadRequestException, "%s", message);
}

static gh_err patch_deployment(struct patch *patch)
{
    return patch->op == PATCH_COPY ? canary_promote(patch) : patch_string(patch);
}

/* A variable that is absent is created by "replace" too [recorded]. */
static gh_err patch_variable(struct patch *patch)
{
    if (patch->op == PATCH_REMOVE && !json_at(json_object_get(patch->target, "variables"), patch->key))
        return gh_fail(patch->arena, &apigw_NotFoundException, "Invalid stage variable name specified");
    return patch_string_entry(patch);
}

static gh_err patch_variables(struct patch *patch)
{
    if (patch->op == PATCH_COPY)
        return canary_promote(patch);
    if (patch->op == PATCH_REPLACE)
        return patch_bad_path(patch);
    json_object_del(patch->target, "variables");
    return NULL;
}

static gh_err patch_access_log(struct patch *patch)
{
    bool is_format = str_ends(patch->path, STR("/format"));
    if (str_empty(patch->value))
        return patch_fail(patch, "Access Log value must not be empty");
    if (is_format && patch->value.len > 3 * 1024) /* "Access log template size: 3 KB" */
        return patch_fail(patch, "An access log format has at most 3 KB");
    if (is_format && str_find_str(patch->value, STR("$context.requestId")) < 0 &&
        str_find_str(patch->value, STR("$context.extendedRequestId")) < 0)
        return patch_fail(
            patch, "Access Log format must include either $context.requestId or $context.extendedRequestId");
    if (!is_format && str_starts(patch->value, STR("arn:aws:firehose:")))
        return patch_not_built(patch);
    if (!is_format && !str_starts(patch->value, STR("arn:aws:logs:")))
        return patch_fail(
            patch,
            "The ARN must be a valid CloudWatch Logs log group or Kinesis Data Firehose delivery stream");
    json_t *settings = json_object_get(patch->target, "accessLogSettings");
    if (!settings) {
        settings = json_object();
        json_object_set_new(patch->target, "accessLogSettings", settings);
    }
    json_set_str(settings, is_format ? "format" : "destinationArn", patch->value);
    return NULL;
}

static gh_err patch_access_log_gone(struct patch *patch)
{
    json_object_del(patch->target, "accessLogSettings");
    return NULL;
}

/* Tracing is not built: off is true, on is refused. */
static gh_err patch_only_false(struct patch *patch)
{
    if (str_eq_nocase(patch->value, STR("true")))
        return patch_not_built(patch);
    return patch_flag(patch);
}
