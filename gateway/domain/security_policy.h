/* Security policies: the TLS versions and ciphers that a custom domain accepts, by AWS's names.
 *
 * "A security policy is a predefined combination of minimum TLS version and cipher suites." */
#pragma once

#include "core/tls_sites.h"

struct security_policy {
    const char *name;
    struct tls_limits limits;
    bool enhanced;       /* "SecurityPolicy_…": needs an endpoint access mode, excludes mutual TLS */
    bool edge;           /* for edge-optimized domains; the others are for regional and private ones */
    const char *missing; /* what OpenSSL here lacks of it; NULL: it can be served */
};

/* NULL: no such policy. */
const struct security_policy *security_policy_find(struct str name);
