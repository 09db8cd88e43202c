#include "core/http_framing.h"

/* What may stand where, one bit each. */
enum { TOKEN = 1, VALUE = 2, TARGET = 4, METHOD = 8, HOST = 16 };
static const unsigned char classes[256] = {
    ['\t'] = VALUE,
    [' '] = VALUE,
    ['!'] = TOKEN | VALUE | TARGET,
    ['"'] = VALUE | TARGET,
    ['#'] = TOKEN | VALUE | TARGET,
    ['$' ... '\''] = TOKEN | VALUE | TARGET,
    ['(' ... ')'] = VALUE | TARGET,
    ['*' ... '+'] = TOKEN | VALUE | TARGET,
    [','] = VALUE | TARGET,
    ['-'] = TOKEN | VALUE | TARGET | METHOD | HOST,
    ['.'] = TOKEN | VALUE | TARGET | HOST,
    ['/'] = VALUE | TARGET,
    ['0' ... '9'] = TOKEN | VALUE | TARGET | HOST,
    [':' ... '@'] = VALUE | TARGET,
    ['A' ... 'Z'] = TOKEN | VALUE | TARGET | METHOD | HOST,
    ['[' ... ']'] = VALUE | TARGET,
    ['^'] = TOKEN | VALUE | TARGET,
    ['_'] = TOKEN | VALUE | TARGET | METHOD | HOST,
    ['`'] = TOKEN | VALUE | TARGET,
    ['a' ... 'z'] = TOKEN | VALUE | TARGET | HOST,
    ['{'] = VALUE | TARGET,
    ['|'] = TOKEN | VALUE | TARGET,
    ['}'] = VALUE | TARGET,
    ['~'] = TOKEN | VALUE | TARGET,
    [0x80 ... 0xff] = VALUE | TARGET,
};

enum { OTHER_VERSION = -1 };

/* What the headers say about the body and the connection, collected on the way. */
struct framing {
    int lengths, encodings, hosts;
    struct str length, host, expect;
    struct str codings; /* all Transfer-Encoding values, joined by commas */
    bool close, keep_alive;
};

static bool all_of(struct str text, unsigned char class);
static bool take_line(struct str *rest, struct str *line);
static int read_request_line(struct str line, struct http_head *head);
static struct str plain_target(struct arena *arena, struct str target);
static int read_version(struct str version, struct http_head *head);
static int read_header(struct arena *arena, struct str line, struct http_head *head, struct framing *framing);
static void note_header(struct arena *arena, struct http_header header, struct framing *framing);
static bool looks_like_framing(struct str name);
static int decide_body(const struct framing *framing, struct http_head *head);
static int decide_codings(struct str codings);
static int decide_host(struct arena *arena, const struct framing *framing, struct http_head *head);
static bool read_authority(struct arena *arena, struct str authority, struct str *host);
static bool has_element(struct str list, const char *element);

ptrdiff_t http_head_end(struct str arrived, size_t *line)
{
    while (*line < arrived.len) {
        const char *start = arrived.ptr + *line;
        const char *lf = memchr(start, '\n', arrived.len - *line);
        if (!lf)
            return 0;
        if (lf == start || lf[-1] != '\r')
            return -1;
        if (lf == start + 1)
            return lf + 1 - arrived.ptr;
        *line = (size_t)(lf + 1 - arrived.ptr);
    }
    return 0;
}

int http_head_parse(struct arena *arena, struct str raw, struct http_head *head)
{
    struct framing framing = { 0 };
    struct str line;
    *head = (struct http_head){ 0 };
    if (!take_line(&raw, &line))
        return 400;
    int status = read_request_line(line, head);
    while (status == 0) {
        if (!take_line(&raw, &line))
            return 400;
        if (line.len == 0)
            break;
        status = read_header(arena, line, head, &framing);
    }
    if (status == 0 && raw.len > 0)
        return 400; /* something after the empty line: the caller's mistake */
    if (status == 0)
        status = decide_body(&framing, head);
    if (status == 0)
        status = decide_host(arena, &framing, head);
    if (status == 0 && framing.expect.ptr) {
        head->expect_continue = str_eq_nocase(framing.expect, STR("100-continue"));
        status = head->expect_continue ? 0 : 417;
    }
    if (status == 0 && head->minor == OTHER_VERSION)
        status = 505;
    head->keep_alive = head->minor == 1 ? !framing.close : framing.keep_alive && !framing.close;
    return status;
}

static bool all_of(struct str text, unsigned char class)
{
    unsigned char all = class;
    for (size_t i = 0; i < text.len; i++)
        all &= classes[(unsigned char)text.ptr[i]];
    return all == class;
}

/* Up to CRLF. A CR elsewhere is caught as a bad character, a bare LF here. */
static bool take_line(struct str *rest, struct str *line)
{
    const char *lf = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    if (!lf || lf == rest->ptr || lf[-1] != '\r')
        return false;
    *line = (struct str){ rest->ptr, (size_t)(lf - 1 - rest->ptr) };
    *rest = str_from(*rest, (size_t)(lf + 1 - rest->ptr));
    return true;
}

/* method SP request-target SP HTTP-version: one space each, nothing around. */
static int read_request_line(struct str line, struct http_head *head)
{
    struct str version;
    if (!str_split(&line, ' ', &head->method) || !str_split(&line, ' ', &head->target) ||
        !str_split(&line, ' ', &version) || line.ptr)
        return 400;
    if (head->method.len == 0 || head->method.len > 32 || !all_of(head->method, METHOD))
        return 400;
    if (!all_of(head->target, TARGET))
        return 400;
    return read_version(version, head);
}

/* What some clients send although no target may contain it is set right once, here, so that routes,
 * authorizers and backends see the same: a fragment goes, bytes beyond ASCII are escaped. */
static struct str plain_target(struct arena *arena, struct str target)
{
    size_t plain = 0;
    while (plain < target.len && (unsigned char)target.ptr[plain] < 0x80 && target.ptr[plain] != '#')
        plain++;
    if (plain == target.len)
        return target.len > 0 ? target : STR("/");
    struct strbuf buf = strbuf_in(arena, target.len * 3);
    for (size_t i = 0; i < target.len && target.ptr[i] != '#'; i++) {
        unsigned char c = (unsigned char)target.ptr[i];
        if (c < 0x80)
            strbuf_char(&buf, (char)c);
        else
            strbuf_printf(&buf, "%%%02X", c);
    }
    return buf.len > 0 ? strbuf_view(&buf) : STR("/");
}

static int read_version(struct str version, struct http_head *head)
{
    if (version.len != 8 || !str_starts(version, STR("HTTP/")) || version.ptr[6] != '.')
        return 400;
    char major = version.ptr[5], minor = version.ptr[7];
    if (major < '0' || major > '9' || minor < '0' || minor > '9')
        return 400;
    head->minor = major == '1' && minor <= '1' ? minor - '0' : OTHER_VERSION;
    return 0;
}

static int read_header(struct arena *arena, struct str line, struct http_head *head, struct framing *framing)
{
    ptrdiff_t colon = str_find(line, ':');
    if (colon <= 0)
        return 400; /* also a folded line without a colon */
    struct str name = str_sub(line, 0, (size_t)colon);
    struct str value = str_trim(str_from(line, (size_t)colon + 1));
    if (!all_of(name, TOKEN) || !http_is_field_value(str_from(line, (size_t)colon + 1)))
        return 400;
    if (head->headers.n == HTTP_MAX_HEADERS)
        return 431;
    http_header_add(arena, &head->headers, name, value);
    note_header(arena, (struct http_header){ name, value }, framing);
    return looks_like_framing(name) ? 400 : 0;
}

static void note_header(struct arena *arena, struct http_header header, struct framing *framing)
{
    switch (header.name.len) { /* most headers end here, at no cost */
    case 4:
        if (str_eq_nocase(header.name, STR("host"))) {
            framing->hosts++;
            framing->host = header.value;
        }
        break;
    case 6:
        if (str_eq_nocase(header.name, STR("expect")))
            framing->expect = framing->expect.ptr ? STR("twice") : header.value;
        break;
    case 10:
        if (str_eq_nocase(header.name, STR("connection"))) {
            framing->close |= has_element(header.value, "close");
            framing->keep_alive |= has_element(header.value, "keep-alive");
        }
        break;
    case 14:
        if (str_eq_nocase(header.name, STR("content-length"))) {
            framing->lengths++;
            framing->length = header.value;
        }
        break;
    case 17:
        if (str_eq_nocase(header.name, STR("transfer-encoding"))) {
            framing->codings =
                framing->encodings++ == 0
                    ? header.value
                    : str_printf(arena, "%.*s,%.*s", STR_FMT(framing->codings), STR_FMT(header.value));
        }
        break;
    default:
        break;
    }
}

/* Transfer_Encoding, Content--Length, …: CGI-like backends fold them into the real ones. */
static bool looks_like_framing(struct str name)
{
    static const struct str real[] = { STR_INIT("transfer-encoding"), STR_INIT("content-length") };
    char first = name.len >= 13 ? (char)(name.ptr[0] | 0x20) : '\0';
    if (first != 't' && first != 'c')
        return false;
    for (size_t i = 0; i < COUNT(real); i++) {
        size_t at = 0, matched = 0;
        for (; at < name.len; at++) {
            char c = (char)(name.ptr[at] | 0x20);
            if (c < 'a' || c > 'z' || !(classes[(unsigned char)name.ptr[at]] & HOST))
                continue;
            if (real[i].ptr[matched] == '-')
                matched++;
            if (matched == real[i].len || real[i].ptr[matched] != c)
                break;
            matched++;
        }
        if (at == name.len && matched == real[i].len)
            return !str_eq_nocase(name, real[i]);
    }
    return false;
}

static int decide_body(const struct framing *framing, struct http_head *head)
{
    if (framing->lengths + framing->encodings == 0)
        return 0;
    if (framing->lengths > 1 || (framing->lengths == 1 && framing->encodings > 0) ||
        head->minor == OTHER_VERSION)
        return 400;
    bool bodiless = str_is(head->method, "GET") || str_is(head->method, "HEAD");
    if (framing->encodings > 0) {
        int status = decide_codings(framing->codings);
        if (head->minor != 1 || bodiless)
            return 400;
        head->chunked = true;
        head->content_length = -1;
        return status;
    }
    struct str digits = framing->length;
    if (digits.len == 0 || digits.len > 18)
        return 400;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
            return 400;
        head->content_length = head->content_length * 10 + (digits.ptr[i] - '0');
    }
    return head->content_length > 0 && bodiless ? 400 : 0;
}

/* Exactly `chunked` is served. Codings that exist but are not ours get 501 when chunked comes
 * last, so that the framing is beyond doubt: "A server that receives a request message with a
 * transfer coding it does not understand SHOULD respond with 501" (RFC 9112, 6.1). */
static int decide_codings(struct str codings)
{
    static const char *const known[] = { "gzip", "x-gzip", "deflate", "compress", "x-compress" };
    if (str_eq_nocase(codings, STR("chunked")))
        return 0;
    struct str element, last = STR("");
    bool foreign = false;
    int chunked = 0;
    while (str_split(&codings, ',', &element)) {
        struct str name;
        foreign |= str_find(element, ';') >= 0; /* parameters */
        str_split(&element, ';', &name);
        last = str_trim(name);
        if (!http_is_token(last))
            return 400;
        chunked += str_eq_nocase(last, STR("chunked"));
        for (size_t i = 0; i < COUNT(known); i++)
            foreign |= str_eq_nocase(last, str_of(known[i]));
    }
    return foreign && chunked == 1 && str_eq_nocase(last, STR("chunked")) ? 501 : 400;
}

static int decide_host(struct arena *arena, const struct framing *framing, struct http_head *head)
{
    if (framing->hosts > 1 || (framing->hosts == 0 && head->minor == 1))
        return 400;
    head->host = STR("");
    if (framing->hosts == 1 && !read_authority(arena, framing->host, &head->host))
        return 400;
    if (str_is(head->method, "CONNECT") || str_is(head->method, "TRACE"))
        return 405; /* no tunnels, no echo */
    head->target = plain_target(arena, head->target);
    if (head->target.ptr[0] == '/')
        return 0;
    if (str_is(head->target, "*"))
        return str_is(head->method, "OPTIONS") ? 0 : 400;
    struct str rest = head->target;
    if (str_starts_nocase(rest, STR("http://")))
        rest = str_from(rest, 7);
    else if (str_starts_nocase(rest, STR("https://")))
        rest = str_from(rest, 8);
    else
        return 400;
    /* "the request target's authority … MUST ignore the received Host header field" (9112, 3.2.2) */
    size_t end = 0;
    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?')
        end++;
    if (!read_authority(arena, str_sub(rest, 0, end), &head->host))
        return 400;
    head->target = str_from(rest, end);
    if (head->target.len == 0)
        head->target = STR("/");
    else if (head->target.ptr[0] == '?')
        head->target = str_concat(arena, STR("/"), head->target);
    return 0;
}

/* host[:port] without user information; the port is dropped. */
static bool read_authority(struct arena *arena, struct str authority, struct str *host)
{
    struct str name = authority, port = STR_NONE;
    if (authority.len > 0 && authority.ptr[0] == '[') { /* [::1]:80 */
        ptrdiff_t close = str_find(authority, ']');
        if (close < 0)
            return false;
        name = str_sub(authority, 1, (size_t)close - 1);
        port = str_from(authority, (size_t)close + 1);
        if (port.len > 0 && port.ptr[0] != ':')
            return false;
        port = port.len > 0 ? str_from(port, 1) : STR_NONE;
        for (size_t i = 0; i < name.len; i++)
            if (name.ptr[i] != ':' && !(classes[(unsigned char)name.ptr[i]] & HOST))
                return false;
    } else {
        ptrdiff_t colon = str_find(authority, ':');
        if (colon >= 0) {
            name = str_sub(authority, 0, (size_t)colon);
            port = str_from(authority, (size_t)colon + 1);
        }
        if (!all_of(name, HOST))
            return false;
    }
    for (size_t i = 0; i < port.len; i++)
        if (port.ptr[i] < '0' || port.ptr[i] > '9')
            return false;
    if (name.len == 0 || port.len > 5)
        return false;
    *host = str_lower(arena, name);
    return true;
}

static bool has_element(struct str list, const char *element)
{
    struct str one;
    while (str_split(&list, ',', &one))
        if (str_eq_nocase(str_trim(one), str_of(element)))
            return true;
    return false;
}
