/* Certificates as people upload them: PEM, checked before it is kept. */
#pragma once

#include "core/arena.h"
#include "core/str.h"

struct pem_certificate {
    struct str digest; /* SHA-256 of the DER, in hex */
    int64_t starts_s, expires_s;
};
/* Exactly one certificate, and no key or the like beside it. */
bool pem_certificate_read(struct arena *arena, struct str text, struct pem_certificate *out);

enum pem_verdict {
    PEM_OK,
    PEM_NO_CERTIFICATE,
    PEM_NO_KEY,   /* none, or one that asks for a password */
    PEM_MISMATCH, /* the key of another certificate */
    PEM_NO_CHAIN, /* *index: which one of the chain has not signed the one before it */
};
/* chain: absent when there is none. */
enum pem_verdict pem_server_check(struct arena *arena, struct str body, struct str key, struct str chain,
                                  struct pem_certificate *out, int *index);
