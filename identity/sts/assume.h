/* A role for somebody who is no principal of ours, but whom a provider vouches for: web identity, identity pools. */
#pragma once

#include "identity/sts/session.h"
#include "policy/eval.h"
#include "wire/call.h"

struct web_session_order {
    struct str role_arn;
    struct str session_name;      /* RoleSessionName */
    struct str federated;         /* Principal Federated: a provider's ARN, or "cognito-identity.amazonaws.com" */
    struct str provider;          /* aws:FederatedProvider of the session; absent: as `federated` */
    const struct policy_key *keys; /* of the identity ("cognito-identity.amazonaws.com:sub"): asked of the trust policy */
    size_t n_keys;
    const struct policy_key *kept; /* those that the session's own requests have, too */
    size_t n_kept;
    struct str policy;            /* session policy, or absent */
    const struct str *policy_arns;
    size_t n_policy_arns;
    struct tags tags;             /* session tags: sts:TagSession is asked */
    const struct str *transitive; /* keys of them that go on to the next role */
    size_t n_transitive;
    struct str source_identity;   /* sts:SetSourceIdentity is asked; or absent */
    struct opt_i64 duration_s;    /* 900 up to the role's MaxSessionDuration; not set: 3600 */
    int64_t not_after_s;          /* the session ends by then; 0: no matter */
    int64_t token_size;           /* at least so long a token; 0: as it comes */
};

/* Asks the role's trust policy for sts:AssumeRoleWithWebIdentity, then makes the session: *out has its
 * credentials (key_id, secret, token, expires_s), role_id and arn. Job threads; the caller may be nobody.
 * Errors: AccessDenied "Not authorized to perform sts:AssumeRoleWithWebIdentity" (no such role, or it does not
 * trust), ValidationError, MalformedPolicyDocument, PackedPolicyTooLarge, InvalidParameterValue. */
gh_err sts_web_identity_session(struct call *call, const struct web_session_order *order, struct session *out);
