#include "admin/management.h"

#include <stdatomic.h>
#include <time.h>

#include "admin/audit/log.h"
#include "admin/errand.h"
#include "core/id.h"
#include "core/json.h"
#include "functions/ops/describe.h"
#include "gateway/ops/describe.h"
#include "gateway/ops/refused.h"
#include "gen/apigateway.h"
#include "gen/apigatewaymanagementapi.h"
#include "gen/apigatewayv2.h"
#include "gen/cognito_identity.h"
#include "gen/cognito_idp.h"
#include "gen/iam.h"
#include "gen/kms.h"
#include "gen/lambda.h"
#include "gen/sts.h"
#include "identity/access/describe.h"

enum {
    BODY_BYTES = 8 * 1024 * 1024,      /* PutRestApi takes 6 MB */
    FUNCTION_BYTES = 72 * 1024 * 1024, /* a 50 MB zip in base64 */
    N_SERVICES = 9,
};

static const struct gh_kind too_large = { "RequestEntityTooLargeException", 413, false, NULL };
static atomic_ullong calls, calls_4xx, calls_5xx, calls_us;

static void list_services(struct app *app, struct registered out[N_SERVICES])
{
    struct identity *identity = app ? app->identity : NULL;
    struct functions *functions = app ? app->functions : NULL;
    struct gateway *gateway = app ? app->gateway : NULL;
    const struct registered all[N_SERVICES] = {
        { &idp_service, identity, identity_refused_idp, &user_pool_describer },
        { &ci_service, identity, NULL, &identity_pool_describer },   { &iam_service, identity, identity_refused_iam },
        { &sts_service, identity, identity_refused_sts },    { &apigw_service, gateway, apigateway_refused, &gateway_describer }, { &apiv2_service, gateway, NULL, &gateway_describer },
        { &conn_service, gateway, NULL },    { &lambda_service, functions, NULL, &function_describer },
        { &kms_service, identity, NULL },
    };
    memcpy(out, all, sizeof all);
}

/* ---- what wire/ needs of identity/ ---- */

static enum sigv4_verdict find_key(void *ctx, struct arena *arena, struct str access_key_id, struct str session_token,
                                   int64_t now_s, struct sigv4_key *out)
{
    static const enum sigv4_verdict verdicts[] = {
        [CREDENTIAL_OK] = SIGV4_OK,
        [CREDENTIAL_UNKNOWN] = SIGV4_UNKNOWN_KEY,
        [CREDENTIAL_INACTIVE] = SIGV4_UNKNOWN_KEY,
        [CREDENTIAL_EXPIRED] = SIGV4_EXPIRED_TOKEN,
        [CREDENTIAL_BAD_TOKEN] = SIGV4_BAD_TOKEN,
    };
    struct credential *credential = ARENA_NEW(arena, struct credential);
    enum credential_verdict verdict =
        identity_credential(ctx, arena, access_key_id, session_token, now_s, credential);
    *out = (struct sigv4_key){ credential->secret, &credential->principal, credential };
    return verdicts[verdict];
}

static bool allows(void *ctx, struct arena *arena, const void *credential, struct policy_request *request,
                   struct policy_decision *decision)
{
    return identity_allows(ctx, arena, credential, request, decision);
}

static bool looks_at(void *ctx, struct arena *arena, const void *credential, struct str begin)
{
    return identity_looks_at(ctx, arena, credential, begin);
}

static int64_t real_now_s(void)
{
    return (int64_t)time(NULL); /* a stepped test clock would refuse every honest client */
}

bool management_open(struct app *app, struct str *why)
{
    struct registered *services = ARENA_ARRAY(app->arena, struct registered, N_SERVICES);
    list_services(app, services);
    const struct wire_config config = {
        .env = &app->env, .db = app->db, .sealer = app->sealer, .partition = STR("aws"),
        .region = app->options.region, .default_account = app->options.account, .base_url = app->options.base_url,
        .services = services, .n_services = N_SERVICES, .keys = { app->identity, find_key },
        .allows = allows, .looks_at = looks_at, .allows_ctx = app->identity, .real_now_s = real_now_s,
        .audit = audit_sink(app->audit),
    };
    app->wire = wire_new(&config);
    if (!app->wire)
        *why = STR("the service descriptions do not fit together");
    return app->wire != NULL;
}

void management_close(struct app *app)
{
    if (app->wire)
        wire_free(app->wire);
}

/* ---- one call ---- */

static struct wire_request request_of(struct http_exchange *x)
{
    return (struct wire_request){ .method = x->method, .path = x->path, .query = x->query, .headers = &x->headers,
                                  .body = x->body, .source_ip = x->peer_ip, .tls = x->tls != NULL,
                                  .tls_version = x->tls ? x->tls->version : NULL, .cipher = x->tls ? x->tls->cipher : NULL };
}

/* Browsers call user pools directly: the answer must be readable from any page. Nothing here is
 * authorised by cookies, so that gives nothing away. */
static void allow_browsers(struct http_exchange *x, struct http_headers *headers)
{
    if (!http_header_has(&x->headers, "Origin"))
        return;
    http_header_set(x->arena, headers, STR("Access-Control-Allow-Origin"), STR("*"));
    http_header_set(x->arena, headers, STR("Access-Control-Expose-Headers"),
                    STR("x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"));
}

static void preflight(struct http_exchange *x)
{
    struct http_headers headers = { 0 };
    struct str wanted = http_header_get(&x->headers, "Access-Control-Request-Headers");
    allow_browsers(x, &headers);
    http_header_add(x->arena, &headers, STR("Access-Control-Allow-Methods"), STR("GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS"));
    if (wanted.ptr)
        http_header_add(x->arena, &headers, STR("Access-Control-Allow-Headers"), wanted);
    http_header_add(x->arena, &headers, STR("Access-Control-Max-Age"), STR("172800"));
    http_reply(x, 200, &headers, STR(""));
}

static struct str not_found(struct http_exchange *x)
{
    json_t *doc = json_own(x->arena, json_object());
    json_set_str(doc, "message", str_printf(x->arena,
        "Nothing is at %.*s %.*s on host \"%.*s\". Looked for: an API ({id}.execute-api.{region}.* or "
        "/_aws/execute-api/{id}/{stage}/), /_gatehouse/, a user pool's /{poolId}/.well-known/, then a management "
        "operation by X-Amz-Target, credential scope, Action and path.",
        STR_FMT(x->method), STR_FMT(x->path), STR_FMT(x->host)));
    return json_print(x->arena, doc);
}

static void count(int status, int64_t took_us)
{
    calls++;
    calls_us += (unsigned long long)took_us;
    if (status >= 500)
        calls_5xx++;
    else if (status >= 400)
        calls_4xx++;
}

static void finish(struct app *app, struct http_exchange *x, struct wire_reply *reply)
{
    if (reply->unknown) {
        reply->status = 404;
        reply->body = not_found(x);
        reply->headers = (struct http_headers){ 0 };
        http_header_add(x->arena, &reply->headers, STR("Content-Type"), STR("application/json"));
        http_header_add(x->arena, &reply->headers, STR("x-amzn-RequestId"), id_uuid(&app->env, x->arena));
    }
    allow_browsers(x, &reply->headers);
}

static void run(struct errand *errand)
{
    struct app *app = errand->ctx;
    struct http_exchange *x = errand->x;
    struct wire_request request = request_of(x);
    struct wire_reply reply = { 0 };
    operation_run(app->wire, x->arena, &request, &reply);
    finish(app, x, &reply);
    errand->status = reply.status;
    errand->headers = reply.headers;
    errand->body = reply.body;
    count(reply.status, env_monotonic_us(&app->env) - x->started_us);
}

static void body_read(struct http_exchange *x, enum http_read result)
{
    struct app *app = x->user;
    if (result == HTTP_READ_BROKEN) {
        http_abort(x);
        return;
    }
    if (result == HTTP_READ_OK) {
        /* Invoke waits for the function, perhaps for minutes: not on the threads of all others. */
        bool waits = str_starts(x->path, STR("/2015-03-31/functions/")) && str_ends(x->path, STR("/invocations"));
        errand_run(waits ? functions_waiters(app->functions) : app->jobs, x, app, run);
        return;
    }
    struct wire_request request = request_of(x);
    struct wire_reply reply = { 0 };
    operation_refuse(app->wire, x->arena, &request, &too_large, "The request is larger than this operation takes.", &reply);
    finish(app, x, &reply);
    count(reply.status, 0);
    http_reply(x, reply.status, &reply.headers, reply.body);
}

void management_serve(struct app *app, struct http_exchange *x)
{
    x->user = app;
    if (str_is(x->method, "OPTIONS") && http_header_has(&x->headers, "Access-Control-Request-Method")) {
        preflight(x);
        return;
    }
    bool function = str_starts(x->path, STR("/2015-03-31/functions"));
    http_read_whole(x, function ? FUNCTION_BYTES : BODY_BYTES, body_read);
}

/* ---- beside AWS's operations ---- */

struct beside {
    struct app *app;
    struct wire_errand errand;
};

static void run_beside(struct errand *errand)
{
    struct beside *beside = errand->ctx;
    struct http_exchange *x = errand->x;
    struct wire_request request = request_of(x);
    struct wire_reply reply = { 0 };
    beside->errand.as.source_ip = x->peer_ip;
    if (!beside->errand.as.headers)
        beside->errand.as.headers = &x->headers;
    operation_run_beside(beside->app->wire, x->arena, &request, &beside->errand, &reply);
    finish(beside->app, x, &reply);
    errand->status = reply.status;
    errand->headers = reply.headers;
    errand->body = reply.body;
    count(reply.status, env_monotonic_us(&beside->app->env) - x->started_us);
}

static void beside_read(struct http_exchange *x, enum http_read result)
{
    struct beside *beside = x->user;
    if (result == HTTP_READ_OK)
        errand_run(beside->app->jobs, x, beside, run_beside);
    else if (result == HTTP_READ_TOO_LARGE)
        reply_json(x, 413, STR("{\"message\":\"The request is larger than this takes.\"}"));
    else
        http_abort(x);
}

static void begin_beside(struct app *app, struct http_exchange *x, const struct wire_request *as, const char *action, size_t limit,
                         gh_err (*fn)(struct call *call, void *ctx, struct str *json), void *ctx)
{
    struct beside *beside = ARENA_NEW(x->arena, struct beside);
    beside->app = app;
    beside->errand = (struct wire_errand){ .as = *as, .anonymous = app->options.mode == MODE_DEV, .run = fn, .ctx = ctx,
                                           .action = action };
    x->user = beside;
    http_read_whole(x, limit, beside_read);
}

void management_beside(struct app *app, struct http_exchange *x, const char *as_method, struct str as_path, size_t limit,
                       gh_err (*fn)(struct call *call, void *ctx, struct str *json), void *ctx)
{
    const struct wire_request as = { .method = str_of(as_method), .path = as_path };
    begin_beside(app, x, &as, NULL, limit, fn, ctx);
}

/* The request's own headers, one of them other. */
static struct http_headers *headers_with(struct http_exchange *x, struct str name, struct str value)
{
    struct http_headers *headers = ARENA_NEW(x->arena, struct http_headers);
    for (size_t i = 0; i < x->headers.n; i++)
        http_header_add(x->arena, headers, x->headers.items[i].name, x->headers.items[i].value);
    http_header_set(x->arena, headers, name, value);
    return headers;
}

void management_beside_iam(struct app *app, struct http_exchange *x, struct str form, const char *action, size_t limit,
                           gh_err (*fn)(struct call *call, void *ctx, struct str *json), void *ctx)
{
    const struct wire_request as = {
        .method = STR("POST"), .path = STR("/"), .body = form,
        .headers = headers_with(x, STR("Content-Type"), STR("application/x-www-form-urlencoded")),
    };
    begin_beside(app, x, &as, action, limit, fn, ctx);
}

void management_beside_pool(struct app *app, struct http_exchange *x, const char *as_operation, const char *action,
                            struct str pool_id, size_t limit, gh_err (*fn)(struct call *call, void *ctx, struct str *json), void *ctx)
{
    struct http_headers *headers = headers_with(x, STR("X-Amz-Target"),
                                                str_printf(x->arena, "AWSCognitoIdentityProviderService.%s", as_operation));
    json_t *input = json_own(x->arena, json_object());
    json_set_str(input, "UserPoolId", pool_id);
    const struct wire_request as = { .method = STR("POST"), .path = STR("/"), .headers = headers,
                                     .body = json_print(x->arena, input) };
    begin_beside(app, x, &as, action, limit, fn, ctx);
}

/* ---- about all calls ---- */

struct str management_account(struct app *app, struct http_exchange *x)
{
    struct wire_request request = request_of(x);
    struct sigv4_request signed_part = { .method = request.method, .path = request.path, .query = request.query,
                                         .headers = request.headers };
    struct str key_id, service;
    struct credential credential = { 0 };
    if (sigv4_peek(x->arena, &signed_part, &key_id, &service) &&
        identity_credential(app->identity, x->arena, key_id, STR_NONE, real_now_s(), &credential) == CREDENTIAL_OK)
        return credential.principal.account;
    return app->options.account;
}

gh_err management_reset(struct app *app, struct arena *arena, struct str account)
{
    static const struct principal nobody = { .kind = PRINCIPAL_ROOT };
    struct call call = { .arena = arena, .env = &app->env, .db = app->db, .sealer = app->sealer, .account = account,
                         .region = app->options.region, .partition = STR("aws"), .now_us = env_now_us(&app->env),
                         .principal = &nobody };
    call.service = &idp_service; /* none; its account is what it is about */
    call.request_id = id_uuid(&app->env, arena);
    if (!audit_event_write(app->audit, &call, "gatehouse:Reset", STR("POST /_gatehouse/reset"), NULL))
        return gh_fail(arena, &GH_UNAVAILABLE, "The audit log cannot be written.");
    call.module = app->gateway;
    gh_err err = gateway_reset(&call);
    call.module = app->functions;
    if (!err)
        err = functions_reset(&call);
    call.module = app->identity;
    if (!err)
        err = identity_reset(&call);
    return err ? err : outbox_clear(&app->postman.outbox, arena, account);
}

struct str management_capabilities(struct arena *arena)
{
    struct registered services[N_SERVICES];
    list_services(NULL, services);
    struct registry *registry = registry_new(services, N_SERVICES);
    json_t *doc = registry_capabilities(registry, arena);
    json_t *accepted = json_array(); /* stored for AWS's tools, though nothing acts on it yet */
    for (size_t i = 0; apigateway_accepted[i]; i++)
        json_array_append_new(accepted, json_of(str_of(apigateway_accepted[i])));
    for (size_t i = 0; identity_accepted[i]; i++)
        json_array_append_new(accepted, json_of(str_of(identity_accepted[i])));
    json_object_set_new(doc, "accepted_not_enforced", accepted);
    json_t *left_out = json_array();
    for (size_t i = 0; identity_left_out[i]; i++)
        json_array_append_new(left_out, json_of(str_of(identity_left_out[i])));
    json_object_set_new(doc, "left_out", left_out);
    struct str text = json_print(arena, doc);
    registry_free(registry);
    return text;
}

void management_metrics(struct strbuf *text)
{
    strbuf_printf(text, "# TYPE gatehouse_management_calls_total counter\ngatehouse_management_calls_total %llu\n",
                  (unsigned long long)calls);
    strbuf_printf(text, "# TYPE gatehouse_management_errors_total counter\n"
                        "gatehouse_management_errors_total{class=\"4xx\"} %llu\n"
                        "gatehouse_management_errors_total{class=\"5xx\"} %llu\n",
                  (unsigned long long)calls_4xx, (unsigned long long)calls_5xx);
    strbuf_printf(text, "# TYPE gatehouse_management_seconds_total counter\ngatehouse_management_seconds_total %.6f\n",
                  (double)calls_us / 1e6);
}
