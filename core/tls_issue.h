/* A certificate to show to others, made here: RSA-2048, signed by itself. */
#pragma once

#include <openssl/types.h>

#include "core/arena.h"
#include "core/str.h"

enum tls_issue_use {
    TLS_ISSUE_CLIENT, /* shown in a TLS handshake */
    TLS_ISSUE_SIGNER, /* signs documents */
};

/* PEM, both, in the arena; the caller wipes the key. Blocks for some 100 ms. False: no randomness or memory. */
bool tls_issue(struct arena *arena, enum tls_issue_use use, const char *common_name, int64_t now_s, int64_t valid_s,
               struct str *certificate_pem, struct str *key_pem);

/* An extension as openssl's configuration files write it ("critical,CA:FALSE"), of a certificate that signs
 * itself. False: the value makes no sense, or there is no memory. */
bool tls_add_extension(X509 *certificate, int nid, const char *value);
