/* CreateIdentityPool, DescribeIdentityPool, UpdateIdentityPool, ListIdentityPools, DeleteIdentityPool. */
#include "identity/identity_pools/identity_pool.h"

#include "core/id.h"
#include "identity/identity_pools/open_id_token.h"
#include "identity/pools/limits.h"
#include "wire/audit.h"
#include "wire/codec_json.h"

enum { MOST_POOLS = 1000 };

gh_err identity_pool_not_found(struct call *call, struct str id)
{
    return gh_fail(call->arena, &ci_ResourceNotFoundException, "IdentityPool '%.*s' not found.", STR_FMT(id));
}

static bool decode(struct call *call, const struct identity_pool_row *row, struct identity_pool *out)
{
    *out = (struct identity_pool){ .id = row->id, .account = row->account, .region = row->region,
                                   .doc = ARENA_NEW(call->arena, struct ci_IdentityPool) };
    if (!shape_parse(call->arena, &ci_shape_IdentityPool, row->doc, out->doc))
        return false;
    if (!row->roles.ptr)
        return true;
    out->roles = ARENA_NEW(call->arena, struct ci_SetIdentityPoolRoles_in);
    return shape_parse(call->arena, &ci_shape_SetIdentityPoolRoles_in, row->roles, out->roles);
}

gh_err identity_pool_find(struct call *call, struct tx *tx, struct str id, struct identity_pool *out)
{
    struct identity_pool_row row;
    bool found;
    gh_err err = store_identity_pool_find(call->db, tx, call->arena, id, &row, &found);
    if (err)
        return err;
    if (!found)
        return identity_pool_not_found(call, id);
    if (call->operation->unsigned_)
        audit_account(call, row.account);
    err = call_limits_take(call, row.account, row.region);
    if (err)
        return err;
    if (!decode(call, &row, out))
        return gh_fail(call->arena, &GH_INTERNAL, "The record of identity pool %.*s is damaged.", STR_FMT(id));
    return NULL;
}

gh_err identity_pool_load(struct call *call, struct tx *tx, struct str id, struct identity_pool *out)
{
    gh_err err = identity_pool_find(call, tx, id, out);
    if (!err && (!str_eq(out->account, call->account) || !str_eq(out->region, call->region)))
        return identity_pool_not_found(call, id);
    return err;
}

struct str identity_pool_arn(struct call *call, const struct identity_pool *pool)
{
    return str_printf(call->arena, "arn:%.*s:cognito-identity:%.*s:%.*s:identitypool/%.*s", STR_FMT(call->partition),
                      STR_FMT(pool->region), STR_FMT(pool->account), STR_FMT(pool->id));
}

void identity_pool_save(struct tx *tx, const struct identity_pool *pool)
{
    store_identity_pool_update(tx, pool->id, shape_print(tx->arena, &ci_shape_IdentityPool, pool->doc));
}

gh_err identity_pool_end(struct tx *tx, gh_err err)
{
    if (!err)
        return tx_commit(tx);
    tx_rollback(tx);
    return err;
}

struct call *identity_pool_call(struct call *call, const struct identity_pool *pool)
{
    struct call *as = ARENA_NEW(call->arena, struct call);
    *as = *call;
    as->account = pool->account;
    as->region = pool->region;
    return as;
}

static struct str place(struct call *call, const char *list, struct str of)
{
    return str_printf(call->arena, "page/%s/%.*s/%.*s/%.*s", list, STR_FMT(call->account), STR_FMT(call->region),
                      STR_FMT(of));
}

struct str identity_pool_page_token(struct call *call, const char *list, struct str of, struct str last)
{
    return seal(call->sealer, call->arena, place(call, list, of), last);
}

gh_err identity_pool_page(struct call *call, const char *list, struct str of, struct str token, struct str *after)
{
    *after = STR_NONE;
    if (!token.ptr || unseal(call->sealer, call->arena, place(call, list, of), token, after))
        return NULL;
    return gh_fail(call->arena, &ci_InvalidParameterException, "Invalid pagination token given.");
}

/* ---- operations ---- */

gh_err ci_CreateIdentityPool(struct call *call, const struct ci_CreateIdentityPool_in *in,
                             struct ci_CreateIdentityPool_out *out)
{
    const struct ci_IdentityPool doc = {
        .identity_pool_id = str_printf(call->arena, "%.*s:%.*s", STR_FMT(call->region),
                                       STR_FMT(id_uuid(call->env, call->arena))),
        .identity_pool_name = in->identity_pool_name,
        .allow_unauthenticated_identities = in->allow_unauthenticated_identities,
        .allow_classic_flow = in->allow_classic_flow,
        .supported_login_providers = in->supported_login_providers,
        .developer_provider_name = in->developer_provider_name,
        .open_id_connect_provider_arns = in->open_id_connect_provider_arns,
        .cognito_identity_providers = in->cognito_identity_providers,
        .saml_provider_arns = in->saml_provider_arns,
        .identity_pool_tags = { true, in->identity_pool_tags.n, in->identity_pool_tags.items },
    };
    gh_err err = call_limits_take(call, call->account, call->region);
    if (!err)
        err = identity_pool_check(call, &doc, NULL);
    if (!err)
        err = identity_token_key(call); /* its tokens need one: not to be made while somebody signs in */
    if (err)
        return err;
    struct tx tx;
    int64_t n;
    tx_begin(&tx, call->db, call->arena);
    err = store_identity_pool_count(&tx, call->account, call->region, &n);
    if (!err && n >= MOST_POOLS)
        err = gh_fail(call->arena, &ci_LimitExceededException, "Maximum number of identity pools (%d) exceeded.", MOST_POOLS);
    const struct identity_pool_row row = { .id = doc.identity_pool_id, .account = call->account, .region = call->region,
                                           .doc = shape_print(call->arena, &ci_shape_IdentityPool, &doc),
                                           .created_us = call->now_us };
    if (!err)
        store_identity_pool_insert(&tx, &row);
    out->whole = doc;
    return identity_pool_end(&tx, err);
}

gh_err ci_DescribeIdentityPool(struct call *call, const struct ci_DescribeIdentityPool_in *in,
                               struct ci_DescribeIdentityPool_out *out)
{
    struct identity_pool pool;
    gh_err err = identity_pool_load(call, NULL, in->identity_pool_id, &pool);
    if (!err)
        out->whole = *pool.doc;
    return err;
}

/* A full replacement, but for the developer provider's name, which never changes, and tags, which have operations of
 * their own. */
gh_err ci_UpdateIdentityPool(struct call *call, const struct ci_UpdateIdentityPool_in *in,
                             struct ci_UpdateIdentityPool_out *out)
{
    struct identity_pool pool;
    struct ci_IdentityPool old;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = identity_pool_load(call, &tx, in->identity_pool_id, &pool);
    if (!err) {
        old = *pool.doc;
        *pool.doc = in->whole;
        if (!in->developer_provider_name.ptr)
            pool.doc->developer_provider_name = old.developer_provider_name;
        if (!in->identity_pool_tags.set)
            pool.doc->identity_pool_tags = old.identity_pool_tags;
        err = identity_pool_check(call, pool.doc, &old);
    }
    if (!err) {
        identity_pool_save(&tx, &pool);
        out->whole = *pool.doc;
    }
    return identity_pool_end(&tx, err);
}

gh_err ci_ListIdentityPools(struct call *call, const struct ci_ListIdentityPools_in *in,
                            struct ci_ListIdentityPools_out *out)
{
    struct identity_pool_row *rows;
    size_t n;
    struct str after;
    int64_t limit = in->max_results.value;
    gh_err err = call_limits_take(call, call->account, call->region);
    if (!err)
        err = identity_pool_page(call, "identity-pools", STR(""), in->next_token, &after);
    if (!err)
        err = store_identity_pool_list(call->db, call->arena, call->account, call->region, after, limit + 1, &rows, &n);
    if (err)
        return err;
    bool more = n > (size_t)limit;
    n -= more;
    out->identity_pools.set = true;
    out->identity_pools.items = ARENA_ARRAY(call->arena, struct ci_IdentityPoolShortDescription *, n);
    for (size_t i = 0; i < n; i++) {
        struct identity_pool pool;
        if (!decode(call, &rows[i], &pool))
            continue;
        struct ci_IdentityPoolShortDescription *item = ARENA_NEW(call->arena, struct ci_IdentityPoolShortDescription);
        *item = (struct ci_IdentityPoolShortDescription){ pool.id, pool.doc->identity_pool_name };
        out->identity_pools.items[out->identity_pools.n++] = item;
    }
    if (more)
        out->next_token = identity_pool_page_token(call, "identity-pools", STR(""), rows[n - 1].id);
    return NULL;
}

/* "Once a pool is deleted, users will not be able to authenticate with the pool." */
gh_err ci_DeleteIdentityPool(struct call *call, const struct ci_DeleteIdentityPool_in *in,
                             struct ci_DeleteIdentityPool_out *out)
{
    (void)out;
    struct identity_pool pool;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = identity_pool_load(call, &tx, in->identity_pool_id, &pool);
    if (!err)
        store_identity_pool_delete(&tx, pool.id);
    return identity_pool_end(&tx, err);
}
