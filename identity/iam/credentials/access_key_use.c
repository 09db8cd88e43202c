/* When an access key was last used: identity/iam/reports/last_access.h notes it. */
#include "identity/iam/iam.h"
#include "identity/iam/reports/last_access.h"
#include "identity/key_id.h"

static gh_err find(struct call *call, struct str id, struct str *owner)
{
    struct str account;
    gh_err err = access_key_owner(call->db, call->arena, id, owner);
    if (err || (owner->ptr && key_id_account(call->arena, id, &account) && str_eq(account, call->account)))
        return err;
    return gh_fail(call->arena, &iam_NoSuchEntityException, "The Access Key with id %.*s cannot be found.", STR_FMT(id));
}

/* The call names a key, and wire/ has asked about the caller's own user: whoever has the other user's key in mind needs
 * to be allowed on that one. */
static gh_err check_allowed(struct call *call, const struct entity *user)
{
    const struct credential *credential = call->credential;
    struct policy_context context = policy_context_in(call->arena);
    if (!credential || credential->root || str_eq(credential->owner, user->id))
        return NULL;
    policy_context_add_request(&context, call->now_us / 1000000, call->source_ip, call->user_agent, STR_NONE, false,
                               call->region);
    struct policy_request request = { .action = STR("iam:GetAccessKeyLastUsed"), .resource = user->arn,
                                      .keys = context.keys, .n_keys = context.n };
    struct policy_decision decision;
    if (identity_allows(call->module, call->arena, credential, &request, &decision))
        return NULL;
    return gh_fail(call->arena, &IAM_ACCESS_DENIED, "%.*s", STR_FMT(policy_denial(call->arena, &request, &decision)));
}

/* "LastUsedDate: This field is null when … there is no sign-in data"; then the others are "N/A". */
gh_err iam_GetAccessKeyLastUsed(struct call *call, const struct iam_GetAccessKeyLastUsed_in *in,
                                struct iam_GetAccessKeyLastUsed_out *out)
{
    struct str owner;
    struct entity user;
    struct accessed last = { .at_s = 0 };
    bool found = false;
    gh_err err = find(call, in->access_key_id, &owner);
    if (!err && !str_eq(owner, call->account))
        err = entity_load_id(call->db, NULL, call->arena, owner, &user, &found);
    if (!err && found)
        err = check_allowed(call, &user);
    if (!err)
        err = last_access_of_key(iam_identity(call), call->arena, in->access_key_id, &last);
    if (err)
        return err;
    if (found)
        out->user_name = user.name;
    out->access_key_last_used = ARENA_NEW(call->arena, struct iam_AccessKeyLastUsed);
    *out->access_key_last_used = (struct iam_AccessKeyLastUsed){ .service_name = STR("N/A"), .region = STR("N/A") };
    if (last.at_s)
        *out->access_key_last_used = (struct iam_AccessKeyLastUsed){ { true, (double)last.at_s }, last.service, last.region };
    return NULL;
}
