/* $input: the payload and the parameters of the request. */
#include "core/jsonpath.h"
#include "gateway/vtl/eval.h"

static const struct jt *payload(struct vtl_input *input)
{
    if (!input->parsed) {
        input->parsed = true;
        input->json = jt_parse(input->arena, input->body, NULL);
    }
    return input->json;
}

/* False: the path itself is wrong, which ends the run. */
static bool look_up(struct vtl_input *input, struct vtl_run *run, struct str text, const struct jt **found)
{
    struct str why = STR_NONE;
    const struct jsonpath *path = vtl_run_prepared(run);
    if (!path)
        path = jsonpath_compile(input->arena, text, &why);
    if (!path)
        return vtl_run_fail(run, "JSONPath '%.*s': %.*s", STR_FMT(text), STR_FMT(why));
    int64_t before = vtl_run_left(run) * 4, visits = before;
    *found = jsonpath_find(input->arena, path, payload(input), &visits);
    vtl_run_charge(run, (before - visits) / 4);
    return true;
}

/* "returns the result as a JSON string"; what is missing is an empty string. */
static bool input_json(struct vtl_input *input, struct vtl_run *run, struct str path, struct vtl_value *out)
{
    const struct jt *found = NULL;
    if (!look_up(input, run, path, &found))
        return false;
    struct strbuf text = strbuf_in(input->arena, found == input->json ? input->body.len + 16 : 64);
    if (found)
        jt_print(&text, found);
    *out = vtl_text(found ? strbuf_view(&text) : STR("\"\""));
    vtl_run_charge(run, (int64_t)(text.len / 64));
    return true;
}

static bool input_path(struct vtl_input *input, struct vtl_run *run, struct str path, struct vtl_value *out)
{
    const struct jt *found = NULL;
    int64_t values = 0;
    if (!look_up(input, run, path, &found))
        return false;
    *out = vtl_of_tree(input->arena, found, &values);
    vtl_run_charge(run, values / 8);
    return true;
}

static void filled(struct vtl_input *input)
{
    if (input->fill)
        input->fill(input);
    input->fill = NULL;
}

static struct vtl_value all_params(struct vtl_input *input)
{
    filled(input);
    struct vtl_map *map = vtl_map_new(input->arena);
    vtl_map_put(map, STR("path"), input->path);
    vtl_map_put(map, STR("querystring"), input->querystring);
    vtl_map_put(map, STR("header"), input->header);
    return vtl_map_value(map);
}

/* "searches for the parameter in path, query string and header (in this order)". */
static struct vtl_value one_param(struct vtl_input *input, struct str name)
{
    filled(input);
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

static const struct vtl_class input_class = { "$input", input_get, input_call, NULL };

struct vtl_value vtl_input(struct vtl_input *input)
{
    return (struct vtl_value){ .kind = VTL_OBJECT, .object = { &input_class, input } };
}
