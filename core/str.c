#include "core/str.h"

#include <stdio.h>

#include "core/arena.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    return a.len == b.len && str_starts_nocase(a, b);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

bool str_starts_nocase(struct str s, struct str prefix)
{
    if (s.len < prefix.len)
        return false;
    for (size_t i = 0; i < prefix.len; i++)
        if (lower(s.ptr[i]) != lower(prefix.ptr[i]))
            return false;
    return true;
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_eq(str_from(s, s.len - suffix.len), suffix);
}

int str_cmp(struct str a, struct str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

ptrdiff_t str_find(struct str s, char c)
{
    const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;
    return at ? at - s.ptr : -1;
}

ptrdiff_t str_find_last(struct str s, char c)
{
    const char *at = s.len ? memrchr(s.ptr, c, s.len) : NULL;
    return at ? at - s.ptr : -1;
}

ptrdiff_t str_find_str(struct str s, struct str needle)
{
    if (needle.len == 0)
        return 0;
    const char *at = s.len ? memmem(s.ptr, s.len, needle.ptr, needle.len) : NULL;
    return at ? at - s.ptr : -1;
}

struct str str_from(struct str s, size_t start)
{
    if (start > s.len)
        start = s.len;
    return (struct str){ s.ptr ? s.ptr + start : NULL, s.len - start };
}

struct str str_sub(struct str s, size_t start, size_t len)
{
    struct str rest = str_from(s, start);
    if (len < rest.len)
        rest.len = len;
    return rest;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.len && is_space(s.ptr[0]))
        s = str_from(s, 1);
    while (s.len && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool str_split(struct str *rest, char sep, struct str *part)
{
    if (!rest->ptr)
        return false;
    ptrdiff_t at = str_find(*rest, sep);
    if (at < 0) {
        *part = *rest;
        *rest = STR_NONE;
        return true;
    }
    *part = str_sub(*rest, 0, (size_t)at);
    *rest = str_from(*rest, (size_t)at + 1);
    return true;
}

bool str_i64(struct str s, int64_t *out)
{
    bool negative = s.len && s.ptr[0] == '-';
    if (negative)
        s = str_from(s, 1);
    if (s.len == 0 || s.len > 19)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(s.ptr[i] - '0');
    }
    if (value > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

struct str str_copy(struct arena *arena, struct str s)
{
    char *ptr = arena_alloc(arena, s.len + 1, 1);
    if (s.len)
        memcpy(ptr, s.ptr, s.len);
    ptr[s.len] = '\0';
    return (struct str){ ptr, s.len };
}

struct str str_lower(struct arena *arena, struct str s)
{
    char *ptr = arena_alloc(arena, s.len + 1, 1);
    for (size_t i = 0; i < s.len; i++)
        ptr[i] = lower(s.ptr[i]);
    ptr[s.len] = '\0';
    return (struct str){ ptr, s.len };
}

struct str str_upper(struct arena *arena, struct str s)
{
    char *ptr = arena_alloc(arena, s.len + 1, 1);
    for (size_t i = 0; i < s.len; i++)
        ptr[i] = upper(s.ptr[i]);
    ptr[s.len] = '\0';
    return (struct str){ ptr, s.len };
}

struct str str_concat(struct arena *arena, struct str a, struct str b)
{
    struct strbuf buf = strbuf_in(arena, a.len + b.len + 1);
    strbuf_add(&buf, a);
    strbuf_add(&buf, b);
    return strbuf_view(&buf);
}

struct str str_vprintf(struct arena *arena, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    if (len < 0) {
        va_end(again);
        return STR("");
    }
    char *ptr = arena_alloc(arena, (size_t)len + 1, 1);
    vsnprintf(ptr, (size_t)len + 1, fmt, again);
    va_end(again);
    return (struct str){ ptr, (size_t)len };
}

struct str str_printf(struct arena *arena, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct str s = str_vprintf(arena, fmt, args);
    va_end(args);
    return s;
}

const char *str_c(struct arena *arena, struct str s)
{
    return str_copy(arena, s).ptr;
}

struct strbuf strbuf_in(struct arena *arena, size_t expected_bytes)
{
    size_t cap = expected_bytes < 32 ? 32 : expected_bytes + 1;
    return (struct strbuf){ arena, arena_alloc(arena, cap, 1), 0, cap };
}

static void strbuf_room(struct strbuf *buf, size_t more)
{
    size_t need = buf->len + more + 1;
    if (need <= buf->cap)
        return;
    size_t cap = buf->cap * 2 > need ? buf->cap * 2 : need;
    buf->ptr = arena_grow(buf->arena, buf->ptr, buf->cap, cap);
    buf->cap = cap;
}

void strbuf_add(struct strbuf *buf, struct str s)
{
    if (s.len == 0)
        return;
    strbuf_room(buf, s.len);
    memcpy(buf->ptr + buf->len, s.ptr, s.len);
    buf->len += s.len;
}

void strbuf_char(struct strbuf *buf, char c)
{
    strbuf_room(buf, 1);
    buf->ptr[buf->len++] = c;
}

void strbuf_printf(struct strbuf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0)
        return;
    strbuf_room(buf, (size_t)len);
    va_start(args, fmt);
    vsnprintf(buf->ptr + buf->len, (size_t)len + 1, fmt, args);
    va_end(args);
    buf->len += (size_t)len;
}

struct str strbuf_view(struct strbuf *buf)
{
    strbuf_room(buf, 0);
    buf->ptr[buf->len] = '\0';
    return (struct str){ buf->ptr, buf->len };
}
