/* Which stage, which resource, which method.
 *
 * "403 MISSING_AUTHENTICATION_TOKEN, also for a wrong method on an existing resource" (recorded);
 * an unknown API or stage is 403 Forbidden, before there is an API whose gateway responses apply. */
#include "core/base64.h"
#include "core/digest.h"
#include "gateway/stage/stage.h"

/* By path without a stage: the first segment is it. */
static void take_stage(struct gw_request *r)
{
    struct str rest = str_from(r->path, 1), first;
    if (r->stage.ptr)
        return;
    if (str_starts(rest, STR("/"))) /* recorded: one slash too many before the stage is not seen anywhere */
        rest = str_from(rest, 1);
    if (!str_split(&rest, '/', &first))
        first = STR("");
    r->stage = first;
    r->path = rest.ptr ? (struct str){ rest.ptr - 1, rest.len + 1 } : STR("/");
}

/* An Authorization header that is no signature gets a signature's complaint, as on AWS. */
static enum gw_next no_route(struct gw_request *r)
{
    struct str authorization = http_header_get(&r->x->headers, "Authorization");
    trace_note(&r->trace, "no method for",
               str_printf(r->arena, "%.*s %.*s", STR_FMT(r->http_method), STR_FMT(r->path)));
    if (!authorization.len || str_find(authorization, '=') >= 0)
        return gw_fail(r, RESPONSE_MISSING_AUTHENTICATION_TOKEN);
    uint8_t hash[SHA256_BYTES];
    digest_sha256(authorization, hash);
    r->failure_error_type = STR("IncompleteSignatureException");
    return gw_fail_text(r, RESPONSE_MISSING_AUTHENTICATION_TOKEN,
                        str_printf(r->arena,
                                   "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with "
                                   "SHA-256 and encoded with Base64): '%s'.",
                                   base64_encode(r->arena, digest_str(hash, sizeof hash)).ptr));
}

/* "Total API traffic is separated at random into a production release and a canary release with a
 * pre-configured ratio." */
static const struct snapshot *draw(struct gw_request *r, const struct snapshot *snapshot)
{
    uint64_t random;
    if (!snapshot->canary)
        return snapshot;
    gateway_random(r->home, &random, 1);
    if ((double)(random >> 11) * 0x1.0p-53 >= snapshot->canary_share)
        return snapshot;
    trace_note(&r->trace, "canary", snapshot->canary->deployment_id);
    return snapshot->canary;
}

static enum gw_next route_enter(struct gw_request *r)
{
    take_stage(r);
    trace_name(&r->trace, r->http_method, r->api_id, r->stage, r->path, r->request_id);
    if (r->turned_away) {
        trace_note(&r->trace, "domain", str_of(r->turned_away));
        return gw_fail(r, RESPONSE_FIXED);
    }
    r->entry = gateway_enter(r->home, r->api_id, r->stage);
    if (!r->entry) {
        trace_note(&r->trace, "no such API or stage", r->stage);
        return gw_fail(r, RESPONSE_FIXED);
    }
    r->snapshot = draw(r, r->entry->snapshot);
    if (!stage_reachable(r))
        return gw_fail(r, RESPONSE_FIXED);
    /* Recorded: requestContext.path keeps every slash, path drops an extra one behind the stage. */
    struct strbuf full = strbuf_in(r->arena, r->stage.len + r->path.len + 2);
    strbuf_char(&full, '/');
    strbuf_add(&full, r->stage);
    strbuf_add(&full, r->path);
    r->request_path = r->custom_domain.ptr ? r->x->path : strbuf_view(&full);
    if (str_starts(r->path, STR("//")))
        r->path = str_from(r->path, 1);
    route_find(r->snapshot->routes, r->http_method, r->path, &r->match);
    r->method = r->match.method;
    if (!r->method)
        return no_route(r);
    trace_note(&r->trace, "resource", r->method->resource_path);
    return GW_NEXT;
}

const struct gw_step step_route = { "route", route_enter, NULL };
