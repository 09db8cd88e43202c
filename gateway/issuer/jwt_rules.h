/* What a JWT authorizer asks of a token whose signature is right; compiled, immutable. */
#pragma once

#include <jansson.h>

#include "core/key.h"

struct issuer;
struct issuers;

/* "additionalClaims": the claim is one string; with expectedValues one of those, letter by letter. */
struct jwt_claim_rule {
    struct str name;
    bool required; /* else it may be missing */
    struct str *expected;
    size_t n_expected;
};

struct jwt_issuer {
    struct str name; /* "iss" */
    struct str jwks_uri;
    struct str *audiences;
    size_t n_audiences;
    struct jwt_claim_rule *claims;
    size_t n_claims;
    _Atomic(struct issuer *) keys; /* held from the first token on */
};

struct jwt_rules {
    struct jwt_issuer *issuers;
    size_t n_issuers;
    bool algorithms[6]; /* by enum key_alg */
};

/* Rules for tokens that say so in "iss"; NULL: no such issuer. Exact: "including any trailing slash". */
struct jwt_issuer *jwt_rules_issuer(const struct jwt_rules *rules, const json_t *claims);
/* Audience and claims. NULL: all is well; else what is not. */
const char *jwt_rules_broken(const struct jwt_issuer *issuer, const json_t *claims);
/* "A request passes the scope check when the token carries at least one of the method's scopes", in
 * `scope` or `scp`, a text parted by blanks or a list. */
bool jwt_has_scope(const json_t *claims, const struct str *wanted, size_t n);
