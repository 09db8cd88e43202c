/* Password hashes that other servers made: read, bounded, compared.
 *
 * One text holds all that verifying needs, so that it stands in a user's `password` column like our own:
 *   $2a$ $2b$ $2y$                      bcrypt (Auth0 and most others)
 *   $argon2id$ $argon2i$ $argon2d$      with any parameters; argon2$argon2id$… as Django writes it
 *   $pbkdf2-sha1|sha256|sha512$…        i=600000$salt$hash or 600000$salt$hash (Keycloak's, see below)
 *   pbkdf2_sha1|sha256|sha512$N$salt$   Django: the salt is text
 *   $scrypt$ln=16,r=8,p=1$salt$hash
 *   $firebase-scrypt$ln=14,r=8,p=1$…    made by foreign_hash_firebase
 *   $5$ $6$                             SHA crypt
 *   {SSHA} {SSHA256} {SSHA512}          LDAP's: base64(digest || salt)
 *
 * What a hash may cost is bounded when it is read: a stranger's sign-in must not take a minute or a gigabyte. The
 * first right password replaces it by ours (identity/users/password_policy.c: user_renew_password). */
#pragma once

#include <jansson.h>

#include "core/arena.h"
#include "core/str.h"

/* Whether the text is one of these and within the bounds. False: *why, for the person who imports. */
bool foreign_hash_valid(struct arena *arena, struct str text, struct str *why);
/* Up to about 2 s of CPU and 256 MiB: job threads only. False for anything that is not valid. */
bool foreign_hash_verify(struct arena *arena, struct str password, struct str stored);

/* Keycloak's credential of type password: secretData and credentialData, both JSON or JSON in a string, or the
 * members that releases before 8 had. False: *why. The text lives in the arena. */
bool foreign_hash_keycloak(struct arena *arena, const json_t *credential, struct str *text, struct str *why);

/* Firebase: the project's parameters, then the user's, each decoded. The hash is the signer key encrypted under what
 * scrypt gives; kept is the key stream alone, so that the project's signer key is nowhere stored. */
struct firebase_parameters {
    struct str signer_key, salt_separator;
    int64_t rounds, mem_cost; /* scrypt's r and log2 of N */
};
bool foreign_hash_firebase(struct arena *arena, const struct firebase_parameters *project, struct str salt,
                           struct str hash, struct str *text, struct str *why);
