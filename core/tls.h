/* TLS towards upstreams, by OpenSSL: TLS 1.2 or newer, the certificate's name and chain verified. */
#pragma once

#include <openssl/ssl.h>

#include "core/str.h"

/* Whom we believe: the system's authorities and those of a file. Read once, when first asked for or
 * warmed: that takes some 20 ms and belongs on a job thread. Any thread. */
struct tls_trust;
/* extra_file: PEM certificates besides the system's, or NULL. NULL: it cannot be read. */
struct tls_trust *tls_trust_new(const char *extra_file);
void tls_trust_free(struct tls_trust *trust);
void tls_trust_warm(struct tls_trust *trust);

/* A certificate and its key that we show to who asks for one. Any thread; counted. */
struct tls_identity;
/* PEM, both. NULL: they cannot be read, or do not belong together. id: unlike any other identity's. */
struct tls_identity *tls_identity_new(struct str id, struct str certificate_pem, struct str key_pem);
struct tls_identity *tls_identity_ref(struct tls_identity *identity); /* NULL is taken */
void tls_identity_unref(struct tls_identity *identity);
const char *tls_identity_id(const struct tls_identity *identity);

enum tls_checks {
    TLS_CHECK_ALL,
    /* insecureSkipVerification: "skips verification that the certificate for an integration endpoint is issued
     * by a supported certificate authority … still performs basic certificate validation, which includes
     * checking the certificate's expiration date, hostname, and presence of a root certificate authority." */
    TLS_CHECK_ANY_AUTHORITY,
};
/* NULL: no memory. ca_file: trust these alone (tests); NULL: `trust`. identity may be NULL. */
SSL_CTX *tls_client_context(struct tls_trust *trust, const char *ca_file, enum tls_checks checks,
                            const struct tls_identity *identity);
/* A session on a connected socket; `host` is a name (sent as SNI) or an address. NULL: no memory. */
SSL *tls_client_session(SSL_CTX *context, int fd, const char *host);
/* After a failed handshake: why, as static text. */
const char *tls_failure(const SSL *ssl);
