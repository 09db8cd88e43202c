#include "gateway/ops/replay.h"

#include "core/base64.h"
#include "gateway/ops/test_invoke.h"
#include "gateway/record/recording.h"
#include "gateway/snapshot.h"

/* The draft's method for a path, found as a deployment would find it. */
static gh_err route(struct call *call, const json_t *api, struct str verb, struct str path, struct method_ref *out)
{
    struct route *routes = route_new(call->arena);
    struct route_match match = { 0 };
    json_t *resource, *method;
    const char *id, *name, *why;
    json_object_foreach(json_object_get(api, "resources"), id, resource)
        json_object_foreach(json_object_get(resource, "resourceMethods"), name, method) {
            struct gw_method *one = ARENA_NEW(call->arena, struct gw_method);
            one->resource_id = str_of(id);
            one->http_method = str_of(name);
            if (!route_add(routes, json_str(resource, "path"), str_of(name), one, &why))
                return ops_bad_request(call, "%s", why);
        }
    route_seal(call->arena, routes);
    ptrdiff_t question = str_find(path, '?');
    route_find(routes, verb, question < 0 ? path : str_sub(path, 0, (size_t)question), &match);
    if (!match.method)
        return ops_not_found(call, "The draft has no method for %.*s %.*s", STR_FMT(verb), STR_FMT(path));
    return integration_find(call, api, match.method->resource_id, match.method->http_method, out);
}

static struct str bytes_of(struct call *call, const json_t *recording, const char *name)
{
    struct str text = json_str(recording, name), bytes = STR_NONE;
    return text.ptr && base64_decode(call->arena, text, &bytes) ? bytes : STR_NONE;
}

static gh_err load(struct call *call, const struct replay_request *request, json_t **recording)
{
    struct str why = STR_NONE;
    json_t *asked = json_parse(call->arena, *request->body, &why);
    struct str id = json_str(asked, "trace");
    if (!id.len)
        return ops_bad_request(call, "Send {\"trace\": \"the x-gatehouse-trace or the request id of an answer\"}");
    struct str text = recording_find(call->module, call->arena, id);
    if (!text.ptr)
        return ops_not_found(call, "No request %.*s is recorded. `gatehouse options API STAGE recordRequests=true` "
                                   "records those to come; only the newest are kept", STR_FMT(id));
    *recording = json_parse(call->arena, text, &why);
    if (!json_str(*recording, "body").ptr)
        return ops_bad_request(call, "The body of request %.*s was too long to be recorded", STR_FMT(id));
    return NULL;
}

static void take_headers(struct call *call, const json_t *recording, struct http_headers *out)
{
    size_t i;
    json_t *pair;
    json_array_foreach(json_object_get(recording, "headers"), i, pair)
        http_header_add(call->arena, out, json_value_str(json_array_get(pair, 0)), json_value_str(json_array_get(pair, 1)));
}

static struct str answer(struct call *call, const json_t *recording, const struct test_result *result)
{
    json_t *doc = json_own(call->arena, json_object()), *then = json_object(), *now = json_object();
    json_t *headers = json_object();
    struct str body = bytes_of(call, recording, "answer");
    int64_t status = json_i64(recording, "status", 0);
    json_object_set(doc, "method", json_object_get(recording, "method"));
    json_object_set(doc, "path", json_object_get(recording, "path"));
    json_set_i64(then, "status", status);
    json_set_str(then, "body", body);
    json_object_set_new(doc, "recorded", then);
    json_set_i64(now, "status", result->status);
    for (size_t i = 0; i < result->headers.n; i++)
        json_set_str(headers, str_c(call->arena, result->headers.items[i].name), result->headers.items[i].value);
    json_object_set_new(now, "headers", headers);
    json_set_str(now, "body", result->body);
    json_set_str(now, "log", result->log);
    json_object_set_new(doc, "draft", now);
    json_set_flag(doc, "same", status == result->status && (!body.ptr || str_eq(body, result->body)));
    return json_print(call->arena, doc);
}

gh_err replay_on_draft(struct call *call, void *ctx, struct str *json)
{
    const struct replay_request *request = ctx;
    json_t *api, *recording = NULL;
    struct method_ref at;
    struct test_result result = { 0 };
    gh_err err = draft_read(call, request->api_id, &api);
    if (!err)
        err = api_required(call, api, request->api_id);
    if (!err)
        err = load(call, request, &recording);
    if (err)
        return err;
    struct test_request trial = { .http_method = json_str(recording, "method"),
                                  .path = json_str(recording, "path"),
                                  .body = bytes_of(call, recording, "body") };
    json_t *stage;
    take_headers(call, recording, &trial.headers);
    err = stage_load(call->db, NULL, call->arena, request->api_id, request->stage, &stage);
    if (!err && !stage)
        err = ops_not_found(call, "Invalid stage identifier specified");
    if (!err)
        err = route(call, api, trial.http_method, trial.path, &at);
    if (err)
        return err;
    trial.variables = json_object_get(stage, "variables");
    err = test_invoke_in_draft(call, request->api_id, api, &at, &trial, &result);
    if (!err)
        *json = answer(call, recording, &result);
    return err;
}
