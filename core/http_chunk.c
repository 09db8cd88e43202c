#include "core/http_chunk.h"

#include "core/http_msg.h"

enum state { SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER, TRAILER_LF, END, BAD };

static enum state on_size(struct http_chunk *chunk, char c);
static enum state on_extension(struct http_chunk *chunk, char c);
static enum state on_trailer(struct http_chunk *chunk, char c);
static enum state end_trailer(struct http_chunk *chunk);
static int hex_value(char c);

enum http_chunk_step http_chunk_next(struct http_chunk *chunk, struct str *in, struct str *piece)
{
    while (chunk->state != END && chunk->state != BAD) {
        if (in->len == 0)
            return HTTP_CHUNK_MORE;
        if (chunk->state == DATA) {
            *piece = str_sub(*in, 0, chunk->left < in->len ? (size_t)chunk->left : in->len);
            *in = str_from(*in, piece->len);
            chunk->left -= piece->len;
            if (chunk->left == 0)
                chunk->state = DATA_CR;
            return HTTP_CHUNK_DATA;
        }
        char c = in->ptr[0];
        *in = str_from(*in, 1);
        switch (chunk->state) {
        case SIZE:
            chunk->state = on_size(chunk, c);
            break;
        case EXTENSION:
            chunk->state = on_extension(chunk, c);
            break;
        case SIZE_LF:
            chunk->state = c != '\n' ? BAD : chunk->left > 0 ? DATA : TRAILER;
            break;
        case DATA_CR:
            chunk->state = c == '\r' ? DATA_LF : BAD;
            break;
        case DATA_LF:
            chunk->state = c == '\n' ? SIZE : BAD;
            chunk->digits = 0;
            break;
        case TRAILER:
            chunk->state = on_trailer(chunk, c);
            break;
        default: /* TRAILER_LF */
            chunk->state = c == '\n' ? (int)end_trailer(chunk) : BAD;
            break;
        }
    }
    return chunk->state == END ? HTTP_CHUNK_END : HTTP_CHUNK_BAD;
}

static enum state on_size(struct http_chunk *chunk, char c)
{
    int value = hex_value(c);
    if (value >= 0) {
        chunk->left = chunk->left * 16 + (uint64_t)value;
        return ++chunk->digits > 15 ? BAD : SIZE; /* 2^60 bytes are enough */
    }
    if (chunk->digits == 0)
        return BAD;
    return c == '\r' ? SIZE_LF : c == ';' ? EXTENSION : BAD;
}

static enum state on_extension(struct http_chunk *chunk, char c)
{
    if (c == '\r')
        return SIZE_LF;
    if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7f || ++chunk->aside > HTTP_CHUNK_ASIDE_MAX)
        return BAD;
    return EXTENSION;
}

static enum state on_trailer(struct http_chunk *chunk, char c)
{
    if (c == '\r')
        return TRAILER_LF;
    if (chunk->line_len == HTTP_CHUNK_LINE_MAX || ++chunk->aside > HTTP_CHUNK_ASIDE_MAX)
        return BAD;
    chunk->line[chunk->line_len++] = c;
    return TRAILER;
}

/* "A sender MUST NOT generate trailer fields … necessary for message framing, routing,
 * authentication" (RFC 9110, 6.5.1). All others are dropped, like every proxy may. */
static enum state end_trailer(struct http_chunk *chunk)
{
    static const char *const forbidden[] = { "content-length", "transfer-encoding", "host",
                                             "authorization",  "connection",        "cookie",
                                             "x-api-key",      "content-type" };
    struct str line = { chunk->line, chunk->line_len };
    if (line.len == 0)
        return END;
    chunk->line_len = 0;
    ptrdiff_t colon = str_find(line, ':');
    if (colon <= 0)
        return BAD;
    struct str name = str_sub(line, 0, (size_t)colon);
    if (!http_is_token(name) || !http_is_field_value(str_from(line, (size_t)colon + 1)))
        return BAD;
    for (size_t i = 0; i < COUNT(forbidden); i++)
        if (str_eq_nocase(name, str_of(forbidden[i])))
            return BAD;
    return TRAILER;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}
