#include "gateway/backend/outside.h"

#include "core/arena.h"
#include "core/uri.h"

enum { MOST = 256 };

/* The next word of a list. */
static bool next_word(struct str *rest, const char *dividers, struct str *word)
{
    while (rest->len && strchr(dividers, rest->ptr[0]))
        *rest = str_from(*rest, 1);
    size_t len = 0;
    while (len < rest->len && !strchr(dividers, rest->ptr[len]))
        len++;
    *word = str_sub(*rest, 0, len);
    *rest = str_from(*rest, len);
    return len > 0;
}

bool outside_allow(struct gw_outside *outside, struct arena *arena, struct str networks)
{
    struct str word;
    bool any = false;
    if (!outside->allowed)
        outside->allowed = ARENA_ARRAY(arena, struct ip_net, MOST);
    while (next_word(&networks, ", \t", &word)) {
        if (outside->n_allowed == MOST || !ip_net_parse(word, &outside->allowed[outside->n_allowed]))
            return false;
        outside->n_allowed++;
        any = true;
    }
    return any;
}

static bool is_service(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-.", text.ptr[i]))
            return false;
    return text.len > 0;
}

static bool read_endpoint(struct arena *arena, struct str text, struct gw_endpoint *out)
{
    struct uri uri;
    ptrdiff_t equals = str_find(text, '=');
    if (equals <= 0 || !uri_parse(arena, str_from(text, (size_t)equals + 1), &uri) || !uri.host.len || uri.query.ptr ||
        uri.fragment.ptr)
        return false;
    *out = (struct gw_endpoint){ .service = str_copy(arena, str_sub(text, 0, (size_t)equals)),
                                 .scheme = str_copy(arena, uri.scheme),
                                 .host = str_copy(arena, uri.host),
                                 .port = uri.port };
    struct str path = uri.path;
    while (path.len && path.ptr[path.len - 1] == '/')
        path.len--;
    out->path = str_copy(arena, path);
    if (uri.userinfo.ptr) {
        ptrdiff_t colon = str_find(uri.userinfo, ':');
        if (colon <= 0)
            return false;
        out->key_id = str_copy(arena, uri_decode(arena, str_sub(uri.userinfo, 0, (size_t)colon), false));
        out->secret = str_copy(arena, uri_decode(arena, str_from(uri.userinfo, (size_t)colon + 1), false));
    }
    return is_service(out->service);
}

bool outside_endpoint(struct gw_outside *outside, struct arena *arena, struct str endpoints)
{
    struct str word;
    bool any = false;
    if (!outside->endpoints)
        outside->endpoints = ARENA_ARRAY(arena, struct gw_endpoint, MOST);
    while (next_word(&endpoints, ", \t", &word)) {
        if (outside->n_endpoints == MOST || !read_endpoint(arena, word, &outside->endpoints[outside->n_endpoints]))
            return false;
        outside->n_endpoints++;
        any = true;
    }
    return any;
}

bool outside_link(struct gw_outside *outside, struct arena *arena, struct str links)
{
    struct str word;
    bool any = false;
    if (!outside->links)
        outside->links = ARENA_ARRAY(arena, struct gw_link, MOST);
    while (next_word(&links, " \t", &word)) {
        if (outside->n_links == MOST || !link_parse(arena, word, &outside->links[outside->n_links]))
            return false;
        outside->n_links++;
        any = true;
    }
    return any;
}

struct gw_link *outside_find_link(const struct gw_outside *outside, struct str name_or_arn)
{
    for (size_t i = outside ? outside->n_links : 0; i-- > 0;)
        if (str_eq(outside->links[i].name, name_or_arn))
            return &outside->links[i];
    return NULL;
}

bool outside_open(struct gw_outside *outside, bool trusting, struct arena *arena, struct str *why)
{
    const struct net_guard_config guard = { .allowed = outside->allowed,
                                            .n_allowed = outside->n_allowed,
                                            .trusting = trusting };
    outside->arena = arena;
    outside->trust = tls_trust_new(outside->backend_ca.len ? str_c(arena, outside->backend_ca) : NULL);
    if (!outside->trust) {
        *why = str_printf(arena, "cannot read certificates from %.*s", STR_FMT(outside->backend_ca));
        return false;
    }
    outside->guard = net_guard_new(&guard);
    return true;
}

void outside_close(struct gw_outside *outside)
{
    net_guard_free(outside->guard);
    tls_trust_free(outside->trust);
}

void outside_add_own(struct gw_outside *outside, struct arena *arena, struct str host, uint16_t port)
{
    static const char *const own[] = { "apigateway", "cognito-idp", "iam", "lambda", "sts" };
    bool any = str_is(host, "0.0.0.0") || str_is(host, "::");
    struct gw_endpoint *all = ARENA_ARRAY(arena, struct gw_endpoint, outside->n_endpoints + COUNT(own));
    size_t n = 0;
    for (size_t i = 0; i < COUNT(own); i++)
        all[n++] = (struct gw_endpoint){ .service = str_of(own[i]), .scheme = STR("http"),
                                         .host = any ? STR("127.0.0.1") : host, .port = port, .path = STR("") };
    for (size_t i = 0; i < outside->n_endpoints; i++) /* behind ours, and so stronger */
        all[n++] = outside->endpoints[i];
    outside->endpoints = all;
    outside->n_endpoints = n;
}

/* The one that was said last: flags are stronger than the file. */
const struct gw_endpoint *outside_find_endpoint(const struct gw_outside *outside, struct str service)
{
    for (size_t i = outside ? outside->n_endpoints : 0; i-- > 0;)
        if (str_eq(outside->endpoints[i].service, service))
            return &outside->endpoints[i];
    return NULL;
}
