/* Calls: from start to the last callback. Connections are in core/http_upstream.c, answers are
 * read in core/http_answer.c. */
#include "core/http_client.h"

#include "core/http_upstream.h"

#include <stdio.h>

static void call_timeout(struct timer *timer);
static void build_request(struct http_call_state *state);
static void add_host(struct strbuf *buf, const struct http_call *call);
static void add_length(struct strbuf *buf, int64_t length);
static void add_headers(struct strbuf *buf, const struct http_call *call);
static bool answer_head(struct http_call_state *state);
static bool is_idempotent(struct str method);

const char *http_failure_text(enum http_failure failure)
{
    static const char *const texts[] = {
        [HTTP_OK] = "ok",
        [HTTP_FORBIDDEN] = "the address may not be reached",
        [HTTP_REFUSED] = "could not connect",
        [HTTP_TLS] = "TLS handshake or certificate failed",
        [HTTP_TIMEOUT] = "timed out",
        [HTTP_RESET] = "closed before the answer was complete",
        [HTTP_MALFORMED] = "malformed answer",
        [HTTP_CANCELLED] = "cancelled",
    };
    return texts[failure];
}

void http_call_start(struct http_client *client, struct http_call *call)
{
    struct http_call_state *state = ARENA_NEW(call->arena, struct http_call_state);
    call->state = state;
    call->status = 0;
    call->reason = NULL;
    call->answer = (struct http_headers){ 0 };
    call->first_byte_us = call->connected_us = 0;
    state->call = call;
    state->client = client;
    state->timeout_us = (call->timeout_ms > 0 ? call->timeout_ms : 30000) * INT64_C(1000);
    state->active_us = loop_now_us(client->loop);
    state->sent_all = !call->stream_body;
    http_answer_init(&state->answer, call->arena, str_is(call->method, "HEAD"));
    build_request(state);
    timer_start(client->loop, &state->timer, state->timeout_us, call_timeout);
    state->next = client->calls;
    if (state->next)
        state->next->prev = state;
    client->calls = state;
    client->active++;
    upstream_take(state, true);
}

bool http_call_write(struct http_call *call, struct str piece)
{
    struct http_call_state *state = call->state;
    if (state->done || state->sent_all || piece.len == 0)
        return !state->want_writable;
    if (call->body_length < 0) {
        char size[20];
        int len = snprintf(size, sizeof size, "%zx\r\n", piece.len);
        http_out_add(&state->out, (struct str){ size, (size_t)len });
    }
    state->streamed += (int64_t)piece.len;
    state->active_us = loop_now_us(state->client->loop); /* its time begins when it has the whole request */
    http_out_add(&state->out, piece);
    if (call->body_length < 0)
        http_out_add(&state->out, STR("\r\n"));
    upstream_flush(state);
    state->want_writable = http_out_waiting(&state->out) > HTTP_CALL_BACKLOG_BYTES;
    return !state->want_writable;
}

void http_call_end(struct http_call *call)
{
    struct http_call_state *state = call->state;
    if (state->done || state->sent_all)
        return;
    state->sent_all = true;
    state->active_us = loop_now_us(state->client->loop);
    state->want_writable = false;
    if (call->body_length < 0)
        http_out_add(&state->out, STR("0\r\n\r\n"));
    if (call->body_length >= 0 && state->streamed != call->body_length) {
        call_fail_soon(state, HTTP_CANCELLED); /* the framing would be a lie */
        return;
    }
    upstream_flush(state);
}

void http_call_pause(struct http_call *call)
{
    call->state->paused = true;
}

void http_call_resume(struct http_call *call)
{
    struct http_call_state *state = call->state;
    if (state->done || !state->paused)
        return;
    state->paused = false;
    state->active_us = loop_now_us(state->client->loop);
    if (state->conn) /* from the top of the loop, so that no callback runs inside of this call */
        timer_start(state->client->loop, &state->conn->again, 0, upstream_again);
}

void http_call_cancel(struct http_call *call)
{
    if (!call->state->done)
        call_finish(call->state, HTTP_CANCELLED);
}

/* --- for core/http_upstream.c --- */

void call_finish(struct http_call_state *state, enum http_failure failure)
{
    struct http_client *client = state->client;
    struct http_call *call = state->call;
    if (state->done)
        return;
    state->done = true;
    timer_stop(client->loop, &state->timer);
    upstream_leave(state, failure == HTTP_OK);
    http_out_free(&state->out);
    if (state->prev)
        state->prev->next = state->next;
    else
        client->calls = state->next;
    if (state->next)
        state->next->prev = state->prev;
    client->active--;
    call->on_done(call, failure); /* the call's memory may be gone after this */
}

void call_fail_soon(struct http_call_state *state, enum http_failure failure)
{
    state->failure = failure;
    timer_start(state->client->loop, &state->timer, 0, call_timeout);
}

void call_lost(struct http_call_state *state, enum http_failure failure)
{
    bool stale = state->conn && state->conn->answers > 0 && !state->conn->heard;
    if (stale && !state->again && !state->call->stream_body && is_idempotent(state->call->method)) {
        state->again = true;
        upstream_leave(state, false);
        build_request(state);
        upstream_take(state, false);
        return;
    }
    call_finish(state, failure);
}

/* Callbacks may cancel the call: false when it is over. */
bool call_feed(struct http_call_state *state, struct str *in)
{
    struct http_call *call = state->call;
    while (!state->paused) {
        struct str piece;
        switch (http_answer_next(&state->answer, in, &piece)) {
        case HTTP_ANSWER_MORE:
            return true;
        case HTTP_ANSWER_HEAD:
            if (!answer_head(state))
                return false;
            break;
        case HTTP_ANSWER_PIECE:
            state->active_us = loop_now_us(state->client->loop);
            if (call->on_piece)
                call->on_piece(call, piece);
            if (state->done)
                return false;
            break;
        case HTTP_ANSWER_END:
            state->clean =
                in->len == 0 && state->answer.keep_alive && state->sent_all && http_out_empty(&state->out);
            call_finish(state, HTTP_OK);
            return false;
        default:
            call_finish(state, HTTP_MALFORMED);
            return false;
        }
    }
    return true;
}

/* --- helpers --- */

static bool answer_head(struct http_call_state *state)
{
    struct http_call *call = state->call;
    call->status = state->answer.status;
    call->answer = state->answer.headers;
    state->active_us = loop_now_us(state->client->loop);
    state->headed = true;
    if (call->on_head)
        call->on_head(call);
    return !state->done;
}

/* From the start to the head the clock runs on; afterwards each piece sets it back. */
static void call_timeout(struct timer *timer)
{
    struct http_call_state *state =
        (struct http_call_state *)((char *)timer - offsetof(struct http_call_state, timer));
    struct loop *loop = state->client->loop;
    int64_t left_us = state->active_us + state->timeout_us - loop_now_us(loop);
    if (state->failure != HTTP_OK) {
        call_finish(state, state->failure);
        return;
    }
    if (state->paused)
        left_us = state->timeout_us; /* it is us who are slow */
    if (left_us > 0)
        timer_start(loop, timer, left_us, call_timeout);
    else
        call_finish(state, HTTP_TIMEOUT);
}

static void build_request(struct http_call_state *state)
{
    const struct http_call *call = state->call;
    struct strbuf buf = strbuf_in(call->arena, 600);
    strbuf_add(&buf, call->method);
    strbuf_char(&buf, ' ');
    strbuf_add(&buf, call->target);
    strbuf_add(&buf, STR(" HTTP/1.1\r\nHost: "));
    if (call->host_header.ptr)
        strbuf_add(&buf, call->host_header);
    else
        add_host(&buf, call);
    strbuf_add(&buf, STR("\r\n"));
    add_headers(&buf, call);
    bool wants_length =
        str_is(call->method, "POST") || str_is(call->method, "PUT") || str_is(call->method, "PATCH");
    if (call->stream_body && call->body_length < 0)
        strbuf_add(&buf, STR("Transfer-Encoding: chunked\r\n"));
    else if (call->stream_body)
        add_length(&buf, call->body_length);
    else if (call->body.len > 0 || wants_length)
        add_length(&buf, (int64_t)call->body.len);
    strbuf_add(&buf, STR("\r\n"));
    state->out.head = strbuf_view(&buf);
    if (!call->stream_body)
        state->out.body = call->body;
}

static void add_host(struct strbuf *buf, const struct http_call *call)
{
    bool six = str_find(call->host, ':') >= 0;
    if (six)
        strbuf_char(buf, '[');
    strbuf_add(buf, call->host);
    if (six)
        strbuf_char(buf, ']');
    if (call->port == (str_is(call->scheme, "https") ? 443 : 80))
        return;
    strbuf_char(buf, ':');
    http_add_number(buf, call->port);
}

static void add_length(struct strbuf *buf, int64_t length)
{
    strbuf_add(buf, STR("Content-Length: "));
    http_add_number(buf, length);
    strbuf_add(buf, STR("\r\n"));
}

static void add_headers(struct strbuf *buf, const struct http_call *call)
{
    for (size_t i = 0; call->headers && i < call->headers->n; i++) {
        struct http_header header = call->headers->items[i];
        if (http_is_hop_by_hop(header.name) || str_eq_nocase(header.name, STR("host")) ||
            str_eq_nocase(header.name, STR("content-length")) || str_eq_nocase(header.name, STR("expect")))
            continue;
        if (!http_is_token(header.name) || !http_is_field_value(header.value))
            continue; /* a CR or LF would make a second request of it */
        strbuf_add(buf, header.name);
        strbuf_add(buf, STR(": "));
        strbuf_add(buf, header.value);
        strbuf_add(buf, STR("\r\n"));
    }
}

/* RFC 9110, 9.2.2. */
static bool is_idempotent(struct str method)
{
    static const char *const methods[] = { "GET", "HEAD", "OPTIONS", "PUT", "DELETE" };
    for (size_t i = 0; i < COUNT(methods); i++)
        if (str_is(method, methods[i]))
            return true;
    return false;
}
