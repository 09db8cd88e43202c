/* HTTP endpoints: HTTP_PROXY (streaming both ways) and HTTP (whole, for templates).
 *
 * The head of the request is rebuilt, never copied: hop-by-hop headers, the client's x-amzn-* and
 * x-forwarded-*, and what AWS's table drops stay behind; X-Forwarded-For, -Proto, -Port,
 * X-Amzn-Trace-Id and x-amzn-apigateway-api-id are ours. */
#include "gateway/headers.h"
#include "gateway/backend/link.h"
#include "gateway/stage/stage.h"

/* Bodies up to this size travel whole: one write instead of a stream, and the request can be sent again. */
#define WHOLE_BYTES (64 * 1024)

static void on_head(struct http_call *http);
static void on_piece(struct http_call *http, struct str piece);
static void on_done(struct http_call *http, enum http_failure failure);
static void on_writable(struct http_call *http);
static void on_drain(struct http_exchange *x);

/* --- the request --- */

static void copy_client_headers(struct gw_request *r, struct http_headers *out)
{
    bool signed_call = r->method->authorization == AUTH_IAM;
    for (size_t i = 0; i < r->x->headers.n; i++) {
        struct http_header h = r->x->headers.items[i];
        const struct header_rule *rule = header_rule(h.name);
        if ((rule && rule->request_http == HEADER_DROP) || header_is_ours(h.name))
            continue;
        if (stage_cache_leaves_out(r, h.name))
            continue;
        if (signed_call && (str_eq_nocase(h.name, STR("Authorization")) || str_starts_nocase(h.name, STR("X-Amz-"))))
            continue; /* "dropped if SigV4 or AWS_IAM": the signature was for us */
        http_header_add(r->arena, out, h.name, h.value);
    }
}

/* The same trace in the W3C's words, for backends that know no X-Ray; a client's own goes through as it is.
 * By hand: printf would be a fortieth of the whole request. */
static void add_traceparent(struct gw_request *r, struct http_headers *out)
{
    struct str root = r->trace_header; /* "Root=1-" 8 digits "-" 24 digits */
    if (root.len < 40 || http_header_has(out, "traceparent"))
        return;
    char *text = arena_alloc(r->arena, 55, 1);
    memcpy(text, "00-", 3);
    memcpy(text + 3, root.ptr + 7, 8);
    memcpy(text + 11, root.ptr + 16, 24);
    text[35] = '-';
    memcpy(text + 36, r->trace.id, TRACE_ID);
    memcpy(text + 52, "-00", 3);
    http_header_add(r->arena, out, STR("traceparent"), (struct str){ text, 55 });
}

static void add_own_headers(struct gw_request *r, struct http_headers *out)
{
    http_header_add(r->arena, out, STR("X-Forwarded-For"), stage_forwarded_for(r));
    http_header_add(r->arena, out, STR("X-Forwarded-Proto"), stage_forwarded_proto(r));
    http_header_add(r->arena, out, STR("X-Forwarded-Port"), stage_forwarded_port(r));
    http_header_add(r->arena, out, STR("X-Amzn-Trace-Id"), r->trace_header);
    add_traceparent(r, out);
    http_header_add(r->arena, out, STR("x-amzn-apigateway-api-id"), r->api_id);
}

/* Recorded: HTTP sends mapped headers, Accept: application/json, its own User-Agent, the API's id. */
static void add_http_headers(struct gw_request *r, struct http_headers *out)
{
    struct str type = http_header_get(&r->x->headers, "Content-Type");
    http_header_add(r->arena, out, STR("User-Agent"), str_printf(r->arena, "AmazonAPIGateway_%.*s", STR_FMT(r->api_id)));
    http_header_add(r->arena, out, STR("Accept"), STR("application/json"));
    if (r->request.body.len)
        http_header_add(r->arena, out, STR("Content-Type"), type.len ? type : STR("application/json"));
    http_header_add(r->arena, out, STR("X-Amzn-Trace-Id"), r->trace_header);
    add_traceparent(r, out);
    http_header_add(r->arena, out, STR("x-amzn-apigateway-api-id"), r->api_id);
}

/* A VPC link: the endpoint's name stays in Host and certificate, the connection goes to a target. */
static void take_turn(struct gw_request *r, struct http_call *http)
{
    r->backend = link_take(r->method->integration->link);
    r->backends_tried++;
    http->host = r->backend->host;
    http->port = r->backend->port;
    http->tls_name = r->method->integration->host;
    if (!http->host_header.ptr)
        http->host_header = r->method->integration->authority;
    http->unguarded = true; /* "private": named by the operator */
    trace_note(&r->trace, "target", str_printf(r->arena, "%.*s:%u", STR_FMT(http->host), http->port));
}

static struct http_call *prepare(struct gw_request *r)
{
    const struct gw_integration *in = r->method->integration;
    struct http_headers *headers = ARENA_NEW(r->arena, struct http_headers);
    if (in->type == INTEGRATE_HTTP_PROXY) {
        copy_client_headers(r, headers);
        add_own_headers(r, headers);
    } else {
        add_http_headers(r, headers);
    }
    for (size_t i = 0; i < r->request.headers.n; i++)
        http_header_set(r->arena, headers, r->request.headers.items[i].name, r->request.headers.items[i].value);
    struct http_call *http = ARENA_NEW(r->arena, struct http_call);
    http->scheme = in->scheme;
    http->host = in->host;
    http->port = in->port;
    http->method = str_is(in->http_method, "ANY") ? r->http_method : in->http_method;
    http->target = r->target;
    http->headers = headers;
    http->host_header = in->host_header;
    http->timeout_ms = in->timeout_ms;
    http->insecure_tls = in->insecure_tls;
    http->identity = in->service ? NULL : r->snapshot->certificate;
    http->arena = r->arena;
    http->user = r;
    http->on_head = on_head;
    http->on_piece = on_piece;
    http->on_done = on_done;
    http->on_writable = on_writable;
    if (http_header_has(&r->request.headers, "Host")) /* recorded: it may be mapped */
        http->host_header = http_header_get(&r->request.headers, "Host");
    if (in->service)
        stage_service_request(r, http, headers);
    if (in->link)
        take_turn(r, http);
    return http;
}

static void start(struct gw_request *r, struct http_call *http)
{
    r->integrated = true;
    r->integration_started_us = loop_now_us(r->x->loop);
    r->http = http;
    http_call_start(r->home->client, http);
}

/* --- the client's body, as a stream --- */

static void on_client_piece(struct http_exchange *x, struct str piece, bool broken)
{
    struct gw_request *r = x->user;
    if (!r->http) /* the endpoint has answered, or failed, before all was sent */
        return;
    if (broken) {
        r->abandoned = true;
        http_call_cancel(r->http);
        http_abort(x);
        return;
    }
    if (!piece.ptr) {
        http_call_end(r->http);
        return;
    }
    r->streamed_in += (int64_t)piece.len;
    if (r->streamed_in > GW_MAX_BODY) { /* a chunked body announces no length */
        gw_fail(r, RESPONSE_REQUEST_TOO_LARGE);
        http_call_cancel(r->http);
        return;
    }
    if (!http_call_write(r->http, piece))
        http_read_pause(x);
}

static void on_writable(struct http_call *http)
{
    struct gw_request *r = http->user;
    http_read_resume(r->x);
}

static void on_client_body(struct http_exchange *x, enum http_read result)
{
    struct gw_request *r = x->user;
    if (result == HTTP_READ_TOO_LARGE) {
        gw_fail(r, RESPONSE_REQUEST_TOO_LARGE);
    } else if (result != HTTP_READ_OK) {
        trace_note(&r->trace, "client", STR("broke off while sending the body"));
        gw_fail_text(r, RESPONSE_BAD_REQUEST_BODY, STR("Request body ended early"));
    } else {
        struct http_call *http = prepare(r);
        http->body = x->body;
        start(r, http);
        return;
    }
    gw_resume(r);
}

static enum gw_next http_proxy_enter(struct gw_request *r)
{
    trace_note(&r->trace, "endpoint", r->method->integration->uri);
    if (r->body_read || !r->x->has_body) {
        struct http_call *http = prepare(r);
        http->body = r->body;
        start(r, http);
    } else if (r->x->content_length >= 0 && r->x->content_length <= WHOLE_BYTES) {
        http_read_whole(r->x, WHOLE_BYTES, on_client_body);
    } else {
        struct http_call *http = prepare(r);
        http->stream_body = true;
        http->body_length = r->x->content_length;
        start(r, http);
        http_read_stream(r->x, on_client_piece);
    }
    return GW_WAIT;
}

static enum gw_next http_enter(struct gw_request *r)
{
    trace_note(&r->trace, "endpoint", r->method->integration->uri);
    struct http_call *http = prepare(r);
    http->body = r->request.body;
    start(r, http);
    return GW_WAIT;
}

/* --- the answer --- */

static void take_answer_headers(struct gw_request *r, const struct http_headers *from)
{
    for (size_t i = 0; i < from->n; i++) {
        struct http_header h = from->items[i];
        const struct header_rule *rule = h.name.len ? header_rule(h.name) : NULL;
        enum header_fate fate = rule ? rule->answer_http : HEADER_PASS;
        if (fate == HEADER_DROP)
            continue;
        http_header_add(r->arena, &r->headers, fate == HEADER_REMAP ? str_of(rule->remapped) : h.name, h.value);
    }
    if (!http_header_has(&r->headers, "Content-Type"))
        http_header_add(r->arena, &r->headers, STR("Content-Type"), STR("application/json"));
}

static bool has_no_body(const struct gw_request *r, int status)
{
    return status == 204 || status == 304 || str_is(r->http_method, "HEAD");
}

static void expired(struct gw_request *r, const char *why)
{
    stage_flow_end(r);
    r->integration_error = str_of(why);
    trace_note(&r->trace, "endpoint", r->integration_error);
    if (!r->streaming)
        gw_fail(r, RESPONSE_INTEGRATION_TIMEOUT);
    http_call_cancel(r->http);
}

/* What the client does not see before it is whole has to be whole in time. What streams through may take
 * longer by default, as long as it moves (http_call's timeout); not so when STREAM or AWS's limits say so. */
static void limit_time(struct gw_request *r, bool streams)
{
    const struct gw_integration *in = r->method->integration;
    if (!streams || in->stream || r->gateway->config.aws_limits)
        stage_flow_begin(r, in->timeout_ms * INT64_C(1000) - r->answer.latency_us,
                         in->stream ? in->idle_ms * INT64_C(1000) : 0, expired);
}

static void too_long(struct gw_request *r, int64_t length)
{
    gw_misconfigured(r, "Integration response is larger than allowed maximum of 10485760 bytes",
                     length > 0 ? str_printf(r->arena, "%lld", (long long)length) : STR_NONE);
    http_call_cancel(r->http);
}

static void begin(struct gw_request *r, enum coding coding, int64_t length)
{
    r->streaming = r->replied = true;
    stage_flow_end(r);
    limit_time(r, true);
    stage_cache_stream_head(r, length);
    if (coding != CODING_IDENTITY) {
        r->deflater = deflater_new(r->arena, coding);
        stage_set_coding(r, coding);
        length = -1;
    }
    stage_add_ids(r);
    http_reply_begin(r->x, r->status, &r->headers, length, on_drain);
}

static void on_head(struct http_call *http)
{
    struct gw_request *r = http->user;
    const struct gw_integration *in = r->method->integration;
    r->answer.status = http->status;
    r->answer.headers = http->answer;
    r->answer.latency_us = r->answer.headers_us = loop_now_us(r->x->loop) - r->integration_started_us;
    if (in->type != INTEGRATE_HTTP_PROXY) {
        limit_time(r, false);
        return;
    }
    r->status = http->status;
    take_answer_headers(r, &http->answer);
    int64_t length = -1;
    struct str announced = http_header_get(&http->answer, "Content-Length");
    bool known = announced.ptr && str_i64(announced, &length) && length >= 0;
    if (r->gateway->config.aws_limits && !in->stream && known && length > GW_MAX_BODY &&
        !has_no_body(r, http->status)) {
        too_long(r, length);
        return;
    }
    if (has_no_body(r, http->status) || (known && length <= WHOLE_BYTES && !in->stream)) {
        if (known && length > 0 && !has_no_body(r, http->status)) {
            r->answer.body = (struct str){ arena_alloc(r->arena, (size_t)length, 1), 0 };
            r->answer.room = (size_t)length;
            limit_time(r, false);
        }
        return;
    }
    enum coding coding = in->stream ? CODING_IDENTITY : stage_answer_coding(r);
    if (coding != CODING_IDENTITY && !known) {
        r->gathers = true;
        limit_time(r, false);
    } else {
        begin(r, known && length < r->snapshot->min_compression ? CODING_IDENTITY : coding, known ? length : -1);
    }
}

/* HTTP with templates needs the whole: as much as a request may be. */
static void collect(struct gw_request *r, struct str piece)
{
    if (r->answer.body.len + piece.len > GW_MAX_BODY) {
        too_long(r, 0);
        return;
    }
    char *bytes = r->answer.body.ptr
                      ? arena_grow(r->arena, (char *)(uintptr_t)r->answer.body.ptr, r->answer.body.len,
                                   r->answer.body.len + piece.len)
                      : arena_alloc(r->arena, piece.len, 1);
    memcpy(bytes + r->answer.body.len, piece.ptr, piece.len);
    r->answer.body = (struct str){ bytes, r->answer.body.len + piece.len };
}

static void send(void *ctx, struct str bytes)
{
    struct gw_request *r = ctx;
    r->reply_bytes += (int64_t)bytes.len;
    if (!http_reply_write(r->x, bytes) && r->http) {
        http_call_pause(r->http);
        stage_flow_held(r);
    }
}

static void pass(struct gw_request *r, struct str piece)
{
    stage_flow_moved(r);
    stage_cache_stream_piece(r, piece);
    r->passed += (int64_t)piece.len;
    if (r->gateway->config.aws_limits && !r->method->integration->stream && r->passed > GW_MAX_BODY)
        too_long(r, 0);
    else if (r->deflater)
        deflater_add(r->deflater, piece, false, send, r);
    else
        send(r, piece);
}

static void on_piece(struct http_call *http, struct str piece)
{
    struct gw_request *r = http->user;
    if (!r->answer.content_us)
        r->answer.content_us = loop_now_us(r->x->loop) - r->integration_started_us;
    if (r->streaming) {
        pass(r, piece);
    } else if (r->gathers) {
        collect(r, piece);
        if (r->http && (int64_t)r->answer.body.len >= r->snapshot->min_compression) {
            begin(r, stage_answer_coding(r), -1);
            pass(r, r->answer.body);
        }
    } else if (r->method->integration->type != INTEGRATE_HTTP_PROXY) {
        collect(r, piece);
    } else if (r->answer.body.len + piece.len <= r->answer.room) { /* never more than was announced */
        memcpy((char *)(uintptr_t)r->answer.body.ptr + r->answer.body.len, piece.ptr, piece.len);
        r->answer.body.len += piece.len;
    }
}

static void on_drain(struct http_exchange *x)
{
    struct gw_request *r = x->user;
    if (!r->http)
        return;
    http_call_resume(r->http);
    stage_flow_moved(r);
}

/* Refused, reset, stalled, garbage: "Network error communicating with endpoint" or "Endpoint request
 * timed out", 504; what is no HTTP at all is 502. */
static void fail(struct gw_request *r, enum http_failure failure, const char *reason)
{
    const char *what = http_failure_text(failure);
    if (reason)
        what = str_printf(r->arena, "%s: %s", what, reason).ptr;
    if (!r->integration_error.ptr)
        r->integration_error = str_printf(r->arena, "Execution failed due to a network error communicating with "
                                                    "endpoint: %s", what);
    trace_note(&r->trace, "endpoint failed", str_of(what));
    r->headers = (struct http_headers){ 0 };
    if (r->failed) /* the client sent too much */
        return;
    if (failure == HTTP_FORBIDDEN) {
        gw_misconfigured(r, "Invalid endpoint address", STR_NONE);
    } else if (failure == HTTP_TLS) { /* reported: 500, unlike other trouble with the endpoint */
        gw_misconfigured(r, "General SSLEngine problem", STR_NONE);
    } else if (failure == HTTP_TIMEOUT) {
        gw_fail(r, RESPONSE_INTEGRATION_TIMEOUT);
    } else if (failure == HTTP_MALFORMED || failure == HTTP_CANCELLED) {
        r->failure_status = 502;
        gw_fail_text(r, RESPONSE_INTEGRATION_FAILURE, STR("Internal server error"));
    } else {
        gw_fail(r, RESPONSE_INTEGRATION_FAILURE);
    }
}

/* Nothing was sent yet: another target of the VPC link may take it. */
static bool try_next(struct gw_request *r, const struct http_call *http)
{
    if (!r->backend)
        return false;
    link_report_down(r->backend);
    if (r->abandoned || http->stream_body || r->backends_tried >= r->method->integration->link->n)
        return false;
    struct http_call *again = ARENA_NEW(r->arena, struct http_call);
    *again = *http;
    again->state = NULL;
    take_turn(r, again);
    r->http = again;
    http_call_start(r->home->client, again);
    return true;
}

static void on_done(struct http_call *http, enum http_failure failure)
{
    struct gw_request *r = http->user;
    if (failure == HTTP_REFUSED && try_next(r, http))
        return;
    r->http = NULL;
    stage_flow_end(r);
    if (r->method->integration->stream)
        r->answer.latency_us = loop_now_us(r->x->loop) - r->integration_started_us;
    if (r->abandoned)
        return;
    if (r->streaming) {
        if (failure == HTTP_OK) {
            if (r->deflater)
                deflater_add(r->deflater, STR(""), true, send, r);
            stage_cache_stream_end(r);
            http_reply_end(r->x);
        } else { /* too late for another status: the client must see that it is not whole */
            r->failed = false;
            if (!r->integration_error.ptr)
                r->integration_error = str_of(http_failure_text(failure));
            trace_note(&r->trace, "endpoint failed midway", r->integration_error);
            http_abort(r->x);
        }
    } else if (failure != HTTP_OK) {
        fail(r, failure, http->reason);
    } else {
        r->reply = r->answer.body;
    }
    gw_resume(r);
}

static enum gw_next http_done(struct gw_request *r)
{
    return r->failed ? GW_FAIL : GW_NEXT;
}

void stage_http_forget(struct gw_request *r)
{
    if (r->http)
        http_call_cancel(r->http);
}

const struct gw_step step_http_proxy = { "integrate", http_proxy_enter, http_done };
const struct gw_step step_http = { "integrate", http_enter, http_done };
