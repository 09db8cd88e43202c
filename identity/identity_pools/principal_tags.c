/* SetPrincipalTagAttributeMap, GetPrincipalTagAttributeMap, and what they mean at sign-in. */
#include "identity/identity_pools/principal_tags.h"

#include "wire/codec_json.h"

enum { MOST_VALUE = 256, MOST_TAGS = 50 };

static gh_err provider_of(struct call *call, const struct identity_pool *pool, struct str name, struct provider *out)
{
    *out = provider_named(call, pool->doc, name, false);
    if (out->configured)
        return NULL;
    return gh_fail(call->arena, &ci_InvalidParameterException, "(%.*s) is not a configured provider of this identity pool.",
                   STR_FMT(name));
}

gh_err ci_SetPrincipalTagAttributeMap(struct call *call, const struct ci_SetPrincipalTagAttributeMap_in *in,
                                      struct ci_SetPrincipalTagAttributeMap_out *out)
{
    struct identity_pool pool;
    struct provider provider;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = identity_pool_load(call, &tx, in->identity_pool_id, &pool);
    if (!err)
        err = provider_of(call, &pool, in->identity_provider_name, &provider);
    for (size_t i = 0; !err && i < in->principal_tags.n; i++)
        if (str_starts_nocase(in->principal_tags.items[i].key, STR("aws:")))
            err = gh_fail(call->arena, &ci_InvalidParameterException, "Tag keys that begin with aws: are reserved: %.*s",
                          STR_FMT(in->principal_tags.items[i].key));
    if (!err)
        store_tag_map_put(&tx, pool.id, provider.name, shape_print(call->arena, &ci_shape_SetPrincipalTagAttributeMap_in, in));
    *out = (struct ci_SetPrincipalTagAttributeMap_out){ in->identity_pool_id, in->identity_provider_name, in->use_defaults,
                                                        in->principal_tags };
    return identity_pool_end(&tx, err);
}

/* *found false: none was set. */
static gh_err map_of(struct call *call, const struct identity_pool *pool, struct str provider,
                     struct ci_SetPrincipalTagAttributeMap_in *out, bool *found)
{
    struct str doc;
    gh_err err = store_tag_map_find(call->db, NULL, call->arena, pool->id, provider, &doc);
    *found = !err && doc.ptr && shape_parse(call->arena, &ci_shape_SetPrincipalTagAttributeMap_in, doc, out);
    return err;
}

gh_err ci_GetPrincipalTagAttributeMap(struct call *call, const struct ci_GetPrincipalTagAttributeMap_in *in,
                                      struct ci_GetPrincipalTagAttributeMap_out *out)
{
    struct identity_pool pool;
    struct provider provider;
    struct ci_SetPrincipalTagAttributeMap_in map = { .use_defaults = { .set = false } };
    bool found;
    gh_err err = identity_pool_load(call, NULL, in->identity_pool_id, &pool);
    if (!err)
        err = provider_of(call, &pool, in->identity_provider_name, &provider);
    if (!err)
        err = map_of(call, &pool, provider.name, &map, &found);
    if (!err)
        *out = (struct ci_GetPrincipalTagAttributeMap_out){ pool.id, in->identity_provider_name, map.use_defaults,
                                                            map.principal_tags };
    return err;
}

/* ---- at sign-in ---- */

/* "client: aud; username: sub" */
static const struct {
    const char *tag, *claim;
} defaults[] = { { "client", "aud" }, { "username", "sub" } };

/* What IAM takes as a tag's value. What does not fit is left out: a person's name must not keep them out. */
static bool fits(struct str value)
{
    static const char allowed[] = "_.:/=+-@ ";
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
        if (!word && !memchr(allowed, c, sizeof allowed - 1))
            return false;
    }
    return value.len <= MOST_VALUE;
}

struct collected {
    struct arena *arena;
    struct tag *items;
    size_t n;
};

static void add(struct collected *tags, struct str key, struct str value)
{
    if (!value.ptr || !fits(value))
        return;
    for (size_t i = 0; i < tags->n; i++)
        if (str_eq_nocase(tags->items[i].key, key))
            return;
    if (tags->n < MOST_TAGS)
        tags->items[tags->n++] = (struct tag){ key, value };
}

static void add_login(struct collected *tags, const struct ci_SetPrincipalTagAttributeMap_in *map, const json_t *claims)
{
    for (size_t i = 0; map->use_defaults.value && i < COUNT(defaults); i++)
        add(tags, str_of(defaults[i].tag), login_claim_text(tags->arena, json_object_get(claims, defaults[i].claim)));
    for (size_t i = 0; !map->use_defaults.value && i < map->principal_tags.n; i++)
        add(tags, map->principal_tags.items[i].key,
            login_claim_text(tags->arena, json_at(claims, map->principal_tags.items[i].value)));
}

gh_err principal_tags(struct call *call, const struct identity_pool *pool, const struct logins *logins, struct tags *out)
{
    struct collected tags = { call->arena, ARENA_ARRAY(call->arena, struct tag, MOST_TAGS), 0 };
    for (size_t i = 0; logins->own && i < logins->own->tags.n; i++)
        add(&tags, logins->own->tags.items[i].key, logins->own->tags.items[i].value);
    for (size_t i = 0; i < logins->n; i++) {
        struct ci_SetPrincipalTagAttributeMap_in map;
        bool found;
        gh_err err = map_of(call, pool, logins->items[i].key.provider, &map, &found);
        if (err)
            return err;
        if (found && logins->items[i].claims)
            add_login(&tags, &map, logins->items[i].claims);
    }
    *out = (struct tags){ tags.n, tags.items };
    return NULL;
}
