/* Models: JSON schemas under a name. */
#include "gateway/compile/models.h"
#include "gateway/ops/mapping.h"
#include "gateway/ops/model_schema.h"
#include "gateway/ops/patch.h"

static gh_err create(struct draft *draft, const struct apigw_CreateModel_in *in, json_t **out);
static gh_err check(struct call *call, const json_t *api, const json_t *model);
static gh_err check_unused(struct call *call, const json_t *api, struct str name);
static gh_err find(struct call *call, const json_t *api, struct str name, json_t **out);

static const struct patch_row rows[] = {
    { "/description", PATCH_REPLACE, patch_text },
    { "/schema", PATCH_REPLACE, patch_string },
};
static const struct patch_rules rules = { rows, COUNT(rows), patch_refuse_listed, "[/description, /schema]" };

gh_err apigw_CreateModel(struct call *call, const struct apigw_CreateModel_in *in,
                         struct apigw_CreateModel_out *out)
{
    struct draft draft;
    json_t *model = NULL;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = api_required(call, draft.api, in->rest_api_id);
    if (!err)
        err = create(&draft, in, &model);
    return draft_answer(&draft, err, model, out);
}

gh_err apigw_GetModel(struct call *call, const struct apigw_GetModel_in *in, struct apigw_GetModel_out *out)
{
    json_t *api, *model;
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err)
        err = find(call, api, in->model_name, &model);
    if (!err && in->flatten.value)
        model = model_flattened(call->arena, api, model);
    return err ? err : ops_answer(call, model, out);
}

/* "Generates a sample mapping template that can be used to transform a payload into the structure of a model." */
gh_err apigw_GetModelTemplate(struct call *call, const struct apigw_GetModelTemplate_in *in,
                              struct apigw_GetModelTemplate_out *out)
{
    json_t *api, *model;
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err)
        err = find(call, api, in->model_name, &model);
    if (err)
        return err;
    json_t *answer = json_own(call->arena, json_object());
    json_set_str(answer, "value", model_template(call->arena, api, model));
    return ops_answer(call, answer, out);
}

gh_err apigw_GetModels(struct call *call, const struct apigw_GetModels_in *in,
                       struct apigw_GetModels_out *out)
{
    json_t *api;
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err)
        err = api_required(call, api, in->rest_api_id);
    if (err)
        return err;
    struct docs docs = docs_of(call->arena, json_object_get(api, "models"));
    return ops_answer_page(call, &docs, "name", in->position, in->limit, out);
}

gh_err apigw_UpdateModel(struct call *call, const struct apigw_UpdateModel_in *in,
                         struct apigw_UpdateModel_out *out)
{
    struct draft draft;
    json_t *model = NULL;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = find(call, draft.api, in->model_name, &model);
    if (!err)
        err = patch_apply(&rules, call->arena, model, &in->patch_operations, NULL);
    if (!err)
        err = check(call, draft.api, model);
    return draft_answer(&draft, err, model, out);
}

gh_err apigw_DeleteModel(struct call *call, const struct apigw_DeleteModel_in *in,
                         struct apigw_DeleteModel_out *out)
{
    (void)out;
    struct draft draft;
    json_t *model;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = find(call, draft.api, in->model_name, &model);
    if (!err)
        err = check_unused(call, draft.api, in->model_name);
    if (!err)
        child_remove(draft.api, "models", in->model_name);
    return draft_close(&draft, err);
}

static gh_err create(struct draft *draft, const struct apigw_CreateModel_in *in, json_t **out)
{
    struct call *call = draft->call;
    if (str_empty(in->name))
        return ops_bad_request(call, "Model name must be non-empty");
    for (size_t i = 0; i < in->name.len; i++) {
        char c = in->name.ptr[i];
        if (!((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9'))
            return ops_bad_request(call, "Model name must be alphanumeric: %.*s", STR_FMT(in->name));
    }
    if (json_at(json_object_get(draft->api, "models"), in->name))
        return ops_conflict(call, "Model name already exists for this REST API");
    *out = json_own(call->arena, json_object());
    json_set_str(*out, "id", ops_id(call, 6));
    json_set_str(*out, "name", in->name);
    if (in->description.len)
        json_set_str(*out, "description", in->description);
    json_set_str(*out, "schema", in->schema);
    json_set_str(*out, "contentType", in->content_type);
    gh_err err = check(call, draft->api, *out);
    if (err)
        return err;
    child_set(draft->api, "models", in->name, *out);
    return NULL;
}

/* "For application/json models, this should be JSON schema draft 4 model." */
static gh_err check(struct call *call, const json_t *api, const json_t *model)
{
    struct str type = json_str(model, "contentType"), schema = json_str(model, "schema");
    ptrdiff_t slash = str_find(type, '/');
    if (slash < 1 || (size_t)slash + 1 == type.len)
        return ops_bad_request(call, "Invalid content type specified: %.*s", STR_FMT(type));
    if (str_empty(schema))
        return ops_bad_request(call, "Model schema must have at least 1 property or array items defined");
    struct str errors = str_is(type, "application/json") ? model_schema_errors(call->arena, api, schema) : STR_NONE;
    if (!errors.ptr)
        return NULL;
    return ops_bad_request(call, "Invalid model specified: Validation Result: warnings : [], errors : [%.*s]",
                           STR_FMT(errors));
}

static bool names_model(const json_t *models, struct str name)
{
    const char *type;
    json_t *one;
    json_object_foreach((json_t *)models, type, one)
        if (str_eq(json_value_str(one), name))
            return true;
    return false;
}

/* Path and method run together: "//ANY" for the root, "/test/ANY" below it; of several the last is
 * named [recorded]. */
static gh_err check_unused(struct call *call, const json_t *api, struct str name)
{
    const char *id, *verb, *status;
    json_t *resource, *method, *response;
    struct str user = STR_NONE;
    json_object_foreach(json_object_get(api, "resources"), id, resource) {
        struct str path = json_str(resource, "path");
        json_object_foreach(json_object_get(resource, "resourceMethods"), verb, method) {
            json_object_foreach(json_object_get(method, "methodResponses"), status, response)
                if (names_model(json_object_get(response, "responseModels"), name))
                    user = str_printf(call->arena, "response: %.*s/%s/%s", STR_FMT(path), verb, status);
            if (names_model(json_object_get(method, "requestModels"), name))
                user = str_printf(call->arena, "request: %.*s/%s", STR_FMT(path), verb);
        }
    }
    if (!user.ptr)
        return NULL;
    return ops_conflict(call, "Cannot delete model '%.*s', is referenced in method %.*s", STR_FMT(name),
                        STR_FMT(user));
}

static gh_err find(struct call *call, const json_t *api, struct str name, json_t **out)
{
    *out = api ? json_at(json_object_get(api, "models"), name) : NULL;
    return *out ? NULL : ops_not_found(call, "Invalid model name specified: %.*s", STR_FMT(name));
}
