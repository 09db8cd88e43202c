#include "identity/tokens/mint.h"

#include "core/id.h"
#include "core/json.h"
#include "core/jwt.h"
#include "identity/tokens/pre_token.h"
#include "identity/tokens/rotate.h"

gh_err token_sign(struct call *call, const struct listed_pool *pool, enum key_use use, const json_t *claims, struct str *out)
{
    const struct listed_key *listed = listed_pool_current(pool, use, call->now_us / 1000000);
    const struct key *key = listed ? listed_key_signer(pools_of(call), pool, listed) : NULL;
    *out = key ? jwt_mint(call->arena, key, listed->stored.kid, json_print(call->arena, claims)) : STR_NONE;
    if (!out->ptr)
        return gh_fail(call->arena, &GH_INTERNAL, "The keys of user pool %.*s cannot be used.", STR_FMT(pool->id));
    if (out->len > JWT_MAX_BYTES)
        return gh_fail(call->arena, &idp_InvalidLambdaResponseException, "The token would be longer than %d bytes.",
                       JWT_MAX_BYTES);
    return NULL;
}

gh_err token_pool(struct call *call, const struct client *client, const struct listed_pool **out)
{
    *out = pool_directory_find(pools_of(call), call->arena, client->pool.id);
    if (!*out)
        return gh_fail(call->arena, &GH_INTERNAL, "User pool %.*s is gone.", STR_FMT(client->pool.id));
    keys_rotate_when_due(call, &client->pool, *out);
    return NULL;
}

gh_err tokens_issue(struct call *call, const struct client *client, const struct user *user,
                    const struct session *session, const struct occasion *occasion,
                    struct idp_AuthenticationResultType **out)
{
    const struct listed_pool *pool;
    struct group_row *groups = NULL;
    struct token_facts facts = {
        .client = client, .user = user, .session = session, .scope = SCOPE_OF_SIGN_IN, .now_s = call->now_us / 1000000
    };
    struct str id, access;
    gh_err err = token_pool(call, client, &pool);
    if (!err)
        err = store_group_of_user(call->db, call->arena, client->pool.id, user->sub, &groups, &facts.n_groups);
    if (err)
        return err;
    facts.groups = groups;
    facts.issuer = pool->issuer;
    facts.jti = id_uuid(call->env, call->arena);
    struct drafts drafts = { .id = token_claims(call->arena, &facts, KEY_FOR_ID) };
    facts.jti = id_uuid(call->env, call->arena);
    drafts.access = token_claims(call->arena, &facts, KEY_FOR_ACCESS);
    err = pre_token_run(call, &facts, occasion->source, occasion->metadata, &drafts);
    if (!err)
        err = token_sign(call, pool, KEY_FOR_ID, drafts.id, &id);
    if (!err)
        err = token_sign(call, pool, KEY_FOR_ACCESS, drafts.access, &access);
    if (err)
        return err;
    *out = ARENA_NEW(call->arena, struct idp_AuthenticationResultType);
    **out = (struct idp_AuthenticationResultType){
        .access_token = access,
        .id_token = id,
        .expires_in = some_i64(client->access_ttl_s),
        .token_type = STR("Bearer"),
    };
    return NULL;
}
