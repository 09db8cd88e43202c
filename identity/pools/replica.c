/* CreateUserPoolReplica, UpdateUserPoolReplica, DeleteUserPoolReplica, ListUserPoolReplicas. A pool here is in one place:
 * itself, its own primary. Copies on other machines are for backups. */
#include "identity/pools/pool.h"

gh_err idp_CreateUserPoolReplica(struct call *call, const struct idp_CreateUserPoolReplica_in *in,
                                 struct idp_CreateUserPoolReplica_out *out)
{
    (void)out;
    struct pool pool;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    return err ? err
               : gh_fail(call->arena, &idp_OperationNotEnabledException,
                         "User pool replicas are not available: %.*s lives in this server alone.", STR_FMT(pool.id));
}

static gh_err no_replica(struct call *call, struct str pool_id, struct str region)
{
    struct pool pool;
    gh_err err = pool_load(call, pool_id, &pool);
    return err ? err
               : gh_fail(call->arena, &idp_ResourceNotFoundException, "User pool %.*s has no replica in %.*s.",
                         STR_FMT(pool.id), STR_FMT(region));
}

gh_err idp_UpdateUserPoolReplica(struct call *call, const struct idp_UpdateUserPoolReplica_in *in,
                                 struct idp_UpdateUserPoolReplica_out *out)
{
    (void)out;
    return no_replica(call, in->user_pool_id, in->region_name);
}

gh_err idp_DeleteUserPoolReplica(struct call *call, const struct idp_DeleteUserPoolReplica_in *in,
                                 struct idp_DeleteUserPoolReplica_out *out)
{
    (void)out;
    return no_replica(call, in->user_pool_id, in->region_name);
}

gh_err idp_ListUserPoolReplicas(struct call *call, const struct idp_ListUserPoolReplicas_in *in,
                                struct idp_ListUserPoolReplicas_out *out)
{
    struct pool pool;
    struct str after;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = page_open(call, "replicas", pool.id, in->next_token, &after);
    if (err)
        return err;
    struct idp_UserPoolReplicaType *primary = ARENA_NEW(call->arena, struct idp_UserPoolReplicaType);
    *primary = (struct idp_UserPoolReplicaType){ pool.region, STR("ACTIVE"), STR("PRIMARY"), pool.doc->arn };
    out->user_pool_replicas.set = true;
    out->user_pool_replicas.n = 1;
    out->user_pool_replicas.items = ARENA_ARRAY(call->arena, struct idp_UserPoolReplicaType *, 1);
    out->user_pool_replicas.items[0] = primary;
    return NULL;
}
