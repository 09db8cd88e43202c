/* One request's body and answer. Connections are core/http_server.c's. */
#include "core/http_conn.h"
#include "core/http_tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

enum { SMALL_BODY = 2048 };

static bool take_piece(struct exchange *x, struct str *piece);
static void give_piece(struct exchange *x, struct str piece);
static void grow_whole(struct exchange *x, size_t bytes);
static void end_reading(struct exchange *x);
static void discard_body(struct exchange *x);
static void say_continue(struct exchange *x);
static struct exchange *start_answer(struct http_exchange *pub, int status);
static struct str build_head(struct exchange *x, int status, struct str lines,
                             const struct http_headers *headers, int64_t length_bytes, struct str tail);
static void add_header(struct strbuf *buf, struct str name, struct str value);
static void add_length(struct strbuf *buf, int64_t length);
static struct str date_header(struct http_server *server);
static const char *standard_body(int status);

/* --- the request's body --- */

void http_read_whole(struct http_exchange *pub, size_t limit_bytes,
                     void (*fn)(struct http_exchange *x, enum http_read result))
{
    if (pub->local) {
        local_read_whole(pub->local, limit_bytes, fn);
        return;
    }
    struct exchange *x = (struct exchange *)pub;
    x->reading = READ_WHOLE;
    x->limit_bytes = limit_bytes;
    x->on_whole = fn;
    conn_queue(x->conn);
}

void http_read_stream(struct http_exchange *pub,
                      void (*fn)(struct http_exchange *x, struct str piece, bool broken))
{
    if (pub->local) {
        local_read_stream(pub->local, fn);
        return;
    }
    struct exchange *x = (struct exchange *)pub;
    x->reading = READ_STREAM;
    x->on_piece = fn;
    conn_queue(x->conn);
}

void http_read_pause(struct http_exchange *pub)
{
    if (pub->local) {
        local_read_pause(pub->local, true);
        return;
    }
    ((struct exchange *)pub)->paused = true;
}

void http_read_resume(struct http_exchange *pub)
{
    if (pub->local) {
        local_read_pause(pub->local, false);
        return;
    }
    struct exchange *x = (struct exchange *)pub;
    x->paused = false;
    x->conn->active_us = loop_now_us(pub->loop);
    conn_queue(x->conn);
}

bool exchange_read(struct exchange *x)
{
    if ((x->reading != READ_WHOLE && x->reading != READ_STREAM) || x->paused)
        return false;
    if (x->reading == READ_WHOLE && x->body_left > 0 && (uint64_t)x->body_left > x->limit_bytes) {
        x->reading = READ_OVER;
        x->on_whole(&x->pub, HTTP_READ_TOO_LARGE);
        return true;
    }
    if (x->body_done) {
        end_reading(x);
        return true;
    }
    if (!x->begun)
        say_continue(x);
    struct str piece;
    if (x->conn->in.len == 0)
        return conn_receive(x->conn);
    if (take_piece(x, &piece))
        give_piece(x, piece);
    return true;
}

void exchange_read_broken(struct exchange *x)
{
    enum reading_state reading = x->reading;
    x->reading = READ_OVER;
    if (reading == READ_WHOLE)
        x->on_whole(&x->pub, HTTP_READ_BROKEN);
    else if (reading == READ_STREAM)
        x->on_piece(&x->pub, STR_NONE, true);
}

/* Consumes what is left of the body if it is here already, so that the connection can go on. */
static void discard_body(struct exchange *x)
{
    struct str piece;
    while (!x->body_done && !x->malformed && x->conn->in.len > 0)
        take_piece(x, &piece);
}

/* The next piece of the body off what has arrived. False: nothing for the reader in it. */
static bool take_piece(struct exchange *x, struct str *piece)
{
    struct str *in = &x->conn->in;
    if (!x->chunk) {
        *piece = str_sub(*in, 0, (uint64_t)x->body_left < in->len ? (size_t)x->body_left : in->len);
        *in = str_from(*in, piece->len);
        x->body_left -= (int64_t)piece->len;
        x->body_done = x->body_left == 0;
        return true;
    }
    switch (http_chunk_next(x->chunk, in, piece)) {
    case HTTP_CHUNK_DATA:
        return true;
    case HTTP_CHUNK_END:
        x->body_done = true;
        return false;
    case HTTP_CHUNK_MORE:
        return false;
    default: /* what follows cannot be told apart any more: drop it all */
        x->malformed = true;
        x->close_after = true;
        *in = STR_NONE;
        exchange_read_broken(x);
        return false;
    }
}

static void give_piece(struct exchange *x, struct str piece)
{
    if (x->reading == READ_STREAM) {
        x->on_piece(&x->pub, piece, false);
        return;
    }
    if (x->whole_len + piece.len > x->limit_bytes) {
        x->reading = READ_OVER;
        x->on_whole(&x->pub, HTTP_READ_TOO_LARGE);
        return;
    }
    if (x->body_done && x->whole_len == 0) { /* all at once: most bodies */
        x->pub.body = str_copy(x->pub.arena, piece);
        return;
    }
    grow_whole(x, piece.len);
    memcpy(x->whole + x->whole_len, piece.ptr, piece.len);
    x->whole_len += piece.len;
}

/* On the heap, so that growing leaves nothing behind; what a client announces is believed only as
 * it arrives. */
static void grow_whole(struct exchange *x, size_t bytes)
{
    size_t need = x->whole_len + bytes + 1;
    if (need <= x->whole_cap)
        return;
    size_t cap = x->whole_cap * 2 > need ? x->whole_cap * 2 : need;
    if (cap < 16 * 1024)
        cap = 16 * 1024;
    x->whole = realloc(x->whole, cap);
    if (!x->whole)
        abort();
    x->whole_cap = cap;
}

static void end_reading(struct exchange *x)
{
    enum reading_state reading = x->reading;
    x->reading = READ_OVER;
    if (reading == READ_STREAM) {
        x->on_piece(&x->pub, STR_NONE, false);
        return;
    }
    if (x->whole) {
        x->whole[x->whole_len] = '\0';
        x->pub.body = (struct str){ x->whole, x->whole_len };
    } else if (!x->pub.body.ptr) {
        x->pub.body = STR("");
    }
    x->on_whole(&x->pub, HTTP_READ_OK);
}

static void say_continue(struct exchange *x)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    x->begun = true;
    if (x->head.expect_continue && x->conn->in.len == 0 && x->answer == ANSWER_NONE &&
        conn_send(x->conn, STR(line)) != (ssize_t)(sizeof line - 1))
        x->conn->broken = true;
}

/* --- the answer --- */

void http_reply(struct http_exchange *pub, int status, const struct http_headers *headers, struct str body)
{
    http_reply_kept(pub, status, STR_NONE, headers, body);
}

void http_reply_kept(struct http_exchange *pub, int status, struct str lines, const struct http_headers *headers,
                     struct str body)
{
    if (pub->local) {
        struct http_headers all = { 0 };
        http_header_add_lines(pub->arena, &all, lines);
        for (size_t i = 0; headers && i < headers->n; i++)
            http_header_add(pub->arena, &all, headers->items[i].name, headers->items[i].value);
        local_reply(pub->local, status, &all, body);
        return;
    }
    struct exchange *x = start_answer(pub, status);
    if (!x)
        return;
    if (x->reading != READ_NOTHING)
        x->reading = READ_OVER;
    if (x->malformed) {
        x->out.head = http_refusal(x->conn->server, pub->arena, 400);
    } else {
        struct str sent = x->bodiless ? STR_NONE : body;
        bool small = sent.len <= SMALL_BODY; /* goes along with the head: copying it is cheaper than a second part */
        x->out.head = build_head(x, status, lines, headers, (int64_t)body.len, small ? sent : STR_NONE);
        if (!small)
            x->out.body = sent;
    }
    x->answer = ANSWER_ENDED;
}

void http_reply_begin(struct http_exchange *pub, int status, const struct http_headers *headers,
                      int64_t length_bytes, void (*on_drain)(struct http_exchange *x))
{
    if (pub->local) {
        local_reply_begin(pub->local, status, headers);
        return;
    }
    struct exchange *x = start_answer(pub, status);
    if (!x)
        return;
    x->on_drain = on_drain;
    x->out_left = length_bytes;
    x->chunked_out = length_bytes < 0 && x->head.minor == 1 && !x->bodiless;
    x->close_after |= length_bytes < 0 && x->head.minor == 0;
    x->out.head = build_head(x, status, STR_NONE, headers, length_bytes, STR_NONE);
    x->answer = ANSWER_OPEN;
}

bool http_reply_write(struct http_exchange *pub, struct str piece)
{
    if (pub->local)
        return local_reply_write(pub->local, piece);
    struct exchange *x = (struct exchange *)pub;
    if (x->answer != ANSWER_OPEN || piece.len == 0)
        return !x->want_drain;
    if (x->out_left >= 0 && !x->bodiless) {
        if ((uint64_t)x->out_left < piece.len) {
            http_abort(pub); /* more than was declared: the rest would pass for another answer */
            return false;
        }
        x->out_left -= (int64_t)piece.len;
    }
    conn_queue(x->conn);
    if (x->bodiless || x->conn->broken)
        return true;
    if (x->chunked_out) {
        char size[20];
        int len = snprintf(size, sizeof size, "%zx\r\n", piece.len);
        http_out_add(&x->out, (struct str){ size, (size_t)len });
    }
    http_out_add(&x->out, piece);
    if (x->chunked_out)
        http_out_add(&x->out, STR("\r\n"));
    x->want_drain = http_out_waiting(&x->out) > HTTP_BACKLOG_BYTES;
    return !x->want_drain;
}

void http_reply_end(struct http_exchange *pub)
{
    if (pub->local) {
        local_reply_end(pub->local);
        return;
    }
    struct exchange *x = (struct exchange *)pub;
    if (x->answer != ANSWER_OPEN)
        return;
    if (x->out_left > 0 && !x->bodiless) {
        http_abort(pub); /* less than was declared */
        return;
    }
    if (x->chunked_out)
        http_out_add(&x->out, STR("0\r\n\r\n"));
    x->answer = ANSWER_ENDED;
    x->want_drain = false;
    if (x->reading != READ_NOTHING)
        x->reading = READ_OVER;
    conn_queue(x->conn);
}

void http_abort(struct http_exchange *pub)
{
    if (pub->local) {
        local_abort(pub->local);
        return;
    }
    struct exchange *x = (struct exchange *)pub;
    x->aborted = true;
    if (x->reading != READ_NOTHING)
        x->reading = READ_OVER;
    conn_queue(x->conn);
}

bool exchange_flush(struct exchange *x)
{
    if (http_out_empty(&x->out))
        return true;
    ssize_t sent = x->conn->tls ? http_tls_send_out(x->conn->tls, &x->out) : http_out_send(&x->out, x->conn->watch.fd);
    if (sent < 0) {
        if (errno == EAGAIN)
            x->conn->writable = false;
        return errno == EAGAIN || errno == EINTR;
    }
    x->conn->active_us = loop_now_us(x->pub.loop);
    if (!http_out_empty(&x->out))
        x->conn->writable = false; /* the socket is full: its next edge says when it isn't */
    return true;
}

bool exchange_sent(const struct exchange *x)
{
    return x->answer == ANSWER_ENDED && http_out_empty(&x->out);
}

void exchange_drained(struct exchange *x)
{
    if (!x->want_drain || http_out_waiting(&x->out) > HTTP_DRAINED_BYTES)
        return;
    x->want_drain = false;
    if (x->on_drain)
        x->on_drain(&x->pub);
}

struct str http_refusal(struct http_server *server, struct arena *arena, int status)
{
    const char *body = standard_body(status);
    return str_printf(arena,
                      "HTTP/1.1 %d %s\r\nDate: %.*s\r\nContent-Type: application/json\r\n"
                      "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                      status, http_reason(status), STR_FMT(date_header(server)), strlen(body), body);
}

static const char *standard_body(int status)
{
    switch (status) {
    case 413:
        return "{\"message\":\"Request Entity Too Large\"}";
    case 414:
        return "{\"message\":\"Request URI Too Long\"}";
    case 431:
        return "{\"message\":\"Request Header Fields Too Large\"}";
    case 405:
        return "{\"message\":\"Method Not Allowed\"}";
    case 417:
        return "{\"message\":\"Expectation Failed\"}";
    case 501:
        return "{\"message\":\"Not Implemented\"}";
    case 505:
        return "{\"message\":\"HTTP Version Not Supported\"}";
    default:
        return "{\"message\":\"Bad Request\"}";
    }
}

/* NULL: it has been answered already, the first answer stands. */
static struct exchange *start_answer(struct http_exchange *pub, int status)
{
    struct exchange *x = (struct exchange *)pub;
    if (x->answer != ANSWER_NONE || x->aborted)
        return NULL;
    x->bodiless = str_is(x->head.method, "HEAD") || status == 204 || status == 304;
    conn_queue(x->conn);
    return x;
}

static struct str build_head(struct exchange *x, int status, struct str lines,
                             const struct http_headers *headers, int64_t length_bytes, struct str tail)
{
    struct http_server *server = x->conn->server;
    bool still_read = x->reading == READ_WHOLE || x->reading == READ_STREAM;
    if (!still_read)
        discard_body(x); /* before the connection's fate is announced */
    struct strbuf buf = strbuf_in(x->pub.arena, 1000 + lines.len + tail.len);
    bool dated = false;
    strbuf_add(&buf, STR("HTTP/1.1 "));
    char digits[4] = { (char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10),
                       (char)('0' + status % 10), ' ' };
    strbuf_add(&buf, (struct str){ digits, sizeof digits });
    strbuf_add(&buf, str_of(http_reason(status)));
    strbuf_add(&buf, STR("\r\n"));
    strbuf_add(&buf, lines);
    for (size_t i = 0; headers && i < headers->n; i++) {
        struct http_header header = headers->items[i];
        if (!http_is_token(header.name) || !http_is_field_value(header.value))
            continue;                 /* a CR or LF would split the answer in two */
        size_t len = header.name.len; /* most names need no further look */
        if (len == 10 && str_eq_nocase(header.name, STR("connection")))
            x->close_after |= str_eq_nocase(header.value, STR("close"));
        if (http_is_hop_by_hop(header.name) ||
            (len == 14 && str_eq_nocase(header.name, STR("content-length"))))
            continue;
        dated |= len == 4 && str_eq_nocase(header.name, STR("date"));
        add_header(&buf, header.name, header.value);
    }
    if (!dated)
        add_header(&buf, STR("Date"), date_header(server));
    if (x->chunked_out)
        strbuf_add(&buf, STR("Transfer-Encoding: chunked\r\n"));
    else if (length_bytes >= 0 && status != 204 && !(status == 304 && length_bytes == 0))
        add_length(&buf, length_bytes);
    x->close_after |= !x->head.keep_alive || (!x->body_done && !still_read) || server->quiescing;
    if (x->close_after)
        strbuf_add(&buf, STR("Connection: close\r\n"));
    else if (x->head.minor == 0)
        strbuf_add(&buf, STR("Connection: keep-alive\r\n"));
    strbuf_add(&buf, STR("\r\n"));
    strbuf_add(&buf, tail);
    return strbuf_view(&buf);
}

static void add_header(struct strbuf *buf, struct str name, struct str value)
{
    strbuf_add(buf, name);
    strbuf_add(buf, STR(": "));
    strbuf_add(buf, value);
    strbuf_add(buf, STR("\r\n"));
}

static void add_length(struct strbuf *buf, int64_t length)
{
    strbuf_add(buf, STR("Content-Length: "));
    http_add_number(buf, length);
    strbuf_add(buf, STR("\r\n"));
}

/* Formatted once a second. */
static struct str date_header(struct http_server *server)
{
    int64_t now_s = env_now_s(loop_env(server->loop));
    if (now_s != server->date_s) {
        struct tm tm;
        time_t seconds = (time_t)now_s;
        gmtime_r(&seconds, &tm);
        strftime(server->date, sizeof server->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        server->date_s = now_s;
    }
    return str_of(server->date);
}
