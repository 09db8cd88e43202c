#include "gateway/compile/models.h"

struct library {
    struct arena *arena;
    const json_t *api;
};

struct str model_reference(struct str uri, struct str *api_id)
{
    struct str scheme = STR("https://"), folder = STR("/restapis/"), models = STR("/models/");
    if (!str_starts(uri, scheme))
        return STR_NONE;
    struct str host = str_from(uri, scheme.len);
    ptrdiff_t at = str_find_str(host, folder);
    if (at < 0 || !str_starts(host, STR("apigateway.")) || str_find(str_sub(host, 0, (size_t)at), '/') >= 0)
        return STR_NONE;
    struct str rest = str_from(host, (size_t)at + folder.len);
    ptrdiff_t end = str_find_str(rest, models);
    if (end < 1)
        return STR_NONE;
    *api_id = str_sub(rest, 0, (size_t)end);
    struct str name = str_from(rest, (size_t)end + models.len);
    ptrdiff_t fragment = str_find(name, '#');
    name = fragment < 0 ? name : str_sub(name, 0, (size_t)fragment);
    return name.len && str_find(name, '/') < 0 ? name : STR_NONE;
}

static const struct jt *model_tree(struct library *library, struct str name, struct str *why)
{
    const json_t *model = json_at(json_object_get(library->api, "models"), name);
    if (!model) {
        *why = STR("no such model");
        return NULL;
    }
    struct str type = json_str(model, "contentType");
    if (!str_is(type, "application/json") && !str_ends(type, STR("+json"))) {
        *why = str_printf(library->arena, "only JSON is validated, this is %.*s", STR_FMT(type));
        return NULL;
    }
    return jt_parse(library->arena, str_copy(library->arena, json_str(model, "schema")), why);
}

static const struct jt *look_up(void *user, struct str uri)
{
    struct library *library = user;
    struct str api_id, why, name = model_reference(uri, &api_id);
    if (!name.ptr || !str_eq(api_id, json_str(library->api, "id")))
        return NULL;
    return model_tree(library, name, &why);
}

static const struct jsonschema *compile(struct library *library, const struct jt *tree, struct str name, struct str *why)
{
    const struct jsonschema_names names = { look_up, library };
    struct str uri = str_printf(library->arena, "https://apigateway.amazonaws.com/restapis/%.*s/models/%.*s",
                                STR_FMT(json_str(library->api, "id")), STR_FMT(name));
    return tree ? jsonschema_compile(library->arena, tree, uri, &names, why) : NULL;
}

const struct jsonschema *model_compile(struct arena *arena, const json_t *api, struct str name, struct str *why)
{
    struct library library = { arena, api };
    return compile(&library, model_tree(&library, name, why), name, why);
}

const struct jsonschema *model_compile_text(struct arena *arena, const json_t *api, struct str text, struct str *why)
{
    struct library library = { arena, api };
    return compile(&library, jt_parse(arena, text, why), STR(""), why);
}
