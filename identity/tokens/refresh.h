/* Refresh tokens: what they are made of, what they stand for, what they are exchanged for.
 *
 * A token is five segments, as Cognito's have: a fixed head, 48 random bytes that the tokens of one sign-in share,
 * its generation (how often the token was exchanged before), and 64 bytes by which we know that we made it. Only a
 * keyed hash of the shared bytes is kept; from any of the tokens the next can be made again, so that a client that
 * lost an answer gets the same one once more. */
#pragma once

#include "identity/tokens/token.h"

/* The first token of a new sign-in; *mac: the key of its row. */
struct str refresh_token_new(struct call *call, struct str *mac);

/* One that came back. */
struct refresh {
    struct session_row row;
    struct str family;  /* the shared bytes; absent: a token from before generations */
    int64_t generation; /* of this token */
    struct session session;
    struct user user;
    const json_t *metadata; /* ClientMetadata for PreTokenGeneration, or NULL */
};
/* *found false: none of ours, or forgotten. Loads the row only. */
gh_err refresh_find(struct call *call, struct str token, struct refresh *out, bool *found);
/* device_key: what came along, or absent. Says nothing yet of exchanged tokens.
 * Errors: NotAuthorizedException ("Invalid Refresh Token", "... has been revoked", "... has expired", "User is
 * disabled."). */
gh_err refresh_load(struct call *call, const struct client *client, struct str token, struct str device_key,
                    struct refresh *out);
/* Fresh tokens, and where the client rotates the next refresh token.
 * Errors: RefreshTokenReuseException: it was exchanged longer ago than the client's grace; all its tokens are
 * revoked by that. */
gh_err refresh_use(struct call *call, const struct client *client, struct refresh *refresh, struct str ip,
                   struct idp_AuthenticationResultType **out);

/* {"ip", "agent"} of whoever calls; ip absent: the call's. */
struct str session_seen(struct call *call, struct str ip);
