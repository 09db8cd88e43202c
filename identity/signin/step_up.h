/* How strongly somebody has signed in (acr, amr), and TARGET_ACR_VALUES: how strongly they should.
 *
 * "1 password only; 2 a single one-time password by SMS or email; 3 a passkey, or a password with an SMS or
 * email code; 4 a password with a TOTP." The target travels in the state: "step_up": {"level": 3}, and what
 * the access token had proven is "had": ["pwd"]. */
#pragma once

#include "identity/signin/choice.h"
#include "identity/signin/sign_in.h"

/* In USER_AUTH, once the user is known: reads TARGET_ACR_VALUES, ACCESS_TOKEN, MAX_AGE into the state.
 * *first: FIRST_BITs, narrowed to those that lead to the target. *go_on: no first factor is needed any more.
 */
gh_err step_up_begin(struct sign_in *s, unsigned *first, bool *go_on);
/* MFA_BITs of which the target needs one; 0: none. */
unsigned step_up_second_factors(const struct sign_in *s);
