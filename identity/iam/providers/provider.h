/* Identity providers of an account, for those who take tokens and assertions in: STS, identity pools. */
#pragma once

#include "wire/call.h"

struct oidc_provider {
    struct str arn;  /* arn:aws:iam::1:oidc-provider/example.com/path */
    struct str url;  /* as IAM shows it: "example.com/path" */
    struct str issuer; /* what `iss` must say: "https://example.com/path" (http:// for one of this machine) */
    const struct str *client_ids; /* `aud` must be one of these */
    size_t n_client_ids;
    const struct str *thumbprints; /* SHA-1 in hex; may be none */
    size_t n_thumbprints;
};
/* url: with or without scheme, compared exactly. False: the account has no such provider (or it could
 * not be read: then the log says so). Job threads. Views into call->arena. */
bool oidc_provider_find(struct call *call, struct str account, struct str url, struct oidc_provider *out);

struct saml_provider {
    struct str arn, account, name, uuid;
    struct str metadata;
    bool encryption_required; /* AssertionEncryptionMode: Required */
    const struct str *private_keys; /* PEM; at most two */
    size_t n_private_keys;
};
/* By ARN, of any account. False as above. */
bool saml_provider_find(struct call *call, struct str arn, struct saml_provider *out);
