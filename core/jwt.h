/* Compact JWS: minting and strict verification. RS256 and nothing else.
 *
 * We decided against libjwt: it parses the key for every token (339 µs a verification, 1,006 a
 * signature, against 20 and 307 with keys parsed once), so all that would remain of it is the
 * JSON of the claims, and jansson does that. A small allow-list is also easier to trust than a
 * large library's options: what is not named here is refused.
 *
 * The signing input is what was received, never re-encoded. Nothing in a header is followed:
 * no jku, no x5u, no jwk; the kid only selects among keys the caller already has. */
#pragma once

#include <jansson.h>

#include "core/key.h"

/* Claims as JSON, already printed. Header exactly {"kid":…,"alg":"RS256"}, as Cognito's.
 * Absent when the key cannot sign. */
struct str jwt_mint(struct arena *arena, const struct key *key, struct str kid, struct str claims);

/* A token taken apart, not yet believed. Views into the token where they can be. */
struct jwt {
    struct str signing_input; /* header '.' payload, as received */
    struct str kid;           /* unescaped */
    enum key_alg alg;
    struct str payload;       /* decoded bytes */
    struct str signature;     /* decoded bytes */
};

/* False: not three base64url segments; header no JSON object, with duplicate names, an `alg` that
 * is not the name of one in core/key.h, no string `kid`, a `crit`, a `b64`, a `zip`, an `enc`, a `cty`, or a `typ` other
 * than JWT and at+jwt (RFC 8725: "Use Explicit Typing"; a logout token is no access token). */
bool jwt_read(struct arena *arena, struct str token, struct jwt *out);
/* The signature, then the claims: an object without duplicate names. NULL: *signed_ says whether
 * the signature was right. Owned by the arena. */
json_t *jwt_claims(struct arena *arena, const struct jwt *jwt, const struct key *key, bool *signed_);

/* The claims before anybody has looked at the signature: to find out whose keys to ask for. NULL: no
 * object, too deep, duplicate names. */
json_t *jwt_peek(struct arena *arena, const struct jwt *jwt);

/* exp and nbf and iat as RFC 7519 and AWS have them: integers; "exp … on or after which the JWT
 * MUST NOT be accepted"; "iat must be before the current time". */
enum jwt_time { JWT_LIVE, JWT_EXPIRED, JWT_BAD_TIME };
enum jwt_time jwt_check_time(const json_t *claims, int64_t now_s);

enum { JWT_MAX_BYTES = 16 * 1024, JWT_MAX_DEPTH = 32 };
