/* TestInvokeMethod and TestInvokeAuthorizer: a draft tried out. */
#include "gateway/ops/test_invoke.h"

static void take_headers(struct call *call, const struct apigw_MapOfStringToString *single,
                         const struct apigw_MapOfStringToList *multi, struct http_headers *out)
{
    for (size_t i = 0; i < single->n; i++)
        http_header_add(call->arena, out, single->items[i].key, single->items[i].value);
    for (size_t i = 0; i < multi->n; i++) {
        http_header_remove(out, str_c(call->arena, multi->items[i].key)); /* "multiValueHeaders wins" */
        for (size_t k = 0; k < multi->items[i].value.n; k++)
            http_header_add(call->arena, out, multi->items[i].key, multi->items[i].value.items[k]);
    }
}

gh_err test_invoke_check(struct call *call, const struct test_request *request)
{
    for (size_t i = 0; i < request->headers.n; i++)
        if (!http_is_token(request->headers.items[i].name) || !http_is_field_value(request->headers.items[i].value))
            return ops_bad_request(call, "Invalid header '%.*s'", STR_FMT(request->headers.items[i].name));
    for (size_t i = 0; i < request->path.len; i++)
        if ((unsigned char)request->path.ptr[i] <= ' ' || request->path.ptr[i] == 0x7f || request->path.ptr[i] == '#')
            return ops_bad_request(call, "Invalid request path");
    return NULL;
}

static json_t *variables_of(struct call *call, const struct apigw_MapOfStringToString *given)
{
    json_t *variables = json_own(call->arena, json_object());
    for (size_t i = 0; i < given->n; i++)
        json_object_set_new(variables, given->items[i].key.ptr, json_of(given->items[i].value));
    return variables;
}

/* The draft with no other method than this one. */
static json_t *alone(struct call *call, const json_t *api, const json_t *resource, const char *verb, json_t *method)
{
    json_t *copy = json_own(call->arena, json_copy((json_t *)(uintptr_t)api)), *resources = json_object();
    json_t *one = json_copy((json_t *)(uintptr_t)resource), *methods = json_object();
    json_object_set(methods, verb, method);
    json_object_set_new(one, "resourceMethods", methods);
    json_object_set_new(resources, json_str(resource, "id").ptr, one);
    json_object_set_new(copy, "resources", resources);
    return copy;
}

/* Authorizers that the method does not use cannot fail it. */
static void keep_authorizer(json_t *api, struct str id)
{
    json_t *one = json_at(json_object_get(api, "authorizers"), id), *kept = json_object();
    if (one)
        json_object_set(kept, id.ptr, one);
    json_object_set_new(api, "authorizers", kept);
}

gh_err test_invoke_in_draft(struct call *call, struct str api_id, const json_t *api, const struct method_ref *at,
                            struct test_request *request, struct test_result *out)
{
    if (!at->integration)
        return ops_bad_request(call, "No integration defined for method");
    json_t *one = alone(call, api, at->resource, json_str(at->method, "httpMethod").ptr, at->method);
    keep_authorizer(one, json_str(at->method, "authorizerId"));
    request->method_path = json_str(at->resource, "path");
    return test_invoke(call->module, call, api_id, one, false, request, out);
}

static gh_err find_method(struct call *call, const json_t *api, const struct apigw_TestInvokeMethod_in *in,
                          struct method_ref *out)
{
    gh_err err = method_find(call, api, in->resource_id, in->http_method, out);
    if (!err)
        return NULL;
    json_t *resource;
    gh_err missing = resource_find(call, api, in->resource_id, &resource);
    if (missing)
        return missing;
    /* recorded: a verb of an ANY method */
    return method_find(call, api, in->resource_id, STR("ANY"), out) ? err : NULL;
}

static void answer_headers(struct call *call, const struct http_headers *headers, struct apigw_TestInvokeMethod_out *out)
{
    out->headers.set = out->multi_value_headers.set = true;
    out->headers.items = ARENA_ARRAY(call->arena, struct apigw_MapOfStringToString_entry, headers->n + 1);
    out->multi_value_headers.items = ARENA_ARRAY(call->arena, struct apigw_MapOfStringToList_entry, headers->n + 1);
    for (size_t i = 0; i < headers->n; i++) {
        struct http_header h = headers->items[i];
        size_t k = 0;
        while (k < out->headers.n && !str_eq_nocase(out->headers.items[k].key, h.name))
            k++;
        struct apigw_ListOfString *list = &out->multi_value_headers.items[k].value;
        if (k == out->headers.n) {
            out->headers.items[out->headers.n++].key = h.name;
            out->multi_value_headers.items[out->multi_value_headers.n++].key = h.name;
            list->items = ARENA_ARRAY(call->arena, struct str, headers->n);
            list->set = true;
        }
        out->headers.items[k].value = h.value; /* the last one */
        list->items[list->n++] = h.value;
    }
}

gh_err apigw_TestInvokeMethod(struct call *call, const struct apigw_TestInvokeMethod_in *in,
                              struct apigw_TestInvokeMethod_out *out)
{
    json_t *api;
    struct method_ref at;
    struct test_result result = { 0 };
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err)
        err = find_method(call, api, in, &at);
    if (err)
        return err;
    struct test_request request = { .http_method = in->http_method,
                                    .path = in->path_with_query_string,
                                    .body = in->body,
                                    .variables = variables_of(call, &in->stage_variables),
                                    .certificate_id = in->client_certificate_id };
    take_headers(call, &in->headers, &in->multi_value_headers, &request.headers);
    err = test_invoke_check(call, &request);
    if (!err)
        err = test_invoke_in_draft(call, in->rest_api_id, api, &at, &request, &result);
    if (err)
        return err;
    out->status = (struct opt_i64){ true, result.status };
    out->body = result.body;
    out->log = result.log;
    out->latency = (struct opt_i64){ true, result.latency_ms };
    answer_headers(call, &result.headers, out);
    return NULL;
}

/* --- authorizers --- */

/* An authorizer needs a method that asks it. */
static json_t *method_for(struct call *call, const json_t *authorizer)
{
    struct str type = json_str(authorizer, "type");
    bool by_name = str_is(type, "COGNITO_USER_POOLS") || str_is(type, "JWT");
    json_t *method = json_own(call->arena, json_object()), *integration = json_object();
    json_set_str(method, "httpMethod", STR("ANY"));
    json_set_str(method, "authorizationType", by_name ? type : STR("CUSTOM"));
    json_set_str(method, "authorizerId", json_str(authorizer, "id"));
    json_set_str(integration, "type", STR("MOCK"));
    json_object_set_new(method, "methodIntegration", integration);
    return method;
}

static void answer_authorizer(struct call *call, const struct test_result *result,
                              struct apigw_TestInvokeAuthorizer_out *out)
{
    const char *name;
    json_t *value;
    out->client_status = (struct opt_i64){ true, result->status };
    out->log = result->log;
    out->latency = (struct opt_i64){ true, result->latency_ms };
    out->principal_id = result->principal_id;
    out->policy = result->policy;
    out->authorization.items =
        ARENA_ARRAY(call->arena, struct apigw_MapOfStringToList_entry, json_object_size(result->context) + 1);
    out->authorization.set = result->context != NULL;
    json_object_foreach((json_t *)(uintptr_t)result->context, name, value) {
        struct str *one = ARENA_NEW(call->arena, struct str);
        *one = json_value_str(value);
        out->authorization.items[out->authorization.n++] = (struct apigw_MapOfStringToList_entry){
            .key = str_of(name), .value = { .set = true, .n = 1, .items = one }
        };
    }
    out->claims.items =
        ARENA_ARRAY(call->arena, struct apigw_MapOfStringToString_entry, json_object_size(result->claims) + 1);
    out->claims.set = result->claims != NULL;
    json_object_foreach((json_t *)(uintptr_t)result->claims, name, value)
        out->claims.items[out->claims.n++] = (struct apigw_MapOfStringToString_entry){
            str_of(name), json_is_string(value) ? json_value_str(value) : json_print(call->arena, value)
        };
}

gh_err apigw_TestInvokeAuthorizer(struct call *call, const struct apigw_TestInvokeAuthorizer_in *in,
                                  struct apigw_TestInvokeAuthorizer_out *out)
{
    json_t *api;
    struct test_result result = { 0 };
    gh_err err = draft_read(call, in->rest_api_id, &api);
    json_t *authorizer = err ? NULL : json_at(json_object_get(api, "authorizers"), in->authorizer_id);
    if (err)
        return err;
    if (!authorizer)
        return ops_not_found(call, "Invalid Authorizer identifier specified");
    struct test_request request = { .http_method = STR("GET"),
                                    .path = in->path_with_query_string.len ? in->path_with_query_string : STR("/"),
                                    .body = in->body,
                                    .variables = variables_of(call, &in->stage_variables),
                                    .method_path = STR("/") };
    take_headers(call, &in->headers, &in->multi_value_headers, &request.headers);
    err = test_invoke_check(call, &request);
    if (err)
        return err;
    json_t *root = json_own(call->arena, json_object());
    json_set_str(root, "id", STR("root"));
    json_set_str(root, "path", STR("/"));
    api = alone(call, api, root, "ANY", method_for(call, authorizer));
    keep_authorizer(api, in->authorizer_id);
    err = test_invoke(call->module, call, in->rest_api_id, api, true, &request, &result);
    if (!err)
        answer_authorizer(call, &result, out);
    return err;
}
