/* TagResource, UntagResource, ListTagsForResource: tags of user pools, by ARN. */
#include "identity/pools/pool.h"
#include "identity/store/pool.h"
#include "wire/codec_json.h"

static gh_err pool_by_arn(struct call *call, struct str arn, struct pool *pool)
{
    ptrdiff_t slash = str_find(arn, '/');
    gh_err err = pool_load(call, slash < 0 ? STR("") : str_from(arn, (size_t)slash + 1), pool);
    if (!err && !str_eq(pool->doc->arn, arn))
        return gh_fail(call->arena, &idp_ResourceNotFoundException, "Resource %.*s does not exist.",
                       STR_FMT(arn));
    return err;
}

static gh_err save(struct call *call, const struct pool *pool)
{
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_pool_update(&tx, pool->id, shape_print(call->arena, &idp_shape_UserPoolType, pool->doc));
    return tx_commit(&tx);
}

gh_err idp_ListTagsForResource(struct call *call, const struct idp_ListTagsForResource_in *in,
                               struct idp_ListTagsForResource_out *out)
{
    struct pool pool;
    gh_err err = pool_by_arn(call, in->resource_arn, &pool);
    if (err)
        return err;
    out->tags = pool.doc->user_pool_tags;
    out->tags.set = true;
    return NULL;
}

static void drop(struct idp_UserPoolTagsType *tags, struct str key)
{
    size_t kept = 0;
    for (size_t i = 0; i < tags->n; i++)
        if (!str_eq(tags->items[i].key, key))
            tags->items[kept++] = tags->items[i];
    tags->n = kept;
}

gh_err idp_TagResource(struct call *call, const struct idp_TagResource_in *in,
                       struct idp_TagResource_out *out)
{
    (void)out;
    struct pool pool;
    gh_err err = pool_by_arn(call, in->resource_arn, &pool);
    if (err)
        return err;
    struct idp_UserPoolTagsType *tags = &pool.doc->user_pool_tags, grown = { .set = true };
    for (size_t i = 0; i < in->tags.n; i++)
        drop(tags, in->tags.items[i].key);
    grown.items = arena_zalloc(call->arena, (tags->n + in->tags.n) * sizeof *grown.items);
    for (size_t i = 0; i < tags->n; i++)
        grown.items[grown.n++] = tags->items[i];
    for (size_t i = 0; i < in->tags.n; i++)
        grown.items[grown.n++] = in->tags.items[i];
    *tags = grown;
    return save(call, &pool);
}

gh_err idp_UntagResource(struct call *call, const struct idp_UntagResource_in *in,
                         struct idp_UntagResource_out *out)
{
    (void)out;
    struct pool pool;
    gh_err err = pool_by_arn(call, in->resource_arn, &pool);
    if (err)
        return err;
    for (size_t i = 0; i < in->tag_keys.n; i++)
        drop(&pool.doc->user_pool_tags, in->tag_keys.items[i]);
    return save(call, &pool);
}
