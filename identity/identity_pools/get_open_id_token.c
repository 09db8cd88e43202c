/* GetOpenIdToken, GetOpenIdTokenForDeveloperIdentity. */
#include "identity/identity_pools/identity_record.h"
#include "identity/identity_pools/principal_tags.h"

enum { TOKEN_S = 600, DEVELOPER_TOKEN_S = 900 };

static gh_err sign(struct call *call, const struct identity_pool *pool, const struct identity_row *row,
                   const struct logins *logins, struct tags tags, int64_t life_s, struct str *out)
{
    struct identity_token token = { .pool = pool->id, .identity = row->id, .tags = tags,
                                    .expires_s = call->now_us / 1000000 + life_s };
    logins_amr(call, logins, &token.amr, &token.n_amr);
    return identity_token_sign(call, &token, out);
}

/* "The OpenID token is valid for 10 minutes." */
gh_err ci_GetOpenIdToken(struct call *call, const struct ci_GetOpenIdToken_in *in, struct ci_GetOpenIdToken_out *out)
{
    struct identity_row row;
    struct identity_pool pool;
    struct logins logins;
    struct tags tags;
    gh_err err = identity_record_find(call, NULL, in->identity_id, &row, &pool);
    if (!err && !pool.doc->allow_classic_flow.value)
        err = gh_fail(call->arena, &ci_InvalidParameterException,
                      "Basic (classic) flow is not enabled, please use enhanced flow.");
    if (!err)
        err = logins_verify(identity_pool_call(call, &pool), &pool, &in->logins, true, &logins);
    if (!err)
        err = identity_prove(call, &pool, in->identity_id, &logins, &row);
    if (!err)
        err = principal_tags(call, &pool, &logins, &tags);
    if (!err)
        err = sign(call, &pool, &row, &logins, tags, TOKEN_S, &out->token);
    if (!err)
        out->identity_id = row.id;
    return err;
}

/* ---- developers' users ---- */

/* The developer's login and all others: of the first the caller's permission is the proof. */
static gh_err split(struct call *call, const struct identity_pool *pool, const struct ci_LoginsMap *given, struct str *user,
                    struct ci_LoginsMap *others)
{
    struct str name = pool->doc->developer_provider_name;
    *user = STR_NONE;
    *others = (struct ci_LoginsMap){ .set = true, .items = arena_zalloc(call->arena, (given->n + 1) * sizeof *given->items) };
    for (size_t i = 0; i < given->n; i++)
        if (name.ptr && str_eq(given->items[i].key, name))
            *user = given->items[i].value;
        else
            others->items[others->n++] = given->items[i];
    if (!name.ptr || !user->ptr)
        return gh_fail(call->arena, &ci_InvalidParameterException,
                       "This identity pool does not support the specified developer provider.");
    if (user->len > 1024)
        return gh_fail(call->arena, &ci_InvalidParameterException,
                       "A developer user identifier has at most 1024 characters.");
    return NULL;
}

/* "If the developer user is linked to another identity, DeveloperUserAlreadyRegisteredException." */
static gh_err check_free(struct call *call, struct tx *tx, const struct identity_pool *pool, const struct login *login,
                         struct str id)
{
    struct str owner;
    gh_err err = store_login_owner(call->db, tx, call->arena, pool->id, &login->key, &owner);
    if (err || !id.ptr || !owner.ptr || str_eq(owner, id))
        return err;
    return gh_fail(call->arena, &ci_DeveloperUserAlreadyRegisteredException,
                   "The developer user identifier is already registered with another identity.");
}

/* An identity that is given must be the caller's; a guest's becomes the user's. One that has logins already needs one
 * of them beside the developer's ("Logins don't match", as measured), unless the user is linked. */
static gh_err prove_developer(struct call *call, struct tx *tx, const struct identity_pool *pool, struct str id,
                              const struct logins *logins, struct identity_row *row)
{
    struct identity_pool its;
    gh_err err = check_free(call, tx, pool, &logins->items[logins->n - 1], id);
    if (!err && id.ptr)
        err = identity_record_load(call, tx, id, row, &its);
    return err ? err : identity_prove_in(call, tx, pool, id, logins, row);
}

static struct tags tags_of(struct call *call, const struct ci_PrincipalTags *given)
{
    struct tag *items = ARENA_ARRAY(call->arena, struct tag, given->n + 1);
    for (size_t i = 0; i < given->n; i++)
        items[i] = (struct tag){ given->items[i].key, given->items[i].value };
    return (struct tags){ given->n, items };
}

gh_err ci_GetOpenIdTokenForDeveloperIdentity(struct call *call, const struct ci_GetOpenIdTokenForDeveloperIdentity_in *in,
                                             struct ci_GetOpenIdTokenForDeveloperIdentity_out *out)
{
    struct identity_pool pool;
    struct identity_row row;
    struct logins logins = { 0 };
    struct ci_LoginsMap others;
    struct str user;
    gh_err err = identity_pool_load(call, NULL, in->identity_pool_id, &pool);
    if (!err)
        err = split(call, &pool, &in->logins, &user, &others);
    if (!err)
        err = logins_verify(call, &pool, &others, false, &logins);
    if (err)
        return err;
    logins.items[logins.n++] = login_of_developer(call, &pool, user);
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = identity_pool_end(&tx, prove_developer(call, &tx, &pool, in->identity_id, &logins, &row));
    if (!err)
        err = sign(call, &pool, &row, &logins, tags_of(call, &in->principal_tags),
                   in->token_duration.set ? in->token_duration.value : DEVELOPER_TOKEN_S, &out->token);
    if (!err)
        out->identity_id = row.id;
    return err;
}
