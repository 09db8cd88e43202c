/* REST APIs themselves: create, get, list, update, delete. */
#include "gateway/ops/apikey.h"
#include "gateway/ops/clone.h"
#include "gateway/ops/ops.h"
#include "gateway/ops/patch.h"
#include "gateway/ops/resource_policy.h"
#include "gateway/publish.h"
#include "gateway/store/domain.h"

enum { APIS_AWS = 600, APIS_MAX = 100000 };
static const int64_t COMPRESSION_MAX = 10485760;
/* What a RestApi answer does not show of the document. */
static const char *const inner_members[] = { "resources", "authorizers", "models", "requestValidators",
                                             "gatewayResponses" };

static gh_err check_new(struct call *call, const struct apigw_CreateRestApi_in *in);
static gh_err check_endpoint(struct call *call, const struct apigw_EndpointConfiguration *endpoint);
static gh_err insert(struct call *call, const struct apigw_CreateRestApi_in *in, struct api_key key, json_t *api);
static json_t *new_document(struct call *call, const struct apigw_CreateRestApi_in *in, struct str id);
static json_t *shown(struct call *call, const json_t *api);
static json_t *shown_with_tags(struct call *call, const json_t *api);
static gh_err patch_description(struct patch *patch);
static gh_err patch_name(struct patch *patch);
static gh_err patch_key_source(struct patch *patch);
static gh_err patch_compression(struct patch *patch);
static gh_err patch_endpoint_type(struct patch *patch);
static gh_err patch_ip_address_type(struct patch *patch);
static gh_err patch_policy(struct patch *patch);
static gh_err refuse(struct patch *patch);

static const struct patch_row rows[] = {
    { "/name", PATCH_REPLACE, patch_name },
    { "/description", PATCH_CHANGE, patch_description },
    { "/version", PATCH_REPLACE, patch_text },
    { "/apiKeySource", PATCH_REPLACE, patch_key_source },
    { "/disableExecuteApiEndpoint", PATCH_REPLACE, patch_flag },
    { "/minimumCompressionSize", PATCH_REPLACE, patch_compression },
    { "/binaryMediaTypes/*", PATCH_CHANGE, patch_key_in_list },
    { "/endpointConfiguration/types/*", PATCH_REPLACE, patch_endpoint_type },
    { "/endpointConfiguration/ipAddressType", PATCH_REPLACE, patch_ip_address_type },
    { "/endpointConfiguration/vpcEndpointIds", PATCH_CHANGE, patch_not_built },
    { "/policy", PATCH_REPLACE, patch_policy },
    { "/securityPolicy", PATCH_REPLACE, patch_not_built },
    { "/endpointAccessMode", PATCH_REPLACE, patch_not_built },
};
static const struct patch_rules rules = { rows, COUNT(rows), refuse, NULL };

gh_err apigw_CreateRestApi(struct call *call, const struct apigw_CreateRestApi_in *in,
                           struct apigw_CreateRestApi_out *out)
{
    gh_err err = check_new(call, in);
    if (err)
        return err;
    struct api_key key = { call->account, call->region, ops_id(call, 10) };
    json_t *api = new_document(call, in, key.id);
    struct str policy;
    if (in->policy.len && (err = resource_policy_may(call, STR("/restapis"))))
        return err;
    if ((err = resource_policy_take(call, key.id, in->policy, &policy)))
        return err;
    json_set_str(api, "policy", policy);
    err = insert(call, in, key, api);
    return err ? err : ops_answer(call, shown(call, api), out);
}

static gh_err insert(struct call *call, const struct apigw_CreateRestApi_in *in, struct api_key key, json_t *api)
{
    struct tx tx;
    gh_err err = NULL;
    size_t have = 0;
    tx_begin(&tx, call->db, call->arena);
    err = ops_check_tags(call, json_object_get(api, "tags"));
    if (!err)
        err = api_count(call->db, &tx, call->arena, key, &have);
    if (!err)
        err = ops_limit(call, have, APIS_AWS, APIS_MAX, "APIs");
    if (!err && in->clone_from.ptr)
        err = clone_api(call, &tx, in, api);
    if (!err)
        api_insert(&tx, key, call->now_us, api);
    if (!err && in->clone_from.ptr)
        err = clone_documentation(call, &tx, in->clone_from, key.id);
    if (!err)
        return tx_commit(&tx);
    tx_rollback(&tx);
    return err;
}

gh_err apigw_GetRestApi(struct call *call, const struct apigw_GetRestApi_in *in,
                        struct apigw_GetRestApi_out *out)
{
    json_t *api;
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err)
        err = api_required(call, api, in->rest_api_id);
    return err ? err : ops_answer(call, shown_with_tags(call, api), out);
}

/* In order of creation; the position names the last one shown: "1732158000000000/abc123". */
gh_err apigw_GetRestApis(struct call *call, const struct apigw_GetRestApis_in *in,
                         struct apigw_GetRestApis_out *out)
{
    struct str after, us;
    int64_t after_us = 0;
    if (!position_key(call->arena, in->position, &after))
        return ops_bad_request(call, "Invalid position specified");
    if (after.len && (!str_split(&after, '/', &us) || !str_i64(us, &after_us)))
        return ops_bad_request(call, "Invalid position specified");
    int64_t limit = page_limit(in->limit);
    struct api_page page;
    gh_err err = api_list(call->db, call->arena, call->account, call->region, after_us, after, limit, &page);
    if (err)
        return err;
    json_t *answer = json_own(call->arena, json_object()), *items = json_array();
    json_object_set_new(answer, "item", items);
    for (size_t i = 0; i < page.docs.n; i++)
        json_array_append(items, shown(call, page.docs.items[i]));
    if (page.more)
        json_set_str(
            answer, "position",
            position_of(call->arena, str_printf(call->arena, "%lld/%.*s", (long long)page.last_us,
                                                STR_FMT(json_str(page.docs.items[page.docs.n - 1], "id")))));
    return ops_answer(call, answer, out);
}

gh_err apigw_UpdateRestApi(struct call *call, const struct apigw_UpdateRestApi_in *in,
                           struct apigw_UpdateRestApi_out *out)
{
    struct draft draft;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = api_required(call, draft.api, in->rest_api_id);
    if (!err)
        err = patch_apply(&rules, call->arena, draft.api, &in->patch_operations, call);
    return draft_answer(&draft, err, err ? NULL : shown_with_tags(call, draft.api), out);
}

/* Deleted first, then taken off the loops: a request between the two is still answered. */
gh_err apigw_DeleteRestApi(struct call *call, const struct apigw_DeleteRestApi_in *in,
                           struct apigw_DeleteRestApi_out *out)
{
    (void)out;
    struct draft draft;
    bool mapped = false;
    struct id_list plans;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = api_required(call, draft.api, in->rest_api_id);
    if (!err)
        err = domain_uses_api(call->db, &draft.tx, call->arena, in->rest_api_id, &mapped);
    if (!err && mapped)
        err = ops_bad_request(call, "Please remove all base path mappings related to the API in your domains");
    if (!err)
        err = plans_forget_stage(call, &draft.tx, in->rest_api_id, STR_NONE, &plans);
    if (!err)
        api_delete(&draft.tx, in->rest_api_id);
    draft.api = NULL; /* nothing left to save */
    err = draft_close(&draft, err);
    if (!err)
        err = gateway_unpublish(call->module, call, in->rest_api_id, STR_NONE);
    return err ? err : plans_publish(call, &plans);
}

/* --- create --- */

static gh_err check_compression(struct call *call, int64_t size)
{
    if (size >= 0 && size <= COMPRESSION_MAX)
        return NULL;
    return ops_bad_request(call, "Invalid minimum compression size, must be between 0 and 10485760");
}

/* In the order that AWS was recorded to complain in. */
static gh_err check_new(struct call *call, const struct apigw_CreateRestApi_in *in)
{
    gh_err err = NULL;
    if (in->description.ptr && !in->description.len)
        return ops_bad_request(call, "Description cannot be an empty string");
    if (in->minimum_compression_size.set)
        err = check_compression(call, in->minimum_compression_size.value);
    if (!err && in->endpoint_configuration)
        err = check_endpoint(call, in->endpoint_configuration);
    if (!err && str_empty(in->name))
        err = ops_bad_request(call, "API name cannot be empty");
    return err;
}

static gh_err check_endpoint(struct call *call, const struct apigw_EndpointConfiguration *endpoint)
{
    if (endpoint->types.set && !endpoint->types.n)
        return ops_bad_request(call,
                               "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.");
    if (endpoint->types.n > 1)
        return ops_bad_request(call, "Cannot create an api with multiple Endpoint Types.");
    if (endpoint->types.n && str_is(endpoint->types.items[0], "PRIVATE") &&
        str_is(endpoint->ip_address_type, "ipv4"))
        return ops_bad_request(call, "Only dualstack ipAddressType is supported for Private APIs.");
    return NULL;
}

static json_t *endpoint_document(const struct apigw_EndpointConfiguration *given)
{
    struct str type = given && given->types.n ? given->types.items[0] : STR("EDGE");
    struct str ip = given ? given->ip_address_type : STR_NONE;
    json_t *endpoint = json_object(), *types = json_array();
    json_array_append_new(types, json_of(type));
    json_object_set_new(endpoint, "types", types);
    json_set_str(endpoint, "ipAddressType",
                 ip.ptr                    ? ip
                 : str_is(type, "PRIVATE") ? STR("dualstack")
                                           : STR("ipv4"));
    return endpoint;
}

static void add_default_model(struct call *call, json_t *models, const char *name, const char *description,
                              const char *schema)
{
    json_t *model = json_object();
    json_set_str(model, "id", ops_id(call, 6));
    json_set_str(model, "name", str_of(name));
    json_set_str(model, "description", str_of(description));
    json_set_str(model, "schema", str_of(schema));
    json_set_str(model, "contentType", STR("application/json"));
    json_object_set_new(models, name, model);
}

static json_t *new_document(struct call *call, const struct apigw_CreateRestApi_in *in, struct str id)
{
    static const char *const members[] = {
        "name", "description", "version", "binaryMediaTypes", "minimumCompressionSize", "tags"
    };
    json_t *api = json_own(call->arena, json_object());
    json_set_str(api, "id", id);
    json_object_update(api, ops_given(call, in, members, COUNT(members)));
    if (!in->binary_media_types.n)
        json_object_del(api, "binaryMediaTypes");
    json_set_i64(api, "createdDate", call->now_us / 1000000);
    json_set_str(api, "apiKeySource", in->api_key_source.ptr ? in->api_key_source : STR("HEADER"));
    json_set_flag(api, "disableExecuteApiEndpoint", in->disable_execute_api_endpoint.value);
    json_object_set_new(api, "endpointConfiguration", endpoint_document(in->endpoint_configuration));

    struct str root_id = ops_id(call, 10);
    json_t *root = json_object();
    json_set_str(root, "id", root_id);
    json_set_str(root, "path", STR("/"));
    json_set_str(api, "rootResourceId", root_id);
    json_object_set_new(child_object(api, "resources"), root_id.ptr, root);

    json_t *models = child_object(api, "models");
    add_default_model(call, models, "Empty", "This is a default empty schema model",
                      "{\n  \"$schema\": \"http://json-schema.org/draft-04/schema#\",\n"
                      "  \"title\" : \"Empty Schema\",\n  \"type\" : \"object\"\n}");
    add_default_model(call, models, "Error", "This is a default error schema model",
                      "{\n  \"$schema\" : \"http://json-schema.org/draft-04/schema#\",\n"
                      "  \"title\" : \"Error Schema\",\n  \"type\" : \"object\",\n"
                      "  \"properties\" : {\n    \"message\" : { \"type\" : \"string\" }\n  }\n}");
    return api;
}

/* --- answers --- */

static json_t *shown(struct call *call, const json_t *api)
{
    json_t *copy = json_own(call->arena, json_copy((json_t *)api));
    for (size_t i = 0; i < COUNT(inner_members); i++)
        json_object_del(copy, inner_members[i]);
    struct str policy = json_str(api, "policy");
    if (policy.ptr)
        json_set_str(copy, "policy", resource_policy_shown(call->arena, policy));
    return copy;
}

/* GetRestApi and UpdateRestApi show "tags":{} where CreateRestApi and GetRestApis leave it out [recorded]. */
static json_t *shown_with_tags(struct call *call, const json_t *api)
{
    json_t *copy = shown(call, api);
    if (!json_object_get(copy, "tags"))
        json_object_set_new(copy, "tags", json_object());
    return copy;
}

/* --- update --- */

/* An empty value takes the policy away. */
static gh_err patch_policy(struct patch *patch)
{
    struct call *call = patch->ctx;
    struct str id = json_str(patch->target, "id"), policy;
    gh_err err = resource_policy_may(call, str_printf(patch->arena, "/restapis/%.*s", STR_FMT(id)));
    if (!err)
        err = resource_policy_take(call, id, patch->value, &policy);
    if (err)
        return err;
    json_object_del(patch->target, "policy");
    json_set_str(patch->target, "policy", policy);
    return NULL;
}

static gh_err patch_fail(struct patch *patch, const char *message)
{
    return gh_fail(patch->arena, &apigw_BadRequestException, "%s", message);
}

static gh_err refuse(struct patch *patch)
{
    if (patch->row && patch->row->apply == patch_endpoint_type)
        return patch_fail(patch, "Invalid patch operation specified. Must be 'add'|'remove'|'replace'");
    return patch_refuse_plain(patch);
}

static gh_err patch_name(struct patch *patch)
{
    if (str_empty(patch->value))
        return patch_fail(patch, "API name cannot be empty");
    return patch_string(patch);
}

static gh_err patch_description(struct patch *patch)
{
    if (patch->op != PATCH_REMOVE && patch->value.ptr && !patch->value.len)
        return patch_fail(patch, "Description cannot be an empty string");
    return patch_string(patch);
}

static gh_err patch_key_source(struct patch *patch)
{
    if (!str_is(patch->value, "HEADER") && !str_is(patch->value, "AUTHORIZER"))
        return patch_fail(patch, "Invalid API key source specified. Valid options are HEADER,AUTHORIZER");
    return patch_string(patch);
}

/* "A null value disables compression": no value or an empty one takes the member away. */
static gh_err patch_compression(struct patch *patch)
{
    int64_t size = -1;
    if (str_empty(patch->value))
        return patch_text(patch);
    if (!str_i64(patch->value, &size) || size < 0 || size > COMPRESSION_MAX)
        return patch_fail(patch, "Invalid minimum compression size, must be between 0 and 10485760");
    return patch_integer(patch);
}

static gh_err patch_endpoint_type(struct patch *patch)
{
    if (!str_is(patch->value, "REGIONAL") && !str_is(patch->value, "EDGE") &&
        !str_is(patch->value, "PRIVATE"))
        return patch_fail(patch, "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE");
    json_t *endpoint = json_object_get(patch->target, "endpointConfiguration");
    json_t *types = json_array();
    json_array_append_new(types, json_of(patch->value));
    json_object_set_new(endpoint, "types", types);
    if (str_is(patch->value, "PRIVATE"))
        json_set_str(endpoint, "ipAddressType", STR("dualstack"));
    return NULL;
}

static gh_err patch_ip_address_type(struct patch *patch)
{
    json_t *endpoint = json_object_get(patch->target, "endpointConfiguration");
    struct str type = json_value_str(json_array_get(json_object_get(endpoint, "types"), 0));
    if (!str_is(patch->value, "ipv4") && !str_is(patch->value, "dualstack"))
        return patch_fail(patch, "ipAddressType must be either ipv4 or dualstack.");
    if (str_is(type, "PRIVATE") && str_is(patch->value, "ipv4"))
        return patch_fail(patch, "Only dualstack ipAddressType is supported for Private APIs.");
    json_set_str(endpoint, "ipAddressType", patch->value);
    return NULL;
}
