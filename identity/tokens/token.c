#include "identity/tokens/token.h"

#include "core/base64.h"
#include "core/digest.h"
#include "core/id.h"
#include "core/json.h"
#include "core/jwt.h"
#include "identity/store/group.h"

/* Refresh tokens look like Cognito's, five segments of which only the first says anything; ours hold
 * nothing but chance. {"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"} */
static const char REFRESH_HEAD[] = "eyJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIiwiYWxnIjoiUlNBLU9BRVAifQ";
static const size_t refresh_segments[] = { 48, 12, 48, 16 }; /* bytes */

struct str refresh_mac(struct call *call, struct str token)
{
    uint8_t mac[SHA256_BYTES];
    sealer_mac(call->sealer, STR("pool-refresh"), token, mac);
    return base64url_encode(call->arena, digest_str(mac, sizeof mac));
}

static struct str refresh_new(struct call *call)
{
    struct strbuf token = strbuf_in(call->arena, 256);
    strbuf_add(&token, str_of(REFRESH_HEAD));
    for (size_t i = 0; i < COUNT(refresh_segments); i++) {
        uint8_t bytes[64];
        env_random(call->env, bytes, refresh_segments[i]);
        strbuf_char(&token, '.');
        strbuf_add(&token, base64url_encode(call->arena, digest_str(bytes, refresh_segments[i])));
    }
    return strbuf_view(&token);
}

struct str session_begin(struct call *call, struct tx *tx, const struct client *client,
                         const struct user *user, struct session *out)
{
    int64_t stamp = revocation_stamp(pools_of(call)->revocations, call->now_us);
    int64_t now_s = call->now_us / 1000000;
    *out = (struct session){
        .origin = stamp_uuid(call->env, call->arena, stamp),
        .event = stamp_uuid(call->env, call->arena, stamp),
        .auth_s = now_s,
    };
    const struct session_row row = {
        .pool = client->pool.id,
        .client = client->id,
        .sub = user->sub,
        .origin = out->origin,
        .event = out->event,
        .auth_s = now_s,
        .expires_s = now_s + client->refresh_ttl_s,
    };
    struct str token = refresh_new(call);
    store_session_insert(tx, refresh_mac(call, token), &row, now_s);
    return token;
}

/* ---- claims ---- */

static void claim_str(json_t *claims, const char *name, struct str value)
{
    json_set_str(claims, name, value);
}

static json_t *names_of(const struct group_row *groups, size_t n)
{
    json_t *names = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(names, json_of(groups[i].name));
    return names;
}

static json_t *roles_of(const struct group_row *groups, size_t n)
{
    json_t *roles = json_array();
    for (size_t i = 0; i < n; i++)
        if (groups[i].role.ptr)
            json_array_append_new(roles, json_of(groups[i].role));
    return roles;
}

/* "role of the lowest-precedence group; two groups tie: same ARN -> that ARN, different ARNs -> claim absent"
 */
static struct str preferred_role(const struct group_row *groups, size_t n)
{
    struct str role = STR_NONE;
    int64_t best = 0;
    for (size_t i = 0; i < n; i++) {
        if (!groups[i].role.ptr || !groups[i].has_precedence)
            continue;
        if (!role.ptr) {
            role = groups[i].role;
            best = groups[i].precedence;
        } else if (groups[i].precedence == best && !str_eq(role, groups[i].role)) {
            return STR_NONE;
        }
    }
    return role;
}

/* The API keeps all attributes as strings; in tokens four are something else. */
static json_t *attribute_claim(struct str name, struct str value)
{
    int64_t number;
    if (str_is(name, "email_verified") || str_is(name, "phone_number_verified"))
        return json_boolean(str_is(value, "true"));
    if (str_is(name, "address"))
        return json_pack("{s:o}", "formatted", json_of(value));
    if (str_is(name, "updated_at") && str_i64(value, &number))
        return json_integer(number);
    return json_of(value);
}

static void attribute_claims(json_t *claims, const struct client *client, const struct user *user)
{
    const char *name;
    json_t *value;
    json_object_foreach(user->attributes, name, value)
        if (client_may_read(client, str_of(name)) && !str_starts(str_of(name), STR("dev:")))
            json_object_set_new(claims, name, attribute_claim(str_of(name), json_value_str(value)));
}

struct minting {
    struct call *call;
    const struct client *client;
    const struct user *user;
    const struct session *session;
    const struct listed_pool *pool;
    const struct group_row *groups;
    size_t n_groups;
};

static json_t *claims_of(const struct minting *m, enum key_use use)
{
    struct call *call = m->call;
    bool id = use == KEY_FOR_ID;
    int64_t now_s = call->now_us / 1000000;
    json_t *claims = json_own(call->arena, json_object());
    claim_str(claims, "sub", m->user->sub);
    if (m->n_groups)
        json_object_set_new(claims, "cognito:groups", names_of(m->groups, m->n_groups));
    if (id && m->n_groups) {
        json_t *roles = roles_of(m->groups, m->n_groups);
        if (json_array_size(roles)) {
            json_object_set(claims, "cognito:roles", roles);
            claim_str(claims, "cognito:preferred_role", preferred_role(m->groups, m->n_groups));
        }
        json_decref(roles);
    }
    claim_str(claims, "iss", m->pool->issuer);
    if (id)
        claim_str(claims, "cognito:username", m->user->username);
    else
        claim_str(claims, "client_id", m->client->id);
    if (m->client->revocation)
        claim_str(claims, "origin_jti", m->session->origin);
    if (id)
        claim_str(claims, "aud", m->client->id);
    claim_str(claims, "event_id", m->session->event);
    claim_str(claims, "token_use", str_of(key_use_name(use)));
    if (!id)
        claim_str(claims, "scope", STR("aws.cognito.signin.user.admin"));
    json_set_i64(claims, "auth_time", m->session->auth_s);
    json_set_i64(claims, "exp", now_s + (id ? m->client->id_ttl_s : m->client->access_ttl_s));
    json_set_i64(claims, "iat", now_s);
    if (m->client->revocation || !id)
        claim_str(claims, "jti", id_uuid(call->env, call->arena));
    if (id)
        attribute_claims(claims, m->client, m->user);
    else
        claim_str(claims, "username", m->user->username);
    return claims;
}

static struct str mint(const struct minting *m, enum key_use use)
{
    const struct key *key = listed_pool_signer(pools_of(m->call), m->pool, use);
    if (!key)
        return STR_NONE;
    return jwt_mint(m->call->arena, key, m->pool->keys[use].kid,
                    json_print(m->call->arena, claims_of(m, use)));
}

gh_err tokens_issue(struct call *call, const struct client *client, const struct user *user,
                    const struct session *session, struct idp_AuthenticationResultType **out)
{
    struct minting m = { call, client, user, session, NULL, NULL, 0 };
    struct group_row *groups;
    gh_err err = store_group_of_user(call->db, call->arena, client->pool.id, user->sub, &groups, &m.n_groups);
    if (err)
        return err;
    m.groups = groups;
    m.pool = pool_directory_find(pools_of(call), call->arena, client->pool.id);
    struct str id = m.pool ? mint(&m, KEY_FOR_ID) : STR_NONE,
               access = m.pool ? mint(&m, KEY_FOR_ACCESS) : STR_NONE;
    if (!id.ptr || !access.ptr)
        return gh_fail(call->arena, &GH_INTERNAL, "The keys of user pool %.*s cannot be used.",
                       STR_FMT(client->pool.id));
    *out = ARENA_NEW(call->arena, struct idp_AuthenticationResultType);
    **out = (struct idp_AuthenticationResultType){
        .access_token = access,
        .id_token = id,
        .expires_in = some_i64(client->access_ttl_s),
        .token_type = STR("Bearer"),
    };
    return NULL;
}

/* ---- tokens that come back ---- */

static gh_err refused(struct call *call, const char *text)
{
    return gh_fail(call->arena, &idp_NotAuthorizedException, "%s", text);
}

gh_err refresh_load(struct call *call, const struct client *client, struct str token, struct user *user,
                    struct session *session)
{
    struct session_row row;
    bool found;
    gh_err err = store_session_find(call->db, call->arena, refresh_mac(call, token), &row, &found);
    if (err)
        return err;
    if (!found || !str_eq(row.client, client->id) || !str_eq(row.pool, client->pool.id))
        return refused(call, "Invalid Refresh Token");
    err = store_user_find(call->db, NULL, call->arena, row.pool, USER_BY_SUB, row.sub, user, &found);
    if (err)
        return err;
    if (!found)
        return refused(call, "Invalid Refresh Token");
    if (!user->enabled)
        return refused(call, "User is disabled.");
    if (row.revoked)
        return refused(call, "Refresh Token has been revoked");
    if (row.expires_s <= call->now_us / 1000000)
        return refused(call, "Refresh Token has expired");
    *session = (struct session){ row.origin, row.event, row.auth_s };
    return NULL;
}

static bool has_scope(const json_t *claims, const char *scope)
{
    struct str rest = json_str(claims, "scope"), one;
    while (str_split(&rest, ' ', &one))
        if (str_is(one, scope))
            return true;
    return false;
}

gh_err access_load(struct call *call, struct str token, struct access *out)
{
    struct cached_token *found;
    bool from_cache, exists;
    switch (token_verify(pools_of(call), call->arena, token, call->now_us / 1000000, &found, &from_cache)) {
    case TOKEN_OK:
        break;
    case TOKEN_EXPIRED:
        return refused(call, "Access Token has expired");
    default:
        return refused(call, "Invalid Access Token");
    }
    if (!str_is(found->token_use, "access"))
        return refused(call, "Invalid Access Token");
    if (!has_scope(found->claims, "aws.cognito.signin.user.admin"))
        return refused(call, "Access Token does not have required scopes");
    gh_err err = store_user_find(call->db, NULL, call->arena, found->issuer, USER_BY_SUB, found->sub,
                                 &out->user, &exists);
    if (err)
        return err;
    if (!exists)
        return gh_fail(call->arena, &idp_UserNotFoundException, "User does not exist.");
    if (token_is_revoked(pools_of(call), found))
        return refused(call, "Access Token has been revoked");
    if (!out->user.enabled)
        return refused(call, "User is disabled.");
    out->origin = found->origin;
    return client_find(call, json_str(found->claims, "client_id"), &out->client);
}
