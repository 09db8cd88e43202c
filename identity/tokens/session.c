/* Sign-ins and what stands for them outside: refresh tokens, access tokens that come back. */
#include "core/base64.h"
#include "core/digest.h"
#include "core/json.h"
#include "identity/tokens/token.h"

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

void session_begin(struct call *call, struct session *session)
{
    int64_t stamp = revocation_stamp(pools_of(call)->revocations, call->now_us);
    session->origin = stamp_uuid(call->env, call->arena, stamp);
    session->event = stamp_uuid(call->env, call->arena, stamp);
    session->auth_s = call->now_us / 1000000;
}

static struct str doc_of(struct call *call, const struct session *session)
{
    json_t *doc = json_own(call->arena, json_object());
    json_set_str(doc, "device", session->device);
    json_set_str(doc, "acr", session->acr);
    if (session->amr)
        json_object_set(doc, "amr", session->amr);
    return json_object_size(doc) ? json_print(call->arena, doc) : STR_NONE;
}

static struct session session_of(struct call *call, const struct session_row *row)
{
    const json_t *doc = row->doc.ptr ? json_parse(call->arena, row->doc, NULL) : NULL;
    return (struct session){
        .origin = row->origin,
        .event = row->event,
        .auth_s = row->auth_s,
        .device = json_str(doc, "device"),
        .acr = json_str(doc, "acr"),
        .amr = json_object_get(doc, "amr"),
    };
}

struct str session_insert(struct call *call, struct tx *tx, const struct client *client,
                          const struct user *user, const struct session *session)
{
    int64_t now_s = call->now_us / 1000000;
    const struct session_row row = {
        .pool = client->pool.id,
        .client = client->id,
        .sub = user->sub,
        .origin = session->origin,
        .event = session->event,
        .auth_s = session->auth_s,
        .expires_s = now_s + client->refresh_ttl_s,
        .doc = doc_of(call, session),
    };
    struct str token = refresh_new(call);
    store_session_insert(tx, refresh_mac(call, token), &row, now_s);
    return token;
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
    *session = session_of(call, &row);
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
