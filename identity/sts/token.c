/* GetSessionToken and GetFederationToken: a long-term key lends itself out. */
#include "identity/sts/sts.h"

enum { ROOT_MAX_S = 3600, USER_DEFAULT_S = 43200 };

static gh_err long_term_only(struct call *call, const char *operation)
{
    if (!sts_caller(call)->temporary)
        return NULL;
    return gh_fail(call->arena, &STS_ACCESS_DENIED, "Cannot call %s with session credentials", operation);
}

/* "If the duration is longer than one hour, the session for AWS account owners defaults to one hour." */
static int64_t duration_s(struct call *call, struct opt_i64 wanted)
{
    bool root = sts_caller(call)->root;
    int64_t s = wanted.set ? wanted.value : root ? ROOT_MAX_S : USER_DEFAULT_S;
    return root && s > ROOT_MAX_S ? ROOT_MAX_S : s;
}

/* The key that it is lent from; none of a root that nobody made (dev mode). */
static struct str parent(struct call *call)
{
    return sts_caller(call)->secret.ptr ? call->principal->access_key_id : STR_NONE;
}

gh_err sts_GetSessionToken(struct call *call, const struct sts_GetSessionToken_in *in,
                           struct sts_GetSessionToken_out *out)
{
    bool mfa = false;
    gh_err err = long_term_only(call, "GetSessionToken");
    if (!err)
        err = sts_check_mfa(call, in->serial_number, in->token_code, &mfa);
    if (err)
        return err;
    int64_t now_s = call->now_us / 1000000;
    struct session session = { .kind = SESSION_USER, .account = call->account, .owner = sts_caller(call)->owner,
                               .parent = parent(call), .issued_s = now_s, .mfa_s = mfa ? now_s : 0,
                               .expires_s = now_s + duration_s(call, in->duration_seconds),
                               .token_size = in->minimum_session_token_size.value };
    session_issue(call->env, call->sealer, call->arena, &session);
    out->credentials = sts_credentials(call, &session);
    sts_token_size(&session, &out->session_token_size, &out->session_token_utilization);
    return NULL;
}

static struct sts_FederatedUser *federated_user(struct call *call, struct str name)
{
    struct sts_FederatedUser *user = ARENA_NEW(call->arena, struct sts_FederatedUser);
    user->federated_user_id = str_printf(call->arena, "%.*s:%.*s", STR_FMT(call->account), STR_FMT(name));
    user->arn = str_printf(call->arena, "arn:aws:sts::%.*s:federated-user/%.*s", STR_FMT(call->account), STR_FMT(name));
    return user;
}

/* Tags are a permission of their own: "you must have sts:TagSession". */
static gh_err may_tag(struct call *call, struct str name, struct tags tags)
{
    struct policy_context context = policy_context_in(call->arena);
    struct str *keys = ARENA_ARRAY(call->arena, struct str, tags.n);
    for (size_t i = 0; i < tags.n; i++) {
        keys[i] = tags.items[i].key;
        policy_context_add_tagged(&context, "aws:RequestTag/", keys[i], tags.items[i].value);
    }
    policy_context_add_list(&context, "aws:TagKeys", keys, tags.n);
    struct policy_request request = { .action = STR("sts:TagSession"), .resource = federated_user(call, name)->arn,
                                      .keys = context.keys, .n_keys = context.n };
    struct policy_decision decision;
    if (!tags.n || identity_allows(call->module, call->arena, sts_caller(call), &request, &decision))
        return NULL;
    return gh_fail(call->arena, &STS_ACCESS_DENIED, "%.*s", STR_FMT(policy_denial(call->arena, &request, &decision)));
}

gh_err sts_GetFederationToken(struct call *call, const struct sts_GetFederationToken_in *in,
                              struct sts_GetFederationToken_out *out)
{
    int64_t now_s = call->now_us / 1000000;
    struct session session = { .kind = SESSION_FEDERATED, .account = call->account, .owner = sts_caller(call)->owner,
                               .parent = parent(call), .name = in->name, .issued_s = now_s,
                               .expires_s = now_s + duration_s(call, in->duration_seconds), .policy = in->policy,
                               .policy_arns = sts_policy_arns(call, &in->policy_arns),
                               .n_policy_arns = in->policy_arns.n, .tags = sts_tags(call, &in->tags),
                               .token_size = in->minimum_session_token_size.value };
    gh_err err = long_term_only(call, "GetFederationToken");
    if (!err)
        err = sts_check_tags(call, session.tags);
    if (!err)
        err = sts_check_policy(call, in->policy);
    if (!err)
        err = sts_check_policy_arns(call, call->account, session.policy_arns, session.n_policy_arns);
    if (!err)
        err = may_tag(call, in->name, session.tags);
    if (!err)
        err = sts_check_packed(call, &session);
    if (err)
        return err;
    session_issue(call->env, call->sealer, call->arena, &session);
    out->credentials = sts_credentials(call, &session);
    out->federated_user = federated_user(call, in->name);
    out->packed_policy_size = some_i64(sts_packed_size(&session)); /* 0, but there (recorded) */
    sts_token_size(&session, &out->session_token_size, &out->session_token_utilization);
    return NULL;
}
