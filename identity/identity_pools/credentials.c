/* GetCredentialsForIdentity: the enhanced flow. */
#include "identity/identity_pools/guest_policy.h"
#include "identity/identity_pools/identity_record.h"
#include "identity/identity_pools/principal_tags.h"
#include "identity/identity_pools/roles.h"
#include "identity/sts/assume.h"
#include "wire/audit.h"

#define SESSION_NAME STR("CognitoIdentityCredentials")

/* What the role's trust policy, and then the session's own requests, know of the identity. */
static const struct policy_key *keys_of(struct call *call, const struct identity_pool *pool, const struct identity_row *row,
                                        const struct logins *logins, size_t *n)
{
    const struct str *amr;
    struct policy_context context = policy_context_in(call->arena);
    size_t n_amr;
    logins_amr(call, logins, &amr, &n_amr);
    policy_context_add(&context, IDENTITY_TOKEN_PROVIDER ":aud", pool->id);
    policy_context_add(&context, IDENTITY_TOKEN_PROVIDER ":sub", row->id);
    policy_context_add_list(&context, IDENTITY_TOKEN_PROVIDER ":amr", amr, n_amr);
    *n = context.n;
    return context.keys;
}

/* "Invalid identity pool configuration": the role is not there, does not trust the pool, or may not be tagged. */
static gh_err open_session(struct call *call, const struct identity_pool *pool, const struct identity_row *row,
                           const struct logins *logins, struct str role_arn, struct session *out)
{
    struct web_session_order order = {
        .role_arn = role_arn, .session_name = SESSION_NAME, .federated = STR(IDENTITY_TOKEN_PROVIDER),
        .policy = logins_prove(logins) ? STR_NONE : guest_session_policy,
    };
    gh_err err = principal_tags(call, pool, logins, &order.tags);
    if (err)
        return err;
    order.keys = order.kept = keys_of(call, pool, row, logins, &order.n_keys);
    order.n_kept = order.n_keys;
    struct str *transitive = ARENA_ARRAY(call->arena, struct str, order.tags.n + 1);
    for (size_t i = 0; i < order.tags.n; i++)
        transitive[order.n_transitive++] = order.tags.items[i].key;
    order.transitive = transitive;
    audit_note_str(call, "identityPoolId", pool->id);
    audit_note_str(call, "roleArn", role_arn);
    err = sts_web_identity_session(identity_pool_call(call, pool), &order, out);
    return err && err->kind->status < 500 ? role_misconfigured(call) : err;
}

gh_err ci_GetCredentialsForIdentity(struct call *call, const struct ci_GetCredentialsForIdentity_in *in,
                                    struct ci_GetCredentialsForIdentity_out *out)
{
    struct identity_row row;
    struct identity_pool pool;
    struct logins logins;
    struct session session;
    struct str role_arn;
    gh_err err = identity_record_find(call, NULL, in->identity_id, &row, &pool);
    if (!err)
        err = logins_verify(identity_pool_call(call, &pool), &pool, &in->logins, true, &logins);
    if (!err)
        err = identity_prove(call, &pool, in->identity_id, &logins, &row);
    if (!err)
        err = role_choose(call, &pool, &logins, in->custom_role_arn, &role_arn);
    if (!err)
        err = open_session(call, &pool, &row, &logins, role_arn, &session);
    if (err)
        return err;
    out->identity_id = row.id;
    out->credentials = ARENA_NEW(call->arena, struct ci_Credentials);
    *out->credentials = (struct ci_Credentials){ session.key_id, session.secret, session.token,
                                                 { true, (double)session.expires_s } };
    return NULL;
}
