/* The Principal element of trust and resource policies. */
#pragma once

#include "policy/eval.h"

enum principal_kind {
    PRINCIPAL_IS_EVERYBODY, /* "*" */
    PRINCIPAL_IS_ACCOUNT,   /* "123456789012", "arn:aws:iam::123456789012:root" */
    PRINCIPAL_IS_ARN,       /* user, role, session */
    PRINCIPAL_IS_SERVICE,
    PRINCIPAL_IS_FEDERATED,
    PRINCIPAL_IS_CANONICAL, /* S3's; matches nobody here */
};

struct principal_pattern {
    enum principal_kind kind;
    struct str text; /* account id, ARN, service, provider */
};

/* Weakest first. FIT_ROLE: the role of a session is named, not the session. */
enum principal_fit { FIT_NONE, FIT_ACCOUNT, FIT_ROLE, FIT_NAMED };

/* type: "AWS", "Service", "Federated", "CanonicalUser". False: no such type. */
bool principal_read(struct str type, struct str value, struct principal_pattern *out);
enum principal_fit principal_match(const struct principal_pattern *pattern, const struct policy_request *request);
/* NotPrincipal: is whoever asks on the list, with all that stand behind him? "…you must also specify the account ARN
 * of the not-denied principal", and for a session its role. So a list that has the account alone spares its root. */
bool principal_spared(const struct principal_pattern *patterns, size_t n, const struct policy_request *request);
/* Fit to be written: AWS's message when it is not (in the arena), else absent. Users and roles that a policy named
 * when they were deleted stand there by their unique id ever after, and match nobody. */
struct str principal_fault(struct arena *arena, const struct principal_pattern *pattern);
