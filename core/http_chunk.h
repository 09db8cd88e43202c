/* Chunked transfer coding, taken apart strictly: CRLF only, hexadecimal digits only, extensions
 * and trailers ignored up to 4 KiB, no trailer that could pass for a header of consequence. */
#pragma once

#include "core/str.h"

enum { HTTP_CHUNK_ASIDE_MAX = 4096, HTTP_CHUNK_LINE_MAX = 512 };

struct http_chunk { /* zero it to begin */
    int state;
    int digits;
    uint64_t left; /* bytes of the present chunk still to come */
    size_t aside;  /* bytes of extensions and trailers so far */
    size_t line_len;
    char line[HTTP_CHUNK_LINE_MAX]; /* the present trailer line */
};

enum http_chunk_step {
    HTTP_CHUNK_MORE, /* all of `in` is consumed; feed more */
    HTTP_CHUNK_DATA, /* *piece is a view into `in` */
    HTTP_CHUNK_END,  /* the body is complete; what is left of `in` is the next request's */
    HTTP_CHUNK_BAD,
};

/* Takes what it understands off the front of *in. */
enum http_chunk_step http_chunk_next(struct http_chunk *chunk, struct str *in, struct str *piece);
