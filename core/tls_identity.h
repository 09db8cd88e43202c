/* What a server shows of itself: a certificate with its chain, and the key that proves it.
 * Immutable and counted; any thread. */
#pragma once

#include <openssl/x509.h>

#include "core/env.h"

struct tls_identity;

/* Reads PEM: the server's own certificate first, then what leads to its root; an unencrypted key.
 * NULL: *why (no PEM, the key of another certificate, too weak for TLS, already expired). */
struct tls_identity *tls_identity_read(struct arena *arena, struct str chain_pem, struct str key_pem, int64_t now_s,
                                       struct str *why);
/* For `name` ("*.x.test" too) and for localhost, valid for 397 days from an hour ago; P-256. */
struct tls_identity *tls_identity_self_signed(struct str name, int64_t now_s, struct arena *arena, struct str *why);
struct tls_identity *tls_identity_ref(struct tls_identity *identity);
void tls_identity_unref(struct tls_identity *identity); /* NULL is taken */

/* The certificate itself: borrowed. */
X509 *tls_identity_certificate(const struct tls_identity *identity);
STACK_OF(X509) *tls_identity_chain(const struct tls_identity *identity);
EVP_PKEY *tls_identity_key(const struct tls_identity *identity);
/* Does the certificate speak for this name, by RFC 6125? A wild card is asked for as itself. */
bool tls_identity_covers(const struct tls_identity *identity, struct str name);
