#include "core/http_out.h"

#include "core/socket.h"

#include <stdint.h>
#include <stdlib.h>

enum { FIRST_BYTES = 4096 };

void http_out_add(struct http_out *out, struct str piece)
{
    if (out->at == out->len)
        out->at = out->len = 0;
    if (out->len + piece.len > out->cap && out->at > 0) {
        memmove(out->bytes, out->bytes + out->at, out->len - out->at);
        out->len -= out->at;
        out->at = 0;
    }
    if (out->len + piece.len > out->cap) {
        size_t need = out->len + piece.len;
        out->cap = out->cap * 2 > need ? out->cap * 2 : need;
        if (out->cap < FIRST_BYTES)
            out->cap = FIRST_BYTES;
        out->bytes = realloc(out->bytes, out->cap);
        if (!out->bytes)
            abort();
    }
    if (piece.len)
        memcpy(out->bytes + out->len, piece.ptr, piece.len);
    out->len += piece.len;
}

size_t http_out_waiting(const struct http_out *out)
{
    return out->len - out->at;
}

bool http_out_empty(const struct http_out *out)
{
    return out->head.len == 0 && out->at == out->len && out->body.len == 0;
}

int http_out_iov(const struct http_out *out, struct iovec iov[3])
{
    int n = 0;
    if (out->head.len)
        iov[n++] = (struct iovec){ (char *)(uintptr_t)out->head.ptr, out->head.len };
    if (out->len > out->at)
        iov[n++] = (struct iovec){ out->bytes + out->at, out->len - out->at };
    if (out->body.len)
        iov[n++] = (struct iovec){ (char *)(uintptr_t)out->body.ptr, out->body.len };
    return n;
}

ssize_t http_out_send(struct http_out *out, int fd)
{
    struct iovec iov[3];
    int n = http_out_iov(out, iov);
    struct msghdr message = { .msg_iov = iov, .msg_iovlen = (size_t)n };
    ssize_t sent = socket_send(fd, &message);
    if (sent > 0)
        http_out_advance(out, (size_t)sent);
    return sent;
}

bool http_out_advance(struct http_out *out, size_t sent)
{
    size_t head = sent < out->head.len ? sent : out->head.len;
    out->head = str_from(out->head, head);
    sent -= head;
    size_t bytes = sent < out->len - out->at ? sent : out->len - out->at;
    out->at += bytes;
    out->body = str_from(out->body, sent - bytes);
    return http_out_empty(out);
}

void http_out_free(struct http_out *out)
{
    free(out->bytes);
    *out = (struct http_out){ 0 };
}
