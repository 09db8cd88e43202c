/* An upstream's answer, read from bytes as they come: head by libhttp-parser, body here.
 *
 * Stricter than the RFC where leniency lets answers be mistaken for one another: two lengths,
 * length and chunks, an unknown coding, bare LF, a head over 32 KiB: all are HTTP_ANSWER_BAD. */
#pragma once

#include "core/http_chunk.h"
#include "core/http_msg.h"

enum { HTTP_ANSWER_HEAD_MAX = 32 * 1024, HTTP_ANSWER_HEADERS_MAX = 200 };

struct http_answer { /* start with http_answer_init */
    struct arena *arena;
    bool to_head; /* the request was HEAD: no body, whatever the head says */
    int status;
    struct http_headers headers;
    bool keep_alive;  /* the connection may be used again after HTTP_ANSWER_END */
    bool until_close; /* the body ends with the connection */

    /* private */
    int state;
    int interim; /* 1xx heads skipped */
    int lengths, codings;
    bool bad_header;
    struct str name, length, coding;
    int64_t left;
    struct http_chunk *chunk;
    char *partial; /* of a head that came in more than one read; in the arena */
    size_t partial_len, partial_cap, line;
};

enum http_answer_step {
    HTTP_ANSWER_MORE,  /* all of `in` is consumed; feed more */
    HTTP_ANSWER_HEAD,  /* status and headers are filled */
    HTTP_ANSWER_PIECE, /* *piece is a view into `in` */
    HTTP_ANSWER_END,   /* complete; what is left of `in` is not ours */
    HTTP_ANSWER_BAD,
};

void http_answer_init(struct http_answer *answer, struct arena *arena, bool to_head);
enum http_answer_step http_answer_next(struct http_answer *answer, struct str *in, struct str *piece);
bool http_answer_ended(const struct http_answer *answer);   /* the next step is HTTP_ANSWER_END */
bool http_answer_may_end(const struct http_answer *answer); /* closing here is a clean end */
