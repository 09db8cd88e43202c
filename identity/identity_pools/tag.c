/* TagResource, UntagResource, ListTagsForResource: tags of identity pools, by ARN. */
#include "identity/identity_pools/identity_pool.h"

/* "arn:P:cognito-identity:R:A:identitypool/ID", of the caller's account and region. */
static gh_err pool_by_arn(struct call *call, struct tx *tx, struct str arn, struct identity_pool *out)
{
    ptrdiff_t slash = str_find(arn, '/');
    struct str id = slash < 0 ? STR("") : str_from(arn, (size_t)slash + 1);
    const struct identity_pool own = { .id = id, .account = call->account, .region = call->region };
    if (!str_eq(arn, identity_pool_arn(call, &own)))
        return gh_fail(call->arena, &ci_ResourceNotFoundException, "Resource '%.*s' not found.", STR_FMT(arn));
    return identity_pool_load(call, tx, id, out);
}

static void drop(struct ci_IdentityPoolTagsType *tags, struct str key)
{
    size_t kept = 0;
    for (size_t i = 0; i < tags->n; i++)
        if (!str_eq(tags->items[i].key, key))
            tags->items[kept++] = tags->items[i];
    tags->n = kept;
}

gh_err ci_ListTagsForResource(struct call *call, const struct ci_ListTagsForResource_in *in,
                              struct ci_ListTagsForResource_out *out)
{
    struct identity_pool pool;
    gh_err err = pool_by_arn(call, NULL, in->resource_arn, &pool);
    if (err)
        return err;
    out->tags = pool.doc->identity_pool_tags;
    out->tags.set = true;
    return NULL;
}

gh_err ci_TagResource(struct call *call, const struct ci_TagResource_in *in, struct ci_TagResource_out *out)
{
    (void)out;
    struct identity_pool pool;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = pool_by_arn(call, &tx, in->resource_arn, &pool);
    if (err)
        return identity_pool_end(&tx, err);
    struct ci_IdentityPoolTagsType *tags = &pool.doc->identity_pool_tags, grown = { .set = true };
    for (size_t i = 0; i < in->tags.n; i++)
        drop(tags, in->tags.items[i].key);
    grown.items = arena_zalloc(call->arena, (tags->n + in->tags.n + 1) * sizeof *grown.items);
    for (size_t i = 0; i < tags->n; i++)
        grown.items[grown.n++] = tags->items[i];
    for (size_t i = 0; i < in->tags.n; i++)
        grown.items[grown.n++] = in->tags.items[i];
    *tags = grown;
    err = identity_pool_check_tags(call, tags);
    if (!err)
        identity_pool_save(&tx, &pool);
    return identity_pool_end(&tx, err);
}

gh_err ci_UntagResource(struct call *call, const struct ci_UntagResource_in *in, struct ci_UntagResource_out *out)
{
    (void)out;
    struct identity_pool pool;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = pool_by_arn(call, &tx, in->resource_arn, &pool);
    for (size_t i = 0; !err && i < in->tag_keys.n; i++)
        drop(&pool.doc->identity_pool_tags, in->tag_keys.items[i]);
    if (!err)
        identity_pool_save(&tx, &pool);
    return identity_pool_end(&tx, err);
}
