/* A request to an AWS service: its protocol's headers, and the role's signature. */
#include "gateway/backend/service.h"
#include "gateway/stage/stage.h"
#include "wire/sigv4.h"

/* The path and the query of a target. */
static void split(struct str target, struct str *path, struct str *query)
{
    ptrdiff_t mark = str_find(target, '?');
    *path = mark < 0 ? target : str_sub(target, 0, (size_t)mark);
    *query = mark < 0 ? STR_NONE : str_from(target, (size_t)mark + 1);
}

static void set_unless(struct gw_request *r, struct http_headers *headers, const char *name, struct str value)
{
    if (!http_header_has(&r->request.headers, name)) /* what the integration maps is stronger */
        http_header_set(r->arena, headers, str_of(name), value);
}

static struct str joined(struct gw_request *r, struct str one, struct str other)
{
    return other.len ? str_printf(r->arena, "%.*s&%.*s", STR_FMT(one), STR_FMT(other)) : one;
}

/* A JSON call when there is a body for one; else "Action=…" and the mapped parameters: a form where one may be
 * sent, or the query. */
static void add_action(struct gw_request *r, const struct gw_service *service, struct str method,
                       struct http_headers *headers)
{
    static const char form[] = "application/x-www-form-urlencoded";
    struct str path, query, body = r->request.body;
    if (service->json_target.len && body.len) {
        set_unless(r, headers, "X-Amz-Target", service->json_target);
        set_unless(r, headers, "Content-Type", service->json_type);
        return;
    }
    split(r->target, &path, &query);
    bool is_form = str_starts_nocase(http_header_get(headers, "Content-Type"), str_of(form));
    struct str parameters = joined(r, service->action_query, query);
    if (str_is(method, "POST") && (!body.len || is_form)) {
        r->target = path;
        r->request.body = joined(r, parameters, body);
        http_header_set(r->arena, headers, STR("Content-Type"), str_of(form));
    } else {
        r->target = str_printf(r->arena, "%.*s?%.*s", STR_FMT(path), STR_FMT(parameters));
    }
}

void stage_service_request(struct gw_request *r, struct http_call *http, struct http_headers *headers)
{
    const struct gw_service *service = r->method->integration->service;
    const struct gw_endpoint *endpoint = service->endpoint;
    bool own_key = endpoint->key_id.ptr != NULL;
    if (service->action_query.ptr)
        add_action(r, service, http->method, headers);
    http->target = r->target;
    http->unguarded = true; /* the operator's choice, not the tenant's */
    http_header_set(r->arena, headers, STR("Host"), service->host);
    struct sigv4_request request = { .method = http->method, .headers = headers, .body = r->request.body };
    split(r->target, &request.path, &request.query);
    const struct sigv4_signer signer = {
        .access_key_id = own_key ? endpoint->key_id : r->actor.key_id,
        .secret = own_key ? endpoint->secret : r->actor.secret,
        .session_token = own_key ? STR_NONE : r->actor.token,
        .region = service->region,
        .service = service->name,
        .now_s = (r->wall_us - env_system_offset_us()) / 1000000, /* others do not know of a stepped test clock */
        .path_as_sent = true,
        .path_once = service->whole_body_signed,
        .sign_body = service->whole_body_signed,
    };
    sigv4_sign(r->arena, &request, &signer, headers);
}
