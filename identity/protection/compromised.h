/* Passwords that others have lost: looked up in the operator's list (`--compromised-passwords`; core/hash_list.h).
 *
 * "Amazon Cognito can check for compromised credentials during sign-in, sign-up, and password changes." What happens then
 * is the CompromisedCredentialsRiskConfiguration of the client or pool, when threat protection is ENFORCED. SRP never
 * shows a password, so it is not checked there. Beyond AWS: the pool's option refuseCompromisedPasswords checks new
 * passwords without any of that. */
#pragma once

#include "identity/store/user.h"
#include "identity/pools/client.h"

enum credentials_event { CREDENTIALS_SIGN_UP, CREDENTIALS_PASSWORD_CHANGE, CREDENTIALS_SIGN_IN };

/* *detected: it is known, whatever is done about it. client_id may be absent.
 * Error: InvalidPasswordException, "Provided password cannot be used for security reasons." (of a sign-in: none; *block). */
gh_err compromised_check(struct call *call, const struct pool *pool, struct str client_id,
                         enum credentials_event event, struct str password, bool *detected, bool *block);
/* For new passwords. */
gh_err compromised_refuse(struct call *call, const struct pool *pool, struct str client_id,
                          enum credentials_event event, struct str password);
