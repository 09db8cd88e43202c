/* Secrets at rest: AES-256-GCM under a key kept in a file apart from the database.
 *
 * A sealed value is text, "v1." and base64url(nonce || ciphertext || tag). The additional data
 * names its place ("pool/us-east-1_x/key"), so that a value moved to another row does not open. */
#pragma once

#include "core/env.h"

struct sealer; /* holds the key; any thread may use it */

/* Reads the 32-byte key file (hex), or makes one with mode 0600 when `create`. NULL: *why. */
struct sealer *sealer_open(const char *path, bool create, const struct env *env, struct arena *arena,
                           struct str *why);
void sealer_free(struct sealer *sealer);
struct str seal(const struct sealer *sealer, struct arena *arena, struct str place, struct str plain);
/* False: damaged, moved or of another key. `plain` lives in the arena. */
bool unseal(const struct sealer *sealer, struct arena *arena, struct str place, struct str sealed,
            struct str *plain);
/* HMAC-SHA-256 under a key derived for `purpose`: lookup hashes of codes and refresh tokens, page tokens. */
void sealer_mac(const struct sealer *sealer, struct str purpose, struct str data, uint8_t out[32]);
