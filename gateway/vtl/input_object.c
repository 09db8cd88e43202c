/* $input: the payload and the parameters of the request. */
#include "core/jsonpath.h"
#include "gateway/vtl/eval.h"

static json_t *payload(struct vtl_input *input)
{
    if (!input->parsed) {
        input->parsed = true;
        input->json = json_parse(input->arena, input->body, NULL);
    }
    return input->json;
}

/* False: the path itself is wrong, which ends the run. */
static bool look_up(struct vtl_input *input, struct vtl_run *run, struct str text, json_t **found)
{
    struct str why = STR_NONE;
    struct jsonpath *path = jsonpath_compile(input->arena, text, &why);
    if (!path)
        return vtl_run_fail(run, "JSONPath '%.*s': %.*s", STR_FMT(text), STR_FMT(why));
    *found = jsonpath_find(input->arena, path, payload(input));
    return true;
}

/* "returns the result as a JSON string"; what is missing is an empty string. */
static bool input_json(struct vtl_input *input, struct vtl_run *run, struct str path, struct vtl_value *out)
{
    json_t *found = NULL;
    if (!look_up(input, run, path, &found))
        return false;
    *out = vtl_text(found ? json_print(input->arena, found) : STR("\"\""));
    return true;
}

static bool input_path(struct vtl_input *input, struct vtl_run *run, struct str path, struct vtl_value *out)
{
    json_t *found = NULL;
    if (!look_up(input, run, path, &found))
        return false;
    *out = vtl_of_json(input->arena, found);
    return true;
}

static struct vtl_value all_params(struct vtl_input *input)
{
    struct vtl_map *map = vtl_map_new(input->arena);
    vtl_map_put(map, STR("path"), input->path);
    vtl_map_put(map, STR("querystring"), input->querystring);
    vtl_map_put(map, STR("header"), input->header);
    return vtl_map_value(map);
}

/* "searches for the parameter in path, query string and header (in this order)". */
static struct vtl_value one_param(struct vtl_input *input, struct str name)
{
    const struct vtl_value *places[] = { &input->path, &input->querystring, &input->header };
    for (size_t i = 0; i < COUNT(places); i++) {
        struct vtl_value *found = places[i]->kind == VTL_MAP ? vtl_map_find(places[i]->map, name) : NULL;
        if (found)
            return *found;
    }
    return vtl_text(STR(""));
}

static bool input_get(void *self, struct str name, struct vtl_value *out)
{
    struct vtl_input *input = self;
    if (!str_is(name, "body"))
        return false;
    *out = vtl_text(input->body.len ? input->body : STR("{}")); /* recorded: no payload reads as {} */
    return true;
}

static bool input_call(void *self, struct vtl_run *run, struct str name, const struct vtl_value *args, size_t n,
                       struct vtl_value *out)
{
    struct vtl_input *input = self;
    bool one_text = n == 1 && args[0].kind == VTL_STRING;
    if (str_is(name, "params") && n == 0) {
        *out = all_params(input);
        return true;
    }
    if (!str_is(name, "params") && !str_is(name, "json") && !str_is(name, "path"))
        return false;
    if (!one_text)
        return vtl_run_fail(run, "$input.%.*s takes one string", STR_FMT(name));
    if (str_is(name, "json"))
        return input_json(input, run, args[0].text, out);
    if (str_is(name, "path"))
        return input_path(input, run, args[0].text, out);
    *out = one_param(input, args[0].text);
    return true;
}

static const struct vtl_class input_class = { "$input", input_get, input_call };

struct vtl_value vtl_input(struct vtl_input *input)
{
    return (struct vtl_value){ .kind = VTL_OBJECT, .object = { &input_class, input } };
}
