/* One guess at a user's password, counted. */
#pragma once

#include "identity/store/login_profile.h"
#include "wire/call.h"

enum password_guess { PASSWORD_GUESS_RIGHT, PASSWORD_GUESS_WRONG, PASSWORD_GUESS_WAIT /* not judged */ };
/* *profile is read again. A right guess has failures 0 in it; who goes on with it saves that. */
gh_err login_password_guess(struct call *call, struct login_profile *profile, struct str password,
                            enum password_guess *out);
