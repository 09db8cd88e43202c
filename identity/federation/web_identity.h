/* Whose token is this? OpenID Connect ID tokens, verified: of user pools of ours, of issuers that an account has
 * a record of (CreateOpenIDConnectProvider), and of the logins that need no record.
 *
 * What is asked of every token: one of the issuer's keys signed it (RS256 … ES512, nothing else), and exp, iat, sub, aud
 * and iss are there and stand. Whom it was made for is the caller's question: a record's client ids, an identity
 * pool's providers. */
#pragma once

#include <jansson.h>

#include "wire/call.h"

struct web_identity {
    struct str issuer;       /* "iss" */
    struct str host;         /* the issuer without its scheme: "example.com/path"; what condition keys begin with */
    struct str provider_arn; /* of the account's record; absent: none (a pool of ours, a well-known login) */
    const struct str *client_ids; /* whom that record says that tokens are made for */
    size_t n_client_ids;
    struct str audience;     /* azp where the token has it, else aud; of several: the first, or which
                                web_identity_meant_for found */
    struct str subject;
    const struct str *audiences; /* all of aud */
    size_t n_audiences;
    json_t *claims;          /* lives as long as the call */
    int64_t expires_s;
    bool pool;               /* a user pool of this server issued it */
    bool well_known;         /* accounts.google.com and its like, and identity pools: no record is needed */
};

/* Whose records are looked at: the account's. Job threads.
 * Errors: InvalidIdentityToken, ExpiredTokenException, IDPCommunicationError, and IDPRejectedClaim ("explicitly revoked") with
 * STS's sentences. */
gh_err web_identity_verify(struct call *call, struct str account, struct str token, struct web_identity *out);

/* Was the token made for one of these? */
bool web_identity_meant_for(struct web_identity *who, const struct str *client_ids, size_t n);
