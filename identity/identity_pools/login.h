/* Logins: who somebody has proven to be, and at which providers. */
#pragma once

#include "identity/identity_pools/open_id_token.h"
#include "identity/identity_pools/provider.h"
#include "identity/store/identity_login.h"

/* A login that was verified. */
struct login {
    struct provider provider; /* client: the app client that the token was made for */
    struct login_key key;     /* who it is there */
    struct str amr;           /* "cognito-idp.R.amazonaws.com/POOL:CognitoSignIn:SUB" */
    json_t *claims;           /* of the token; a SAML assertion's attributes */
};
struct logins {
    struct login *items;
    size_t n;
    const struct identity_token *own; /* a token of GetOpenIdTokenForDeveloperIdentity; NULL: none was given */
};
static inline bool logins_prove(const struct logins *logins)
{
    return logins->n || logins->own;
}

/* All of them, or an error: "every login given is validated, one bad fails all". Job threads.
 *   own   may "cognito-identity.amazonaws.com" be one? ("Can't pass in a Cognito token.")
 * Errors: NotAuthorizedException "Invalid login token. …", "Token is not from a supported provider of this identity
 * pool."; InvalidParameterException "Please provide a valid public provider."; ExternalServiceException. */
gh_err logins_verify(struct call *call, const struct identity_pool *pool, const struct ci_LoginsMap *given, bool own,
                     struct logins *out);
/* "authenticated", then of each login its provider and who it is there; "unauthenticated" without any. */
void logins_amr(struct call *call, const struct logins *logins, const struct str **amr, size_t *n);
/* The developer's own word for a user, which needs no proof (developer.c). */
struct login login_of_developer(struct call *call, const struct identity_pool *pool, struct str user);

/* A claim as rules and tags read it: a string as it is, else its JSON. */
struct str login_claim_text(struct arena *arena, const json_t *claim);
