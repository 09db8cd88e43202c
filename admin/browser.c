#include "admin/browser.h"

#include "core/uri.h"

bool browser_host_is_local(struct str host)
{
    return str_is(host, "localhost") || str_ends(host, STR(".localhost")) || str_starts(host, STR("127.")) ||
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
