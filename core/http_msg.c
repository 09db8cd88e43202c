#include "core/http_msg.h"

#include <stdlib.h>

/* What may stand where. The token characters are RFC 9110's (5.6.2). */
enum { TOKEN = 1, VALUE = 2 };
static const unsigned char classes[256] = {
    ['\t'] = VALUE,
    [' '] = VALUE,
    ['!'] = TOKEN | VALUE,
    ['"'] = VALUE,
    ['#' ... '\''] = TOKEN | VALUE,
    ['(' ... ')'] = VALUE,
    ['*' ... '+'] = TOKEN | VALUE,
    [','] = VALUE,
    ['-' ... '.'] = TOKEN | VALUE,
    ['/'] = VALUE,
    ['0' ... '9'] = TOKEN | VALUE,
    [':' ... '@'] = VALUE,
    ['A' ... 'Z'] = TOKEN | VALUE,
    ['[' ... ']'] = VALUE,
    ['^' ... 'z'] = TOKEN | VALUE,
    ['{'] = VALUE,
    ['|'] = TOKEN | VALUE,
    ['}'] = VALUE,
    ['~'] = TOKEN | VALUE,
    [0x80 ... 0xff] = VALUE,
};

static bool all_of(struct str text, unsigned char class)
{
    unsigned char all = class;
    for (size_t i = 0; i < text.len; i++)
        all &= classes[(unsigned char)text.ptr[i]];
    return all == class;
}

struct str http_header_get(const struct http_headers *headers, const char *name)
{
    struct str wanted = str_of(name);
    for (size_t i = 0; i < headers->n; i++)
        if (str_eq_nocase(headers->items[i].name, wanted))
            return headers->items[i].value;
    return STR_NONE;
}

bool http_header_has(const struct http_headers *headers, const char *name)
{
    return http_header_get(headers, name).ptr != NULL;
}

void http_header_add(struct arena *arena, struct http_headers *headers, struct str name, struct str value)
{
    if (headers->n == headers->cap) {
        size_t cap = headers->cap ? headers->cap * 2 : 16;
        struct http_header *items = ARENA_ARRAY(arena, struct http_header, cap);
        if (headers->n)
            memcpy(items, headers->items, headers->n * sizeof *items);
        headers->items = items;
        headers->cap = cap;
    }
    headers->items[headers->n++] = (struct http_header){ name, value };
}

void http_header_add_lines(struct arena *arena, struct http_headers *headers, struct str lines)
{
    struct str line, name;
    while (lines.len && str_split(&lines, '\n', &line))
        if (str_split(&line, ':', &name) && line.ptr)
            http_header_add(arena, headers, name, str_trim(line));
}

void http_header_set(struct arena *arena, struct http_headers *headers, struct str name, struct str value)
{
    size_t kept = 0;
    bool placed = false;
    for (size_t i = 0; i < headers->n; i++) {
        struct http_header header = headers->items[i];
        if (str_eq_nocase(header.name, name)) {
            if (placed)
                continue; /* one takes the place of many */
            placed = true;
            header = (struct http_header){ name, value };
        }
        headers->items[kept++] = header;
    }
    headers->n = kept;
    if (!placed)
        http_header_add(arena, headers, name, value);
}

void http_header_remove(struct http_headers *headers, const char *name)
{
    struct str gone = str_of(name);
    size_t kept = 0;
    for (size_t i = 0; i < headers->n; i++)
        if (!str_eq_nocase(headers->items[i].name, gone))
            headers->items[kept++] = headers->items[i];
    headers->n = kept;
}

bool http_is_hop_by_hop(struct str name)
{
    switch (name.len) { /* most names end here */
    case 2:
        return str_eq_nocase(name, STR("te"));
    case 7:
        return str_eq_nocase(name, STR("trailer")) || str_eq_nocase(name, STR("upgrade"));
    case 10:
        return str_eq_nocase(name, STR("connection")) || str_eq_nocase(name, STR("keep-alive"));
    case 17:
        return str_eq_nocase(name, STR("transfer-encoding"));
    default:
        return (name.len > 6 && (name.ptr[0] | 0x20) == 'p') && str_starts_nocase(name, STR("proxy-"));
    }
}

bool http_is_token(struct str text)
{
    return text.len > 0 && all_of(text, TOKEN);
}

/* Eight bytes at a time: none below space, none DEL. What looks odd (a tab) is looked at closely. */
bool http_is_field_value(struct str value)
{
    const uint64_t ones = 0x0101010101010101, tops = ones << 7;
    size_t at = 0;
    for (; at + 8 <= value.len; at += 8) {
        uint64_t eight;
        memcpy(&eight, value.ptr + at, 8);
        uint64_t del = eight ^ ones * 0x7f;
        if ((((eight - ones * 0x20) & ~eight) | ((del - ones) & ~del)) & tops)
            return all_of(str_from(value, at), VALUE);
    }
    return all_of(str_from(value, at), VALUE);
}

static const struct reason {
    int status;
    const char *text;
} reasons[] = {
    { 100, "Continue" },
    { 101, "Switching Protocols" },
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 203, "Non-Authoritative Information" },
    { 204, "No Content" },
    { 205, "Reset Content" },
    { 206, "Partial Content" },
    { 300, "Multiple Choices" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 303, "See Other" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 402, "Payment Required" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 407, "Proxy Authentication Required" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 416, "Range Not Satisfiable" },
    { 417, "Expectation Failed" },
    { 418, "I'm a teapot" },
    { 421, "Misdirected Request" },
    { 422, "Unprocessable Content" },
    { 423, "Locked" },
    { 424, "Failed Dependency" },
    { 425, "Too Early" },
    { 426, "Upgrade Required" },
    { 428, "Precondition Required" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 451, "Unavailable For Legal Reasons" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
    { 505, "HTTP Version Not Supported" },
    { 507, "Insufficient Storage" },
    { 508, "Loop Detected" },
    { 511, "Network Authentication Required" },
};

static int compare_status(const void *status, const void *reason)
{
    return *(const int *)status - ((const struct reason *)reason)->status;
}

const char *http_reason(int status)
{
    const struct reason *found = bsearch(&status, reasons, COUNT(reasons), sizeof reasons[0], compare_status);
    return found ? found->text : "Unknown";
}

void http_add_number(struct strbuf *buf, int64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    strbuf_add(buf, (struct str){ digits + at, sizeof digits - at });
}
