/* SRP-6a as Cognito's clients speak it (amazon-cognito-identity-js, Amplify), server side.
 *
 * Group of RFC 3526's 3072 bits with g = 2, SHA-256. Where it is not RFC 5054:
 *   - every number is hashed as the shortest bytes of a positive two's complement integer, that is
 *     with a leading 00 when the top bit is set, never padded to the group's width;
 *   - x = H(salt || H(poolName || user || ":" || password)), poolName being the pool id after '_';
 *   - the key is HKDF(salt u, input S, info "Caldera Derived Key"), its first 16 bytes;
 *   - proof of the password is HMAC(key, poolName || user || secret block || timestamp).
 *
 * A sign-in costs three exponentiations of 256-bit exponents here: g^b, by precomputed powers of g a quarter of
 * the others, v^u and (A v^u)^b. */
#pragma once

#include "core/env.h"

enum { SRP_SALT_BYTES = 16, SRP_EXPONENT_BYTES = 32, SRP_KEY_BYTES = 16, SRP_CLAIM_BYTES = 32 };

/* Numbers travel as big-endian bytes without leading zeros. */

/* v = g^x mod N. Lives in the arena. */
struct str srp_verifier(struct arena *arena, struct str salt, struct str pool_name, struct str user,
                        struct str password);
/* B = k v + g^b mod N. */
struct str srp_public(struct arena *arena, struct str v, const uint8_t b[SRP_EXPONENT_BYTES]);
/* The shared key. False when A mod N is 0 (a client that would know S), or A is longer than N. */
bool srp_key(struct arena *arena, struct str A, struct str B, struct str v,
             const uint8_t b[SRP_EXPONENT_BYTES], uint8_t key[SRP_KEY_BYTES]);
void srp_claim(const uint8_t key[SRP_KEY_BYTES], struct str pool_name, struct str user,
               struct str secret_block, struct str timestamp, uint8_t claim[SRP_CLAIM_BYTES]);

/* A number as the hex that clients expect in SRP_B and SALT, and the other way round (SRP_A):
 * any case, odd length allowed as JavaScript's toString(16) makes it. False: no hex or too long. */
struct str srp_hex(struct arena *arena, struct str number);
bool srp_number(struct arena *arena, struct str hex, struct str *number);

/* "EEE MMM d HH:mm:ss UTC yyyy", English, day without a leading zero; the weekday must be the
 * date's. Anything else is refused: it is what AWS checks, measured. */
bool srp_timestamp_is_canonical(struct str text);
