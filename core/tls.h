/* TLS towards upstreams, by OpenSSL: TLS 1.2 or newer, the certificate's name verified. */
#pragma once

#include <openssl/ssl.h>

#include "core/str.h"

/* NULL: the CA file cannot be read. `verify` false takes any certificate (insecureSkipVerification). */
SSL_CTX *tls_client_context(const char *ca_file, bool verify);
/* A session on a connected socket; `host` is a name (sent as SNI) or an address. NULL: no memory. */
SSL *tls_client_session(SSL_CTX *context, int fd, const char *host);
