/* SSH public keys as text: RSA, "in ssh-rsa format or PEM format", at least 2048 bits. */
#pragma once

#include "core/arena.h"
#include "core/str.h"

struct ssh_public_key {
    struct str blob;        /* RFC 4253's: "ssh-rsa", e, n */
    struct str fingerprint; /* MD5 of the blob, "aa:bb:…" */
    bool pem;               /* how it came */
};
enum ssh_key_verdict {
    SSH_KEY_OK,
    SSH_KEY_UNRECOGNIZED, /* neither of the two formats */
    SSH_KEY_INVALID,      /* one of them, but no RSA key, or a weak one */
};
enum ssh_key_verdict ssh_public_key_read(struct arena *arena, struct str text, struct ssh_public_key *out);
struct str ssh_public_key_as_ssh(struct arena *arena, const struct ssh_public_key *key); /* "ssh-rsa AAAA…" */
struct str ssh_public_key_as_pem(struct arena *arena, const struct ssh_public_key *key); /* "BEGIN PUBLIC KEY" */
