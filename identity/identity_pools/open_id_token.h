/* The tokens of identity pools: OpenID Connect tokens that say which identity somebody is, signed with one key for all
 * pools ("aud" says which). AWS's issuer is https://cognito-identity.amazonaws.com; ours is
 * BASE_URL/_aws/cognito-identity, with its keys and discovery document below it. */
#pragma once

#include "core/json.h"
#include "identity/identity.h"
#include "identity/tag.h"
#include "wire/call.h"

/* In policies the issuer is called as on AWS: Principal Federated, and what condition keys begin with. */
#define IDENTITY_TOKEN_PROVIDER "cognito-identity.amazonaws.com"

struct token_signer; /* one an identity: the key, in memory */

struct token_signer *token_signer_open(struct identity *identity, struct arena *arena, struct str *why);
void token_signer_close(struct token_signer *signer);

/* Makes the key when there is none. Job threads. */
gh_err identity_token_key(struct call *call);

struct identity_token {
    struct str pool, identity;       /* aud, sub */
    const struct str *amr;           /* "authenticated", a provider, provider and subject; or "unauthenticated" */
    size_t n_amr;
    struct tags tags;                /* https://aws.amazon.com/tags */
    int64_t expires_s;
    json_t *claims;                  /* of identity_token_verify; lives as long as the arena */
};
gh_err identity_token_sign(struct call *call, const struct identity_token *token, struct str *out);

/* "https://…/_aws/cognito-identity" */
struct str identity_token_issuer(struct identity *identity, struct arena *arena);
/* Ours, whole, live. Any thread. */
enum token_verdict identity_token_verify(struct identity *identity, struct arena *arena, struct str token, int64_t now_s,
                                         struct identity_token *out);
