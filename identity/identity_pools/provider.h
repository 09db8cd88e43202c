/* The identity providers of a pool: how they are named, and which of them a name means. */
#pragma once

#include "identity/identity_pools/identity_pool.h"

enum provider_kind {
    PROVIDER_NONE,      /* nothing that a pool can have */
    PROVIDER_USER_POOL, /* a Cognito user pool */
    PROVIDER_PUBLIC,    /* accounts.google.com and its like */
    PROVIDER_OIDC,      /* a record of IAM */
    PROVIDER_SAML,      /* a record of IAM */
    PROVIDER_OWN,       /* cognito-identity.amazonaws.com: tokens that this service gave out */
};

/* A provider as a login, a role mapping or a tag map names it. One provider has several names ("cognito-idp.R.
 * amazonaws.com/POOL", and our own issuer of that pool without its scheme, which is what Amplify takes from
 * tokens; the record's ARN, and its URL); `name` is always the same one. */
struct provider {
    enum provider_kind kind;
    struct str name;       /* user pool: cognito-idp.REGION.amazonaws.com/POOL; OIDC: host and path; SAML: ARN */
    struct str arn;        /* OIDC, SAML: the record's */
    struct str account;    /* of the record */
    struct str user_pool;  /* its id */
    struct str client;     /* of a role mapping's key: "…:CLIENT"; absent: none named */
    bool configured;       /* the pool has it */
};

/* as_mapping: a user pool may be followed by ":" and an app client's id. */
struct provider provider_named(struct call *call, const struct ci_IdentityPool *doc, struct str name, bool as_mapping);
/* The pool's entry for a client of a user pool; NULL: none. */
const struct ci_CognitoIdentityProvider *provider_entry(struct call *call, const struct ci_IdentityPool *doc,
                                                        struct str user_pool, struct str client);
/* The app's id at a public provider; absent: not configured. */
struct str provider_app(const struct ci_IdentityPool *doc, struct str name);

/* Well-known logins. */
struct public_provider {
    const char *name;
    const char *refused; /* why a pool cannot have it; NULL: it can */
};
const struct public_provider *provider_public(struct str name); /* NULL: no such */
/* "arn:P:iam::ACCOUNT:saml-provider/NAME" for kind "saml-provider". */
bool provider_arn(struct str arn, const char *kind, struct str *account, struct str *name);
/* The id of the user pool that the name means. False: it means none. */
bool provider_user_pool(struct call *call, struct str name, struct str *pool_id);
