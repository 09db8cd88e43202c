#include "core/uri.h"

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool split_authority(struct arena *arena, struct str authority, struct uri *out)
{
    ptrdiff_t at = str_find_last(authority, '@');
    if (at >= 0) {
        out->userinfo = str_sub(authority, 0, (size_t)at);
        authority = str_from(authority, (size_t)at + 1);
    }
    struct str port;
    if (authority.len && authority.ptr[0] == '[') {
        ptrdiff_t close = str_find(authority, ']');
        if (close < 0)
            return false;
        out->host = str_lower(arena, str_sub(authority, 1, (size_t)close - 1));
        struct str rest = str_from(authority, (size_t)close + 1);
        if (rest.len && rest.ptr[0] != ':')
            return false;
        port = rest.len ? str_from(rest, 1) : STR_NONE;
    } else {
        ptrdiff_t colon = str_find(authority, ':');
        out->host = str_lower(arena, colon < 0 ? authority : str_sub(authority, 0, (size_t)colon));
        port = colon < 0 ? STR_NONE : str_from(authority, (size_t)colon + 1);
    }
    for (size_t i = 0; i < out->host.len; i++) /* no blanks, controls, quotes or delimiters in a host */
        if ((unsigned char)out->host.ptr[i] <= ' ' || strchr("\"<>\\^`{|}%/?#@", out->host.ptr[i]))
            return false;
    int64_t number = 0;
    if (port.len && (!str_i64(port, &number) || number < 1 || number > 65535))
        return false;
    out->has_port = port.len > 0;
    if (out->has_port)
        out->port = (uint16_t)number;
    return out->host.len > 0;
}

bool uri_parse(struct arena *arena, struct str text, struct uri *out)
{
    *out = (struct uri){ 0 };
    ptrdiff_t colon = str_find_str(text, STR("://"));
    if (colon < 0)
        return false;
    out->scheme = str_lower(arena, str_sub(text, 0, (size_t)colon));
    bool secure = str_is(out->scheme, "https");
    if (!secure && !str_is(out->scheme, "http"))
        return false;
    out->port = secure ? 443 : 80;
    struct str rest = str_from(text, (size_t)colon + 3);
    ptrdiff_t hash = str_find(rest, '#');
    if (hash >= 0) {
        out->fragment = str_from(rest, (size_t)hash + 1);
        rest = str_sub(rest, 0, (size_t)hash);
    }
    ptrdiff_t question = str_find(rest, '?');
    if (question >= 0) {
        out->query = str_from(rest, (size_t)question + 1);
        rest = str_sub(rest, 0, (size_t)question);
    }
    ptrdiff_t slash = str_find(rest, '/');
    out->path = slash < 0 ? STR("") : str_from(rest, (size_t)slash);
    return split_authority(arena, slash < 0 ? rest : str_sub(rest, 0, (size_t)slash), out);
}

struct str uri_decode(struct arena *arena, struct str text, bool plus)
{
    char *out = arena_alloc(arena, text.len + 1, 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%' && i + 2 < text.len && nibble(text.ptr[i + 1]) >= 0 && nibble(text.ptr[i + 2]) >= 0) {
            out[n++] = (char)(nibble(text.ptr[i + 1]) << 4 | nibble(text.ptr[i + 2]));
            i += 2;
        } else {
            out[n++] = plus && c == '+' ? ' ' : c;
        }
    }
    out[n] = '\0';
    return (struct str){ out, n };
}

static bool unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '~';
}

struct str uri_encode(struct arena *arena, struct str text, bool keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = arena_alloc(arena, text.len * 3 + 1, 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (unreserved(c) || (keep_slash && c == '/')) {
            out[n++] = c;
        } else {
            out[n++] = '%';
            out[n++] = digits[(unsigned char)c >> 4];
            out[n++] = digits[(unsigned char)c & 15];
        }
    }
    out[n] = '\0';
    return (struct str){ out, n };
}

bool uri_query_next(struct str *rest, struct str *name, struct str *value)
{
    struct str pair;
    do {
        if (!str_split(rest, '&', &pair))
            return false;
    } while (pair.len == 0);
    ptrdiff_t equals = str_find(pair, '=');
    *name = equals < 0 ? pair : str_sub(pair, 0, (size_t)equals);
    *value = equals < 0 ? STR_NONE : str_from(pair, (size_t)equals + 1);
    return true;
}

struct str uri_query_get(struct arena *arena, struct str query, const char *name)
{
    struct str key, value;
    while (uri_query_next(&query, &key, &value))
        if (str_is(uri_decode(arena, key, true), name))
            return value.ptr ? uri_decode(arena, value, true) : STR("");
    return STR_NONE;
}
