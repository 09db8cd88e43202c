/* Two who change one user at the same time both have their way.
 *
 * Operations read a user, change something and save the whole row. Between reading and saving, an
 * administrator may have disabled the user, or another sign-in a preference. */
#pragma once

#include "identity/users/user.h"

/* In the transaction that saves: what is as it was read becomes what it is now; what was changed stays
 * changed. UserNotFoundException: the user is gone. */
gh_err user_merge(struct call *call, struct tx *tx, struct user *user);
