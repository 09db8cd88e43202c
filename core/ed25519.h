/* Ed25519 (RFC 8032): a key of our own that signs what we have written, and its public half that anybody may check it with.
 * A key is immutable: any thread may use it. */
#pragma once

#include "core/env.h"

enum { ED25519_SEED_BYTES = 32, ED25519_SIGNATURE_BYTES = 64 };

struct ed25519;

struct ed25519 *ed25519_from_seed(const uint8_t seed[ED25519_SEED_BYTES]); /* the private key, as RFC 8032 has it */
/* The first public key of a PEM text ("-----BEGIN PUBLIC KEY-----"); *rest is what follows it. NULL: there is none. */
struct ed25519 *ed25519_from_pem(struct str pem, struct str *rest);
void ed25519_free(struct ed25519 *key);

struct str ed25519_pem(struct arena *arena, const struct ed25519 *key); /* of the public half */
/* The first 16 hex digits of the SHA-256 over the 32 public bytes: enough to tell keys apart. */
struct str ed25519_id(struct arena *arena, const struct ed25519 *key);
bool ed25519_sign(const struct ed25519 *key, struct str data, uint8_t signature[ED25519_SIGNATURE_BYTES]);
bool ed25519_verify(const struct ed25519 *key, struct str data, struct str signature);
