/* Challenges of registrations. Nothing is kept of one: it says itself when it was given out and at which
 * client, and that it was us, to this user. When it has been answered it is spent. */
#pragma once

#include "identity/tokens/token.h"

struct str passkey_challenge_new(struct call *call, const struct access *access); /* bytes */
/* Errors: WebAuthnChallengeNotFoundException ("... has expired"), WebAuthnClientMismatchException ("the
 * access token is for a different client than the one in the original StartWebAuthnRegistration request").
 * *until_s: when it may be forgotten. */
gh_err passkey_challenge_check(struct call *call, const struct access *access, struct str given,
                               int64_t *until_s);
/* WebAuthnChallengeNotFoundException: it was used before. */
gh_err passkey_challenge_spend(struct call *call, struct tx *tx, struct str challenge, int64_t until_s);
