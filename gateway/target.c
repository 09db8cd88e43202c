#include "gateway/target.h"

#include "core/uri.h"

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* A backslash separates, too: to some endpoints it does. */
static bool has_dots(struct str path)
{
    size_t begin = 0;
    for (size_t i = 0; i <= path.len; i++) {
        if (i < path.len && path.ptr[i] != '/' && path.ptr[i] != '\\')
            continue;
        struct str part = str_sub(path, begin, i - begin);
        if (str_is(part, ".") || str_is(part, ".."))
            return true;
        begin = i + 1;
    }
    return false;
}

/* What a byte asks for: 1, a look at what follows; 2, refusal in paths; 4, in queries. */
static const uint8_t odd[256] = {
    ['%'] = 1, ['"'] = 2, ['<'] = 2, ['>'] = 2, ['\\'] = 2, ['^'] = 2, ['`'] = 2, ['{'] = 6, ['|'] = 6, ['}'] = 6,
};

const char *target_fault(struct arena *arena, struct str path, struct str query)
{
    bool escapes = false;
    for (size_t i = 0; i < path.len; i++) {
        uint8_t what = odd[(unsigned char)path.ptr[i]];
        if (what & 2)
            return "a character that no path has";
        if (!what)
            continue;
        if (i + 2 >= path.len || !is_hex(path.ptr[i + 1]) || !is_hex(path.ptr[i + 2]))
            return "a percent sign without two hexadecimal digits";
        if (path.ptr[i + 1] == '0' && path.ptr[i + 2] == '0')
            return "an encoded NUL";
        escapes = true;
    }
    if (has_dots(path) || (escapes && has_dots(uri_decode(arena, path, false))))
        return "a segment that climbs";
    for (size_t i = 0; i < query.len; i++)
        if (odd[(unsigned char)query.ptr[i]] & 4)
            return "a character that no query has";
    return NULL;
}
