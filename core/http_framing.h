/* The head of a request, read so strictly that no two servers can disagree where it ends and how
 * long its body is. Pure functions: core/http_server.c calls them before anybody else sees a byte.
 *
 * Refused, beyond what RFC 9112 demands: a body on GET and HEAD, Transfer-Encoding other than one
 * `chunked`, two Content-Length even when equal, headers that look like one of the two
 * (Transfer_Encoding), obsolete line folding, bare CR or LF, lower-case methods, control characters
 * in a target. No API client needs them; request smuggling does. */
#pragma once

#include "core/http_msg.h"

enum { HTTP_MAX_HEADERS = 100 };

struct http_head {
    struct str method;
    struct str target; /* origin form or "*"; of an absolute URI what follows the authority; no
                        * fragment, bytes beyond ASCII escaped */
    struct str host;   /* lower case, without port; "" when HTTP/1.0 sent none */
    struct http_headers headers;
    int minor; /* HTTP/1.minor: 0 or 1 */
    bool keep_alive;
    bool expect_continue;
    bool chunked;
    int64_t content_length; /* -1 when chunked, 0 when there is no body */
};

/* Looks for the end of a head in what has arrived. *line (0 at first) remembers the start of the
 * last unfinished line between calls. Returns the head's length, 0: not complete yet, -1: a line
 * ends in a bare LF. */
ptrdiff_t http_head_end(struct str arrived, size_t *line);

/* Reads a complete head; views point into `raw`. Returns 0, or the status to refuse it with:
 * 400, 405 CONNECT and TRACE, 417 an unknown expectation, 431 too many headers, 501 a transfer
 * coding that we don't do, 505 another version. The connection must then be closed. */
int http_head_parse(struct arena *arena, struct str raw, struct http_head *head);
