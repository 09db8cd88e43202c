/* Keys of tokens: RSA keys of our own that sign, others' RSA and EC keys that verify; parsed once.
 *
 * A key is immutable: any thread may use it. OpenSSL keeps the CRT form and a blinding per key,
 * so a signature costs its primitive (about 300 µs) and a verification 20 µs; parsing a key for
 * every token costs more than the token (libjwt with a PEM: 339 µs per verification). */
#pragma once

#include <jansson.h>
#include <stdatomic.h>

#include "core/arena.h"
#include "core/str.h"

struct key;

enum { KEY_RSA_BITS = 2048, KEY_SIGNATURE_MAX_BYTES = 1024 };

/* What signatures we verify (RFC 7518): RSASSA-PKCS1-v1_5, and ECDSA on P-256, P-384, P-521. */
enum key_alg { KEY_RS256, KEY_RS384, KEY_RS512, KEY_ES256, KEY_ES384, KEY_ES512 };
bool key_alg_of(struct str name, enum key_alg *out); /* "RS256"; the case matters */
const char *key_alg_name(enum key_alg alg);

/* About 100 ms: never on a path that somebody waits for. Gives up (NULL) soon after *stop, which may
 * be NULL, becomes true. */
struct key *key_rsa_generate(const atomic_bool *stop);
/* ES256, ES384 or ES512; NULL for any other. */
struct key *key_ec_generate(enum key_alg alg);
/* PKCS#8 or SEC 1 DER of a key for that algorithm. NULL: it is none. */
struct key *key_ec_from_private_der(struct str der, enum key_alg alg);
/* PKCS#8 or PKCS#1 DER; NULL when it is no RSA key or too weak (see key_from_modulus). */
struct key *key_from_private_der(struct str der);
/* Big-endian numbers. NULL when the modulus is even, shorter than 2048 or longer than 8192 bits,
 * or the exponent even or 1. */
struct key *key_from_modulus(struct str n, struct str e);
/* A public key that may verify signatures: kty RSA or EC; use, alg and key_ops, where present, must
 * allow it ("sig", one of enum key_alg, "verify"); with alg it verifies nothing else. Other members are
 * ignored. NULL when it may not, or is too weak (EC: not one of the three curves, or off its curve). */
struct key *key_from_jwk(struct arena *arena, const json_t *jwk);
void key_free(struct key *key);

/* PKCS#8 DER, for sealing only: the caller wipes it. Absent for a public key. */
struct str key_private_der(struct arena *arena, const struct key *key);
/* Modulus and exponent as base64url without leading zeros, as a JWK has them. */
struct str key_modulus(struct arena *arena, const struct key *key);
struct str key_exponent(struct arena *arena, const struct key *key);
/* RFC 7638, 32 bytes. */
void key_thumbprint(struct arena *arena, const struct key *key, uint8_t out[32]);

/* RSASSA-PKCS1-v1_5 with SHA-256. The signature lives in the arena; absent on failure. */
struct str key_sign_rs256(struct arena *arena, const struct key *key, struct str data);
/* By any of the algorithms, as tokens have signatures (r and s side by side). Absent when the key does not fit or is
 * public. */
struct str key_sign(struct arena *arena, const struct key *key, enum key_alg alg, struct str data);
/* The public key as a JWK with kid, alg and "use": "sig". */
json_t *key_public_jwk(struct arena *arena, const struct key *key, struct str kid, enum key_alg alg);
/* Is this a key for such signatures? */
bool key_fits(const struct key *key, enum key_alg alg);
/* False for a key that does not fit. Only a signature exactly as long as the modulus, or as two numbers
 * of the curve (r and s, not DER), can be right. */
bool key_verify(const struct key *key, enum key_alg alg, struct str data, struct str signature);
bool key_verify_rs256(const struct key *key, struct str data, struct str signature);
/* The same where ECDSA signatures are DER, as X.509 and WebAuthn have them. */
bool key_verify_der(const struct key *key, enum key_alg alg, struct str data, struct str signature);
