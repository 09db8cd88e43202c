/* The canonical request: one spelling for every way to write the same request.
 * "Create a canonical request … Create a string to sign" — IAM User Guide, Signature Version 4 */
#include <stdlib.h>

#include "core/base64.h"
#include "core/uri.h"
#include "wire/sigv4_parts.h"

/* "Normalize URI paths according to RFC 3986 by removing redundant and relative path components.
 * Each path segment must be URI-encoded twice (except for Amazon S3)." The first time was the
 * client's, for the wire. */
struct str sigv4_canonical_path(struct arena *arena, struct str path, bool as_sent)
{
    if (as_sent)
        return path.len ? uri_encode(arena, path, true) : STR("/");
    struct strbuf buf = strbuf_in(arena, path.len + 1);
    struct str rest = path, segment;
    while (str_split(&rest, '/', &segment)) {
        if (segment.len == 0 || str_is(segment, "."))
            continue;
        if (str_is(segment, "..")) {
            ptrdiff_t slash = str_find_last((struct str){ buf.ptr, buf.len }, '/');
            buf.len = slash < 0 ? 0 : (size_t)slash;
            continue;
        }
        strbuf_char(&buf, '/');
        strbuf_add(&buf, segment);
    }
    if (buf.len == 0 || str_ends(path, STR("/")))
        strbuf_char(&buf, '/');
    return uri_encode(arena, strbuf_view(&buf), true);
}

struct parameter {
    struct str name, value; /* encoded */
};

static int parameter_order(const void *a, const void *b)
{
    const struct parameter *x = a, *y = b;
    int order = str_cmp(x->name, y->name);
    return order ? order : str_cmp(x->value, y->value);
}

/* '+' is a blank, as the parameters' reader will take it. */
static struct str recode(struct arena *arena, struct str raw)
{
    return uri_encode(arena, uri_decode(arena, raw, true), false);
}

struct str sigv4_canonical_query(struct arena *arena, struct str query, const char *without)
{
    size_t max = 1;
    for (size_t i = 0; i < query.len; i++)
        max += query.ptr[i] == '&';
    struct parameter *items = ARENA_ARRAY(arena, struct parameter, max);
    size_t n = 0;
    struct str rest = query, pair;
    while (str_split(&rest, '&', &pair)) {
        if (pair.len == 0)
            continue;
        struct str value = pair, name;
        str_split(&value, '=', &name);
        name = recode(arena, name);
        if (str_is(name, "X-Amz-Signature") || (without && str_is(name, without)))
            continue;
        items[n++] = (struct parameter){ name, value.ptr ? recode(arena, value) : STR("") };
    }
    qsort(items, n, sizeof *items, parameter_order);
    struct strbuf buf = strbuf_in(arena, query.len + 32);
    for (size_t i = 0; i < n; i++) {
        if (i)
            strbuf_char(&buf, '&');
        strbuf_add(&buf, items[i].name);
        strbuf_char(&buf, '=');
        strbuf_add(&buf, items[i].value);
    }
    return strbuf_view(&buf);
}

/* "Trim excess white space before and after values, and convert sequential spaces to a single space." */
static void add_value(struct strbuf *buf, struct str value)
{
    value = str_trim(value);
    bool blank = false;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i] == '\t' || value.ptr[i] == '\r' || value.ptr[i] == '\n' ? ' ' : value.ptr[i];
        if (c != ' ' || !blank)
            strbuf_char(buf, c);
        blank = c == ' ';
    }
}

/* Repeated headers are joined with commas in the order received: an added duplicate breaks the signature. */
bool sigv4_canonical_headers(struct arena *arena, const struct http_headers *headers, struct str signed_headers,
                             struct str *out)
{
    struct strbuf buf = strbuf_in(arena, 512);
    struct str rest = signed_headers, name;
    bool all = true;
    while (str_split(&rest, ';', &name)) {
        bool found = false;
        strbuf_add(&buf, name);
        strbuf_char(&buf, ':');
        for (size_t i = 0; i < headers->n; i++) {
            if (!str_eq_nocase(headers->items[i].name, name))
                continue;
            if (found)
                strbuf_char(&buf, ',');
            add_value(&buf, headers->items[i].value);
            found = true;
        }
        strbuf_char(&buf, '\n');
        all &= found;
    }
    *out = strbuf_view(&buf);
    return all;
}

struct str sigv4_canonical_request(struct arena *arena, struct str method, struct str path, struct str query,
                                   struct str headers, struct str signed_headers, struct str payload_hash)
{
    struct strbuf buf = strbuf_in(arena, method.len + path.len + query.len + headers.len + signed_headers.len + 80);
    const struct str lines[] = { method, path, query, headers, signed_headers, payload_hash };
    for (size_t i = 0; i < COUNT(lines); i++) {
        if (i)
            strbuf_char(&buf, '\n');
        strbuf_add(&buf, lines[i]);
    }
    return strbuf_view(&buf);
}

static struct str sha256_hex(struct arena *arena, struct str data)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(data, hash);
    return hex_encode(arena, digest_str(hash, sizeof hash));
}

struct str sigv4_string_to_sign(struct arena *arena, struct str date_text, struct str scope, struct str canonical)
{
    struct strbuf buf = strbuf_in(arena, 200);
    const struct str lines[] = { STR("AWS4-HMAC-SHA256"), date_text, scope, sha256_hex(arena, canonical) };
    for (size_t i = 0; i < COUNT(lines); i++) {
        if (i)
            strbuf_char(&buf, '\n');
        strbuf_add(&buf, lines[i]);
    }
    return strbuf_view(&buf);
}

struct str sigv4_payload_hash(struct arena *arena, const struct sigv4_request *request)
{
    if (request->body_sha256)
        return hex_encode(arena, digest_str(request->body_sha256, SHA256_BYTES));
    return sha256_hex(arena, request->body);
}
