#include "admin/listen.h"

#include "admin/browser.h"
#include "admin/errand.h"
#include "admin/local.h"
#include "admin/management.h"
#include "admin/pages.h"
#include "admin/plane.h"

static void reply_document(struct http_exchange *x, struct str json)
{
    struct http_headers headers = { 0 };
    http_header_add(x->arena, &headers, STR("Content-Type"), STR("application/json"));
    http_header_add(x->arena, &headers, STR("Cache-Control"), STR("public, max-age=300"));
    http_header_add(x->arena, &headers, STR("Access-Control-Allow-Origin"), STR("*"));
    http_reply(x, 200, &headers, json);
}

/* Who verifies a token of an identity pool asks for these. */
static void serve_issuer(struct app *app, struct http_exchange *x, const struct place *place)
{
    struct str json = STR_NONE;
    if (identity_token_document(app->identity, x->arena, place->path, &json))
        reply_document(x, json);
    else
        reply_json(x, 404, STR("{\"message\":\"Identity pools have /.well-known/openid-configuration and "
                               "/.well-known/jwks_uri here.\"}"));
}

/* An account's issuer of web identity tokens (GetWebIdentityToken): its keys are in the database. */
struct outbound_read {
    struct app *app;
    struct str id, path;
};

static void read_outbound(struct errand *errand)
{
    const struct outbound_read *read = errand->ctx;
    struct str json = STR_NONE;
    http_header_add(errand->x->arena, &errand->headers, STR("Content-Type"), STR("application/json"));
    errand->status = 404;
    errand->body = STR("{\"message\":\"No account issues tokens here.\"}");
    if (!identity_outbound_document(read->app->identity, errand->x->arena, read->id, read->path, &json))
        return;
    errand->status = 200;
    errand->body = json;
    http_header_add(errand->x->arena, &errand->headers, STR("Cache-Control"), STR("public, max-age=300"));
    http_header_add(errand->x->arena, &errand->headers, STR("Access-Control-Allow-Origin"), STR("*"));
}

static void serve_outbound(struct app *app, struct http_exchange *x, const struct place *place)
{
    struct outbound_read *read = ARENA_NEW(x->arena, struct outbound_read);
    *read = (struct outbound_read){ app, str_copy(x->arena, place->pool_id), str_copy(x->arena, place->path) };
    errand_run(app->jobs, x, read, read_outbound);
}

/* {poolId}/.well-known/…: public documents that anybody may read and any page may fetch. */
static void serve_pool(struct app *app, struct http_exchange *x, const struct place *place)
{
    struct str json = STR_NONE;
    bool found = false;
    if (str_is(place->path, "/.well-known/jwks.json"))
        found = identity_jwks(app->identity, x->arena, place->pool_id, &json);
    else if (str_is(place->path, "/.well-known/openid-configuration"))
        found = identity_discovery(app->identity, x->arena, place->pool_id, &json);
    if (!found && pages_serve(app, x, place))
        return;
    if (!found) {
        reply_json(x, 404, str_printf(x->arena, "{\"message\":\"User pool %.*s has no %.*s here.\"}",
                                      STR_FMT(place->pool_id), STR_FMT(place->path)));
        return;
    }
    reply_document(x, json);
}

void listen_request(void *ctx, struct http_exchange *x)
{
    struct worker *worker = ctx;
    struct app *app = worker->app;
    if (gateway_has_domain(app->gateway, x)) { /* all of its paths are the domain's */
        x->kind = PLANE_DATA;
        gateway_serve_domain(app->gateway, x);
        return;
    }
    struct place place = plane_of(x->host, x->path);
    x->kind = place.plane;
    bool ours = place.plane == PLANE_LOCAL || place.plane == PLANE_MANAGEMENT;
    if (ours && app->options.mode == MODE_DEV && browser_is_foreign(x)) {
        reply_json(x, 403, STR("{\"message\":\"Dev mode answers pages of this machine only.\"}"));
        return;
    }
    switch (place.plane) {
    case PLANE_DATA:
        gateway_serve(app->gateway, x, place.api_id, place.stage, place.path);
        break;
    case PLANE_LOCAL:
        local_serve(app, x, place.path);
        break;
    case PLANE_POOL:
        serve_pool(app, x, &place);
        break;
    case PLANE_ISSUER:
        serve_issuer(app, x, &place);
        break;
    case PLANE_OUTBOUND:
        serve_outbound(app, x, &place);
        break;
    case PLANE_MANAGEMENT:
        management_serve(app, x);
        break;
    }
}

/* A management call is finished, whoever waits: its answer goes nowhere, its effect stays. */
void listen_gone(void *ctx, struct http_exchange *x)
{
    struct worker *worker = ctx;
    if (x->kind == PLANE_DATA)
        gateway_exchange_gone(worker->app->gateway, x);
}

void listen_done(void *ctx, struct http_exchange *x, bool complete)
{
    struct worker *worker = ctx;
    if (x->kind == PLANE_DATA)
        gateway_exchange_done(worker->app->gateway, x, complete);
}
