/* The request's body: whole where a step needs it, or only its announced length.
 *
 * "Payload size: 10 MB", and 413 before the integration is called. */
#include "gateway/stage/stage.h"

static void on_body(struct http_exchange *x, enum http_read result)
{
    struct gw_request *r = x->user;
    r->body_read = true;
    if (result == HTTP_READ_OK) {
        r->body = x->body;
    } else if (result == HTTP_READ_TOO_LARGE) {
        gw_fail(r, RESPONSE_REQUEST_TOO_LARGE);
    } else {
        trace_note(&r->trace, "client", STR("broke off while sending the body"));
        gw_fail_text(r, RESPONSE_BAD_REQUEST_BODY, STR("Request body ended early"));
    }
    gw_resume(r);
}

static enum gw_next read_enter(struct gw_request *r)
{
    r->body = STR("");
    if (!r->x->has_body)
        return GW_NEXT;
    if (r->x->content_length > GW_MAX_BODY)
        return gw_fail(r, RESPONSE_REQUEST_TOO_LARGE);
    http_read_whole(r->x, GW_MAX_BODY, on_body);
    return GW_WAIT;
}

/* What is passed on as it comes need not be read, unless it has to be decoded. */
static enum gw_next read_size(struct gw_request *r)
{
    if (stage_is_coded(r))
        return read_enter(r);
    if (r->x->content_length > GW_MAX_BODY)
        return gw_fail(r, RESPONSE_REQUEST_TOO_LARGE);
    return GW_NEXT;
}

static enum gw_next read_done(struct gw_request *r)
{
    return r->failed ? GW_FAIL : GW_NEXT;
}

const struct gw_step step_read_whole = { "read", read_enter, read_done };
const struct gw_step step_read_size = { "read", read_size, read_done, true };
