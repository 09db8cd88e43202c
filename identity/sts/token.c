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

gh_err sts_GetSessionToken(struct call *call, const struct sts_GetSessionToken_in *in,
                           struct sts_GetSessionToken_out *out)
{
    gh_err err = long_term_only(call, "GetSessionToken");
    if (!err)
        err = sts_check_mfa(call, in->serial_number, in->token_code);
    if (err)
        return err;
    int64_t now_s = call->now_us / 1000000;
    struct session session = { .kind = SESSION_USER, .account = call->account, .owner = sts_caller(call)->owner,
                               .issued_s = now_s, .expires_s = now_s + duration_s(call, in->duration_seconds) };
    out->credentials = sts_issue(call, &session);
    return NULL;
}

gh_err sts_GetFederationToken(struct call *call, const struct sts_GetFederationToken_in *in,
                              struct sts_GetFederationToken_out *out)
{
    gh_err err = long_term_only(call, "GetFederationToken");
    if (!err)
        err = sts_check_tags(call, &in->tags);
    if (!err)
        err = sts_check_policy(call, in->policy);
    if (err)
        return err;
    int64_t now_s = call->now_us / 1000000;
    struct tag *tags = ARENA_ARRAY(call->arena, struct tag, in->tags.n);
    for (size_t i = 0; i < in->tags.n; i++)
        tags[i] = (struct tag){ in->tags.items[i]->key, in->tags.items[i]->value };
    struct session session = { .kind = SESSION_FEDERATED, .account = call->account, .owner = sts_caller(call)->owner,
                               .name = in->name, .issued_s = now_s,
                               .expires_s = now_s + duration_s(call, in->duration_seconds), .policy = in->policy,
                               .tags = { in->tags.n, tags } };
    sts_copy_policy_arns(call, &in->policy_arns, &session);
    out->credentials = sts_issue(call, &session);
    out->federated_user = ARENA_NEW(call->arena, struct sts_FederatedUser);
    out->federated_user->federated_user_id = str_printf(call->arena, "%.*s:%.*s", STR_FMT(call->account), STR_FMT(in->name));
    out->federated_user->arn = str_printf(call->arena, "arn:aws:sts::%.*s:federated-user/%.*s", STR_FMT(call->account),
                                          STR_FMT(in->name));
    out->packed_policy_size = some_i64(sts_packed_size(&session)); /* 0, but there (recorded) */
    return NULL;
}
