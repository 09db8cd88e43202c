/* Deployments: immutable copies of the draft. */
#include "gateway/ops/canary.h"
#include "gateway/ops/patch.h"
#include "gateway/ops/stage.h"
#include "gateway/publish.h"
#include "gateway/watch.h"

static gh_err create(struct draft *draft, const struct apigw_CreateDeployment_in *in, json_t **out);
static gh_err check_complete(struct call *call, const json_t *api);
static gh_err check_canary(struct call *call, const struct apigw_CreateDeployment_in *in, const json_t *stage);
static gh_err put_stage(struct draft *draft, const struct apigw_CreateDeployment_in *in, json_t *stage,
                        struct str deployment_id);
static gh_err find(struct call *call, struct tx *tx, const json_t *api, struct str api_id, struct str id,
                   json_t **out);
static json_t *summary(struct call *call, const json_t *api);

static const struct patch_row rows[] = {
    { "/description", PATCH_REPLACE, patch_text },
};
static const struct patch_rules rules = { rows, COUNT(rows), patch_refuse_listed, "[/description]" };

gh_err apigw_CreateDeployment(struct call *call, const struct apigw_CreateDeployment_in *in,
                              struct apigw_CreateDeployment_out *out)
{
    struct draft draft;
    json_t *deployment = NULL;
    gh_err err = draft_open_to_read(&draft, call, in->rest_api_id);
    if (!err)
        err = api_required(call, draft.api, in->rest_api_id);
    if (!err)
        err = create(&draft, in, &deployment);
    err = draft_close(&draft, err);
    if (!err && in->stage_name.len)
        err = gateway_publish_knowing(call->module, call, in->rest_api_id, in->stage_name, &draft.known);
    return err ? err : ops_answer(call, deployment, out);
}

gh_err apigw_GetDeployment(struct call *call, const struct apigw_GetDeployment_in *in,
                           struct apigw_GetDeployment_out *out)
{
    json_t *api, *deployment, *copy;
    gh_err err = draft_known(call, in->rest_api_id, &api);
    if (!err)
        err = find(call, NULL, api, in->rest_api_id, in->deployment_id, &deployment);
    for (size_t i = 0; !err && i < in->embed.n; i++) {
        if (!str_is(in->embed.items[i], "apisummary"))
            return ops_bad_request(call, "Invalid embed parameter specified");
        if ((err = deployment_api(call->db, call->arena, in->rest_api_id, in->deployment_id, &copy)))
            return err;
        if (copy)
            json_object_set(deployment, "apiSummary", summary(call, copy));
    }
    return err ? err : ops_answer(call, deployment, out);
}

gh_err apigw_GetDeployments(struct call *call, const struct apigw_GetDeployments_in *in,
                            struct apigw_GetDeployments_out *out)
{
    json_t *api;
    struct docs docs = { 0 };
    gh_err err = draft_known(call, in->rest_api_id, &api);
    if (!err)
        err = api_required(call, api, in->rest_api_id);
    if (!err)
        err = deployment_list(call->db, call->arena, in->rest_api_id, &docs);
    return err ? err : ops_answer_page(call, &docs, "id", in->position, in->limit, out);
}

gh_err apigw_UpdateDeployment(struct call *call, const struct apigw_UpdateDeployment_in *in,
                              struct apigw_UpdateDeployment_out *out)
{
    struct draft draft;
    json_t *deployment = NULL;
    gh_err err = draft_open_beside(&draft, call, in->rest_api_id);
    if (!err)
        err = find(call, &draft.tx, draft.api, in->rest_api_id, in->deployment_id, &deployment);
    if (!err)
        err = patch_apply(&rules, call->arena, deployment, &in->patch_operations, NULL);
    if (!err)
        deployment_save(&draft.tx, in->rest_api_id, in->deployment_id, deployment);
    return draft_answer(&draft, err, deployment, out);
}

static bool is_used(const json_t *stage, struct str deployment_id)
{
    json_t *canary = json_object_get(stage, "canarySettings");
    return str_eq(json_str(stage, "deploymentId"), deployment_id) ||
           str_eq(json_str(canary, "deploymentId"), deployment_id);
}

gh_err apigw_DeleteDeployment(struct call *call, const struct apigw_DeleteDeployment_in *in,
                              struct apigw_DeleteDeployment_out *out)
{
    (void)out;
    struct draft draft;
    struct docs stages = { 0 };
    json_t *deployment;
    gh_err err = draft_open_beside(&draft, call, in->rest_api_id);
    if (!err)
        err = find(call, &draft.tx, draft.api, in->rest_api_id, in->deployment_id, &deployment);
    if (!err)
        err = stage_list(call->db, &draft.tx, call->arena, in->rest_api_id, &stages);
    for (size_t i = 0; !err && i < stages.n; i++)
        if (is_used(stages.items[i], in->deployment_id))
            err = ops_bad_request(call, "Active stages pointing to this deployment must be moved or deleted");
    if (!err)
        deployment_delete(&draft.tx, in->rest_api_id, in->deployment_id);
    return draft_close(&draft, err);
}

static gh_err create(struct draft *draft, const struct apigw_CreateDeployment_in *in, json_t **out)
{
    struct call *call = draft->call;
    json_t *stage = NULL;
    gh_err err = in->stage_name.len
                     ? stage_load(call->db, &draft->tx, call->arena, draft->key.id, in->stage_name, &stage)
                     : NULL;
    if (!err)
        err = check_canary(call, in, stage);
    if (!err)
        err = check_complete(call, draft->api);
    if (err)
        return err;
    struct str id = ops_id(call, 6);
    *out = json_own(call->arena, json_object());
    json_set_str(*out, "id", id);
    json_set_str(*out, "description", in->description);
    json_set_i64(*out, "createdDate", call->now_us / 1000000);
    deployment_insert(&draft->tx, draft->key.id, id, call->now_us, *out);
    draft->known.items[0].id = id;
    draft->known.items[0].api = draft->api;
    return in->stage_name.len ? put_stage(draft, in, stage, id) : NULL;
}

/* "You cannot specify any non-existing stage name when creating a canary release deployment."
 * "In any subsequent API deployments to the same stage, you must always specify canarySettings as an
 * input, until the canary is disabled on that stage." */
static gh_err check_canary(struct call *call, const struct apigw_CreateDeployment_in *in, const json_t *stage)
{
    if (!in->canary_settings) {
        if (!json_object_get(stage, "canarySettings"))
            return NULL;
        return ops_bad_request(call,
                               "Invalid deployment content specified.Non canary deployment not supported on stage %.*s "
                               "because Canary is enabled. Provide CanarySettings in deploymentInput.",
                               STR_FMT(in->stage_name));
    }
    if (!in->stage_name.len)
        return ops_bad_request(call,
                               "Invalid deployment content specified.Non null and non empty stageName must be provided "
                               "for canary deployment. Provided value is %s",
                               in->stage_name.ptr ? "" : "null");
    if (!stage)
        return ops_bad_request(call,
                               "Invalid deployment content specified.Stage %.*s must already be created before making "
                               "a canary release deployment",
                               STR_FMT(in->stage_name));
    return NULL;
}

static gh_err check_complete(struct call *call, const json_t *api)
{
    const char *id, *name;
    json_t *resource, *method;
    size_t methods = 0;
    json_object_foreach(json_object_get(api, "resources"), id, resource)
        json_object_foreach(json_object_get(resource, "resourceMethods"), name, method) {
            methods++;
            if (!json_object_get(method, "methodIntegration"))
                return ops_bad_request(call, "No integration defined for method");
        }
    return methods ? NULL : ops_bad_request(call, "The REST API doesn't contain any methods");
}

/* "stageName: The name of the Stage resource for the Deployment resource to create." An existing one
 * is moved to the new deployment and keeps what this call does not name. */
static gh_err put_stage(struct draft *draft, const struct apigw_CreateDeployment_in *in, json_t *stage,
                        struct str deployment_id)
{
    static const char *const members[] = { "variables", "cacheClusterEnabled", "cacheClusterSize" };
    static const char *const canary_members[] = { "canarySettings" };
    struct call *call = draft->call;
    json_t *before = stage ? json_own(call->arena, json_deep_copy(stage)) : NULL;
    if (!stage)
        stage = stage_new(call, in->stage_name, deployment_id);
    if (in->canary_settings)
        canary_put(stage, json_object_get(ops_given(call, in, canary_members, 1), "canarySettings"), deployment_id);
    else
        json_set_str(stage, "deploymentId", deployment_id);
    json_set_str(stage, "description", in->stage_description);
    json_set_i64(stage, "lastUpdatedDate", call->now_us / 1000000);
    json_object_update(stage, ops_given(call, in, members + !in->variables.n, COUNT(members) - !in->variables.n));
    watch_note(call, before, stage);
    return stage_put(draft, stage);
}

static gh_err find(struct call *call, struct tx *tx, const json_t *api, struct str api_id, struct str id,
                   json_t **out)
{
    *out = NULL;
    gh_err err = api ? deployment_load(call->db, tx, call->arena, api_id, id, out) : NULL;
    if (err || *out)
        return err;
    return ops_not_found(call, "Invalid Deployment identifier specified");
}

/* {"/pets":{"GET":{"authorizationType":"NONE","apiKeyRequired":false}}} */
static json_t *summary(struct call *call, const json_t *api)
{
    const char *id, *name;
    json_t *resource, *method, *paths = json_own(call->arena, json_object());
    json_object_foreach(json_object_get(api, "resources"), id, resource) {
        json_t *methods = json_object();
        json_object_foreach(json_object_get(resource, "resourceMethods"), name, method) {
            json_t *one = json_object();
            json_set_str(one, "authorizationType", json_str(method, "authorizationType"));
            json_set_flag(one, "apiKeyRequired", json_flag(method, "apiKeyRequired", false));
            json_object_set_new(methods, name, one);
        }
        json_object_set_new(paths, str_c(call->arena, json_str(resource, "path")), methods);
    }
    return paths;
}
