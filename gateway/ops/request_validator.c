/* Request validators: which checks a method asks for. */
#include "gateway/ops/ops.h"
#include "gateway/ops/patch.h"

static gh_err find(struct call *call, const json_t *api, struct str id, json_t **out);
static gh_err patch_name(struct patch *patch);

static const struct patch_row rows[] = {
    { "/name", PATCH_REPLACE, patch_name },
    { "/validateRequestParameters", PATCH_REPLACE, patch_flag },
    { "/validateRequestBody", PATCH_REPLACE, patch_flag },
};
static const struct patch_rules rules = { rows, COUNT(rows), patch_refuse_listed,
                                          "[/name, /validateRequestParameters, /validateRequestBody]" };

/* An unknown API is a BadRequest here, and only here [recorded]. */
gh_err apigw_CreateRequestValidator(struct call *call, const struct apigw_CreateRequestValidator_in *in,
                                    struct apigw_CreateRequestValidator_out *out)
{
    struct draft draft;
    json_t *validator = json_own(call->arena, json_object());
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err && !draft.api)
        err = ops_bad_request(call, "Invalid REST API identifier specified");
    if (!err && in->name.ptr && !in->name.len)
        err = ops_bad_request(call, "Request Validator name cannot be blank");
    if (!err) {
        json_set_str(validator, "id", ops_id(call, 6));
        json_set_str(validator, "name", in->name);
        json_set_flag(validator, "validateRequestBody", in->validate_request_body.value);
        json_set_flag(validator, "validateRequestParameters", in->validate_request_parameters.value);
        child_set(draft.api, "requestValidators", json_str(validator, "id"), validator);
    }
    return draft_answer(&draft, err, validator, out);
}

gh_err apigw_GetRequestValidator(struct call *call, const struct apigw_GetRequestValidator_in *in,
                                 struct apigw_GetRequestValidator_out *out)
{
    json_t *api, *validator;
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err)
        err = find(call, api, in->request_validator_id, &validator);
    return err ? err : ops_answer(call, validator, out);
}

gh_err apigw_GetRequestValidators(struct call *call, const struct apigw_GetRequestValidators_in *in,
                                  struct apigw_GetRequestValidators_out *out)
{
    json_t *api;
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err)
        err = api_required(call, api, in->rest_api_id);
    if (err)
        return err;
    struct docs docs = docs_of(call->arena, json_object_get(api, "requestValidators"));
    return ops_answer_page(call, &docs, "id", in->position, in->limit, out);
}

gh_err apigw_UpdateRequestValidator(struct call *call, const struct apigw_UpdateRequestValidator_in *in,
                                    struct apigw_UpdateRequestValidator_out *out)
{
    struct draft draft;
    json_t *validator = NULL;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = find(call, draft.api, in->request_validator_id, &validator);
    if (!err)
        err = patch_apply(&rules, call->arena, validator, &in->patch_operations, NULL);
    return draft_answer(&draft, err, validator, out);
}

gh_err apigw_DeleteRequestValidator(struct call *call, const struct apigw_DeleteRequestValidator_in *in,
                                    struct apigw_DeleteRequestValidator_out *out)
{
    (void)out;
    struct draft draft;
    json_t *validator, *resource, *method;
    const char *id, *name;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = find(call, draft.api, in->request_validator_id, &validator);
    if (!err)
        json_object_foreach(json_object_get(draft.api, "resources"), id, resource)
            json_object_foreach(json_object_get(resource, "resourceMethods"), name, method)
                if (!err && str_eq(json_str(method, "requestValidatorId"), in->request_validator_id))
                    err = ops_conflict(
                        call, "Cannot delete request validator '%.*s', is referenced in method: %s/%.*s",
                        STR_FMT(json_str(validator, "name")), name, STR_FMT(json_str(resource, "path")));
    if (!err)
        child_remove(draft.api, "requestValidators", in->request_validator_id);
    return draft_close(&draft, err);
}

static gh_err find(struct call *call, const json_t *api, struct str id, json_t **out)
{
    *out = api ? json_at(json_object_get(api, "requestValidators"), id) : NULL;
    return *out ? NULL : ops_not_found(call, "Invalid Request Validator identifier specified");
}

static gh_err patch_name(struct patch *patch)
{
    if (str_empty(patch->value))
        return gh_fail(patch->arena, &apigw_BadRequestException, "Request Validator name cannot be blank");
    return patch_string(patch);
}
