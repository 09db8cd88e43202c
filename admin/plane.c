#include "admin/plane.h"

/* Takes "/segment" off the front of *path, leaving "" or "/…". */
static bool take_segment(struct str *path, struct str *segment)
{
    if (path->len < 2 || path->ptr[0] != '/')
        return false;
    struct str rest = str_from(*path, 1);
    ptrdiff_t slash = str_find(rest, '/');
    *segment = slash < 0 ? rest : str_sub(rest, 0, (size_t)slash);
    *path = str_from(rest, segment->len);
    return segment->len > 0;
}

static bool take_literal(struct str *path, const char *literal)
{
    struct str rest = *path, segment;
    if (!take_segment(&rest, &segment) || !str_is(segment, literal))
        return false;
    *path = rest;
    return true;
}

static struct str rooted(struct str path)
{
    return path.len ? path : STR("/");
}

/* "{apiId}.execute-api.{region}.…" */
static bool by_host(struct str host, struct place *place)
{
    struct str label, kind, rest = host;
    if (!str_split(&rest, '.', &label) || !str_split(&rest, '.', &kind) || !str_is(kind, "execute-api"))
        return false;
    place->plane = PLANE_DATA;
    place->api_id = label;
    return label.len > 0;
}

/* "/_aws/execute-api/{apiId}/{stage}/…" or "/restapis/{apiId}/{stage}/_user_request_/…" */
static bool by_path(struct str path, struct place *place)
{
    struct str rest = path;
    if (take_literal(&rest, "_aws")) {
        if (!take_literal(&rest, "execute-api") || !take_segment(&rest, &place->api_id))
            return false;
        if (!take_segment(&rest, &place->stage))
            place->stage = STR("");
    } else if (!take_literal(&rest, "restapis") || !take_segment(&rest, &place->api_id) ||
               !take_segment(&rest, &place->stage) || !take_literal(&rest, "_user_request_")) {
        return false;
    }
    place->plane = PLANE_DATA;
    place->path = rooted(rest);
    return true;
}

/* "us-east-1_AbCdEfGhI": region, underscore, letters and digits. */
static bool is_pool_id(struct str text)
{
    ptrdiff_t underscore = str_find(text, '_');
    if (underscore < 8 || text.len > 55 || (size_t)underscore + 1 == text.len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '-' && c != '_')
            return false;
    }
    return true;
}

static bool by_pool(struct str path, struct place *place)
{
    struct str rest = path;
    bool long_form = take_literal(&rest, "_aws");
    if (long_form && !take_literal(&rest, "cognito-idp"))
        return false;
    if (!take_segment(&rest, &place->pool_id) || !is_pool_id(place->pool_id))
        return false;
    if (!long_form && !str_starts(rest, STR("/.well-known/")))
        return false;
    place->plane = PLANE_POOL;
    place->path = rooted(rest);
    return true;
}

/* "/outbound-UUID/.well-known/…" */
static bool by_outbound(struct str path, struct place *place)
{
    struct str rest = path;
    if (!str_starts(path, STR("/outbound-")) || !take_segment(&rest, &place->pool_id) ||
        !str_starts(rest, STR("/.well-known/")))
        return false;
    place->plane = PLANE_OUTBOUND;
    place->path = rest;
    return true;
}

/* "/_aws/cognito-identity/.well-known/…" */
static bool by_issuer(struct str path, struct place *place)
{
    struct str rest = path;
    if (!take_literal(&rest, "_aws") || !take_literal(&rest, "cognito-identity"))
        return false;
    *place = (struct place){ .plane = PLANE_ISSUER, .path = rooted(rest) };
    return true;
}

struct place plane_of(struct str host, struct str path)
{
    struct place place = { .plane = PLANE_MANAGEMENT, .path = path };
    struct str rest = path;
    if (by_host(host, &place) || by_path(path, &place))
        return place;
    place = (struct place){ .plane = PLANE_MANAGEMENT, .path = path };
    if (take_literal(&rest, "_gatehouse")) {
        place.plane = PLANE_LOCAL;
        place.path = rooted(rest);
        return place;
    }
    if (by_pool(path, &place) || by_issuer(path, &place) || by_outbound(path, &place))
        return place;
    return (struct place){ .plane = PLANE_MANAGEMENT, .path = path };
}
