/* AWS_PROXY with responseTransferMode STREAM: metadata, eight NUL bytes, then the body as it comes.
 *
 * "API Gateway begins the payload stream after it receives the valid metadata and delimiter from Lambda"; the
 * delimiter must come within the first 16 KB. Until then everything can still become a gateway response; later a
 * failure can only break the connection. A slow client slows the function: what http_reply_write could not pass
 * on is not taken (core/invoke.h). */
#include "gateway/stage/stage.h"

enum { DELIMITER = 8, HEAD_MAX = 16 * 1024 };

/* What came so far of the metadata. */
struct gw_head {
    char bytes[HEAD_MAX];
    size_t len;
};

static void on_piece(struct invocation *invocation, struct str piece);
static void on_drain(struct http_exchange *x);

/* The function runs on: "the Lambda function might continue executing". */
static void let_go(struct gw_request *r)
{
    stage_call_forget(r);
    r->call = NULL;
}

static void expired(struct gw_request *r, const char *why)
{
    stage_flow_end(r);
    trace_note(&r->trace, "stream", str_of(why));
    r->integration_error = str_of(why);
    let_go(r);
    if (r->streaming)
        http_abort(r->x);
    else
        gw_fail(r, RESPONSE_INTEGRATION_TIMEOUT);
    gw_resume(r);
}

static enum gw_next stream_enter(struct gw_request *r)
{
    const struct gw_integration *in = r->method->integration;
    if (in->wrong_method) /* recorded: 500 at run time */
        return gw_misconfigured(r, "the integration's HTTP method must be POST", in->http_method);
    trace_note(&r->trace, "function, streamed", in->function);
    r->integrated = true;
    r->integration_started_us = loop_now_us(r->x->loop);
    stage_flow_begin(r, in->timeout_ms * INT64_C(1000), 0, expired);
    const struct invoke_caller caller = stage_caller(r);
    stage_call_streamed(r, &caller, in->function, stage_proxy_event(r), 0, on_piece);
    return GW_WAIT;
}

/* The bytes before the delimiter; -1: it has not come. */
static ptrdiff_t find_delimiter(struct str text)
{
    static const char nuls[DELIMITER];
    const char *at = text.len ? memmem(text.ptr, text.len, nuls, DELIMITER) : NULL;
    return at ? at - text.ptr : -1;
}

static int64_t announced_length(struct gw_request *r)
{
    struct str text = http_header_get(&r->headers, "x-amzn-Remapped-Content-Length");
    int64_t length;
    bool known = text.ptr && str_i64(text, &length) && length >= 0;
    http_header_remove(&r->headers, "x-amzn-Remapped-Content-Length");
    return known ? length : -1;
}

static int64_t elapsed_us(struct gw_request *r)
{
    return loop_now_us(r->x->loop) - r->integration_started_us;
}

/* Status and headers go out. False: there is no body to stream, or no such answer. */
static bool begin(struct gw_request *r, struct str metadata)
{
    const char *why;
    if (!stage_lambda_head(r, json_parse(r->arena, metadata, NULL), &why)) {
        stage_lambda_malformed(r, why, metadata);
        return false;
    }
    r->answer.status = r->status;
    r->answer.headers_us = elapsed_us(r);
    int64_t length = announced_length(r);
    if (r->status == 204 || r->status == 304 || str_is(r->http_method, "HEAD")) {
        r->reply = STR("");
        return false;
    }
    r->streaming = r->replied = true;
    stage_add_ids(r);
    http_reply_begin(r->x, r->status, &r->headers, length, on_drain);
    r->idle_us = r->method->integration->idle_ms * INT64_C(1000);
    return true;
}

/* What waits for a slow client is not taken: the function is not read on. */
static void pass(struct gw_request *r, struct str piece)
{
    r->reply_bytes += (int64_t)piece.len;
    if (piece.len && !r->answer.content_us)
        r->answer.content_us = elapsed_us(r);
    if (piece.len == 0 || http_reply_write(r->x, piece)) {
        invoke_taken(&r->call->invocation, r->call->invocation.untaken);
        stage_flow_moved(r);
    } else {
        stage_flow_held(r);
    }
}

static void on_drain(struct http_exchange *x)
{
    struct gw_request *r = x->user;
    if (!r || !r->call || r->call->r != r)
        return;
    invoke_taken(&r->call->invocation, r->call->invocation.untaken);
    stage_flow_moved(r);
}

/* Looks for the end of the metadata. True: the answer has begun, and *rest is the first of its body. */
static bool take_head(struct gw_request *r, struct str piece, struct str *rest)
{
    struct gw_head *head = r->head;
    if (!head) {
        head = r->head = arena_alloc(r->arena, sizeof *head, 16);
        head->len = 0;
    }
    size_t fits = piece.len < HEAD_MAX - head->len ? piece.len : HEAD_MAX - head->len;
    memcpy(head->bytes + head->len, piece.ptr, fits);
    head->len += fits;
    struct str seen = { head->bytes, head->len };
    ptrdiff_t end = find_delimiter(seen);
    if (end < 0) {
        if (head->len == HEAD_MAX)
            stage_lambda_malformed(r, "no delimiter of eight NUL bytes in the first 16 KB", STR_NONE);
        return false;
    }
    if (!begin(r, str_sub(seen, 0, (size_t)end)))
        return false;
    size_t behind = head->len - (size_t)end - DELIMITER; /* of the body, at the end of what was copied */
    *rest = (struct str){ piece.ptr + fits - behind, piece.len - fits + behind };
    return true;
}

static void on_piece(struct invocation *invocation, struct str piece)
{
    struct gw_call *call = invocation->user;
    struct gw_request *r = call->r;
    struct str body = piece;
    if (!r->streaming && !take_head(r, piece, &body)) {
        if (!r->failed && !r->status) { /* more of it has to come */
            invoke_taken(invocation, piece.len);
            return;
        }
        let_go(r);
        gw_resume(r);
        return;
    }
    pass(r, body);
}

/* A function that does not stream gives everything at once: the format is the same. */
static enum gw_next whole(struct gw_request *r, struct str text)
{
    struct str body;
    if (!take_head(r, text, &body)) {
        if (!r->failed && !r->status)
            return stage_lambda_malformed(r, "no metadata with a delimiter of eight NUL bytes", text);
        return r->failed ? GW_FAIL : GW_NEXT;
    }
    r->reply_bytes += (int64_t)body.len;
    http_reply_write(r->x, body);
    http_reply_end(r->x);
    return GW_NEXT;
}

static enum gw_next stream_done(struct gw_request *r)
{
    stage_flow_end(r);
    r->answer.latency_us = elapsed_us(r);
    if (r->failed)
        return GW_FAIL;
    if (!r->call) /* let go: broken off, or there was nothing to stream */
        return GW_NEXT;
    const struct invocation *answer = &stage_take_call(r)->invocation;
    if (!r->streaming)
        return answer->result == INVOKE_OK ? whole(r, answer->answer) : stage_lambda_failed(r, answer);
    if (answer->result == INVOKE_OK) {
        http_reply_end(r->x);
        return GW_NEXT;
    }
    r->integration_error = answer->answer.len ? answer->answer : answer->message;
    trace_note(&r->trace, "the function failed midway", r->integration_error);
    http_abort(r->x);
    return GW_NEXT;
}

const struct gw_step step_lambda_stream = { "integrate", stream_enter, stream_done };
