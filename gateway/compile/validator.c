/* Request validators: "the required request parameters in the URI, query string, and headers of an incoming
 * request are included and not blank", and "the applicable request payload adheres to the configured JSON schema
 * request model of the method". */
#include "gateway/compile/compile.h"
#include "gateway/compile/models.h"

static bool compile_required(struct compiler *c, const json_t *json, struct gw_method *method)
{
    json_t *wanted = json_object_get(json, "requestParameters"), *required;
    const char *name;
    method->required = ARENA_ARRAY(c->arena, struct gw_mapping, json_object_size(wanted) + 1);
    json_object_foreach(wanted, name, required) {
        struct gw_source source;
        if (!json_is_true(required))
            continue;
        if (!compile_source(c, str_of(name), &source))
            return false;
        method->required[method->n_required++] = (struct gw_mapping){
            .place = source.kind == SOURCE_HEADER ? TO_HEADER : source.kind == SOURCE_QUERY ? TO_QUERY : TO_PATH,
            .name = source.name,
        };
    }
    return true;
}

/* A model is compiled once, however many methods use it. */
static const struct jsonschema *model_schema(struct compiler *c, struct str name)
{
    const struct snapshot *s = c->snapshot;
    for (size_t i = 0; i < s->n_methods; i++)
        for (size_t k = 0; k < s->methods[i].n_models; k++)
            if (str_eq(s->methods[i].models[k].name, name))
                return s->methods[i].models[k].schema;
    struct str why = STR_NONE;
    const struct jsonschema *schema = model_compile(c->arena, c->api, name, &why);
    if (!schema)
        compile_fail(c, "model '%.*s': %.*s", STR_FMT(name), STR_FMT(why));
    return schema;
}

static bool compile_models(struct compiler *c, const json_t *json, struct gw_method *method)
{
    json_t *models = json_object_get(json, "requestModels"), *name;
    const char *type;
    method->models = ARENA_ARRAY(c->arena, struct gw_model, json_object_size(models) + 1);
    json_object_foreach(models, type, name) {
        struct gw_model model = { .type = str_lower(c->arena, str_of(type)),
                                  .name = compile_copy(c, json_value_str(name)) };
        model.schema = model_schema(c, model.name);
        if (!model.schema)
            return false;
        method->models[method->n_models++] = model;
    }
    return true;
}

bool compile_validator(struct compiler *c, const json_t *json, struct gw_method *method)
{
    struct str id = json_str(json, "requestValidatorId");
    if (!id.len)
        return true;
    const json_t *validator = json_at(json_object_get(c->api, "requestValidators"), id);
    if (!validator)
        return compile_fail(c, "request validator '%.*s' is missing", STR_FMT(id));
    return (!json_flag(validator, "validateRequestParameters", false) || compile_required(c, json, method)) &&
           (!json_flag(validator, "validateRequestBody", false) || compile_models(c, json, method));
}
