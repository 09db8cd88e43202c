/* Whom a server believes: certificate authorities (or single certificates) for clients, with the
 * lists of what they revoked. Immutable and counted; any thread.
 *
 * A client's chain has at most four certificates, each SHA-256 or stronger and RSA-2048 or ECDSA-256
 * or stronger; it ends in a self-signed certificate of the truststore; the first certificate may be
 * used by TLS clients. With revocation lists every authority of a chain must have one that is current. */
#pragma once

#include <openssl/ssl.h>

#include "core/env.h"

struct tls_trust;

/* What is wrong with single certificates: the truststore is used all the same. */
struct tls_warnings {
    struct str *items;
    size_t n;
};

/* PEM: certificates, and revocation lists in the same text or in `crl_pem` (absent: none).
 * NULL: *why (no certificate in it, a broken one, too large). `env` says when now is, for each check. */
struct tls_trust *tls_trust_read(struct arena *arena, struct str pem, struct str crl_pem, const struct env *env,
                                 struct tls_warnings *warnings, struct str *why);
struct tls_trust *tls_trust_ref(struct tls_trust *trust);
void tls_trust_unref(struct tls_trust *trust); /* NULL is taken */

/* Checks what a client shows in the handshake of `context`. The handshake itself goes on with a
 * certificate that does not stand up (but not without one): SSL_get_verify_result says what is wrong. */
void tls_trust_use(struct tls_trust *trust, SSL_CTX *context);
/* The same for a certificate that was shown before. NULL: it stands up; else what is wrong with it. */
const char *tls_trust_refuses(struct tls_trust *trust, X509 *certificate, STACK_OF(X509) *chain);
