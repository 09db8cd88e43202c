/* One evaluator for everything that asks "may this happen". Pure: no I/O, no clock.
 *
 *     struct policy_set *set = policy_set_new();
 *     policy_set_add(set, POLICY_IDENTITY, STR("ReadOnly"), document, arena, &why);
 *     policy_decide(arena, &(struct policy_layers){ .identity = set }, &request, &decision);
 *
 * Explicit deny beats allow, allow beats silence, silence denies. Why it came out as it did: policy/why.h. */
#pragma once

#include "core/arena.h"
#include "core/str.h"

/* What a document is attached to: decides which elements it may and must have. */
enum policy_use {
    POLICY_IDENTITY,   /* of a user, group or role, also boundaries and session policies */
    POLICY_TRUST,      /* AssumeRolePolicyDocument */
    POLICY_RESOURCE,   /* of an API, a function */
    POLICY_AUTHORIZER, /* an authorizer's answer: as identity, but every Version will do */
    POLICY_SERVICE_CONTROL,  /* guard rail of an account's principals: no Principal (policy/control.c) */
    POLICY_RESOURCE_CONTROL, /* guard rail of an account's resources: Principal "*", Deny */
};
#define POLICY_USES 6

struct policy_set; /* the compiled policies of one principal or resource */

struct policy_set *policy_set_new(void); /* add, then share: it changes no more */
/* Compiles one document into the set. False: *why is AWS's MalformedPolicyDocument text (in the
 * arena), the set is unchanged. */
bool policy_set_add(struct policy_set *set, enum policy_use use, struct str name, struct str document,
                    struct arena *arena, struct str *why);
void policy_set_free(const struct policy_set *set); /* its one owner's; NULL is fine */

/* The condition keys and variables that the documents look at: each once, as first written. */
size_t policy_set_keys(const struct policy_set *set, struct arena *arena, struct str **names);

/* The users, roles and sessions that the documents name as principals, each as written. */
size_t policy_set_principals(const struct policy_set *set, struct arena *arena, struct str **arns);

/* The document with every principal `from` (an ARN) replaced by `to`; as it was when it has none. */
struct str policy_rename_principal(struct arena *arena, struct str document, struct str from, struct str to);

/* The checks of policy_set_add alone. */
bool policy_check(struct arena *arena, enum policy_use use, struct str document, struct str *why);
/* "All characters in your SCP count against its maximum size": of service and resource control policies. */
#define POLICY_CONTROL_BYTES 5120
/* Characters of a document without white space: what AWS's size quotas count. */
size_t policy_size(struct str document);

/* One condition key of a request: "aws:SourceIp" -> values. Names are compared without case. */
struct policy_key {
    struct str name;
    const struct str *values;
    size_t n;
};

struct policy_request {
    struct str principal_arn, account; /* account: of the principal; both absent: anonymous */
    struct str role_arn;               /* of a role session: the role's, with path; of a federated user's
                                          session: the ARN of the user who made it */
    struct str service, federated;     /* instead: "lambda.amazonaws.com", an identity provider */
    struct str action;                 /* "execute-api:Invoke" */
    struct str resource;               /* ARN, or "*" for an action without resource */
    struct str shown_resource;         /* in a denial, where AWS prints another (iam:ListUsers); or absent */
    const struct policy_key *keys;
    size_t n_keys;
};

enum policy_effect { POLICY_IMPLICIT_DENY, POLICY_ALLOW, POLICY_EXPLICIT_DENY };

/* Where a statement stands in its document: lines and columns from 1; line 0: nowhere. */
struct policy_position {
    int64_t line, column;
};

struct policy_decision {
    enum policy_effect effect;
    struct str policy_name;  /* of the deciding statement; absent on implicit deny */
    struct str policy_type;  /* "identity-based policy", "permissions boundary", "session policy", … */
    struct str document;     /* of that policy, as it was added */
    struct str sid;          /* or absent */
    int statement;           /* index in its policy, -1 */
    struct policy_position at; /* of the deciding statement */
    bool to_account;         /* a policy of a resource allows it to the principal's account, not by
                                name: the account's own policies must allow it too */
    bool to_role;            /* … to the session's role (or the user who made it), not to the session:
                                boundary and session policy still count */
};
/* Where a statement begins and ends, as SimulatePrincipalPolicy counts: a column further than ours, and the
 * end behind its last bracket. False: there is no such statement. */
bool policy_locate(struct str document, int statement, struct policy_position *start, struct policy_position *end);
/* A sentence for people and traces: "allowed by statement 2 (Sid Read) of policy Editors". */
struct str policy_reason(struct arena *arena, const struct policy_request *request,
                         const struct policy_decision *decision);

/* All that has a say in one request. Each part may be absent: what that means stands beside it. */
struct policy_layers {
    /* of the principal */
    const struct policy_set *identity; /* NULL: allows nothing */
    const struct policy_set *boundary; /* NULL: none set */
    const struct policy_set *session;  /* NULL: none passed */
    /* guard rails: of the principal's account, and of the account of what is asked for; NULL: none */
    const struct policy_set *service_control;
    const struct policy_set *resource_control;
    /* of what is asked for */
    const struct policy_set *resource; /* its own policy; NULL: none */
    bool trust;                        /* that is a role's trust policy: it must allow, whoever else does */
    bool cross_account;                /* it belongs to another account than the principal's */
    enum {
        PARTY_PRINCIPAL, /* has policies */
        PARTY_ROOT,      /* needs none: "everything is allowed unless …" */
        PARTY_OUTSIDER,  /* has none that we know: anonymous, a service, somebody from an identity provider;
                            the resource's policy must allow */
    } party;
};

/* The one decision that enforcement, simulation and explanation share. A deny in any layer denies. Guard
 * rails that are there must allow. Then
 *   same account     the principal's own layers must all allow; or the resource's policy does. "IAM user,
 *                    role session: not limited by an implicit deny in an identity-based policy, a
 *                    permissions boundary or session policy"; a role's ARN: limited by the last two; the
 *                    account: it only leaves the word to the account's own policies.
 *   other account    "both must allow"
 *   a trust policy   must allow itself in any case */
enum policy_effect policy_decide(struct arena *arena, const struct policy_layers *layers,
                                 const struct policy_request *request, struct policy_decision *decision);

/* One set by itself. `type` is the word for it in texts: "resource-based policy". */
enum policy_effect policy_set_decide(struct arena *arena, const struct policy_set *set, const char *type,
                                     const struct policy_request *request, struct policy_decision *decision);

/* "User: arn:… is not authorized to perform: a:B on resource: arn:… because no identity-based
 * policy allows the a:B action". */
struct str policy_denial(struct arena *arena, const struct policy_request *request,
                         const struct policy_decision *decision);

/* The keys of a request, being collected. Values are views. */
struct policy_context {
    struct arena *arena;
    struct policy_key *keys;
    size_t n, cap;
};
struct policy_context policy_context_in(struct arena *arena);
void policy_context_add(struct policy_context *context, const char *name, struct str value); /* absent: nothing */
void policy_context_add_list(struct policy_context *context, const char *name, const struct str *values, size_t n);
void policy_context_add_keys(struct policy_context *context, const struct policy_key *keys, size_t n);
void policy_context_add_tagged(struct policy_context *context, const char *prefix, struct str tag, struct str value);
/* aws:CurrentTime, EpochTime, SourceIp, UserAgent, referer, SecureTransport, RequestedRegion, ViaAWSService. */
void policy_context_add_request(struct policy_context *context, int64_t now_s, struct str source_ip,
                                struct str user_agent, struct str referer, bool tls, struct str region);
const struct policy_key *policy_context_find(const struct policy_key *keys, size_t n, struct str name);
