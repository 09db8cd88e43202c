/* What waits to be sent on a connection: a head, pieces collected on the heap, a whole body.
 * Server and client use it; it goes out in one system call as far as the socket takes it. */
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include "core/str.h"

struct http_out { /* zero it; sent in this order */
    struct str head;
    char *bytes;
    size_t at, len, cap;
    struct str body;
};

void http_out_add(struct http_out *out, struct str piece); /* copies */
size_t http_out_waiting(const struct http_out *out);       /* copied bytes, not head or body */
bool http_out_empty(const struct http_out *out);
int http_out_iov(const struct http_out *out, struct iovec iov[3]); /* entries used */
/* As send: what the socket took (and is forgotten here), or -1 and errno. Call it when not empty. */
ssize_t http_out_send(struct http_out *out, int fd);
bool http_out_advance(struct http_out *out, size_t sent); /* true: nothing is left */
void http_out_free(struct http_out *out);
