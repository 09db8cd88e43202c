/* A role being assumed, by whomever: what AssumeRole and its relatives share. */
#pragma once

#include "identity/sts/sts.h"
#include "identity/store/iam_entity.h"

struct role_request {
    struct call *call;
    const char *action;           /* "sts:AssumeRole", "sts:AssumeRoleWithSAML", … */
    struct str role_arn, session_name;
    const struct credential *caller; /* NULL: somebody whom `federated` vouches for */
    struct str federated;         /* Principal Federated */
    struct str provider;          /* aws:FederatedProvider of the session */
    const struct policy_key *keys; /* asked of the trust policy besides those of every request */
    size_t n_keys;
    const struct policy_key *kept; /* what goes along in the session */
    size_t n_kept;
    struct str policy;
    const struct str *policy_arns;
    size_t n_policy_arns;
    struct tags passed;
    const struct str *passed_transitive;
    size_t n_passed_transitive;
    struct str source_identity;   /* passed; a chained one is added */
    bool mfa;                     /* given with this call */
    struct opt_i64 duration_s;
    int64_t not_after_s;          /* the session ends by then; 0: no matter */
    int64_t token_size;
    /* worked out by role_session_prepare */
    struct entity role;
    struct policy_set *trust;
    struct tags tags;             /* passed and inherited */
    const struct str *transitive;
    size_t n_transitive;
};

/* The account of a role's ARN. Errors: ValidationError "… is invalid". */
gh_err sts_role_account(struct call *call, struct str role_arn, struct str *account);

/* Finds the role; checks tags and session policies. */
gh_err role_session_prepare(struct role_request *r);
/* Asks both sides; makes the session. */
gh_err role_session_grant(struct role_request *r, struct session *out);
/* What the answers have of it. *packed is not set when neither policies nor tags were passed. */
struct sts_AssumedRoleUser *role_session_user(struct call *call, const struct session *session);
struct opt_i64 role_session_packed(const struct role_request *r, const struct session *session);
