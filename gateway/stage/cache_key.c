/* What makes two requests equal.
 *
 *     GET 6:a1b2c3 5:alice -            method, cacheNamespace, the values of the key parameters in turn
 *
 * AWS's key is the namespace and the parameters' values. Ours is finer where theirs lets one caller's
 * answer reach another: it has the HTTP method; all values of a parameter that comes twice (the endpoint
 * may read another one of them than a mapping does); and the Accept header where the gateway itself
 * makes the answer by it. Each part has its length, so that no value can pass for another part. */
#include "core/base64.h"
#include "core/digest.h"
#include "gateway/stage/cache.h"

#define LONGEST_SHOWN 96

static void add_hashed(struct strbuf *key, struct arena *arena, struct str value)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(value, hash);
    strbuf_add(key, STR(" #"));
    strbuf_add(key, base64url_encode(arena, digest_str(hash, sizeof hash)));
}

static void add_part(struct strbuf *key, struct arena *arena, struct str value, bool secret)
{
    if (!value.ptr) {
        strbuf_add(key, STR(" -"));
    } else if (secret || value.len > LONGEST_SHOWN) {
        add_hashed(key, arena, value);
    } else {
        strbuf_char(key, ' ');
        http_add_number(key, (int64_t)value.len);
        strbuf_char(key, ':');
        strbuf_add(key, value);
    }
}

/* All values of that name: each with its length, since a comma may stand in any. */
static void add_values(struct gw_request *r, struct strbuf *key, const struct gw_cache_param *param)
{
    bool header = param->source.kind == SOURCE_HEADER || param->source.kind == SOURCE_HEADER_MULTI;
    size_t before = key->len;
    if (header) {
        for (size_t i = 0; i < r->x->headers.n; i++)
            if (str_eq_nocase(r->x->headers.items[i].name, param->source.name))
                add_part(key, r->arena, r->x->headers.items[i].value, param->secret);
    } else {
        const struct gw_params *query = gw_query(r);
        for (size_t i = 0; i < query->n; i++)
            if (str_eq(query->items[i].name, param->source.name))
                add_part(key, r->arena, query->items[i].value, param->secret);
    }
    if (key->len == before)
        strbuf_add(key, STR(" -"));
    strbuf_add(key, STR(" ;"));
}

static void add_claim(struct gw_request *r, struct strbuf *key, struct str name)
{
    json_t *value = json_at(r->caller.claims, name);
    if (!value)
        value = json_at(r->caller.context, name);
    struct str text = json_is_string(value) ? json_value_str(value) : value ? json_print(r->arena, value) : STR_NONE;
    if (!text.ptr && str_is(name, "principalId"))
        text = r->caller.principal_id;
    add_part(key, r->arena, text, false);
}

struct str stage_cache_key(struct gw_request *r)
{
    const struct gw_cache_plan *plan = r->method->cache;
    struct strbuf key = strbuf_in(r->arena, 256);
    strbuf_add(&key, r->http_method);
    add_part(&key, r->arena, plan->name_space, false);
    for (size_t i = 0; i < plan->n_params; i++) {
        const struct gw_cache_param *param = &plan->params[i];
        if (param->source.kind >= SOURCE_HEADER && param->source.kind <= SOURCE_QUERY_MULTI)
            add_values(r, &key, param);
        else
            add_part(&key, r->arena, gw_source_value(r, &param->source), param->secret);
    }
    for (size_t i = 0; i < r->snapshot->caching.n_claims; i++)
        add_claim(r, &key, r->snapshot->caching.claims[i]);
    if (plan->by_accept) {
        struct str accept = http_header_get(&r->x->headers, "Accept"), first = STR_NONE;
        if (accept.ptr)
            str_split(&accept, ',', &first);
        add_part(&key, r->arena, first.ptr ? gw_mime(r, first) : STR_NONE, false);
    }
    return strbuf_view(&key);
}

/* The key of one answer among those that the endpoint's Vary tells apart. */
struct str stage_cache_variant(struct gw_request *r, struct str key, struct str vary)
{
    struct strbuf out = strbuf_in(r->arena, key.len + 128);
    struct str name;
    strbuf_add(&out, key);
    strbuf_add(&out, STR(" |"));
    while (str_split(&vary, ',', &name)) {
        const struct gw_cache_param param = { str_trim(name), { SOURCE_HEADER, str_trim(name), NULL }, true };
        add_values(r, &out, &param);
    }
    return strbuf_view(&out);
}
