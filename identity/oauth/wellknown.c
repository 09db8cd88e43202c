/* A pool's public documents: keys and discovery. Unsigned, cacheable, from memory. */
#include "identity/tokens/directory.h"

bool identity_jwks(struct identity *identity, struct arena *arena, struct str pool_id, struct str *json)
{
    const struct listed_pool *pool = pool_directory_find(identity->pools, arena, pool_id);
    if (pool)
        *json = listed_pool_jwks(pool, arena, env_now_s(identity->env));
    return pool != NULL;
}

/* Cognito's members in Cognito's order. A pool without a domain has its pages by path. */
bool identity_discovery(struct identity *identity, struct arena *arena, struct str pool_id, struct str *json)
{
    const struct listed_pool *pool = pool_directory_find(identity->pools, arena, pool_id);
    if (!pool)
        return false;
    const char *issuer = pool->issuer.ptr;
    const char *pages =
        str_printf(arena, "%.*s/_aws/cognito-idp/%.*s", STR_FMT(identity->base_url), STR_FMT(pool->id)).ptr;
    *json = str_printf(
        arena,
        "{\"authorization_endpoint\":\"%s/oauth2/authorize\","
        "\"end_session_endpoint\":\"%s/logout\","
        "\"id_token_signing_alg_values_supported\":[\"RS256\"],"
        "\"issuer\":\"%s\","
        "\"jwks_uri\":\"%s/.well-known/jwks.json\","
        "\"response_types_supported\":[\"code\",\"token\"],"
        "\"revocation_endpoint\":\"%s/oauth2/revoke\","
        "\"scopes_supported\":[\"openid\",\"email\",\"phone\",\"profile\"],"
        "\"subject_types_supported\":[\"public\"],"
        "\"token_endpoint\":\"%s/oauth2/token\","
        "\"token_endpoint_auth_methods_supported\":[\"client_secret_basic\",\"client_secret_post\"],"
        "\"userinfo_endpoint\":\"%s/oauth2/userInfo\"}",
        pages, pages, issuer, issuer, pages, pages, pages);
    return true;
}
