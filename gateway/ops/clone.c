#include "gateway/ops/clone.h"

#include "gateway/ops/resource_policy.h"

/* What belongs to one API alone, and what the new one was given. */
static bool is_own(const struct apigw_CreateRestApi_in *in, const char *name)
{
    static const char *const own[] = { "id", "name", "createdDate", "tags", "resources", "rootResourceId" };
    const struct {
        const char *name;
        bool given;
    } given[] = {
        { "description", in->description.ptr != NULL },
        { "version", in->version.ptr != NULL },
        { "binaryMediaTypes", in->binary_media_types.n > 0 },
        { "minimumCompressionSize", in->minimum_compression_size.set },
        { "apiKeySource", in->api_key_source.ptr != NULL },
        { "disableExecuteApiEndpoint", in->disable_execute_api_endpoint.set },
        { "endpointConfiguration", in->endpoint_configuration != NULL },
        { "policy", in->policy.len > 0 },
    };
    for (size_t i = 0; i < COUNT(own); i++)
        if (strcmp(own[i], name) == 0)
            return true;
    for (size_t i = 0; i < COUNT(given); i++)
        if (strcmp(given[i].name, name) == 0)
            return given[i].given;
    return false;
}

/* A resource under its new id; so are its parent's and the cache namespaces that were its id. */
static json_t *resource_of(struct call *call, const json_t *source, struct str id, const json_t *ids)
{
    json_t *resource = json_own(call->arena, json_deep_copy(source)), *method;
    struct str old = json_str(source, "id"), parent = json_str(source, "parentId");
    const char *verb;
    json_set_str(resource, "id", id);
    if (parent.ptr)
        json_set_str(resource, "parentId", json_value_str(json_at(ids, parent)));
    json_object_foreach(json_object_get(resource, "resourceMethods"), verb, method) {
        json_t *integration = json_object_get(method, "methodIntegration");
        if (str_eq(json_str(integration, "cacheNamespace"), old))
            json_set_str(integration, "cacheNamespace", id);
    }
    return resource;
}

static void clone_resources(struct call *call, const json_t *source, json_t *api)
{
    json_t *ids = json_own(call->arena, json_object()), *resource, *fresh = json_object();
    struct str root = json_str(source, "rootResourceId");
    const char *id;
    json_object_foreach(json_object_get(source, "resources"), id, resource) {
        struct str made = str_is(root, id) ? json_str(api, "rootResourceId") : ops_id(call, 6);
        json_set_str(ids, id, str_copy(call->arena, made));
    }
    json_object_foreach(json_object_get(source, "resources"), id, resource) {
        struct str made = json_str(ids, id);
        json_object_setn(fresh, made.ptr, made.len, resource_of(call, resource, made, ids));
    }
    json_object_set_new(api, "resources", fresh);
}

/* A kept policy names its API in full. */
static gh_err rename_policy(struct call *call, struct str from, json_t *api)
{
    struct str rest = json_str(api, "policy"), id = json_str(api, "id");
    struct strbuf out = strbuf_in(call->arena, rest.len + 1);
    struct str old = str_printf(call->arena, ":%.*s/", STR_FMT(from));
    ptrdiff_t at;
    if (!rest.ptr)
        return NULL;
    gh_err err = resource_policy_may(call, STR("/restapis"));
    while ((at = str_find_str(rest, old)) >= 0) {
        strbuf_add(&out, str_sub(rest, 0, (size_t)at));
        strbuf_printf(&out, ":%.*s/", STR_FMT(id));
        rest = str_from(rest, (size_t)at + old.len);
    }
    strbuf_add(&out, rest);
    json_set_str(api, "policy", strbuf_view(&out));
    return err;
}

gh_err clone_api(struct call *call, struct tx *tx, const struct apigw_CreateRestApi_in *in, json_t *api)
{
    json_t *source = NULL, *value;
    const char *name;
    struct str from = in->clone_from;
    gh_err err = ops_may(call, "apigateway:GET", str_printf(call->arena, "/restapis/%.*s", STR_FMT(from)));
    if (!err)
        err = api_load(call->db, tx, call->arena, (struct api_key){ call->account, call->region, from }, &source);
    if (!err)
        err = api_required(call, source, from);
    if (err)
        return err;
    json_object_foreach(source, name, value)
        if (!is_own(in, name))
            json_object_set_new(api, name, json_deep_copy(value));
    if (!json_object_get(source, "models"))
        json_object_del(api, "models");
    clone_resources(call, source, api);
    return in->policy.len ? NULL : rename_policy(call, from, api);
}

gh_err clone_documentation(struct call *call, struct tx *tx, struct str from, struct str to)
{
    struct docs parts;
    gh_err err = documentation_list(call->db, tx, call->arena, from, STR("part"), &parts);
    for (size_t i = 0; !err && i < parts.n; i++) {
        struct str id = ops_id(call, 6);
        json_set_str(parts.items[i], "id", id);
        documentation_save(tx, to, STR("part"), id, parts.items[i]);
    }
    return err;
}
