#include "admin/browser.h"

#include "core/uri.h"

/* 127.0.0.0/8 in digits; "127.evil.example" is a name. */
static bool is_loopback_v4(struct str host)
{
    for (size_t i = 0; i < host.len; i++)
        if (host.ptr[i] != '.' && (host.ptr[i] < '0' || host.ptr[i] > '9'))
            return false;
    return str_starts(host, STR("127."));
}

bool browser_host_is_local(struct str host)
{
    return str_is(host, "localhost") || str_ends(host, STR(".localhost")) || is_loopback_v4(host) ||
           str_is(host, "::1") || str_is(host, "[::1]") || str_empty(host);
}

bool browser_is_foreign(const struct http_exchange *x)
{
    struct str origin = http_header_get(&x->headers, "Origin");
    struct str site = http_header_get(&x->headers, "Sec-Fetch-Site");
    struct uri uri;
    if (origin.ptr) /* "null" is a sandboxed frame or a file: nobody we know */
        return !uri_parse(x->arena, origin, &uri) || !browser_host_is_local(uri.host);
    return site.ptr && !str_is(site, "same-origin") && !str_is(site, "none");
}
