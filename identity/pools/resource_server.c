/* CreateResourceServer, DescribeResourceServer, UpdateResourceServer, ListResourceServers, DeleteResourceServer. */
#include "identity/pools/resource_server.h"

#include "identity/pools/record.h"
#include "wire/codec_json.h"

enum { MOST_SERVERS = 25, PAGE = 50 }; /* "Resource servers per user pool: 25" */

gh_err resource_server_find(struct call *call, struct tx *tx, const struct pool *pool, struct str identifier,
                            struct idp_ResourceServerType *out, bool *found)
{
    return record_find(call, tx, pool, RECORD_RESOURCE_SERVER, identifier, &idp_shape_ResourceServerType, out, found);
}

bool scope_is_standard(struct str scope)
{
    static const char *const standard[] = { "openid", "email", "phone", "profile", "aws.cognito.signin.user.admin" };
    for (size_t i = 0; i < COUNT(standard); i++)
        if (str_is(scope, standard[i]))
            return true;
    return false;
}

/* Identifiers may have slashes (they often are URLs), names of scopes may not: the last one parts them. */
gh_err scope_exists(struct call *call, const struct pool *pool, struct str scope, bool *exists)
{
    struct idp_ResourceServerType server;
    bool found;
    ptrdiff_t slash = str_find_last(scope, '/');
    *exists = scope_is_standard(scope);
    if (*exists || slash <= 0)
        return NULL;
    gh_err err = resource_server_find(call, NULL, pool, str_sub(scope, 0, (size_t)slash), &server, &found);
    struct str name = str_from(scope, (size_t)slash + 1);
    for (size_t i = 0; !err && found && i < server.scopes.n; i++)
        *exists |= str_eq(server.scopes.items[i]->scope_name, name);
    return err;
}

static gh_err not_found(struct call *call, struct str identifier)
{
    return gh_fail(call->arena, &idp_ResourceNotFoundException, "Resource server %.*s does not exist.",
                   STR_FMT(identifier));
}

static gh_err check(struct call *call, const struct idp_ResourceServerScopeListType *scopes)
{
    for (size_t i = 0; i < scopes->n; i++)
        for (size_t j = 0; j < i; j++)
            if (str_eq(scopes->items[i]->scope_name, scopes->items[j]->scope_name))
                return gh_fail(call->arena, &idp_InvalidParameterException, "Duplicate scope %.*s in the resource server.",
                               STR_FMT(scopes->items[i]->scope_name));
    return NULL;
}

static gh_err insert(struct call *call, struct tx *tx, const struct pool *pool, const struct idp_ResourceServerType *server)
{
    int64_t n;
    gh_err err = store_record_count(tx, pool->id, RECORD_RESOURCE_SERVER, &n);
    if (err)
        return err;
    const struct pool_record record = record_of(call, pool, RECORD_RESOURCE_SERVER, server->identifier, STR_NONE,
                                                &idp_shape_ResourceServerType, server);
    store_record_insert(tx, &record);
    if (!tx->err && tx->changes == 0)
        return gh_fail(call->arena, &idp_InvalidParameterException, "%.*s already exists in user pool %.*s.",
                       STR_FMT(server->identifier), STR_FMT(pool->id));
    if (n >= MOST_SERVERS)
        return gh_fail(call->arena, &idp_LimitExceededException, "A user pool can have at most %d resource servers.",
                       MOST_SERVERS);
    return NULL;
}

gh_err idp_CreateResourceServer(struct call *call, const struct idp_CreateResourceServer_in *in,
                                struct idp_CreateResourceServer_out *out)
{
    struct pool pool;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = check(call, &in->scopes);
    if (err)
        return err;
    struct idp_ResourceServerType *server = ARENA_NEW(call->arena, struct idp_ResourceServerType);
    *server = (struct idp_ResourceServerType){
        .user_pool_id = pool.id, .identifier = in->identifier, .name = in->name, .scopes = in->scopes
    };
    out->resource_server = server;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    return record_end(&tx, insert(call, &tx, &pool, server));
}

gh_err idp_DescribeResourceServer(struct call *call, const struct idp_DescribeResourceServer_in *in,
                                  struct idp_DescribeResourceServer_out *out)
{
    struct pool pool;
    bool found = false;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    out->resource_server = ARENA_NEW(call->arena, struct idp_ResourceServerType);
    if (!err)
        err = resource_server_find(call, NULL, &pool, in->identifier, out->resource_server, &found);
    return err || found ? err : not_found(call, in->identifier);
}

/* "If you don't provide a value for an attribute, it is set to the default value": without Scopes there are none. */
gh_err idp_UpdateResourceServer(struct call *call, const struct idp_UpdateResourceServer_in *in,
                                struct idp_UpdateResourceServer_out *out)
{
    struct pool pool;
    bool found = false;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = check(call, &in->scopes);
    if (err)
        return err;
    struct idp_ResourceServerType *server = ARENA_NEW(call->arena, struct idp_ResourceServerType);
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = resource_server_find(call, &tx, &pool, in->identifier, server, &found);
    if (!err && !found)
        err = not_found(call, in->identifier);
    server->name = in->name;
    server->scopes = in->scopes;
    const struct pool_record record =
        record_of(call, &pool, RECORD_RESOURCE_SERVER, in->identifier, STR_NONE, &idp_shape_ResourceServerType, server);
    if (!err)
        store_record_put(&tx, &record);
    out->resource_server = server;
    return record_end(&tx, err);
}

gh_err idp_ListResourceServers(struct call *call, const struct idp_ListResourceServers_in *in,
                               struct idp_ListResourceServers_out *out)
{
    struct pool pool;
    struct pool_record *rows;
    size_t n = 0;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = record_page(call, &pool, RECORD_RESOURCE_SERVER, in->next_token,
                          in->max_results.set ? in->max_results.value : PAGE, &rows, &n, &out->next_token);
    if (err)
        return err;
    out->resource_servers.set = true;
    out->resource_servers.items = ARENA_ARRAY(call->arena, struct idp_ResourceServerType *, n);
    for (size_t i = 0; i < n; i++) {
        struct idp_ResourceServerType *server = ARENA_NEW(call->arena, struct idp_ResourceServerType);
        if (shape_parse(call->arena, &idp_shape_ResourceServerType, rows[i].doc, server))
            out->resource_servers.items[out->resource_servers.n++] = server;
    }
    return NULL;
}

/* Clients keep what they were allowed; tokens are given without scopes that nobody defines any more. */
gh_err idp_DeleteResourceServer(struct call *call, const struct idp_DeleteResourceServer_in *in,
                                struct idp_DeleteResourceServer_out *out)
{
    (void)out;
    struct pool pool;
    struct pool_record record;
    bool found = false;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = store_record_find(call->db, NULL, call->arena, pool.id, RECORD_RESOURCE_SERVER, in->identifier, &record, &found);
    if (err || !found)
        return err ? err : not_found(call, in->identifier);
    return record_drop(call, &pool, RECORD_RESOURCE_SERVER, in->identifier);
}
