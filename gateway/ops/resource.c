/* Resources: the tree of paths. A resource knows its parent; paths are kept with it and rewritten
 * when it or one above it moves. */
#include "gateway/ops/ops.h"
#include "gateway/ops/patch.h"

static gh_err create(struct draft *draft, const struct apigw_CreateResource_in *in, json_t **out);
static gh_err update(struct draft *draft, const struct apigw_UpdateResource_in *in, json_t **out);
static void delete_tree(struct draft *draft, struct str id);
static gh_err check_place(struct draft *draft, const json_t *parent, struct str path_part,
                          const json_t *self);
static void rewrite_path(struct draft *draft, json_t *resource);
static bool is_below(const json_t *api, struct str id, struct str ancestor);
static json_t *shown(struct call *call, const json_t *resource, bool whole_methods);
static gh_err embeds_methods(struct call *call, const struct apigw_ListOfString *embed, bool *out);

enum { RESOURCES_AWS = 300, RESOURCES_MAX = 20000 };

static const struct patch_row rows[] = {
    { "/pathPart", PATCH_REPLACE, patch_string },
    { "/parentId", PATCH_REPLACE, patch_string },
};
static const struct patch_rules rules = { rows, COUNT(rows), patch_refuse_listed, "[/parentId, /pathPart]" };

gh_err apigw_CreateResource(struct call *call, const struct apigw_CreateResource_in *in,
                            struct apigw_CreateResource_out *out)
{
    struct draft draft;
    json_t *resource = NULL;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = create(&draft, in, &resource);
    return draft_answer(&draft, err, resource, out);
}

gh_err apigw_GetResource(struct call *call, const struct apigw_GetResource_in *in,
                         struct apigw_GetResource_out *out)
{
    json_t *api, *resource;
    bool whole;
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err)
        err = resource_find(call, api, in->resource_id, &resource);
    if (!err)
        err = embeds_methods(call, &in->embed, &whole);
    return err ? err : ops_answer(call, shown(call, resource, whole), out);
}

/* Sorted by path, as recorded. */
gh_err apigw_GetResources(struct call *call, const struct apigw_GetResources_in *in,
                          struct apigw_GetResources_out *out)
{
    json_t *api;
    bool whole;
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err)
        err = api_required(call, api, in->rest_api_id);
    if (!err)
        err = embeds_methods(call, &in->embed, &whole);
    if (err)
        return err;
    struct docs docs = docs_of(call->arena, json_object_get(api, "resources"));
    for (size_t i = 0; i < docs.n; i++)
        docs.items[i] = shown(call, docs.items[i], whole);
    return ops_answer_page(call, &docs, "path", in->position, in->limit, out);
}

gh_err apigw_UpdateResource(struct call *call, const struct apigw_UpdateResource_in *in,
                            struct apigw_UpdateResource_out *out)
{
    struct draft draft;
    json_t *resource = NULL;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = update(&draft, in, &resource);
    return draft_answer(&draft, err, err ? NULL : shown(call, resource, false), out);
}

gh_err apigw_DeleteResource(struct call *call, const struct apigw_DeleteResource_in *in,
                            struct apigw_DeleteResource_out *out)
{
    (void)out;
    struct draft draft;
    json_t *resource;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = resource_find(call, draft.api, in->resource_id, &resource);
    if (!err && !json_object_get(resource, "parentId"))
        err = ops_bad_request(call, "Root resource cannot be deleted.");
    if (!err)
        delete_tree(&draft, in->resource_id);
    return draft_close(&draft, err);
}

static gh_err create(struct draft *draft, const struct apigw_CreateResource_in *in, json_t **out)
{
    json_t *parent;
    struct call *call = draft->call;
    gh_err err = resource_find(call, draft->api, in->parent_id, &parent);
    if (!err)
        err = check_place(draft, parent, in->path_part, NULL);
    if (!err) /* the root does not count */
        err = ops_limit(call, json_object_size(json_object_get(draft->api, "resources")) - 1, RESOURCES_AWS,
                        RESOURCES_MAX, "Resources for this API");
    if (err)
        return err;
    *out = json_own(call->arena, json_object());
    json_set_str(*out, "id", ops_id(call, 6));
    json_set_str(*out, "parentId", in->parent_id);
    json_set_str(*out, "pathPart", in->path_part);
    child_set(draft->api, "resources", json_str(*out, "id"), *out);
    rewrite_path(draft, *out);
    return NULL;
}

/* Replaces each on a copy first, so that what stands is what the checks compare with. */
static gh_err update(struct draft *draft, const struct apigw_UpdateResource_in *in, json_t **out)
{
    struct call *call = draft->call;
    json_t *parent;
    gh_err err = resource_find(call, draft->api, in->resource_id, out);
    if (err)
        return err;
    json_t *wanted = json_own(call->arena, json_copy(*out));
    if ((err = patch_apply(&rules, call->arena, wanted, &in->patch_operations, NULL)))
        return err;
    struct str part = json_str(wanted, "pathPart"), parent_id = json_str(wanted, "parentId");
    if (!json_object_get(*out, "parentId")) {
        if (part.ptr)
            return ops_bad_request(call, "Root resource cannot update its pathPart.");
        return parent_id.ptr ? ops_bad_request(call, "Root resource cannot update its parentId.") : NULL;
    }
    if ((err = resource_find(call, draft->api, parent_id, &parent)))
        return err;
    if (is_below(draft->api, parent_id, in->resource_id))
        return ops_bad_request(call, "Resources cannot be cyclical.");
    if ((err = check_place(draft, parent, part, *out)))
        return err;
    json_set_str(*out, "parentId", parent_id);
    json_set_str(*out, "pathPart", part);
    rewrite_path(draft, *out);
    return NULL;
}

/* Names are gathered before any of them goes: what is below is found by way of its parents. */
static void delete_tree(struct draft *draft, struct str id)
{
    json_t *resources = json_object_get(draft->api, "resources"), *one;
    const char *name, **doomed = ARENA_ARRAY(draft->call->arena, const char *, json_object_size(resources));
    size_t n = 0;
    json_object_foreach(resources, name, one)
        if (is_below(draft->api, str_of(name), id))
            doomed[n++] = str_c(draft->call->arena, str_of(name));
    for (size_t i = 0; i < n; i++)
        json_object_del(resources, doomed[i]);
}

static bool is_variable(struct str part)
{
    return part.len > 2 && part.ptr[0] == '{';
}

static bool is_greedy(struct str part)
{
    return is_variable(part) && str_ends(part, STR("+}"));
}

/* "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at
 * the beginning and the end." */
static bool path_part_valid(struct str part)
{
    if (is_variable(part)) {
        if (part.ptr[part.len - 1] != '}')
            return false;
        part = str_sub(part, 1, part.len - (is_greedy(part) ? 3 : 2));
    }
    for (size_t i = 0; i < part.len; i++) {
        char c = part.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!c || (!letter && !strchr("._-:", c)))
            return false;
    }
    return part.len > 0;
}

/* May `path_part` stand below `parent`? self: the resource that moves there, NULL for a new one. */
static gh_err check_place(struct draft *draft, const json_t *parent, struct str path_part, const json_t *self)
{
    struct str parent_part = json_str(parent, "pathPart"), parent_id = json_str(parent, "id");
    if (is_greedy(parent_part))
        return ops_bad_request(draft->call,
                               "Cannot create a child of a resource with a greedy path variable: %.*s",
                               STR_FMT(parent_part));
    if (!path_part_valid(path_part))
        return ops_bad_request(draft->call,
                               "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path "
                               "variable and curly braces at the beginning and the end.");
    const char *name;
    json_t *other;
    json_object_foreach(json_object_get(draft->api, "resources"), name, other) {
        struct str part = json_str(other, "pathPart");
        if (other == self || !str_eq(json_str(other, "parentId"), parent_id))
            continue;
        if (str_eq(part, path_part))
            return ops_conflict(draft->call,
                                "Another resource with the same parent already has this name: %.*s",
                                STR_FMT(path_part));
        if (is_variable(part) && is_variable(path_part))
            return ops_bad_request(
                draft->call,
                "A sibling (%.*s) of this resource already has a variable path part -- only one is allowed",
                STR_FMT(part));
    }
    return NULL;
}

static void rewrite_path(struct draft *draft, json_t *resource)
{
    struct str id = json_str(resource, "id");
    json_t *resources = json_object_get(draft->api, "resources"), *other;
    struct str above = json_str(json_at(resources, json_str(resource, "parentId")), "path");
    struct str path =
        str_printf(draft->call->arena, "%.*s/%.*s", STR_FMT(str_is(above, "/") ? STR("") : above),
                   STR_FMT(json_str(resource, "pathPart")));
    json_set_str(resource, "path", path);
    const char *name;
    json_object_foreach(resources, name, other)
        if (str_eq(json_str(other, "parentId"), id))
            rewrite_path(draft, other);
}

/* A resource counts as below itself. */
static bool is_below(const json_t *api, struct str id, struct str ancestor)
{
    json_t *resources = json_object_get(api, "resources");
    while (id.ptr && !str_eq(id, ancestor))
        id = json_str(json_at(resources, id), "parentId");
    return id.ptr != NULL;
}

/* "embed: … include the embedded Method resources": without it, methods are named only, as "GET":{}. */
static json_t *shown(struct call *call, const json_t *resource, bool whole_methods)
{
    json_t *methods = json_object_get(resource, "resourceMethods"), *method;
    json_t *copy = json_own(call->arena, json_copy((json_t *)resource));
    if (!methods || whole_methods)
        return copy;
    json_t *names = json_object();
    const char *name;
    json_object_foreach(methods, name, method)
        json_object_set_new(names, name, json_object());
    json_object_set_new(copy, "resourceMethods", names);
    return copy;
}

static gh_err embeds_methods(struct call *call, const struct apigw_ListOfString *embed, bool *out)
{
    *out = false;
    for (size_t i = 0; i < embed->n; i++) {
        if (!str_is(embed->items[i], "methods"))
            return ops_bad_request(call, "Invalid embed parameter specified");
        *out = true;
    }
    return NULL;
}
