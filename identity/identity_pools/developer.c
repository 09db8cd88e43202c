/* LookupDeveloperIdentity, MergeDeveloperIdentities, UnlinkDeveloperIdentity: the application's own user names. */
#include "identity/identity_pools/identity_record.h"

enum { PAGE = 60 };

static gh_err user_not_found(struct call *call, struct str user)
{
    return gh_fail(call->arena, &ci_ResourceNotFoundException, "Developer user identifier '%.*s' not found.", STR_FMT(user));
}

/* Whose it is. */
static gh_err owner_of(struct call *call, struct tx *tx, const struct identity_pool *pool, struct str user, struct str *id)
{
    const struct login login = login_of_developer(call, pool, user);
    if (!pool->doc->developer_provider_name.ptr)
        return gh_fail(call->arena, &ci_InvalidParameterException, "This identity pool has no developer provider.");
    gh_err err = store_login_owner(call->db, tx, call->arena, pool->id, &login.key, id);
    return err || id->ptr ? err : user_not_found(call, user);
}

static gh_err check_provider(struct call *call, const struct identity_pool *pool, struct str name)
{
    if (pool->doc->developer_provider_name.ptr && str_eq(pool->doc->developer_provider_name, name))
        return NULL;
    return gh_fail(call->arena, &ci_InvalidParameterException,
                   "This identity pool does not support the specified developer provider.");
}

/* An identity of this pool. */
static gh_err own_identity(struct call *call, struct tx *tx, const struct identity_pool *pool, struct str id)
{
    struct identity_row row;
    struct identity_pool its;
    gh_err err = identity_record_load(call, tx, id, &row, &its);
    return err || str_eq(row.pool, pool->id) ? err : identity_forbidden(call, id);
}

/* "If you supply both, DeveloperUserIdentifier will be matched against IdentityID. If the values are verified against
 * the database, the response returns both values and is the same as the request. Otherwise, a
 * ResourceConflictException is thrown." */
gh_err ci_LookupDeveloperIdentity(struct call *call, const struct ci_LookupDeveloperIdentity_in *in,
                                  struct ci_LookupDeveloperIdentity_out *out)
{
    struct identity_pool pool;
    struct login_row *rows;
    struct str after, id = in->identity_id, owner = STR_NONE, user = in->developer_user_identifier;
    size_t n, limit = in->max_results.set ? (size_t)in->max_results.value : PAGE;
    gh_err err = identity_pool_load(call, NULL, in->identity_pool_id, &pool);
    if (!err && !id.ptr && !user.ptr)
        err = gh_fail(call->arena, &ci_InvalidParameterException,
                      "Either IdentityId or DeveloperUserIdentifier must be given.");
    if (!err && id.ptr)
        err = own_identity(call, NULL, &pool, id);
    if (!err && user.ptr)
        err = owner_of(call, NULL, &pool, user, &owner);
    if (!err && id.ptr && user.ptr && !str_eq(id, owner))
        err = gh_fail(call->arena, &ci_ResourceConflictException,
                      "The developer user identifier is not linked to this identity.");
    if (err)
        return err;
    out->identity_id = id.ptr ? id : owner;
    out->developer_user_identifier_list.set = true;
    out->developer_user_identifier_list.items = ARENA_ARRAY(call->arena, struct str, limit + 1);
    if (id.ptr && user.ptr) {
        out->developer_user_identifier_list.items[out->developer_user_identifier_list.n++] = user;
        return NULL;
    }
    err = identity_pool_page(call, "developer-users", out->identity_id, in->next_token, &after);
    if (!err)
        err = store_login_list(call->db, NULL, call->arena, out->identity_id, 1, after, (int64_t)limit + 1, &rows, &n);
    for (size_t i = 0; !err && i < n && i < limit; i++)
        out->developer_user_identifier_list.items[out->developer_user_identifier_list.n++] = rows[i].key.subject;
    if (!err && n > limit)
        out->next_token = identity_pool_page_token(call, "developer-users", out->identity_id, rows[limit - 1].key.subject);
    return err;
}

/* "Merges two users having different IdentityIds, existing in the same identity pool, and identified by the same
 * developer provider. … The users will be merged, and the ID of the destination is returned." */
gh_err ci_MergeDeveloperIdentities(struct call *call, const struct ci_MergeDeveloperIdentities_in *in,
                                   struct ci_MergeDeveloperIdentities_out *out)
{
    struct identity_pool pool;
    struct str from, to;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = identity_pool_load(call, &tx, in->identity_pool_id, &pool);
    if (!err)
        err = check_provider(call, &pool, in->developer_provider_name);
    if (!err)
        err = owner_of(call, &tx, &pool, in->source_user_identifier, &from);
    if (!err)
        err = owner_of(call, &tx, &pool, in->destination_user_identifier, &to);
    if (!err && !str_eq(from, to))
        err = identity_merge(call, &tx, from, to);
    if (!err)
        out->identity_id = to;
    return identity_pool_end(&tx, err);
}

/* "If, for a given Cognito identity, you remove all federated identities as well as the developer user identifier, the
 * Cognito identity becomes inaccessible." */
gh_err ci_UnlinkDeveloperIdentity(struct call *call, const struct ci_UnlinkDeveloperIdentity_in *in,
                                  struct ci_UnlinkDeveloperIdentity_out *out)
{
    (void)out;
    struct identity_pool pool;
    struct login_row *rows;
    struct str owner;
    size_t n = 0;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = identity_pool_load(call, &tx, in->identity_pool_id, &pool);
    if (!err)
        err = check_provider(call, &pool, in->developer_provider_name);
    if (!err)
        err = own_identity(call, &tx, &pool, in->identity_id);
    if (!err)
        err = owner_of(call, &tx, &pool, in->developer_user_identifier, &owner);
    if (!err && !str_eq(owner, in->identity_id))
        err = gh_fail(call->arena, &ci_ResourceConflictException,
                      "The developer user identifier is not linked to this identity.");
    if (!err) {
        const struct login login = login_of_developer(call, &pool, in->developer_user_identifier);
        store_login_drop(&tx, pool.id, &login.key);
        store_identity_touch(&tx, owner, call->now_us);
        err = identity_record_logins(call, &tx, owner, &rows, &n);
    }
    if (!err && n == 0)
        store_identity_disable(&tx, owner, call->now_us);
    return identity_pool_end(&tx, err);
}
