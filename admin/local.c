#include "admin/local.h"

#include "admin/audit/serve.h"
#include "admin/browser.h"
#include "admin/errand.h"
#include "admin/management.h"
#include "admin/upload.h"
#include "admin/version.h"
#include "core/embed.h"
#include "core/json.h"
#include "core/time.h"
#include "core/uri.h"
#include "gateway/ops/apikey.h"
#include "gateway/ops/diff.h"
#include "gateway/ops/replay.h"
#include "gateway/ops/stage_options.h"
#include "gateway/ops/stage_purge.h"
#include "identity/access/guard_rails.h"
#include "identity/iam/reports/explain.h"
#include "identity/pools/ui_customization.h"
#include "identity/pools/errand.h"
#include "identity/access/suggest.h"

static void health(struct app *app, struct http_exchange *x, struct str rest);
static void ready(struct app *app, struct http_exchange *x, struct str rest);
static void metrics(struct app *app, struct http_exchange *x, struct str rest);
static void outbox(struct app *app, struct http_exchange *x, struct str rest);
static void why(struct app *app, struct http_exchange *x, struct str rest);
static void clock_(struct app *app, struct http_exchange *x, struct str rest);
static void reset(struct app *app, struct http_exchange *x, struct str rest);
static void capabilities(struct app *app, struct http_exchange *x, struct str rest);
static void openapi(struct app *app, struct http_exchange *x, struct str rest);
static void api_key(struct app *app, struct http_exchange *x, struct str rest);
static void apis(struct app *app, struct http_exchange *x, struct str rest);
static void user_pools(struct app *app, struct http_exchange *x, struct str rest);
static void feedback(struct app *app, struct http_exchange *x, struct str rest);
static void function_code(struct app *app, struct http_exchange *x, struct str rest);
static void logo(struct app *app, struct http_exchange *x, struct str rest);
static void denials(struct app *app, struct http_exchange *x, struct str rest);
static void suggest(struct app *app, struct http_exchange *x, struct str rest);
static void function_log(struct app *app, struct http_exchange *x, struct str rest);
static void policy_explain(struct app *app, struct http_exchange *x, struct str rest);
static void guard_rails(struct app *app, struct http_exchange *x, struct str rest);

static const struct {
    const char *method; /* NULL: any */
    const char *path;
    bool prefix;   /* something follows: /why/{trace} */
    bool dev_only; /* a door that serve mode keeps shut */
    void (*serve)(struct app *app, struct http_exchange *x, struct str rest);
} routes[] = {
    { "GET", "/health", false, false, health },
    { "GET", "/ready", false, false, ready },
    { "GET", "/metrics", false, false, metrics },
    { "GET", "/outbox", false, true, outbox },
    { "GET", "/why/", true, true, why },
    { "POST", "/clock", false, true, clock_ },
    { "POST", "/reset", false, true, reset },
    { "GET", "/capabilities", false, false, capabilities },
    { "GET", "/openapi/", true, false, openapi },
    { "GET", "/apikeys/", true, false, api_key },
    { "GET", "/audit", false, false, audit_serve_search }, /* signed and allowed as cloudtrail:LookupEvents */
    { "POST", "/audit/verify", false, false, audit_serve_verify },
    { "GET", "/audit/key", false, false, audit_serve_key }, /* it is public */
    { NULL, "/apis/", true, false, apis }, /* signed and allowed as the operation it stands beside */
    { NULL, "/user-pools/", true, false, user_pools }, /* likewise */
    { "POST", "/policy/explain", false, false, policy_explain }, /* likewise */
    { NULL, "/guard-rails/", true, false, guard_rails }, /* likewise */
    { "PUT", "/imports/", true, false, upload_serve }, /* the link itself is the permission */
    { "GET", "/logos/", true, false, logo }, /* sign-in pages show it to anybody */
    { "GET", "/feedback", false, false, feedback },                  /* the link's token is the permission */
    { "GET", "/functions/code/", true, false, function_code }, /* the link itself is the permission */
    { "GET", "/functions/logs/", true, true, function_log },
    { "GET", "/policy/denials", false, false, denials }, /* allowed as GetAccountAuthorizationDetails */
    { "GET", "/policy/suggest", false, false, suggest },
};

static void refuse(struct http_exchange *x, int status, const char *message)
{
    json_t *doc = json_own(x->arena, json_object());
    json_set_str(doc, "message", str_of(message));
    reply_json(x, status, json_print(x->arena, doc));
}

void local_serve(struct app *app, struct http_exchange *x, struct str path)
{
    bool other_method = false;
    for (size_t i = 0; i < COUNT(routes); i++) {
        struct str prefix = str_of(routes[i].path);
        bool match = routes[i].prefix ? str_starts(path, prefix) : str_eq(path, prefix);
        if (!match)
            continue;
        if (routes[i].method && !str_is(x->method, routes[i].method)) {
            other_method = true;
        } else if (routes[i].dev_only && app->options.mode != MODE_DEV) {
            refuse(x, 403, "This is open in dev mode only.");
            return;
        } else if (app->options.mode == MODE_DEV && (routes[i].dev_only || !routes[i].method) &&
                   !browser_host_is_local(x->host)) {
            refuse(x, 403, "This is open under a name of this machine only, such as localhost.");
            return;
        } else {
            routes[i].serve(app, x, str_from(path, prefix.len));
            return;
        }
    }
    if (other_method)
        refuse(x, 405, "That method does not apply here.");
    else
        refuse(x, 404, "Nothing of that name under /_gatehouse/: health, ready, metrics, outbox, why/{trace}, clock, "
                       "reset, capabilities, openapi/{service}, apis/{id}/stages/{stage}/{options,diff,replay,purge}, "
                       "apikeys/{id}, policy/{explain,denials,suggest}, guard-rails/{service,resource}/{name}, audit, audit/verify, "
                       "audit/key, user-pools/{id}/…, user-pools/import, "
                       "logos/{pool}/{client}, functions/logs/{name}.");
}

static void health(struct app *app, struct http_exchange *x, struct str rest)
{
    (void)rest;
    json_t *doc = json_own(x->arena, json_object());
    json_set_str(doc, "status", STR("ok"));
    json_set_str(doc, "version", STR(GATEHOUSE_VERSION));
    json_set_str(doc, "mode", app->options.mode == MODE_DEV ? STR("dev") : STR("serve"));
    json_set_str(doc, "region", app->options.region);
    json_set_str(doc, "account", app->options.account);
    json_set_i64(doc, "uptime_s", (env_monotonic_us(&app->env) - app->started_us) / 1000000);
    json_set_str(doc, "time", time_iso8601_ms(x->arena, env_now_us(&app->env)));
    json_set_i64(doc, "clock_offset_s", env_system_offset_us() / 1000000);
    json_set_i64(doc, "workers", app->n_workers);
    json_set_i64(doc, "jobs_queued", job_pool_queued(app->jobs));
    json_object_set(doc, "functions", functions_health(app->functions, x->arena));
    reply_json(x, 200, json_print(x->arena, doc));
}

static void ready(struct app *app, struct http_exchange *x, struct str rest)
{
    (void)app;
    (void)rest;
    reply_json(x, 200, STR("{\"ready\":true}"));
}

static void metrics(struct app *app, struct http_exchange *x, struct str rest)
{
    (void)rest;
    if (app->options.mode != MODE_DEV && !str_starts(x->peer_ip, STR("127.")) && !str_is(x->peer_ip, "::1")) {
        refuse(x, 403, "Metrics are given to this machine only.");
        return;
    }
    struct strbuf text = strbuf_in(x->arena, 8192);
    unsigned connections = 0, in_flight = 0;
    for (int i = 0; i < app->n_workers; i++) {
        const struct http_server *servers[] = { app->workers[i].server, app->workers[i].tls_server };
        for (size_t k = 0; k < COUNT(servers) && servers[k]; k++) {
            connections += http_server_connections(servers[k]);
            in_flight += http_server_in_flight(servers[k]);
        }
    }
    strbuf_printf(&text, "# TYPE gatehouse_connections gauge\ngatehouse_connections %u\n", connections);
    strbuf_printf(&text, "# TYPE gatehouse_requests_in_flight gauge\ngatehouse_requests_in_flight %u\n", in_flight);
    strbuf_printf(&text, "# TYPE gatehouse_jobs_queued gauge\ngatehouse_jobs_queued %d\n", job_pool_queued(app->jobs));
    strbuf_printf(&text, "# TYPE gatehouse_jobs_busy gauge\ngatehouse_jobs_busy %d\n", job_pool_busy(app->jobs));
    management_metrics(&text);
    audit_metrics(app->audit, &text);
    identity_metrics(app->identity, &text);
    gateway_metrics(app->gateway, &text);
    postman_metrics(&app->postman, &text);
    struct http_headers headers = { 0 };
    http_header_add(x->arena, &headers, STR("Content-Type"), STR("text/plain; version=0.0.4"));
    http_reply(x, 200, &headers, strbuf_view(&text));
}

static void list_outbox(struct errand *errand)
{
    struct app *app = errand->ctx;
    struct arena *arena = errand->x->arena;
    struct str to = uri_query_get(arena, errand->x->query, "to");
    gh_err err = outbox_list(&app->postman.outbox, arena, to, &errand->body);
    errand->status = err ? err->kind->status : 200;
    if (err)
        errand->body = STR("{\"message\":\"The outbox cannot be read.\"}");
    http_header_add(arena, &errand->headers, STR("Content-Type"), STR("application/json"));
}

static void outbox(struct app *app, struct http_exchange *x, struct str rest)
{
    (void)rest;
    errand_run(app->jobs, x, app, list_outbox);
}

/* /why/{trace}/fixture: what gatehouse test can run. */
static void fixture(struct app *app, struct http_exchange *x, struct str trace)
{
    struct str problem = STR_NONE, text = gateway_fixture(app->gateway, x->arena, trace, &problem);
    if (text.ptr)
        reply_json(x, 200, text);
    else
        refuse(x, 404, problem.ptr);
}

static void why(struct app *app, struct http_exchange *x, struct str rest)
{
    struct str tail = STR("/fixture");
    if (str_ends(rest, tail)) {
        fixture(app, x, str_sub(rest, 0, rest.len - tail.len));
        return;
    }
    struct str record = gateway_trace(app->gateway, x->arena, rest);
    if (record.ptr)
        reply_json(x, 200, record);
    else
        refuse(x, 404, "No such trace. Only the newest are kept; the id is in the x-gatehouse-trace header of an answer.");
}

/* {"advance_s": 3600} moves the wall clock on, {"at": "2026-12-24T18:00:00Z"} sets it, {} sets it right; with "stand": true
 * it stays there, for tests that count seconds on a machine that is slow. */
static void set_clock(struct http_exchange *x, enum http_read result)
{
    struct app *app = x->user;
    struct str why_not;
    json_t *doc = result == HTTP_READ_OK ? json_parse(x->arena, x->body.len ? x->body : STR("{}"), &why_not) : NULL;
    struct str at = json_str(doc, "at");
    double at_s = 0;
    if (!json_is_object(doc) || (at.ptr && !time_parse_iso8601(at, &at_s))) {
        refuse(x, 400, "Send {\"advance_s\": seconds}, {\"at\": \"2026-12-24T18:00:00Z\"} or {}, perhaps with \"stand\": true.");
        return;
    }
    int64_t offset_us = 0;
    int64_t at_us = (int64_t)(at_s * 1e6 + 0.5);
    env_system_stand(0);
    if (at.ptr)
        offset_us = at_us - (env_now_us(&app->env) - env_system_offset_us());
    else if (json_object_get(doc, "advance_s"))
        offset_us = env_system_offset_us() + (int64_t)(json_number_value(json_object_get(doc, "advance_s")) * 1e6);
    env_system_step(offset_us);
    if (json_flag(doc, "stand", false))
        env_system_stand(at.ptr ? at_us : env_now_us(&app->env));
    json_t *answer = json_own(x->arena, json_object());
    json_set_str(answer, "time", time_iso8601_ms(x->arena, env_now_us(&app->env)));
    json_set_i64(answer, "offset_s", offset_us / 1000000);
    reply_json(x, 200, json_print(x->arena, answer));
}

static void clock_(struct app *app, struct http_exchange *x, struct str rest)
{
    (void)rest;
    x->user = app;
    http_read_whole(x, 4096, set_clock);
}

static void drop_account(struct errand *errand)
{
    struct app *app = errand->ctx;
    struct str account = management_account(app, errand->x);
    gh_err err = management_reset(app, errand->x->arena, account);
    errand->status = err ? err->kind->status : 200;
    errand->body = str_printf(errand->x->arena, "{\"account\":\"%.*s\",\"reset\":%s}", STR_FMT(account),
                              err ? "false" : "true");
    http_header_add(errand->x->arena, &errand->headers, STR("Content-Type"), STR("application/json"));
}

static void reset(struct app *app, struct http_exchange *x, struct str rest)
{
    (void)rest;
    errand_run(app->jobs, x, app, drop_account);
}

static void capabilities(struct app *app, struct http_exchange *x, struct str rest)
{
    (void)app;
    (void)rest;
    reply_json(x, 200, management_capabilities(x->arena));
}

static void openapi(struct app *app, struct http_exchange *x, struct str rest)
{
    (void)app;
    struct str path = str_printf(x->arena, "openapi/%.*s.yaml", STR_FMT(rest));
    for (const struct embedded_file *file = embedded_openapi; file->path; file++) {
        if (!str_is(path, file->path))
            continue;
        struct http_headers headers = { 0 };
        http_header_add(x->arena, &headers, STR("Content-Type"), STR("application/yaml"));
        http_reply(x, 200, &headers, (struct str){ file->bytes, file->len });
        return;
    }
    refuse(x, 404, "No such service: cognito-idp, cognito-identity, iam, sts, apigateway, apigatewayv2, "
                   "apigatewaymanagementapi, lambda, kms.");
}

/* ---- beside AWS's operations: /apis/{id}/… ---- */

static void stage_options_read(struct app *app, struct http_exchange *x, struct str api_id, struct str stage)
{
    struct stage_options_request *request = ARENA_NEW(x->arena, struct stage_options_request);
    *request = (struct stage_options_request){ .api_id = api_id, .stage = stage };
    management_beside(app, x, "GET", str_printf(x->arena, "/restapis/%.*s/stages/%.*s", STR_FMT(api_id), STR_FMT(stage)),
                      0, stage_options_get, request);
}

static void stage_options_write(struct app *app, struct http_exchange *x, struct str api_id, struct str stage)
{
    struct stage_options_request *request = ARENA_NEW(x->arena, struct stage_options_request);
    *request = (struct stage_options_request){ .api_id = api_id, .stage = stage, .replace = str_is(x->method, "PUT"),
                                               .body = &x->body };
    management_beside(app, x, "PATCH", str_printf(x->arena, "/restapis/%.*s/stages/%.*s", STR_FMT(api_id), STR_FMT(stage)),
                      65536, stage_options_put, request);
}

/* It shows the draft: who may read that may read this. */
static void stage_diff_read(struct app *app, struct http_exchange *x, struct str api_id, struct str stage)
{
    struct stage_diff_request *request = ARENA_NEW(x->arena, struct stage_diff_request);
    *request = (struct stage_diff_request){ api_id, stage };
    management_beside(app, x, "GET", str_printf(x->arena, "/restapis/%.*s/resources", STR_FMT(api_id)), 0, stage_diff_get,
                      request);
}

/* Whoever may deploy may see what a deployment would do. */
static void stage_replay(struct app *app, struct http_exchange *x, struct str api_id, struct str stage)
{
    struct replay_request *request = ARENA_NEW(x->arena, struct replay_request);
    *request = (struct replay_request){ .api_id = api_id, .stage = stage, .body = &x->body };
    management_beside(app, x, "POST", str_printf(x->arena, "/restapis/%.*s/deployments", STR_FMT(api_id)), 4096,
                      replay_on_draft, request);
}

static void stage_purge(struct app *app, struct http_exchange *x, struct str api_id, struct str stage)
{
    struct stage_purge_request *request = ARENA_NEW(x->arena, struct stage_purge_request);
    *request = (struct stage_purge_request){ .api_id = api_id, .stage = stage, .body = &x->body };
    management_beside(app, x, "DELETE",
                      str_printf(x->arena, "/restapis/%.*s/stages/%.*s/cache/data", STR_FMT(api_id), STR_FMT(stage)),
                      65536, stage_cache_purge, request);
}

/* What hangs below /apis/{id}/stages/{stage}/. */
static const struct {
    const char *method, *name;
    void (*serve)(struct app *app, struct http_exchange *x, struct str api_id, struct str stage);
} stage_routes[] = {
    { "GET", "options", stage_options_read },
    { "PUT", "options", stage_options_write },
    { "PATCH", "options", stage_options_write },
    { "GET", "diff", stage_diff_read },
    { "POST", "replay", stage_replay },
    { "POST", "purge", stage_purge },
};

static void apis(struct app *app, struct http_exchange *x, struct str rest)
{
    struct str api_id = STR_NONE, stages = STR_NONE, stage = STR_NONE;
    bool other_method = false;
    str_split(&rest, '/', &api_id);
    str_split(&rest, '/', &stages);
    str_split(&rest, '/', &stage);
    for (size_t i = 0; str_is(stages, "stages") && stage.len && i < COUNT(stage_routes); i++) {
        if (!str_is(rest, stage_routes[i].name))
            continue;
        other_method = true;
        if (!str_is(x->method, stage_routes[i].method))
            continue;
        stage_routes[i].serve(app, x, api_id, stage);
        return;
    }
    if (other_method)
        refuse(x, 405, "That method does not apply here.");
    else
        refuse(x, 404, "Nothing of that name under /_gatehouse/apis/: {id}/stages/{stage}/{options,diff,replay,purge}.");
}

/* Who may see the key may see how long it is good. */
static void api_key(struct app *app, struct http_exchange *x, struct str rest)
{
    struct str *id = ARENA_NEW(x->arena, struct str);
    *id = str_copy(x->arena, rest);
    management_beside(app, x, "GET", str_printf(x->arena, "/apikeys/%.*s", STR_FMT(rest)), 0, apikey_lifetime, id);
}

/* ---- beside IAM's operations ---- */

static void policy_explain(struct app *app, struct http_exchange *x, struct str rest)
{
    (void)rest;
    management_beside_iam(app, x, STR("Action=SimulateCustomPolicy&Version=2010-05-08"), NULL, 1024 * 1024, explain_run, &x->body);
}

/* Guard rails are Organizations' in AWS: their permissions are asked, on "*". */
static void guard_rails(struct app *app, struct http_exchange *x, struct str rest)
{
    static const struct {
        const char *method, *action;
        bool named;
        gh_err (*run)(struct call *call, void *ctx, struct str *json);
    } rows[] = {
        { "GET", "organizations:ListPolicies", false, guard_rails_list },
        { "GET", "organizations:DescribePolicy", true, guard_rails_get },
        { "PUT", "organizations:UpdatePolicy", true, guard_rails_put },
        { "DELETE", "organizations:DeletePolicy", true, guard_rails_delete },
    };
    struct guard_rail_order *order = ARENA_NEW(x->arena, struct guard_rail_order);
    bool named = rest.len > 0;
    str_split(&rest, '/', &order->kind);
    order->name = uri_decode(x->arena, rest, false);
    order->body = &x->body;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_is(x->method, rows[i].method) && rows[i].named == named) {
            management_beside_iam(app, x, STR("Action=GetAccountSummary&Version=2010-05-08"), rows[i].action, 65536, rows[i].run,
                                  order);
            return;
        }
    refuse(x, 405, "That method does not apply here.");
}

/* ---- beside AWS's operations: /user-pools/{id}/… ---- */

enum { IMPORT_BYTES = 8 * 1024 * 1024 }; /* a part of 4 MiB in base64; a batch of records */

/* What hangs below /user-pools/{id}/, and as which operation on the pool it is signed and allowed. */
static const struct {
    const char *method, *name, *as;
    size_t limit; /* bytes of the request's body */
    gh_err (*run)(struct call *call, void *errand, struct str *json);
    const char *(*as_asked)(struct arena *arena, struct str query); /* instead of `as` */
    const char *action; /* a permission of our own, on what `as` is about; or NULL */
} pool_routes[] = {
    { "GET", "options", "DescribeUserPool", 0, pool_options_get },
    { "PUT", "options", "UpdateUserPool", 65536, pool_options_put },
    { "PATCH", "options", "UpdateUserPool", 65536, pool_options_put },
    { "GET", "webhook-secret", "DescribeUserPool", 0, pool_webhook_secret_get },
    { "POST", "webhook-secret", "UpdateUserPool", 65536, pool_webhook_secret_put },
    { "DELETE", "webhook-secret", "UpdateUserPool", 0, pool_webhook_secret_put },
    { "GET", "keys", "DescribeUserPool", 0, pool_keys_get },
    { "POST", "keys/rotate", "UpdateUserPool", 4096, pool_keys_rotate },
    { "POST", "keys/retire", "UpdateUserPool", 4096, pool_keys_retire },
    { "GET", "imports/*/log", "DescribeUserImportJob", 0, import_log_get },
    { "GET", "users", "ListUsers", 0, pool_users_search },
    { "POST", "users/bulk", NULL, 65536, pool_users_bulk, pool_users_bulk_as },
    { "POST", "schema-change", "UpdateUserPool", 65536, pool_schema_change_run },
    { "POST", "import-users", "CreateUserImportJob", IMPORT_BYTES, pool_import_users },
    { "POST", "export", "DescribeUserPool", 65536, pool_export, NULL, "cognito-idp:ExportUserPool" },
};

/* `name` may have a star: one segment, which is *item. */
static bool pool_route_fits(struct str name, struct str path, struct str *item)
{
    ptrdiff_t star = str_find(name, '*');
    *item = STR_NONE;
    if (star < 0)
        return str_eq(name, path);
    struct str before = str_sub(name, 0, (size_t)star), after = str_from(name, (size_t)star + 1);
    if (path.len <= before.len + after.len || !str_starts(path, before) || !str_ends(path, after))
        return false;
    *item = str_sub(path, before.len, path.len - before.len - after.len);
    return str_find(*item, '/') < 0;
}

static const char *pool_routes_text(struct arena *arena)
{
    struct strbuf text = strbuf_in(arena, 512);
    strbuf_add(&text, STR("Nothing of that name under /_gatehouse/user-pools/{id}/. There are:"));
    for (size_t i = 0; i < COUNT(pool_routes); i++)
        strbuf_printf(&text, " %s %s%s", pool_routes[i].method, pool_routes[i].name, i + 1 < COUNT(pool_routes) ? "," : ".");
    return strbuf_view(&text).ptr;
}

static void user_pools(struct app *app, struct http_exchange *x, struct str rest)
{
    struct str id = STR_NONE, item;
    bool other_method = false;
    str_split(&rest, '/', &id);
    if (str_is(id, "import") && !rest.ptr && str_is(x->method, "POST")) {
        struct pool_errand *errand = ARENA_NEW(x->arena, struct pool_errand);
        *errand = (struct pool_errand){ .body = &x->body };
        management_beside_pool(app, x, "CreateUserPool", "cognito-idp:ImportUserPool", STR_NONE, IMPORT_BYTES, pool_import,
                               errand);
        return;
    }
    for (size_t i = 0; i < COUNT(pool_routes); i++) {
        if (!pool_route_fits(str_of(pool_routes[i].name), rest, &item))
            continue;
        other_method = true;
        if (!str_is(x->method, pool_routes[i].method))
            continue;
        struct pool_errand *errand = ARENA_NEW(x->arena, struct pool_errand);
        *errand = (struct pool_errand){ .pool_id = id, .item = item, .method = x->method, .query = x->query, .body = &x->body };
        const char *as = pool_routes[i].as ? pool_routes[i].as : pool_routes[i].as_asked(x->arena, x->query);
        management_beside_pool(app, x, as, pool_routes[i].action, id, pool_routes[i].limit, pool_routes[i].run, errand);
        return;
    }
    if (other_method)
        refuse(x, 405, "That method does not apply here.");
    else
        refuse(x, 404, pool_routes_text(x->arena));
}

#define ABOUT_ALL "Action=GetAccountAuthorizationDetails&Version=2010-05-08"

static void denials(struct app *app, struct http_exchange *x, struct str rest)
{
    (void)rest;
    management_beside_iam(app, x, STR(ABOUT_ALL), NULL, 0, identity_denials, &x->query);
}

static void suggest(struct app *app, struct http_exchange *x, struct str rest)
{
    (void)rest;
    management_beside_iam(app, x, STR(ABOUT_ALL), NULL, 0, identity_suggest, &x->query);
}

/* /logos/{pool}/{client id or ALL}: SetUICustomization's image. */
static void send_logo(struct errand *errand)
{
    struct app *app = errand->ctx;
    struct http_exchange *x = errand->x;
    struct str rest = x->path, pool, client = str_from(x->path, (size_t)str_find_last(x->path, '/') + 1);
    const char *type = "application/json";
    rest = str_sub(rest, 0, rest.len - client.len - 1);
    pool = str_from(rest, (size_t)(str_find_last(rest, '/') + 1));
    errand->status = ui_logo(app->identity, x->arena, pool, client, &errand->body, &type) ? 200 : 404;
    if (errand->status == 404)
        errand->body = STR("{\"message\":\"There is no such logo.\"}");
    http_header_add(x->arena, &errand->headers, STR("Content-Type"), str_of(type));
    http_header_add(x->arena, &errand->headers, STR("X-Content-Type-Options"), STR("nosniff"));
}

static void logo(struct app *app, struct http_exchange *x, struct str rest)
{
    (void)rest;
    errand_run(app->jobs, x, app, send_logo);
}

/* A link in a mail about a risky sign-in: UpdateAuthEventFeedback, by one click. */
static void give_feedback(struct errand *errand)
{
    static const char *const members[][2] = { { "UserPoolId", "pool" }, { "Username", "user" }, { "EventId", "event" },
                                              { "FeedbackToken", "token" }, { "FeedbackValue", "value" } };
    struct app *app = errand->ctx;
    struct http_exchange *x = errand->x;
    json_t *input = json_own(x->arena, json_object());
    for (size_t i = 0; i < COUNT(members); i++)
        json_set_str(input, members[i][0], uri_query_get(x->arena, x->query, members[i][1]));
    struct http_headers headers = { 0 };
    http_header_add(x->arena, &headers, STR("X-Amz-Target"), STR("AWSCognitoIdentityProviderService.UpdateAuthEventFeedback"));
    const struct wire_request request = { .method = STR("POST"), .path = STR("/"), .headers = &headers,
                                          .body = json_print(x->arena, input), .source_ip = x->peer_ip };
    struct wire_reply reply = { 0 };
    operation_run(app->wire, x->arena, &request, &reply);
    errand->status = reply.status;
    errand->body = reply.status == 200 ? STR("Thank you: this is noted.\n") : STR("This link is wrong or has expired.\n");
    http_header_add(x->arena, &errand->headers, STR("Content-Type"), STR("text/plain; charset=utf-8"));
    http_header_add(x->arena, &errand->headers, STR("Referrer-Policy"), STR("no-referrer"));
}

static void feedback(struct app *app, struct http_exchange *x, struct str rest)
{
    (void)rest;
    errand_run(app->jobs, x, app, give_feedback);
}

static void send_code(struct errand *errand)
{
    struct app *app = errand->ctx;
    struct http_exchange *x = errand->x;
    bool found = functions_code_by_link(app->functions, x->path, x->arena, &errand->body);
    errand->status = found ? 200 : 403;
    if (!found)
        errand->body = STR("{\"message\":\"This link is wrong or has expired: GetFunction gives a new one.\"}");
    http_header_add(x->arena, &errand->headers, STR("Content-Type"), found ? STR("application/zip") : STR("application/json"));
}

static void function_code(struct app *app, struct http_exchange *x, struct str rest)
{
    (void)rest;
    errand_run(app->jobs, x, app, send_code);
}

/* The end of what the function has printed, as text; of the account whose key the request shows. */
static void send_log(struct errand *errand)
{
    struct app *app = errand->ctx;
    struct http_exchange *x = errand->x;
    struct str name = str_from(x->path, (size_t)str_find_last(x->path, '/') + 1);
    errand->body = functions_log(app->functions, management_account(app, x), app->options.region, name, 64 * 1024, x->arena);
    errand->status = errand->body.ptr ? 200 : 404;
    if (!errand->body.ptr)
        errand->body = STR("No function of that name has printed anything.\n");
    http_header_add(x->arena, &errand->headers, STR("Content-Type"), STR("text/plain; charset=utf-8"));
}

static void function_log(struct app *app, struct http_exchange *x, struct str rest)
{
    (void)rest;
    errand_run(app->jobs, x, app, send_log);
}
