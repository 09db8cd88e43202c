/* Temporary credentials. The session token is self-contained: all that a session is stands in it,
 * sealed and bound to its access key id, so that nothing is stored and every node can read it. */
#pragma once

#include "core/env.h"
#include "core/seal.h"
#include "identity/tag.h"
#include "policy/eval.h"

enum session_kind {
    SESSION_ROLE,      /* AssumeRole and its relatives */
    SESSION_USER,      /* GetSessionToken: the user, or root, for a while */
    SESSION_FEDERATED, /* GetFederationToken */
};

struct session {
    enum session_kind kind;
    struct str key_id, secret;
    struct str account;
    struct str owner;           /* id of the role or user; the account for root */
    struct str name;            /* of the session; absent for SESSION_USER */
    int64_t issued_s, expires_s;
    int64_t mfa_s;              /* when its owner proved a second factor; 0: never */
    struct str parent;          /* access key that it was lent from, or absent: it dies with that key */
    struct str policy;          /* session policy, or absent */
    const struct str *policy_arns;
    size_t n_policy_arns;
    struct tags tags;           /* session tags */
    const struct str *transitive; /* keys of tags that go on to the next role */
    size_t n_transitive;
    struct str source_identity;
    struct str provider;        /* aws:FederatedProvider */
    const struct policy_key *keys; /* what a provider said of who it is: "saml:sub", "example.com:aud" */
    size_t n_keys;
    int64_t token_size;         /* at least so long a token; 0: as it comes */
    /* for who made it, not in the token */
    struct str token;
    struct str role_id, arn;    /* of a role's session: "AROA…:name", "arn:aws:sts::…:assumed-role/…" */
};

/* Fills in key_id, secret and token; gives the token. */
struct str session_issue(const struct env *env, const struct sealer *sealer, struct arena *arena,
                         struct session *session);
/* False: damaged, or of another key. Expiry is the caller's to check. */
bool session_open(const struct sealer *sealer, struct arena *arena, struct str key_id, struct str token,
                  struct session *out);
