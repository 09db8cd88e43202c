/* GetId, DescribeIdentity, ListIdentities, DeleteIdentities, UnlinkIdentity. */
#include "identity/identity_pools/identity_record.h"

#include "core/id.h"

gh_err identity_forbidden(struct call *call, struct str id)
{
    return gh_fail(call->arena, &ci_NotAuthorizedException, "Access to Identity '%.*s' is forbidden.", STR_FMT(id));
}

static gh_err not_found(struct call *call, struct str id)
{
    return gh_fail(call->arena, &ci_ResourceNotFoundException, "Identity '%.*s' not found.", STR_FMT(id));
}

gh_err identity_record_find(struct call *call, struct tx *tx, struct str id, struct identity_row *out,
                            struct identity_pool *pool)
{
    bool found;
    gh_err err = store_identity_find(call->db, tx, call->arena, id, out, &found);
    if (err)
        return err;
    return found ? identity_pool_find(call, tx, out->pool, pool) : not_found(call, id);
}

gh_err identity_record_load(struct call *call, struct tx *tx, struct str id, struct identity_row *out,
                            struct identity_pool *pool)
{
    gh_err err = identity_record_find(call, tx, id, out, pool);
    if (!err && (!str_eq(pool->account, call->account) || !str_eq(pool->region, call->region)))
        return not_found(call, id);
    return err;
}

gh_err identity_record_logins(struct call *call, struct tx *tx, struct str id, struct login_row **out, size_t *n)
{
    return store_login_list(call->db, tx, call->arena, id, -1, STR_NONE, MOST_LOGINS, out, n);
}

struct identity_row identity_record_new(struct call *call, struct tx *tx, const struct identity_pool *pool)
{
    const struct identity_row row = {
        .id = str_printf(call->arena, "%.*s:%.*s", STR_FMT(pool->region), STR_FMT(id_uuid(call->env, call->arena))),
        .pool = pool->id, .created_us = call->now_us, .modified_us = call->now_us,
    };
    store_identity_insert(tx, &row);
    return row;
}

/* "AccountId: a standard AWS account ID": the pool's, if it is given at all. */
gh_err ci_GetId(struct call *call, const struct ci_GetId_in *in, struct ci_GetId_out *out)
{
    struct identity_pool pool;
    struct logins logins;
    struct identity_row row;
    gh_err err = identity_pool_find(call, NULL, in->identity_pool_id, &pool);
    if (!err && in->account_id.ptr && !str_eq(in->account_id, pool.account))
        err = identity_pool_not_found(call, in->identity_pool_id);
    if (!err)
        err = logins_verify(identity_pool_call(call, &pool), &pool, &in->logins, false, &logins);
    if (!err)
        err = identity_prove(call, &pool, STR_NONE, &logins, &row);
    if (!err)
        out->identity_id = row.id;
    return err;
}

/* ---- shown ---- */

/* "Logins: the provider names", each once. */
static gh_err describe(struct call *call, const struct identity_row *row, struct ci_IdentityDescription *out)
{
    struct login_row *logins;
    size_t n;
    gh_err err = identity_record_logins(call, NULL, row->id, &logins, &n);
    if (err)
        return err;
    *out = (struct ci_IdentityDescription){ .identity_id = row->id, .creation_date = some_time_us(row->created_us),
                                            .last_modified_date = some_time_us(row->modified_us) };
    out->logins.set = n > 0;
    out->logins.items = ARENA_ARRAY(call->arena, struct str, n);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || logins[i].key.developer != logins[i - 1].key.developer ||
            !str_eq(logins[i].key.provider, logins[i - 1].key.provider))
            out->logins.items[out->logins.n++] = logins[i].key.provider;
    return NULL;
}

gh_err ci_DescribeIdentity(struct call *call, const struct ci_DescribeIdentity_in *in, struct ci_DescribeIdentity_out *out)
{
    struct identity_row row;
    struct identity_pool pool;
    gh_err err = identity_record_load(call, NULL, in->identity_id, &row, &pool);
    return err ? err : describe(call, &row, &out->whole);
}

gh_err ci_ListIdentities(struct call *call, const struct ci_ListIdentities_in *in, struct ci_ListIdentities_out *out)
{
    struct identity_pool pool;
    struct identity_row *rows;
    struct str after;
    size_t n = 0;
    int64_t limit = in->max_results.value;
    gh_err err = identity_pool_load(call, NULL, in->identity_pool_id, &pool);
    if (!err)
        err = identity_pool_page(call, "identities", pool.id, in->next_token, &after);
    if (!err)
        err = store_identity_list(call->db, call->arena, pool.id, in->hide_disabled.value, after, limit + 1, &rows, &n);
    if (err)
        return err;
    bool more = n > (size_t)limit;
    n -= more;
    out->identity_pool_id = pool.id;
    out->identities.set = true;
    out->identities.items = ARENA_ARRAY(call->arena, struct ci_IdentityDescription *, n);
    for (size_t i = 0; i < n && !err; i++) {
        out->identities.items[i] = ARENA_NEW(call->arena, struct ci_IdentityDescription);
        err = describe(call, &rows[i], out->identities.items[i]);
    }
    out->identities.n = n;
    if (more)
        out->next_token = identity_pool_page_token(call, "identities", pool.id, rows[n - 1].id);
    return err;
}

/* ---- taken away ---- */

/* What is not there and what is somebody else's cannot be told apart: both are AccessDenied. */
gh_err ci_DeleteIdentities(struct call *call, const struct ci_DeleteIdentities_in *in, struct ci_DeleteIdentities_out *out)
{
    size_t n = in->identity_ids_to_delete.n;
    struct tx tx;
    out->unprocessed_identity_ids.set = true;
    out->unprocessed_identity_ids.items = ARENA_ARRAY(call->arena, struct ci_UnprocessedIdentityId *, n);
    tx_begin(&tx, call->db, call->arena);
    for (size_t i = 0; i < n; i++) {
        struct str id = in->identity_ids_to_delete.items[i];
        struct identity_row row;
        struct identity_pool pool;
        gh_err err = identity_record_load(call, &tx, id, &row, &pool);
        if (err && err->kind != &ci_ResourceNotFoundException)
            return identity_pool_end(&tx, err);
        if (!err) {
            store_identity_delete(&tx, id);
            continue;
        }
        struct ci_UnprocessedIdentityId *left = ARENA_NEW(call->arena, struct ci_UnprocessedIdentityId);
        *left = (struct ci_UnprocessedIdentityId){ id, STR("AccessDenied") };
        out->unprocessed_identity_ids.items[out->unprocessed_identity_ids.n++] = left;
    }
    return identity_pool_end(&tx, NULL);
}

static gh_err unlink_in(struct call *call, struct tx *tx, const struct identity_pool *pool, struct str id,
                        const struct ci_LoginsList *names)
{
    struct login_row *linked;
    size_t n, left;
    gh_err err = identity_record_logins(call, tx, id, &linked, &n);
    left = n;
    for (size_t i = 0; !err && i < names->n; i++) {
        struct str name = provider_named(call, pool->doc, names->items[i], false).name;
        size_t before = left;
        for (size_t j = 0; j < n; j++)
            if (linked[j].identity.ptr && !linked[j].key.developer && str_eq(linked[j].key.provider, name)) {
                store_login_drop(tx, pool->id, &linked[j].key);
                linked[j].identity = STR_NONE; /* gone */
                left--;
            }
        if (left == before)
            return gh_fail(call->arena, &ci_InvalidParameterException, "The identity has no login of %.*s.",
                           STR_FMT(names->items[i]));
    }
    if (!err && left < n)
        store_identity_touch(tx, id, call->now_us);
    if (!err && left == 0)
        store_identity_disable(tx, id, call->now_us);
    return err;
}

/* "Unlinked logins will be considered new identities next time they are seen. Removing the last linked login will
 * make this identity inaccessible." */
gh_err ci_UnlinkIdentity(struct call *call, const struct ci_UnlinkIdentity_in *in, struct ci_UnlinkIdentity_out *out)
{
    (void)out;
    struct identity_row row;
    struct identity_pool pool;
    struct logins logins;
    gh_err err = identity_record_find(call, NULL, in->identity_id, &row, &pool);
    if (!err)
        err = logins_verify(identity_pool_call(call, &pool), &pool, &in->logins, true, &logins);
    if (err)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = row.disabled ? identity_forbidden(call, row.id) : identity_check_login(call, &tx, &pool, row.id, &logins);
    if (!err)
        err = unlink_in(call, &tx, &pool, row.id, &in->logins_to_remove);
    return identity_pool_end(&tx, err);
}
