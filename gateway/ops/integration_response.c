/* Integration responses: how a backend's answer becomes one of the method's. */
#include "gateway/ops/mapping.h"
#include "gateway/ops/patch.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

static gh_err put(struct draft *draft, const struct apigw_PutIntegrationResponse_in *in, json_t **out);
static gh_err check(struct call *call, const json_t *method, const json_t *response);
static gh_err find(struct call *call, const json_t *api, struct str resource_id, struct str http_method,
                   struct str status, struct method_ref *at, json_t **out);

static const struct patch_row rows[] = {
    { "/selectionPattern", PATCH_REPLACE, patch_string },
    { "/contentHandling", PATCH_REPLACE, patch_text },
    { "/responseParameters/*", PATCH_CHANGE, patch_string_entry, "Invalid parameter name specified" },
    { "/responseTemplates/*", PATCH_CHANGE, patch_template_entry, "Content-Type specified was not found" },
};
static const struct patch_rules rules = { rows, COUNT(rows), patch_refuse_plain, NULL };

gh_err apigw_PutIntegrationResponse(struct call *call, const struct apigw_PutIntegrationResponse_in *in,
                                    struct apigw_PutIntegrationResponse_out *out)
{
    struct draft draft;
    json_t *response = NULL;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = put(&draft, in, &response);
    return draft_answer(&draft, err, response, out);
}

gh_err apigw_GetIntegrationResponse(struct call *call, const struct apigw_GetIntegrationResponse_in *in,
                                    struct apigw_GetIntegrationResponse_out *out)
{
    json_t *api, *response;
    struct method_ref at;
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err)
        err = find(call, api, in->resource_id, in->http_method, in->status_code, &at, &response);
    return err ? err : ops_answer(call, response, out);
}

gh_err apigw_UpdateIntegrationResponse(struct call *call, const struct apigw_UpdateIntegrationResponse_in *in,
                                       struct apigw_UpdateIntegrationResponse_out *out)
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
        err = check(call, at.method, response);
    return draft_answer(&draft, err, response, out);
}

/* A method that is not there is an "Invalid Integration identifier" here, and only here [recorded]. */
gh_err apigw_DeleteIntegrationResponse(struct call *call, const struct apigw_DeleteIntegrationResponse_in *in,
                                       struct apigw_DeleteIntegrationResponse_out *out)
{
    (void)out;
    struct draft draft;
    struct method_ref at = { 0 };
    json_t *resource, *response;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = resource_find(call, draft.api, in->resource_id, &resource);
    if (!err && !json_at(json_object_get(resource, "resourceMethods"), in->http_method))
        err = ops_not_found(call, "Invalid Integration identifier specified");
    if (!err)
        err = find(call, draft.api, in->resource_id, in->http_method, in->status_code, &at, &response);
    if (!err)
        child_remove(at.integration, "integrationResponses", in->status_code);
    return draft_close(&draft, err);
}

/* PUT overwrites [recorded]. */
static gh_err put(struct draft *draft, const struct apigw_PutIntegrationResponse_in *in, json_t **out)
{
    static const char *const members[] = { "selectionPattern", "responseParameters", "responseTemplates",
                                           "contentHandling" };
    struct call *call = draft->call;
    struct method_ref at;
    const char *type;
    json_t *template;
    gh_err err = integration_find(call, draft->api, in->resource_id, in->http_method, &at);
    if (err)
        return err;
    *out = json_own(call->arena, json_object());
    json_set_str(*out, "statusCode", in->status_code);
    json_object_update(*out, ops_given(call, in, members, COUNT(members)));
    json_t *templates = json_object_get(*out, "responseTemplates");
    json_object_foreach(templates, type, template) /* recorded: "" reads back as null */
        if (!json_string_length(template))
            json_object_set_new(templates, type, json_null());
    if ((err = check(call, at.method, *out)))
        return err;
    child_set(at.integration, "integrationResponses", in->status_code, *out);
    return NULL;
}

static bool is_regex(struct str pattern)
{
    int error;
    PCRE2_SIZE offset;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, PCRE2_UTF, &error, &offset, NULL);
    pcre2_code_free(code);
    return code != NULL;
}

static gh_err check(struct call *call, const json_t *method, const json_t *response)
{
    struct str pattern = json_str(response, "selectionPattern");
    json_t *method_response =
        json_at(json_object_get(method, "methodResponses"), json_str(response, "statusCode"));
    if (pattern.len && !is_regex(pattern))
        return ops_bad_request(call, "Invalid regex pattern specified");
    gh_err err = content_types_check(call, json_object_get(response, "responseTemplates"));
    return err ? err
               : mapping_response_check(call, json_object_get(response, "responseParameters"),
                                        method_response);
}

static gh_err find(struct call *call, const json_t *api, struct str resource_id, struct str http_method,
                   struct str status, struct method_ref *at, json_t **out)
{
    gh_err err = integration_find(call, api, resource_id, http_method, at);
    return err ? err : response_find(call, at->integration, "integrationResponses", status, out);
}
