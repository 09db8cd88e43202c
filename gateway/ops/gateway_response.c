/* Gateway responses: what the gateway answers when it answers itself. */
#include "gateway/ops/mapping.h"
#include "gateway/ops/patch.h"

static const struct {
    const char *type, *status; /* NULL: none of its own */
} types[] = {
    /* alphabetically, as GetGatewayResponses lists them [recorded] */
    { "ACCESS_DENIED", "403" },
    { "API_CONFIGURATION_ERROR", "500" },
    { "AUTHORIZER_CONFIGURATION_ERROR", "500" },
    { "AUTHORIZER_FAILURE", "500" },
    { "BAD_REQUEST_BODY", "400" },
    { "BAD_REQUEST_PARAMETERS", "400" },
    { "DEFAULT_4XX", NULL },
    { "DEFAULT_5XX", NULL },
    { "EXPIRED_TOKEN", "403" },
    { "INTEGRATION_FAILURE", "504" },
    { "INTEGRATION_TIMEOUT", "504" },
    { "INVALID_API_KEY", "403" },
    { "INVALID_SIGNATURE", "403" },
    { "MISSING_AUTHENTICATION_TOKEN", "403" },
    { "QUOTA_EXCEEDED", "429" },
    { "REQUEST_TOO_LARGE", "413" },
    { "RESOURCE_NOT_FOUND", "404" },
    { "THROTTLED", "429" },
    { "UNAUTHORIZED", "401" },
    { "UNSUPPORTED_MEDIA_TYPE", "415" },
    { "WAF_FILTERED", "403" },
};
static const char default_template[] = "{\"message\":$context.error.messageString}";

static const char *own_status(struct str type);
static json_t *built_in(struct call *call, struct str type);
static json_t *effective(struct call *call, const json_t *api, struct str type);
static gh_err check(struct call *call, const json_t *response);
static gh_err patch_status(struct patch *patch);
static gh_err patch_parameter(struct patch *patch);
static gh_err patch_template(struct patch *patch);

static const struct patch_row rows[] = {
    { "/statusCode", PATCH_REPLACE, patch_status },
    { "/responseParameters/*", PATCH_CHANGE, patch_parameter, "Invalid parameter name specified" },
    { "/responseTemplates/*", PATCH_CHANGE, patch_template, "Content-Type specified was not found" },
};
static const struct patch_rules rules = { rows, COUNT(rows), patch_refuse_path, NULL };

/* PUT overwrites; what is not given falls back to the type's own default [recorded]. */
gh_err apigw_PutGatewayResponse(struct call *call, const struct apigw_PutGatewayResponse_in *in,
                                struct apigw_PutGatewayResponse_out *out)
{
    static const char *const members[] = { "responseParameters", "responseTemplates" };
    struct draft draft;
    json_t *response = built_in(call, in->response_type);
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = api_required(call, draft.api, in->rest_api_id);
    json_set_flag(response, "defaultResponse", false);
    json_set_str(response, "statusCode", in->status_code);
    json_object_update(response, ops_given(call, in, members, COUNT(members)));
    if (!err)
        err = check(call, response);
    if (!err)
        child_set(draft.api, "gatewayResponses", in->response_type, response);
    return draft_answer(&draft, err, response, out);
}

gh_err apigw_GetGatewayResponse(struct call *call, const struct apigw_GetGatewayResponse_in *in,
                                struct apigw_GetGatewayResponse_out *out)
{
    json_t *api;
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err)
        err = api_required(call, api, in->rest_api_id);
    return err ? err : ops_answer(call, effective(call, api, in->response_type), out);
}

/* "GatewayResponsesCollection does not support pagination and the position does not apply here." */
gh_err apigw_GetGatewayResponses(struct call *call, const struct apigw_GetGatewayResponses_in *in,
                                 struct apigw_GetGatewayResponses_out *out)
{
    json_t *api, *answer = json_own(call->arena, json_object()), *items = json_array();
    gh_err err = draft_read(call, in->rest_api_id, &api);
    json_object_set_new(answer, "item", items);
    if (!err)
        err = api_required(call, api, in->rest_api_id);
    for (size_t i = 0; !err && i < COUNT(types); i++)
        json_array_append(items, effective(call, api, str_of(types[i].type)));
    return err ? err : ops_answer(call, answer, out);
}

gh_err apigw_UpdateGatewayResponse(struct call *call, const struct apigw_UpdateGatewayResponse_in *in,
                                   struct apigw_UpdateGatewayResponse_out *out)
{
    struct draft draft;
    json_t *response = NULL;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = api_required(call, draft.api, in->rest_api_id);
    if (!err) {
        response = json_at(json_object_get(draft.api, "gatewayResponses"), in->response_type);
        if (!response)
            response = built_in(call, in->response_type);
        json_set_flag(response, "defaultResponse", false);
        err = patch_apply(&rules, call->arena, response, &in->patch_operations, NULL);
    }
    if (!err) /* an emptied map shows as {} here, unlike in all other resources */
        child_object(response, "responseParameters");
    if (!err)
        err = check(call, response);
    if (!err)
        child_set(draft.api, "gatewayResponses", in->response_type, response);
    return draft_answer(&draft, err, response, out);
}

gh_err apigw_DeleteGatewayResponse(struct call *call, const struct apigw_DeleteGatewayResponse_in *in,
                                   struct apigw_DeleteGatewayResponse_out *out)
{
    (void)out;
    struct draft draft;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = api_required(call, draft.api, in->rest_api_id);
    if (!err && !json_at(json_object_get(draft.api, "gatewayResponses"), in->response_type))
        err = ops_not_found(call, "Gateway response type not defined on api");
    if (!err)
        child_remove(draft.api, "gatewayResponses", in->response_type);
    return draft_close(&draft, err);
}

static const char *own_status(struct str type)
{
    for (size_t i = 0; i < COUNT(types); i++)
        if (str_is(type, types[i].type))
            return types[i].status;
    return NULL;
}

static json_t *built_in(struct call *call, struct str type)
{
    json_t *response = json_own(call->arena, json_object());
    json_set_str(response, "responseType", type);
    json_set_str(response, "statusCode", str_of(own_status(type)));
    json_object_set_new(response, "responseParameters", json_object());
    json_set_str(child_object(response, "responseTemplates"), "application/json", STR(default_template));
    json_set_flag(response, "defaultResponse", true);
    return response;
}

/* Its own; else what DEFAULT_4XX or DEFAULT_5XX says of its class, shown as a default [recorded]; else
 * the built-in. */
static json_t *effective(struct call *call, const json_t *api, struct str type)
{
    json_t *set = json_object_get(api, "gatewayResponses"), *own = json_at(set, type);
    const char *status = own_status(type);
    if (own)
        return own;
    json_t *response = built_in(call, type);
    json_t *fallback = status ? json_object_get(set, *status == '4' ? "DEFAULT_4XX" : "DEFAULT_5XX") : NULL;
    if (!fallback)
        return response;
    json_set_str(response, "statusCode", json_str(fallback, "statusCode"));
    json_object_set(response, "responseParameters", json_object_get(fallback, "responseParameters"));
    json_object_set(response, "responseTemplates", json_object_get(fallback, "responseTemplates"));
    return response;
}

static gh_err check(struct call *call, const json_t *response)
{
    gh_err err = mapping_gateway_check(call, json_object_get(response, "responseParameters"));
    return err ? err : content_types_check(call, json_object_get(response, "responseTemplates"));
}

static gh_err patch_status(struct patch *patch)
{
    int64_t status;
    if (patch->value.len != 3 || !str_i64(patch->value, &status) || status < 100 || status > 599)
        return gh_fail(patch->arena, &apigw_BadRequestException, "Invalid Response status code specified");
    return patch_string(patch);
}

static gh_err needs_value(struct patch *patch)
{
    if (patch->op == PATCH_REMOVE || patch->value.len)
        return NULL;
    return gh_fail(patch->arena, &apigw_BadRequestException, "Invalid null or empty value in %.*s",
                   STR_FMT(patch->member));
}

static gh_err patch_parameter(struct patch *patch)
{
    gh_err err = needs_value(patch);
    return err ? err : patch_string_entry(patch);
}

static gh_err patch_template(struct patch *patch)
{
    gh_err err = needs_value(patch);
    return err ? err : patch_string_entry(patch);
}
