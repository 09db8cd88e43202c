#include <stdlib.h>

#include "core/time.h"
#include "core/uri.h"
#include "wire/sigv4_parts.h"

static int name_order(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Headers that proxies and libraries change on the way are not signed. */
static bool left_out(struct str name, bool token_after)
{
    static const char *const names[] = { "authorization", "user-agent", "x-amzn-trace-id", "expect", "connection",
                                         "transfer-encoding" };
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_is(name, names[i]))
            return true;
    return token_after && str_is(name, "x-amz-security-token");
}

/* "a;b;c": lower case, sorted, each once. */
static struct str signed_names(struct arena *arena, const struct http_headers *headers, bool token_after)
{
    struct str *names = ARENA_ARRAY(arena, struct str, headers->n);
    size_t n = 0;
    for (size_t i = 0; i < headers->n; i++) {
        struct str name = str_lower(arena, headers->items[i].name);
        if (!left_out(name, token_after))
            names[n++] = name;
    }
    qsort(names, n, sizeof *names, name_order);
    struct strbuf buf = strbuf_in(arena, 128);
    for (size_t i = 0; i < n; i++) {
        if (i && str_eq(names[i], names[i - 1]))
            continue;
        if (buf.len)
            strbuf_char(&buf, ';');
        strbuf_add(&buf, names[i]);
    }
    return strbuf_view(&buf);
}

static struct str scope_of(struct arena *arena, const struct sigv4_signer *signer, struct str date)
{
    return str_printf(arena, "%.*s/%.*s/%.*s/aws4_request", STR_FMT(date), STR_FMT(signer->region),
                      STR_FMT(signer->service));
}

static struct str signature_of(struct arena *arena, const struct sigv4_request *request,
                               const struct sigv4_signer *signer, const struct http_headers *headers,
                               struct str query, struct str names, struct str date_text)
{
    struct str canonical_headers, date = str_sub(date_text, 0, 8);
    uint8_t key[SHA256_BYTES];
    sigv4_canonical_headers(arena, headers, names, &canonical_headers);
    struct str canonical = sigv4_canonical_request(
        arena, request->method,
        signer->path_once ? request->path : sigv4_canonical_path(arena, request->path, signer->path_as_sent),
        sigv4_canonical_query(arena, query, NULL), canonical_headers, names, sigv4_payload_hash(arena, request));
    sigv4_signing_key(signer->secret, date, signer->region, signer->service, key);
    return sigv4_signature(arena, key,
                           sigv4_string_to_sign(arena, date_text, scope_of(arena, signer, date), canonical));
}

void sigv4_sign(struct arena *arena, const struct sigv4_request *request, const struct sigv4_signer *signer,
                struct http_headers *headers)
{
    struct str date_text = time_basic(arena, signer->now_s);
    http_header_set(arena, headers, STR("X-Amz-Date"), date_text);
    if (signer->sign_body)
        http_header_set(arena, headers, STR("x-amz-content-sha256"), sigv4_payload_hash(arena, request));
    if (signer->session_token.ptr)
        http_header_set(arena, headers, STR("X-Amz-Security-Token"), signer->session_token);
    struct str names = signed_names(arena, headers, signer->token_after);
    struct str signature = signature_of(arena, request, signer, headers, request->query, names, date_text);
    struct str scope = scope_of(arena, signer, str_sub(date_text, 0, 8));
    http_header_set(arena, headers, STR("Authorization"),
                    str_printf(arena, "AWS4-HMAC-SHA256 Credential=%.*s/%.*s, SignedHeaders=%.*s, Signature=%.*s",
                               STR_FMT(signer->access_key_id), STR_FMT(scope), STR_FMT(names), STR_FMT(signature)));
}

static void add(struct strbuf *buf, const char *name, struct str value)
{
    if (buf->len)
        strbuf_char(buf, '&');
    strbuf_printf(buf, "%s=", name);
    strbuf_add(buf, uri_encode(buf->arena, value, false));
}

struct str sigv4_presign(struct arena *arena, const struct sigv4_request *request,
                         const struct sigv4_signer *signer, int64_t expires_s)
{
    struct str date_text = time_basic(arena, signer->now_s);
    struct str names = signed_names(arena, request->headers, signer->token_after);
    struct str scope = scope_of(arena, signer, str_sub(date_text, 0, 8));
    struct strbuf buf = strbuf_in(arena, request->query.len + 512);
    strbuf_add(&buf, request->query);
    add(&buf, "X-Amz-Algorithm", STR("AWS4-HMAC-SHA256"));
    add(&buf, "X-Amz-Credential",
        str_printf(arena, "%.*s/%.*s", STR_FMT(signer->access_key_id), STR_FMT(scope)));
    add(&buf, "X-Amz-Date", date_text);
    add(&buf, "X-Amz-Expires", str_printf(arena, "%lld", (long long)expires_s));
    add(&buf, "X-Amz-SignedHeaders", names);
    if (signer->session_token.ptr && !signer->token_after)
        add(&buf, "X-Amz-Security-Token", signer->session_token);
    struct str so_far = strbuf_view(&buf);
    struct str signature = signature_of(arena, request, signer, request->headers, so_far, names, date_text);
    if (signer->session_token.ptr && signer->token_after)
        add(&buf, "X-Amz-Security-Token", signer->session_token);
    add(&buf, "X-Amz-Signature", signature);
    return strbuf_view(&buf);
}
