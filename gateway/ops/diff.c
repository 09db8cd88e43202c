#include "gateway/ops/diff.h"

#include "gateway/ops/stage.h"

struct diff {
    struct arena *arena;
    json_t *list;
    const char *part; /* "method" */
    struct str name;  /* "GET /pets" */
};

/* --- one difference --- */

static void add(struct diff *diff, struct str field, json_t *draft, json_t *live)
{
    json_t *one = json_object();
    json_set_str(one, "change", draft && live ? STR("changed") : draft ? STR("added") : STR("removed"));
    json_set_str(one, "part", str_of(diff->part));
    json_set_str(one, "name", diff->name);
    if (field.len)
        json_set_str(one, "field", field);
    if (draft)
        json_object_set(one, "draft", draft);
    if (live)
        json_object_set(one, "live", live);
    json_array_append_new(diff->list, one);
}

/* A JSON Pointer's next segment. */
static struct str below(struct diff *diff, struct str field, const char *name)
{
    struct strbuf out = strbuf_in(diff->arena, field.len + strlen(name) + 8);
    strbuf_add(&out, field);
    strbuf_char(&out, '/');
    for (; *name; name++) {
        if (*name == '~' || *name == '/')
            strbuf_add(&out, *name == '~' ? STR("~0") : STR("~1"));
        else
            strbuf_char(&out, *name);
    }
    return strbuf_view(&out);
}

/* Objects field by field, everything else as a whole. */
static void compare(struct diff *diff, struct str field, json_t *draft, json_t *live)
{
    const char *name;
    json_t *value;
    if (draft && live && json_equal(draft, live))
        return;
    if (!json_is_object(draft) || !json_is_object(live)) {
        add(diff, field, draft, live);
        return;
    }
    json_object_foreach(draft, name, value)
        compare(diff, below(diff, field, name), value, json_object_get(live, name));
    json_object_foreach(live, name, value)
        if (!json_object_get(draft, name))
            compare(diff, below(diff, field, name), NULL, value);
}

/* --- named things: {"GET /pets": …} in both --- */

static void compare_named(struct diff *diff, const char *part, json_t *draft, json_t *live)
{
    const char *name;
    json_t *value;
    diff->part = part;
    json_object_foreach(draft, name, value) {
        diff->name = str_of(name);
        compare(diff, STR(""), value, json_object_get(live, name));
    }
    json_object_foreach(live, name, value) {
        diff->name = str_of(name);
        if (!json_object_get(draft, name))
            compare(diff, STR(""), NULL, value);
    }
}

/* {"/pets": {}} and {"GET /pets": method} of an API. */
static void list_resources(struct diff *diff, const json_t *api, json_t *resources, json_t *methods)
{
    const char *id, *verb;
    json_t *resource, *method;
    json_object_foreach(json_object_get(api, "resources"), id, resource) {
        const char *path = json_string_value(json_object_get(resource, "path"));
        json_object_set_new(resources, path, json_object());
        json_object_foreach(json_object_get(resource, "resourceMethods"), verb, method) {
            json_t *copy = json_deep_copy(method);
            json_t *integration = json_object_get(copy, "methodIntegration");
            /* the resource's id unless somebody has named it */
            if (str_eq(json_str(integration, "cacheNamespace"), str_of(id)))
                json_object_del(integration, "cacheNamespace");
            json_object_set_new(methods, str_printf(diff->arena, "%s %s", verb, path).ptr, copy);
        }
    }
}

/* Those of `members` under their `name`, without the id that hides whether they are alike. */
static json_t *by_name(struct diff *diff, const json_t *api, const char *members, bool keep_id)
{
    json_t *out = json_own(diff->arena, json_object()), *one;
    const char *key;
    json_object_foreach(json_object_get(api, members), key, one) {
        json_t *copy = json_deep_copy(one);
        struct str name = json_str(one, "name");
        if (!keep_id)
            json_object_del(copy, "id");
        json_object_set_new(out, name.ptr && !keep_id ? str_c(diff->arena, name) : key, copy);
    }
    return out;
}

/* What is neither a child nor outside of deployments: tags and names of the day hold at once. */
static json_t *settings_of(struct diff *diff, const json_t *api)
{
    static const char *const others[] = { "resources", "models", "authorizers", "requestValidators", "gatewayResponses",
                                          "rootResourceId", "tags", "createdDate", "id" };
    json_t *copy = json_own(diff->arena, json_copy((json_t *)(uintptr_t)api));
    for (size_t i = 0; i < COUNT(others); i++)
        json_object_del(copy, others[i]);
    return copy;
}

json_t *api_diff(struct arena *arena, const json_t *draft, const json_t *live)
{
    struct diff diff = { .arena = arena, .list = json_own(arena, json_array()), .part = "api" };
    json_t *resources[2], *methods[2];
    for (int i = 0; i < 2; i++) {
        resources[i] = json_own(arena, json_object());
        methods[i] = json_own(arena, json_object());
        list_resources(&diff, i ? live : draft, resources[i], methods[i]);
    }
    diff.name = json_str(draft, "name");
    compare(&diff, STR(""), settings_of(&diff, draft), settings_of(&diff, live));
    compare_named(&diff, "resource", resources[0], resources[1]);
    compare_named(&diff, "method", methods[0], methods[1]);
    compare_named(&diff, "model", by_name(&diff, draft, "models", false), by_name(&diff, live, "models", false));
    /* methods point to these by id: under another id it is another one */
    compare_named(&diff, "authorizer", by_name(&diff, draft, "authorizers", true), by_name(&diff, live, "authorizers", true));
    compare_named(&diff, "requestValidator", by_name(&diff, draft, "requestValidators", true),
                  by_name(&diff, live, "requestValidators", true));
    compare_named(&diff, "gatewayResponse", by_name(&diff, draft, "gatewayResponses", true),
                  by_name(&diff, live, "gatewayResponses", true));
    return diff.list;
}

/* --- of a stage --- */

static gh_err put_diff(struct call *call, json_t *answer, const json_t *draft, struct str api_id, struct str deployment_id)
{
    json_t *live = NULL;
    gh_err err = deployment_api(call->db, call->arena, api_id, deployment_id, &live);
    if (err)
        return err;
    json_t *differences = api_diff(call->arena, draft, live);
    json_set_str(answer, "deploymentId", deployment_id);
    json_set_flag(answer, "same", json_array_size(differences) == 0);
    json_object_set(answer, "differences", differences);
    return NULL;
}

gh_err stage_diff_get(struct call *call, void *ctx, struct str *json)
{
    const struct stage_diff_request *request = ctx;
    json_t *api, *stage = NULL, *answer = json_own(call->arena, json_object());
    gh_err err = draft_read(call, request->api_id, &api);
    if (!err)
        err = stage_find(call, NULL, api, request->api_id, request->stage, &stage);
    if (err)
        return err;
    json_set_str(answer, "restApiId", request->api_id);
    json_set_str(answer, "stageName", request->stage);
    err = put_diff(call, answer, api, request->api_id, json_str(stage, "deploymentId"));
    json_t *canary = json_object_get(stage, "canarySettings");
    if (!err && canary)
        err = put_diff(call, child_object(answer, "canary"), api, request->api_id, json_str(canary, "deploymentId"));
    json_t *watch = json_object_get(stage, "watch"), *taken_back = json_object_get(stage, "takenBack");
    if (json_i64(watch, "untilUs", 0) > call->now_us)
        json_object_set(answer, "watch", watch);
    if (taken_back)
        json_object_set(answer, "takenBack", taken_back);
    *json = json_print(call->arena, answer);
    return err;
}
