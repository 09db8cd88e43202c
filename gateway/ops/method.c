/* Methods of a resource. */
#include "gateway/ops/mapping.h"
#include "gateway/ops/patch.h"

static const char *const http_methods[] = {
    "GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY"
};
static const char *const parameter_locations[] = { "path", "querystring", "header", NULL };

static gh_err put(struct draft *draft, const struct apigw_PutMethod_in *in, json_t **out);
static gh_err check(struct draft *draft, json_t *method);
static gh_err check_authorization(struct draft *draft, json_t *method);
static gh_err check_parameters(struct call *call, const json_t *parameters);
static gh_err check_models(struct draft *draft, const json_t *models);

static const struct patch_row rows[] = {
    { "/authorizationType", PATCH_REPLACE, patch_string },
    { "/authorizerId", PATCH_REPLACE, patch_text },
    { "/authorizationScopes", PATCH_ADD | PATCH_REMOVE, patch_value_in_list },
    { "/apiKeyRequired", PATCH_REPLACE, patch_flag },
    { "/operationName", PATCH_REPLACE, patch_text },
    { "/requestValidatorId", PATCH_REPLACE, patch_text },
    { "/requestParameters/*", PATCH_CHANGE, patch_flag_entry, "Invalid parameter name specified" },
    { "/requestModels/*", PATCH_CHANGE, patch_string_entry, "Content-Type specified was not found" },
};
static const struct patch_rules rules = { rows, COUNT(rows), patch_refuse_plain, NULL };

gh_err apigw_PutMethod(struct call *call, const struct apigw_PutMethod_in *in,
                       struct apigw_PutMethod_out *out)
{
    struct draft draft;
    json_t *method = NULL;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = put(&draft, in, &method);
    return draft_answer(&draft, err, method, out);
}

gh_err apigw_GetMethod(struct call *call, const struct apigw_GetMethod_in *in,
                       struct apigw_GetMethod_out *out)
{
    json_t *api;
    struct method_ref at;
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err)
        err = method_find(call, api, in->resource_id, in->http_method, &at);
    return err ? err : ops_answer(call, at.method, out);
}

gh_err apigw_UpdateMethod(struct call *call, const struct apigw_UpdateMethod_in *in,
                          struct apigw_UpdateMethod_out *out)
{
    struct draft draft;
    struct method_ref at = { 0 };
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = method_find(call, draft.api, in->resource_id, in->http_method, &at);
    if (!err)
        err = patch_apply(&rules, call->arena, at.method, &in->patch_operations, NULL);
    if (!err)
        err = check(&draft, at.method);
    return draft_answer(&draft, err, at.method, out);
}

gh_err apigw_DeleteMethod(struct call *call, const struct apigw_DeleteMethod_in *in,
                          struct apigw_DeleteMethod_out *out)
{
    (void)out;
    struct draft draft;
    struct method_ref at;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = method_find(call, draft.api, in->resource_id, in->http_method, &at);
    if (!err)
        child_remove(at.resource, "resourceMethods", in->http_method);
    return draft_close(&draft, err);
}

static gh_err put(struct draft *draft, const struct apigw_PutMethod_in *in, json_t **out)
{
    static const char *const members[] = { "authorizationType",  "authorizerId",       "apiKeyRequired",
                                           "operationName",      "requestParameters",  "requestModels",
                                           "requestValidatorId", "authorizationScopes" };
    struct call *call = draft->call;
    json_t *resource;
    bool known = false;
    gh_err err = resource_find(call, draft->api, in->resource_id, &resource);
    if (err)
        return err;
    for (size_t i = 0; i < COUNT(http_methods); i++)
        known |= str_is(in->http_method, http_methods[i]);
    if (!known)
        return ops_bad_request(
            call,
            "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY");
    if (json_at(json_object_get(resource, "resourceMethods"), in->http_method))
        return ops_conflict(call, "Method already exists for this resource");
    *out = json_own(call->arena, json_object());
    json_set_str(*out, "httpMethod", in->http_method);
    json_object_update(*out, ops_given(call, in, members, COUNT(members)));
    json_set_flag(*out, "apiKeyRequired", in->api_key_required.value);
    if ((err = check(draft, *out)))
        return err;
    child_set(resource, "resourceMethods", in->http_method, *out);
    return NULL;
}

static gh_err check(struct draft *draft, json_t *method)
{
    struct str validator = json_str(method, "requestValidatorId");
    gh_err err = check_authorization(draft, method);
    if (!err && validator.ptr && !json_at(json_object_get(draft->api, "requestValidators"), validator))
        err = ops_bad_request(draft->call, "Invalid Request Validator identifier specified");
    if (!err)
        err = check_parameters(draft->call, json_object_get(method, "requestParameters"));
    return err ? err : check_models(draft, json_object_get(method, "requestModels"));
}

/* An authorizer id beside NONE or AWS_IAM is dropped without a word, and "none" does for "NONE", as
 * recorded. */
static gh_err check_authorization(struct draft *draft, json_t *method)
{
    struct str type = str_upper(draft->call->arena, json_str(method, "authorizationType"));
    json_set_str(method, "authorizationType", type);
    bool cognito = str_is(type, "COGNITO_USER_POOLS"), jwt = str_is(type, "JWT");
    if (!cognito && !jwt && json_array_size(json_object_get(method, "authorizationScopes")))
        return ops_bad_request(
            draft->call, "Authorization Scopes are only valid for COGNITO_USER_POOLS authorization type");
    if (str_is(type, "NONE") || str_is(type, "AWS_IAM")) {
        json_object_del(method, "authorizerId");
        return NULL;
    }
    if (!cognito && !jwt && !str_is(type, "CUSTOM"))
        return ops_bad_request(draft->call, "Invalid authorization type specified. Valid options are "
                                            "NONE,AWS_IAM,CUSTOM,COGNITO_USER_POOLS,JWT");
    struct str id = json_str(method, "authorizerId");
    json_t *authorizer = id.ptr ? json_at(json_object_get(draft->api, "authorizers"), id) : NULL;
    struct str kind = json_str(authorizer, "type");
    bool fits = cognito ? str_is(kind, "COGNITO_USER_POOLS")
                : jwt   ? str_is(kind, "JWT")
                        : str_is(kind, "TOKEN") || str_is(kind, "REQUEST");
    if (jwt && !fits)
        return ops_bad_request(draft->call, "Invalid authorizer ID specified. Setting the authorization type to JWT "
                                            "requires a valid JWT authorizer.");
    if (!fits)
        return ops_bad_request(draft->call,
                               "Invalid authorizer ID specified. Setting the authorization type to CUSTOM "
                               "or COGNITO_USER_POOLS requires a valid authorizer.");
    return NULL;
}

static struct str last_part(struct str parameter)
{
    struct str name = parameter, skipped;
    for (int i = 0; i < 3; i++) /* method.request.header. */
        str_split(&name, '.', &skipped);
    return name;
}

static gh_err check_parameters(struct call *call, const json_t *parameters)
{
    const char *one, *other;
    json_t *value;
    gh_err err = mapping_names_check(call, parameters, "method.request", parameter_locations);
    if (err)
        return err;
    json_object_foreach((json_t *)parameters, one, value)
        json_object_foreach((json_t *)parameters, other, value)
            if (one != other && str_eq(last_part(str_of(one)), last_part(str_of(other))))
                return ops_bad_request(call,
                                       "Parameter names must be unique across querystring, header and path");
    return NULL;
}

static gh_err check_models(struct draft *draft, const json_t *models)
{
    const char *type;
    json_t *name;
    gh_err err = content_types_check(draft->call, models);
    if (err)
        return err;
    json_object_foreach((json_t *)models, type, name)
        if (!json_at(json_object_get(draft->api, "models"), json_value_str(name)))
            return ops_bad_request(draft->call, "Invalid model identifier specified: %.*s",
                                   STR_FMT(json_value_str(name)));
    return NULL;
}
