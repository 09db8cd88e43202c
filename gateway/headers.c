#include "gateway/headers.h"

#define P HEADER_PASS
#define D HEADER_DROP
#define R HEADER_REMAP
#define RULE(name, request, http, lambda, mapped) { name, request, http, lambda, mapped, "x-amzn-Remapped-" name }

/* "Amazon API Gateway important notes": headers that are dropped, remapped or modified. Sorted by length. */
static const struct header_rule rules[] = {
    RULE("TE", D, D, D, R),
    RULE("Via", D, D, D, P),
    RULE("Date", P, R, R, R),
    RULE("Host", D, D, D, R),
    RULE("Expect", D, D, D, R),
    RULE("Server", D, R, R, R),
    RULE("Trailer", D, D, D, R),
    RULE("Upgrade", D, D, D, R),
    RULE("Connection", D, R, R, R),
    RULE("Keep-Alive", D, D, D, D),
    RULE("User-Agent", P, R, R, R),
    RULE("Content-MD5", D, R, R, R),
    RULE("Max-Forwards", D, R, R, R),
    RULE("Authorization", P, R, R, R),
    RULE("Content-Length", D, R, R, R),
    RULE("WWW-Authenticate", D, R, R, R),
    RULE("Proxy-Connection", D, D, D, D),
    RULE("Transfer-Encoding", D, D, D, D),
    RULE("x-amz-apigw-id", D, R, R, R), /* ours; an API behind us has one, too */
    RULE("x-amzn-RequestId", D, R, R, R),
    RULE("X-Amzn-Trace-Id", D, D, D, R),
    RULE("x-gatehouse-trace", D, D, D, D),
    RULE("Proxy-Authenticate", D, D, D, R),
    RULE("Proxy-Authorization", D, D, D, D),
};

const struct header_rule *header_rule(struct str name)
{
    for (size_t i = 0; i < COUNT(rules); i++) {
        const char *other = rules[i].name;
        /* the first character decides nearly always */
        if (((name.ptr[0] ^ other[0]) & 0x5f) == 0 && str_eq_nocase(name, str_of(other)))
            return &rules[i];
    }
    return NULL;
}

bool header_is_ours(struct str name)
{
    if (name.len < 7 || (name.ptr[0] | 0x20) != 'x')
        return false;
    return str_starts_nocase(name, STR("x-amzn-")) || str_starts_nocase(name, STR("x-forwarded-"));
}

bool header_is_secret(struct str name)
{
    static const char *const names[] = { "authorization", "x-api-key", "cookie", "set-cookie", "proxy-authorization",
                                         "x-amz-security-token", "x-amz-signature", "x-amz-credential" };
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq_nocase(name, str_of(names[i])))
            return true;
    return false;
}

struct str header_edge_name(struct str name)
{
    static const char *const known[] = {
        "Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control",
        "Content-Encoding", "Content-Language", "Content-Type", "Cookie", "Date", "From", "Host", "If-Match",
        "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Origin", "Pragma", "Range", "Referer",
        "User-Agent", "Warning",
    };
    for (size_t i = 0; i < COUNT(known); i++)
        if (((name.ptr[0] ^ known[i][0]) & 0x5f) == 0 && str_eq_nocase(name, str_of(known[i])))
            return str_of(known[i]);
    return name;
}
