/* What a server shows of itself: a certificate with its chain, and the key that proves it.
 * Immutable and counted; any thread. */
#pragma once

#include <openssl/x509.h>

#include "core/env.h"

struct tls_certificate;

/* Reads PEM: the server's own certificate first, then what leads to its root; an unencrypted key.
 * NULL: *why (no PEM, the key of another certificate, too weak for TLS, already expired). */
struct tls_certificate *tls_certificate_read(struct arena *arena, struct str chain_pem, struct str key_pem, int64_t now_s,
                                       struct str *why);
/* For `name` ("*.x.test" too) and for localhost, valid for 397 days from an hour ago; P-256. */
struct tls_certificate *tls_certificate_self_signed(struct str name, int64_t now_s, struct arena *arena, struct str *why);
struct tls_certificate *tls_certificate_ref(struct tls_certificate *own);
void tls_certificate_unref(struct tls_certificate *own); /* NULL is taken */

/* The certificate itself: borrowed. */
X509 *tls_certificate_leaf(const struct tls_certificate *own);
STACK_OF(X509) *tls_certificate_chain(const struct tls_certificate *own);
EVP_PKEY *tls_certificate_key(const struct tls_certificate *own);
/* Does the certificate speak for this name, by RFC 6125? A wild card is asked for as itself. */
bool tls_certificate_covers(const struct tls_certificate *own, struct str name);
