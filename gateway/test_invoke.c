#include "gateway/test_invoke.h"

#include "core/http_local.h"
#include "gateway/record/execution_log.h"
#include "gateway/pipeline.h"
#include "gateway/stage/stage.h"
#include "gateway/store/deployment.h"
#include "gen/apigateway.h"

#define METHOD_STAGE     "test-invoke-stage"
#define AUTHORIZER_STAGE "ESTestInvoke-stage"

struct trial {
    struct gateway *gateway;
    struct snapshot *snapshot;
    const struct test_request *request;
    struct test_result *out;
    struct arena *arena;            /* the caller's */
    bool authorizer;
    const char *broken;             /* why it cannot be compiled, or NULL */
    struct strbuf log;
    const struct gw_step *steps[GW_MAX_STEPS + 3];
    size_t n_steps;
};

/* --- the way through: accept, the method as given, its steps --- */

/* {petId=123} when the path fits the resource's pattern; a path of another shape has no parameters. */
static void take_path(struct gw_request *r)
{
    const struct trial *trial = r->trial;
    struct route *routes = route_new(r->arena);
    const char *why;
    r->path = r->x->path;
    bool good = route_add(routes, trial->request->method_path, STR("ANY"), &trial->snapshot->methods[0], &why);
    route_seal(r->arena, routes);
    if (good)
        route_find(routes, STR("GET"), r->path, &r->match); /* ANY stands for seven methods, of which any does */
}

static enum gw_next enter(struct gw_request *r)
{
    struct trial *trial = r->trial;
    r->snapshot = trial->snapshot;
    r->method = &trial->snapshot->methods[0];
    r->stage = r->snapshot->stage;
    take_path(r);
    r->request_path = r->path;
    trace_name(&r->trace, r->http_method, r->api_id, r->stage, r->path, r->request_id);
    strbuf_printf(&trial->log, "Execution log for request %.*s\n",
                  STR_FMT(r->request_id));
    r->execution_log = ARENA_NEW(r->arena, struct execution_log);
    *r->execution_log = (struct execution_log){
        .level = LOGGING_INFO, .data = true, .test = &trial->log
    };
    return GW_NEXT;
}
static const struct gw_step step_enter = { "test", enter, NULL };

static enum gw_next fail_broken(struct gw_request *r)
{
    return gw_misconfigured(r, r->trial->broken, STR_NONE);
}
static const struct gw_step step_broken = { "compile", fail_broken, NULL };

/* Behind the authorizer stands nothing. */
static enum gw_next let_in(struct gw_request *r)
{
    r->status = 200;
    return GW_REPLY;
}
static const struct gw_step step_let_in = { "let in", let_in, NULL, .guards = true };

static void build_steps(struct trial *trial)
{
    const struct gw_method *method = &trial->snapshot->methods[0];
    trial->steps[trial->n_steps++] = &step_accept;
    trial->steps[trial->n_steps++] = &step_enter;
    for (size_t i = 0; i < method->n_steps; i++) {
        bool always = i >= method->tail, guard = method->steps[i]->guards;
        bool wanted = trial->broken ? method->steps[i] == &step_read_whole
                      : trial->authorizer
                          ? method->steps[i] == &step_authorizer_role || strcmp(method->steps[i]->name, "authorize") == 0
                          : !guard;
        if (i == method->tail && trial->broken)
            trial->steps[trial->n_steps++] = &step_broken;
        else if (i == method->tail && trial->authorizer)
            trial->steps[trial->n_steps++] = &step_let_in;
        if (always || wanted)
            trial->steps[trial->n_steps++] = method->steps[i];
    }
}

static void serve(void *ctx, struct http_exchange *x)
{
    struct trial *trial = ctx;
    struct gw_request *r = ARENA_NEW(x->arena, struct gw_request);
    r->gateway = trial->gateway;
    r->home = gateway_loop(trial->gateway, x->loop);
    r->x = x;
    r->arena = x->arena;
    r->api_id = trial->snapshot->api_id;
    r->stage = trial->snapshot->stage;
    r->trial = trial;
    x->user = r;
    pipeline_start_with(r, trial->steps, trial->n_steps);
}

/* An authorizer's findings, before the request is forgotten. */
static void take_findings(struct trial *trial, struct gw_request *r)
{
    struct test_result *out = trial->out;
    json_t *answer = NULL, *document = NULL;
    struct str said = r->execution_log ? r->execution_log->authorizer_answer : STR_NONE;
    if (said.ptr)
        answer = json_parse(trial->arena, said, NULL);
    document = json_object_get(answer, "policyDocument");
    if (document)
        out->policy = json_print(trial->arena, document);
    out->principal_id = str_copy(trial->arena, r->caller.principal_id);
    out->context = json_own(trial->arena, json_deep_copy(r->caller.context));
    out->claims = json_own(trial->arena, json_deep_copy(r->caller.claims));
    bool in = !r->failed || (r->failure == RESPONSE_ACCESS_DENIED && r->caller.from_lambda); /* no method was asked for */
    out->status = in ? 0 : r->status;
}

static void done(void *ctx, struct http_exchange *x, bool complete)
{
    struct trial *trial = ctx;
    struct gw_request *r = x->user;
    if (trial->authorizer && r)
        take_findings(trial, r);
    gateway_exchange_done(trial->gateway, x, complete);
}

/* --- around it --- */

static struct str target_of(struct arena *arena, const struct test_request *request)
{
    struct str path = request->path.len ? request->path : request->method_path;
    return path.ptr[0] == '/' ? path : str_concat(arena, STR("/"), path);
}

static void run(struct trial *trial, struct call *call)
{
    const struct test_request *request = trial->request;
    struct test_result *out = trial->out;
    struct arena *arena = arena_new(16 * 1024); /* the loop's while it runs */
    struct http_local_answer answer;
    const struct http_local_request local = {
        .method = request->http_method,
        .target = target_of(call->arena, request),
        .host = STR("testPrefix.testDomainName"),
        .headers = &request->headers,
        .body = request->body,
        .peer_ip = STR("test-invoke-source-ip"),
    };
    int64_t started_us = env_monotonic_us(call->env);
    trial->log = strbuf_in(call->arena, 2048);
    build_steps(trial);
    http_local_run(trial->gateway->loops[0].loop, arena, &local, GW_MAX_BODY, serve, done, trial, &answer);
    out->latency_ms = (env_monotonic_us(call->env) - started_us) / 1000;
    out->log = strbuf_view(&trial->log);
    if (!trial->authorizer) {
        out->status = answer.status;
        out->body = str_copy(call->arena, answer.body);
        for (size_t i = 0; i < answer.headers.n; i++)
            http_header_add(call->arena, &out->headers, str_copy(call->arena, answer.headers.items[i].name),
                            str_copy(call->arena, answer.headers.items[i].value));
    }
    arena_free(arena);
}

/* What cannot be compiled fails as it would in the midst of an execution: in its place stands a step
 * that says why. */
static json_t *without_integration(struct call *call, json_t *api)
{
    json_t *copy = json_own(call->arena, json_deep_copy(api)), *resource, *method, *integration = json_object();
    const char *id, *verb;
    json_set_str(integration, "type", STR("MOCK"));
    json_object_set_new(copy, "authorizers", json_object());
    json_object_foreach(json_object_get(copy, "resources"), id, resource)
        json_object_foreach(json_object_get(resource, "resourceMethods"), verb, method) {
            json_object_del(method, "requestValidatorId");
            json_set_str(method, "authorizationType", STR("NONE"));
            json_object_set(method, "methodIntegration", integration);
        }
    json_decref(integration);
    return copy;
}

/* "GET /: Invalid endpoint address ('https://' …)": the log has the middle. */
static struct str short_reason(struct str why)
{
    ptrdiff_t place = str_find_str(why, STR(": ")), detail = str_find_str(why, STR(" ("));
    if (detail >= 0)
        why = str_sub(why, 0, (size_t)detail);
    return place >= 0 ? str_from(why, (size_t)place + 2) : why;
}

gh_err test_invoke(struct gateway *gateway, struct call *call, struct str api_id, json_t *api, bool authorizer,
                 const struct test_request *request, struct test_result *out)
{
    json_t *settings = json_own(call->arena, json_object());
    struct str stage = authorizer ? STR(AUTHORIZER_STAGE) : STR(METHOD_STAGE), why = STR_NONE;
    json_set_str(settings, "stageName", stage);
    json_set_str(settings, "clientCertificateId", request->certificate_id);
    if (request->variables)
        json_object_set(settings, "variables", (json_t *)(uintptr_t)request->variables);
    struct stage_source source = { .account = call->account, .region = call->region, .api_id = api_id,
                                         .stage = stage, .deployment_id = STR("test"), .api = api,
                                         .settings = settings };
    struct trial trial = { .gateway = gateway, .request = request, .out = out, .arena = call->arena,
                           .authorizer = authorizer };
    *out = (struct test_result){ 0 };
    trial.snapshot = snapshot_compile(&source, gateway->config.partition, call->arena, &why);
    if (!trial.snapshot) {
        trial.broken = str_c(call->arena, short_reason(why));
        source.api = without_integration(call, api);
        trial.snapshot = snapshot_compile(&source, gateway->config.partition, call->arena, &why);
    }
    if (!trial.snapshot)
        return gh_fail(call->arena, &apigw_BadRequestException, "%.*s", STR_FMT(why));
    run(&trial, call);
    snapshot_unref(trial.snapshot);
    return NULL;
}
