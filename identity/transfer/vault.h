/* A file that only a passphrase opens: a header line, then parts, each sealed for its place.
 *
 *   header   one line of JSON: what it is, argon2id's parameters and salt, a check of the key
 *   part     length (4 bytes, big-endian, of what follows), nonce (12), ciphertext, tag (16): AES-256-GCM, with
 *            SHA-256(header) || number of the part (8 bytes) || 1 if it is the last, else 0 as additional data
 * A part that was moved, left out, repeated or altered does not open, and a file without a last part is no whole one. */
#pragma once

#include "core/env.h"

enum { VAULT_PART_BYTES = 4 * 1024 * 1024, VAULT_PASSPHRASE_LEAST = 12 };

struct vault {
    uint8_t key[32];
    uint8_t header[32]; /* its hash */
};
/* A fresh header for the passphrase; about 150 ms and 64 MiB. False: no memory. */
bool vault_new(const struct env *env, struct arena *arena, struct str passphrase, struct vault *out, struct str *header);
/* False: *why, for whoever gave the passphrase. */
bool vault_open(struct arena *arena, struct str passphrase, struct str header, struct vault *out, struct str *why);

/* With its length in front. */
struct str vault_seal(const struct env *env, struct arena *arena, const struct vault *vault, uint64_t number, bool last,
                      struct str plain);
/* Without its length. */
bool vault_unseal(struct arena *arena, const struct vault *vault, uint64_t number, bool last, struct str part,
                  struct str *plain);
