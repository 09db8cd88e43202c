/* GetDerivedToken: a held token becomes one that is narrower, perhaps in somebody's hands (RFC 8693). */
#include "core/id.h"
#include "core/json.h"
#include "identity/pools/resource_server.h"
#include "identity/tokens/mint.h"
#include "identity/tokens/pre_token.h"
#include "identity/tokens/scope.h"

enum { MOST_ACTORS = 8 }; /* one inside the other in `act` */

struct derivation {
    struct call *call;
    const struct idp_GetDerivedToken_in *in;
    struct client client;
    const struct cached_token *subject, *actor; /* actor NULL: none */
    struct user user;
    enum key_use use;
    struct strbuf scopes;
};

static gh_err refused(struct call *call, const char *text)
{
    return gh_fail(call->arena, &idp_NotAuthorizedException, "%s", text);
}

static gh_err invalid(struct call *call, const char *text)
{
    return gh_fail(call->arena, &idp_InvalidParameterException, "%s", text);
}

/* ---- who asks ---- */

static gh_err check_client(const struct derivation *d)
{
    struct call *call = d->call;
    const struct idp_GetDerivedToken_in *in = d->in;
    bool acts = in->actor_token.ptr != NULL;
    if (!client_secret_is(&d->client, in->client_secret))
        return refused(call, "Invalid client secret");
    if (acts != (in->actor_token_type.ptr != NULL))
        return invalid(call, "ActorToken and ActorTokenType go together.");
    if (in->audiences.n && in->resources.n)
        return invalid(call, "Only one of Audiences or Resources can be specified.");
    if (!(d->client.flows & (acts ? FLOW_DELEGATION : FLOW_IMPERSONATION)))
        return gh_fail(call->arena, &idp_NotAuthorizedException, "%s flow not enabled for this client",
                       acts ? "ALLOW_TOKEN_EXCHANGE_DELEGATION" : "ALLOW_TOKEN_EXCHANGE_IMPERSONATION");
    return NULL;
}

/* ---- the tokens that come along ---- */

/* One of this pool, whole, live, not revoked, and what its type says. */
static gh_err take(const struct derivation *d, const char *name, struct str token, struct str type, const struct cached_token **out)
{
    struct call *call = d->call;
    struct pool_directory *pools = pools_of(call);
    struct cached_token *found;
    bool from_cache;
    enum token_verdict verdict = token_verify(pools, call->arena, token, call->now_us / 1000000, &found, &from_cache);
    const char *use = str_is(type, "ID_TOKEN") ? "id" : "access";
    if (verdict == TOKEN_EXPIRED)
        return gh_fail(call->arena, &idp_NotAuthorizedException, "%s has expired", name);
    if (verdict != TOKEN_OK || !str_eq(found->issuer, d->client.pool.id) || !str_is(found->token_use, use))
        return gh_fail(call->arena, &idp_NotAuthorizedException, "Invalid %s", name);
    if (token_is_revoked(pools, found))
        return gh_fail(call->arena, &idp_NotAuthorizedException, "%s has been revoked", name);
    *out = found;
    return NULL;
}

/* "subject's user, read anew" */
static gh_err find_user(struct derivation *d)
{
    bool found;
    gh_err err = store_user_find(d->call->db, NULL, d->call->arena, d->client.pool.id, USER_BY_SUB, d->subject->sub, &d->user,
                                 &found);
    if (err)
        return err;
    if (!found)
        return gh_fail(d->call->arena, &idp_UserNotFoundException, "User does not exist.");
    return d->user.enabled ? NULL : refused(d->call, "User is disabled.");
}

/* ---- what the new token may say ---- */

/* Requested, and the subject token's, and the client's: the intersection. An ID token has none to pass on. */
static gh_err narrow(struct derivation *d)
{
    const struct idp_ScopeListType *asked = &d->in->scopes, *allowed = &d->client.doc->allowed_oauth_scopes;
    struct str rest = json_str(d->subject->claims, "scope"), scope;
    d->scopes = strbuf_in(d->call->arena, 256);
    if (d->use == KEY_FOR_ID)
        return NULL;
    while (str_split(&rest, ' ', &scope))
        if ((!asked->n || scopes_list(asked, scope)) && scopes_list(allowed, scope))
            scopes_add(&d->scopes, scope);
    return d->scopes.len ? NULL : refused(d->call, "None of the requested scopes can be granted.");
}

static gh_err find_audience(const struct derivation *d, json_t **out)
{
    const struct idp_GetDerivedToken_in *in = d->in;
    struct idp_ResourceServerType server;
    bool found = true;
    struct str name = in->audiences.n ? in->audiences.items[0] : in->resources.n ? in->resources.items[0] : STR_NONE;
    *out = NULL;
    if (!name.ptr)
        return NULL;
    gh_err err = in->resources.n ? resource_server_find(d->call, NULL, &d->client.pool, name, &server, &found) : NULL;
    if (!err && !found)
        return gh_fail(d->call->arena, &idp_ResourceNotFoundException, "Resource server %.*s does not exist.", STR_FMT(name));
    *out = json_own(d->call->arena, json_of(name));
    return err;
}

/* RFC 8693, 4.1: "a chain of delegation can be expressed by nesting one act claim within another. The outermost act claim
 * represents the current actor". Without an actor the chain stays as long as it was. */
static gh_err find_actors(const struct derivation *d, json_t **out)
{
    json_t *before = json_object_get(d->subject->claims, "act");
    int actors = d->actor != NULL;
    *out = before;
    for (const json_t *one = before; json_is_object(one); one = json_object_get(one, "act"))
        actors++;
    if (actors > MOST_ACTORS)
        return invalid(d->call, "The chain of actors is too long.");
    if (!d->actor)
        return NULL;
    struct str client = json_str(d->actor->claims, "client_id");
    json_t *act = json_own(d->call->arena, json_object());
    json_set_str(act, "sub", d->actor->sub);
    json_set_str(act, "iss", json_str(d->actor->claims, "iss"));
    json_set_str(act, "client_id", client.ptr ? client : json_str(d->actor->claims, "aud"));
    if (before)
        json_object_set(act, "act", before);
    *out = act;
    return NULL;
}

static struct session session_of(const struct derivation *d)
{
    const json_t *claims = d->subject->claims;
    return (struct session){
        .origin = json_str(claims, "origin_jti"),
        .event = json_str(claims, "event_id"),
        .auth_s = json_i64(claims, "auth_time", 0),
        .device = json_str(claims, "device_key"),
        .acr = json_str(claims, "acr"),
        .amr = json_object_get(claims, "amr"),
    };
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static gh_err make(struct derivation *d, json_t **claims, struct str *token)
{
    struct call *call = d->call;
    const struct listed_pool *pool;
    struct group_row *groups = NULL;
    struct session session = session_of(d);
    struct token_facts facts = {
        .client = &d->client, .user = &d->user, .session = &session, .jti = id_uuid(call->env, call->arena),
        .scope = strbuf_view(&d->scopes), .now_s = call->now_us / 1000000,
        .most_s = d->actor ? earlier(d->subject->expires_s, d->actor->expires_s) : d->subject->expires_s,
    };
    gh_err err = token_pool(call, &d->client, &pool);
    if (!err)
        err = store_group_of_user(call->db, call->arena, d->client.pool.id, d->user.sub, &groups, &facts.n_groups);
    if (!err)
        err = find_audience(d, &facts.audience);
    if (!err)
        err = find_actors(d, &facts.act);
    if (err)
        return err;
    facts.groups = groups;
    facts.issuer = pool->issuer;
    *claims = token_claims(call->arena, &facts, d->use);
    json_set_str(*claims, "origin_jti", session.origin); /* whatever the client says: it ends with its subject */
    struct drafts drafts = { d->use == KEY_FOR_ID ? *claims : NULL, d->use == KEY_FOR_ID ? NULL : *claims };
    err = pre_token_run(call, &facts, "TokenGeneration_TokenExchange", NULL, &drafts);
    return err ? err : token_sign(call, pool, d->use, *claims, token);
}

static struct idp_ScopeListType shown(struct call *call, struct str scopes)
{
    struct idp_ScopeListType list = { .set = true, .items = ARENA_ARRAY(call->arena, struct str, scopes.len / 2 + 1) };
    struct str one;
    while (str_split(&scopes, ' ', &one))
        if (one.len)
            list.items[list.n++] = one;
    return list;
}

gh_err idp_GetDerivedToken(struct call *call, const struct idp_GetDerivedToken_in *in, struct idp_GetDerivedToken_out *out)
{
    struct derivation d = { .call = call, .in = in, .use = str_is(in->requested_token_type, "ID_TOKEN") ? KEY_FOR_ID : KEY_FOR_ACCESS };
    json_t *claims;
    gh_err err = client_find(call, in->client_id, &d.client);
    if (!err)
        err = check_client(&d);
    if (!err)
        err = take(&d, "Subject Token", in->subject_token, in->subject_token_type, &d.subject);
    if (!err && in->actor_token.ptr)
        err = take(&d, "Actor Token", in->actor_token, in->actor_token_type, &d.actor);
    if (!err)
        err = find_user(&d);
    if (!err)
        err = narrow(&d);
    if (!err)
        err = make(&d, &claims, &out->issued_token);
    if (err)
        return err;
    bool id = d.use == KEY_FOR_ID;
    out->issued_token_type = id ? STR("ID_TOKEN") : STR("ACCESS_TOKEN");
    out->token_type = id ? STR("N_A") : STR("Bearer"); /* RFC 8693, 2.2.1: an ID token gives no access */
    out->expires_in = some_i64(json_i64(claims, "exp", 0) - call->now_us / 1000000);
    out->scopes = shown(call, json_str(claims, "scope"));
    return NULL;
}
