/* SetUserPoolSessionConfiguration, GetUserPoolSessionConfiguration, SetUserPoolClientSessionConfiguration,
 * GetUserPoolClientSessionConfiguration. */
#include "identity/pools/session_config.h"

#include "identity/pools/record.h"
#include "identity/store/pool.h"

enum { DEFAULT_MAX_PER_USER = 20, DEFAULT_SSO_MINUTES = 60 };

struct session_limits session_limits(const struct pool *pool)
{
    const json_t *sessions = json_object_get(pool->more, "sessions");
    return (struct session_limits){
        .tracked = json_flag(sessions, "tracked", false),
        .max_per_user = json_i64(sessions, "max", DEFAULT_MAX_PER_USER),
    };
}

static gh_err check_tier(struct call *call, const struct pool *pool)
{
    if (!str_is(pool->doc->user_pool_tier, "LITE"))
        return NULL;
    return gh_fail(
        call->arena, &idp_FeatureUnavailableInTierException,
        "The following feature is not available for the LITE pricing tier configured: User session tracking");
}

static struct idp_UserPoolTokenSessionConfigType *token_session(struct call *call, int64_t max)
{
    struct idp_UserPoolTokenSessionConfigType *config =
        ARENA_NEW(call->arena, struct idp_UserPoolTokenSessionConfigType);
    config->max_per_user = some_i64(max);
    return config;
}

/* "Full replacement." */
gh_err idp_SetUserPoolSessionConfiguration(struct call *call,
                                           const struct idp_SetUserPoolSessionConfiguration_in *in,
                                           struct idp_SetUserPoolSessionConfiguration_out *out)
{
    struct pool pool;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = pool_load_in(call, &tx, in->user_pool_id, &pool);
    if (!err)
        err = check_tier(call, &pool);
    if (!err) {
        json_t *sessions = json_object();
        json_set_flag(sessions, "tracked", str_is(in->user_session_tracking, "ENABLED"));
        json_set_i64(sessions, "max", in->token_session->max_per_user.value);
        json_object_set_new(pool.more, "sessions", sessions);
        store_pool_update_more(&tx, pool.id, json_print(call->arena, pool.more));
    }
    err = record_end(&tx, err);
    if (err)
        return err;
    out->user_pool_id = pool.id;
    out->user_session_tracking = in->user_session_tracking;
    out->token_session = in->token_session;
    return NULL;
}

gh_err idp_GetUserPoolSessionConfiguration(struct call *call,
                                           const struct idp_GetUserPoolSessionConfiguration_in *in,
                                           struct idp_GetUserPoolSessionConfiguration_out *out)
{
    struct pool pool;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (err)
        return err;
    struct session_limits limits = session_limits(&pool);
    out->user_pool_id = pool.id;
    out->user_session_tracking = limits.tracked ? STR("ENABLED") : STR("DISABLED");
    out->token_session = token_session(call, limits.max_per_user);
    return NULL;
}

static gh_err load_client(struct call *call, struct str pool_id, struct str client_id, struct pool *pool,
                          struct client *client)
{
    gh_err err = pool_load(call, pool_id, pool);
    return err ? err : client_of_pool(call, pool, client_id, client);
}

gh_err
idp_SetUserPoolClientSessionConfiguration(struct call *call,
                                          const struct idp_SetUserPoolClientSessionConfiguration_in *in,
                                          struct idp_SetUserPoolClientSessionConfiguration_out *out)
{
    struct pool pool;
    struct client client;
    gh_err err = load_client(call, in->user_pool_id, in->client_id, &pool, &client);
    if (!err)
        err = check_tier(call, &pool);
    if (err)
        return err;
    if (!session_limits(&pool).tracked)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "User session tracking is not enabled for user pool %.*s.", STR_FMT(pool.id));
    const struct pool_record record = record_of(call, &pool, RECORD_SSO_SESSIONS, client.id, client.id,
                                                &idp_shape_ClientSSOSessionConfigType, in->sso_session);
    err = record_save(call, &record);
    if (err)
        return err;
    out->user_pool_id = pool.id;
    out->client_id = client.id;
    out->sso_session = in->sso_session;
    return NULL;
}

gh_err
idp_GetUserPoolClientSessionConfiguration(struct call *call,
                                          const struct idp_GetUserPoolClientSessionConfiguration_in *in,
                                          struct idp_GetUserPoolClientSessionConfiguration_out *out)
{
    struct pool pool;
    struct client client;
    bool found;
    struct idp_ClientSSOSessionConfigType *config =
        ARENA_NEW(call->arena, struct idp_ClientSSOSessionConfigType);
    gh_err err = load_client(call, in->user_pool_id, in->client_id, &pool, &client);
    if (!err)
        err = record_find(call, NULL, &pool, RECORD_SSO_SESSIONS, client.id,
                          &idp_shape_ClientSSOSessionConfigType, config, &found);
    if (err)
        return err;
    if (!config->max_validity_minutes.set)
        config->max_validity_minutes = some_i64(DEFAULT_SSO_MINUTES);
    out->user_pool_id = pool.id;
    out->client_id = client.id;
    out->sso_session = config;
    return NULL;
}
