/* Method responses: what a method promises to answer, by status. */
#include "gateway/ops/mapping.h"
#include "gateway/ops/patch.h"

static gh_err put(struct draft *draft, const struct apigw_PutMethodResponse_in *in, json_t **out);
static gh_err check(struct draft *draft, const json_t *response);
static gh_err find(struct call *call, const json_t *api, struct str resource_id, struct str http_method,
                   struct str status, struct method_ref *at, json_t **out);

static const struct patch_row rows[] = {
    { "/responseParameters/*", PATCH_CHANGE, patch_flag_entry, "Invalid parameter name specified" },
    { "/responseModels/*", PATCH_CHANGE, patch_string_entry, "Content-Type specified was not found" },
};
static const struct patch_rules rules = { rows, COUNT(rows), patch_refuse_plain, NULL };

gh_err apigw_PutMethodResponse(struct call *call, const struct apigw_PutMethodResponse_in *in,
                               struct apigw_PutMethodResponse_out *out)
{
    struct draft draft;
    json_t *response = NULL;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = put(&draft, in, &response);
    return draft_answer(&draft, err, response, out);
}

gh_err apigw_GetMethodResponse(struct call *call, const struct apigw_GetMethodResponse_in *in,
                               struct apigw_GetMethodResponse_out *out)
{
    json_t *api, *response;
    struct method_ref at;
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err)
        err = find(call, api, in->resource_id, in->http_method, in->status_code, &at, &response);
    return err ? err : ops_answer(call, response, out);
}

gh_err apigw_UpdateMethodResponse(struct call *call, const struct apigw_UpdateMethodResponse_in *in,
                                  struct apigw_UpdateMethodResponse_out *out)
{
    struct draft draft;
    struct method_ref at;
    json_t *response = NULL;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = find(call, draft.api, in->resource_id, in->http_method, in->status_code, &at, &response);
    if (!err)
        err = patch_apply(&rules, call->arena, response, &in->patch_operations, NULL);
    if (!err)
        err = check(&draft, response);
    return draft_answer(&draft, err, response, out);
}

gh_err apigw_DeleteMethodResponse(struct call *call, const struct apigw_DeleteMethodResponse_in *in,
                                  struct apigw_DeleteMethodResponse_out *out)
{
    (void)out;
    struct draft draft;
    struct method_ref at;
    json_t *response;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = find(call, draft.api, in->resource_id, in->http_method, in->status_code, &at, &response);
    if (!err)
        child_remove(at.method, "methodResponses", in->status_code);
    return draft_close(&draft, err);
}

static gh_err put(struct draft *draft, const struct apigw_PutMethodResponse_in *in, json_t **out)
{
    static const char *const members[] = { "responseParameters", "responseModels" };
    struct call *call = draft->call;
    struct method_ref at;
    gh_err err = method_find(call, draft->api, in->resource_id, in->http_method, &at);
    if (err)
        return err;
    if (json_at(json_object_get(at.method, "methodResponses"), in->status_code))
        return ops_conflict(call, "Response already exists for this resource");
    *out = json_own(call->arena, json_object());
    json_set_str(*out, "statusCode", in->status_code);
    json_object_update(*out, ops_given(call, in, members, COUNT(members)));
    if ((err = check(draft, *out)))
        return err;
    child_set(at.method, "methodResponses", in->status_code, *out);
    return NULL;
}

static gh_err check(struct draft *draft, const json_t *response)
{
    static const char *const locations[] = { "header", NULL };
    const char *type;
    json_t *name, *models = json_object_get(response, "responseModels");
    gh_err err = mapping_names_check(draft->call, json_object_get(response, "responseParameters"),
                                     "method.response", locations);
    if (!err)
        err = content_types_check(draft->call, models);
    if (err)
        return err;
    json_object_foreach(models, type, name)
        if (!json_at(json_object_get(draft->api, "models"), json_value_str(name)))
            return ops_bad_request(draft->call, "Invalid model identifier specified: %.*s",
                                   STR_FMT(json_value_str(name)));
    return NULL;
}

static gh_err find(struct call *call, const json_t *api, struct str resource_id, struct str http_method,
                   struct str status, struct method_ref *at, json_t **out)
{
    gh_err err = method_find(call, api, resource_id, http_method, at);
    return err ? err : response_find(call, at->method, "methodResponses", status, out);
}
