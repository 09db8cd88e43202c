/* WEB_AUTHN, a row of the engine's challenges. */
#pragma once

#include "identity/signin/sign_in.h"

gh_err passkey_start(struct sign_in *s);
gh_err passkey_answer(struct sign_in *s);
/* Was a passkey used in this sign-in by somebody whom the authenticator verified (PIN, finger)? Then it is
 * two factors in one: what one has, and what one knows or is. */
bool passkey_verified_user(const struct sign_in *s);
