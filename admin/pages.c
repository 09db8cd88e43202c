#include "admin/pages.h"

#include "admin/errand.h"
#include "core/id.h"
#include "gen/cognito_idp.h"

/* One sentence on a page; nothing of the request is on it. */
static void page(struct errand *errand, int status, const char *title, const char *sentence)
{
    struct arena *arena = errand->x->arena;
    static const struct {
        struct str name, value;
    } headers[] = {
        { STR_INIT("Content-Type"), STR_INIT("text/html; charset=UTF-8") },
        { STR_INIT("Cache-Control"), STR_INIT("no-store") },
        { STR_INIT("Content-Security-Policy"), STR_INIT("default-src 'none'; frame-ancestors 'none'") },
        { STR_INIT("X-Frame-Options"), STR_INIT("DENY") },
        { STR_INIT("X-Content-Type-Options"), STR_INIT("nosniff") },
        { STR_INIT("Referrer-Policy"), STR_INIT("no-referrer") },
    };
    for (size_t i = 0; i < COUNT(headers); i++)
        http_header_add(arena, &errand->headers, headers[i].name, headers[i].value);
    errand->status = status;
    errand->body = str_printf(arena,
                              "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>%s</title>"
                              "<h1>%s</h1><p>%s</p></html>\n",
                              title, title, sentence);
}

struct confirmation {
    struct app *app;
    struct str pool_id;
};

static void confirm(struct errand *errand)
{
    const struct confirmation *c = errand->ctx;
    struct app *app = c->app;
    static const struct principal nobody = { .kind = PRINCIPAL_ANONYMOUS };
    struct call call = { .arena = errand->x->arena, .env = &app->env, .db = app->db, .sealer = app->sealer,
                         .account = app->options.account, .region = app->options.region, .partition = STR("aws"),
                         .base_url = app->options.base_url, .source_ip = errand->x->peer_ip,
                         .now_us = env_now_us(&app->env), .principal = &nobody, .module = app->identity };
    struct audit_notes notes = { 0 };
    call.request_id = id_uuid(&app->env, call.arena);
    call.service = &idp_service;
    call.user_agent = http_header_get(&errand->x->headers, "User-Agent");
    call.audit = &notes;
    gh_err err = identity_confirm_by_link(&call, c->pool_id, errand->x->query);
    struct str request = str_printf(call.arena, "GET %.*s", STR_FMT(errand->x->path)); /* the code stands in the query */
    if (!audit_event_write(app->audit, &call, "cognito-idp:ConfirmUser_GET", request, err) && !err)
        err = gh_fail(call.arena, &GH_UNAVAILABLE, "The audit log cannot be written.");
    if (!err)
        page(errand, 200, "Confirmed", "Your registration has been confirmed!");
    else if (err->kind->status >= 500)
        page(errand, err->kind->status, "Not confirmed", "Something went wrong here. Please try the link again.");
    else
        page(errand, 400, "Not confirmed",
             "This link is not good any more: it has been used, or it is too old. Please ask for a new one.");
}

bool pages_serve(struct app *app, struct http_exchange *x, const struct place *place)
{
    if (!str_is(x->method, "GET") || !str_is(place->path, "/confirmUser"))
        return false;
    struct confirmation *c = ARENA_NEW(x->arena, struct confirmation);
    *c = (struct confirmation){ app, place->pool_id };
    errand_run(app->jobs, x, c, confirm);
    return true;
}
