/* ID and access tokens with Cognito's claims. */
#include "core/id.h"
#include "core/json.h"
#include "core/jwt.h"
#include "identity/store/group.h"
#include "identity/tokens/rotate.h"
#include "identity/tokens/token.h"

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

/* "in the ID token: array, `primary` and `dateCreated` as strings" */
static json_t *identities_claim(struct str value)
{
    size_t i;
    json_t *list = json_loadb(value.ptr, value.len, 0, NULL), *entry;
    json_array_foreach(list, i, entry) {
        char date[24];
        snprintf(date, sizeof date, "%lld", (long long)json_i64(entry, "dateCreated", 0));
        json_object_set_new(entry, "primary", json_string(json_flag(entry, "primary", false) ? "true" : "false"));
        json_object_set_new(entry, "dateCreated", json_string(date));
    }
    return list ? list : json_array();
}

/* The API keeps all attributes as strings; in tokens five are something else. */
static json_t *attribute_claim(struct str name, struct str value)
{
    int64_t number;
    if (str_is(name, "email_verified") || str_is(name, "phone_number_verified"))
        return json_boolean(str_is(value, "true"));
    if (str_is(name, "identities"))
        return identities_claim(value);
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
        if ((client_may_read(client, str_of(name)) || strcmp(name, "identities") == 0) && !str_starts(str_of(name), STR("dev:")))
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
    if (!id)
        claim_str(claims, "device_key", m->session->device);
    if (m->client->revocation)
        claim_str(claims, "origin_jti", m->session->origin);
    if (id)
        claim_str(claims, "aud", m->client->id);
    claim_str(claims, "event_id", m->session->event);
    claim_str(claims, "token_use", str_of(key_use_name(use)));
    if (!id)
        claim_str(claims, "scope", STR("aws.cognito.signin.user.admin"));
    json_set_i64(claims, "auth_time", m->session->auth_s);
    if (m->session->acr.ptr) { /* asked for by TARGET_ACR_VALUES; amr alone is kept, not told */
        claim_str(claims, "acr", m->session->acr);
        json_object_set(claims, "amr", m->session->amr);
    }
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
    const struct listed_key *listed = listed_pool_current(m->pool, use, m->call->now_us / 1000000);
    const struct key *key = listed ? listed_key_signer(pools_of(m->call), m->pool, listed) : NULL;
    if (!key)
        return STR_NONE;
    return jwt_mint(m->call->arena, key, listed->stored.kid,
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
    if (m.pool)
        keys_rotate_when_due(call, &client->pool, m.pool);
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
