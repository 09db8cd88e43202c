#include "core/http_answer.h"

#include <http_parser.h>

#include "core/http_framing.h"

enum { HEAD, BODY, CHUNKS, CLOSES, END, BAD };
enum { INTERIM_MAX = 8 };

static bool starts_right(struct str head);
static enum http_answer_step read_head(struct http_answer *answer, struct str *in);
static enum http_answer_step keep_partial(struct http_answer *answer, struct str *in);
static bool parse_head(struct http_answer *answer, struct str head);
static bool decide_body(struct http_answer *answer, const http_parser *parser);
static int on_name(http_parser *parser, const char *at, size_t len);
static int on_value(http_parser *parser, const char *at, size_t len);
static int on_head_end(http_parser *parser);

void http_answer_init(struct http_answer *answer, struct arena *arena, bool to_head)
{
    *answer = (struct http_answer){ .arena = arena, .to_head = to_head };
}

enum http_answer_step http_answer_next(struct http_answer *answer, struct str *in, struct str *piece)
{
    if (answer->state == END)
        return HTTP_ANSWER_END;
    if (answer->state == BAD)
        return HTTP_ANSWER_BAD;
    if (in->len == 0)
        return HTTP_ANSWER_MORE;
    if (answer->state == HEAD)
        return read_head(answer, in);
    if (answer->state == CHUNKS) {
        switch (http_chunk_next(answer->chunk, in, piece)) {
        case HTTP_CHUNK_DATA:
            return HTTP_ANSWER_PIECE;
        case HTTP_CHUNK_MORE:
            return HTTP_ANSWER_MORE;
        case HTTP_CHUNK_END:
            answer->state = END;
            return HTTP_ANSWER_END;
        default:
            answer->state = BAD;
            return HTTP_ANSWER_BAD;
        }
    }
    *piece = *in;
    if (answer->state == BODY) {
        *piece = str_sub(*in, 0, (uint64_t)answer->left < in->len ? (size_t)answer->left : in->len);
        answer->left -= (int64_t)piece->len;
        if (answer->left == 0)
            answer->state = END;
    }
    *in = str_from(*in, piece->len);
    return HTTP_ANSWER_PIECE;
}

bool http_answer_ended(const struct http_answer *answer)
{
    return answer->state == END;
}

bool http_answer_may_end(const struct http_answer *answer)
{
    return answer->state == CLOSES || answer->state == END;
}

/* No need to wait for the end of garbage. */
static bool starts_right(struct str head)
{
    struct str start = STR("HTTP/1.");
    size_t n = head.len < start.len ? head.len : start.len;
    return memcmp(head.ptr, start.ptr, n) == 0;
}

static enum http_answer_step read_head(struct http_answer *answer, struct str *in)
{
    if (answer->partial_len == 0 && !starts_right(*in)) {
        answer->state = BAD;
        return HTTP_ANSWER_BAD;
    }
    if (answer->partial_len > 0)
        return keep_partial(answer, in);
    ptrdiff_t len = http_head_end(*in, &answer->line);
    if (len == 0)
        return keep_partial(answer, in);
    bool good = len > 0 && len <= HTTP_ANSWER_HEAD_MAX;
    if (good)
        good = parse_head(answer, str_copy(answer->arena, str_sub(*in, 0, (size_t)len)));
    *in = good ? str_from(*in, (size_t)len) : STR_NONE;
    answer->line = 0;
    if (good && answer->state == HEAD)
        return http_answer_next(answer, in, NULL); /* 1xx: the real one follows; no piece in a head */
    if (!good)
        answer->state = BAD;
    return good ? HTTP_ANSWER_HEAD : HTTP_ANSWER_BAD;
}

/* Collects until the head is whole, then parses it from the collection. */
static enum http_answer_step keep_partial(struct http_answer *answer, struct str *in)
{
    size_t before = answer->partial_len, all = before + in->len;
    if (all > answer->partial_cap) {
        size_t cap = all * 2;
        answer->partial = answer->partial
                              ? arena_grow(answer->arena, answer->partial, answer->partial_cap, cap)
                              : arena_alloc(answer->arena, cap, 1);
        answer->partial_cap = cap;
    }
    memcpy(answer->partial + before, in->ptr, in->len);
    answer->partial_len = all;
    struct str whole = { answer->partial, all };
    ptrdiff_t len = http_head_end(whole, &answer->line);
    if (len == 0 && all <= HTTP_ANSWER_HEAD_MAX && starts_right(whole)) {
        *in = str_from(*in, in->len);
        return HTTP_ANSWER_MORE;
    }
    /* What follows the head is taken from `in` again: only its own bytes count as collected. */
    if (len > 0)
        *in = str_from(*in, (size_t)len - before);
    answer->line = 0;
    answer->partial_len = 0;
    answer->partial = NULL;
    answer->partial_cap = 0;
    if (len <= 0 || len > HTTP_ANSWER_HEAD_MAX || !starts_right(whole) ||
        !parse_head(answer, str_sub(whole, 0, (size_t)len))) {
        answer->state = BAD;
        return HTTP_ANSWER_BAD;
    }
    return answer->state == HEAD ? http_answer_next(answer, in, NULL) : HTTP_ANSWER_HEAD;
}

static bool parse_head(struct http_answer *answer, struct str head)
{
    static const http_parser_settings settings = {
        .on_header_field = on_name,
        .on_header_value = on_value,
        .on_headers_complete = on_head_end,
    };
    http_parser parser;
    http_parser_init(&parser, HTTP_RESPONSE);
    parser.data = answer;
    answer->headers = (struct http_headers){ 0 };
    answer->lengths = answer->codings = 0;
    answer->name = STR_NONE;
    http_parser_execute(&parser, &settings, head.ptr, head.len);
    /* on_head_end pauses, so that libhttp-parser never sees a body. */
    if (HTTP_PARSER_ERRNO(&parser) != HPE_PAUSED || answer->bad_header || parser.http_major != 1 ||
        parser.http_minor > 1)
        return false;
    if (parser.status_code < 200) /* "MUST be able to parse one or more 1xx responses" (RFC 9110, 15.2) */
        return parser.status_code >= 100 && parser.status_code != 101 && ++answer->interim <= INTERIM_MAX;
    answer->status = (int)parser.status_code;
    return answer->status <= 599 && decide_body(answer, &parser);
}

static bool decide_body(struct http_answer *answer, const http_parser *parser)
{
    struct str connection = http_header_get(&answer->headers, "connection");
    answer->keep_alive = parser->http_minor == 1 ? !(parser->flags & F_CONNECTION_CLOSE)
                                                 : (parser->flags & F_CONNECTION_KEEP_ALIVE) != 0;
    if (str_eq_nocase(connection, STR("close")))
        answer->keep_alive = false;
    if (answer->lengths > 1 || answer->codings > 1 || (answer->lengths && answer->codings))
        return false;
    if (answer->lengths && (!str_i64(answer->length, &answer->left) || answer->length.ptr[0] == '-'))
        return false;
    if (answer->codings && !str_eq_nocase(answer->coding, STR("chunked")))
        return false;
    if (answer->to_head || answer->status == 204 || answer->status == 304) {
        answer->state = END;
    } else if (answer->codings) {
        answer->chunk = ARENA_NEW(answer->arena, struct http_chunk);
        answer->state = CHUNKS;
    } else if (answer->lengths) {
        answer->state = answer->left > 0 ? BODY : END;
    } else {
        answer->state = CLOSES;
        answer->until_close = true;
        answer->keep_alive = false;
    }
    return true;
}

/* The head is in one piece, so each name and value comes in one piece too; an empty value may
 * not come at all. */
static int on_name(http_parser *parser, const char *at, size_t len)
{
    struct http_answer *answer = parser->data;
    answer->name = (struct str){ at, len };
    answer->bad_header |= !http_is_token(answer->name) || answer->headers.n == HTTP_ANSWER_HEADERS_MAX;
    return 0;
}

static int on_value(http_parser *parser, const char *at, size_t len)
{
    struct http_answer *answer = parser->data;
    struct str value = str_trim((struct str){ at, len });
    if (!answer->name.ptr) { /* a second piece of one value: folded lines */
        answer->bad_header = true;
        return 0;
    }
    answer->bad_header |= !http_is_field_value(value);
    http_header_add(answer->arena, &answer->headers, answer->name, value);
    if (str_eq_nocase(answer->name, STR("content-length"))) {
        answer->lengths++;
        answer->length = value;
    } else if (str_eq_nocase(answer->name, STR("transfer-encoding"))) {
        answer->codings++;
        answer->coding = value;
    }
    answer->name = STR_NONE;
    return 0;
}

static int on_head_end(http_parser *parser)
{
    http_parser_pause(parser, 1);
    return 0;
}
