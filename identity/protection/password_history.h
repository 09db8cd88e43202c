/* "Users can't set a password that matches any of n previous passwords, where n is the value of PasswordHistorySize."
 * The present one is the first of them; the hashes of the others are kept in user->more "passwords". */
#pragma once

#include "identity/pools/pool.h"
#include "identity/store/user.h"

/* PasswordHistoryPolicyViolationException. Costs a hash for each that is kept. */
gh_err password_history_check(struct call *call, const struct pool *pool, const struct user *user,
                              struct str password);
/* Before the present password is replaced. */
void password_history_keep(struct call *call, const struct pool *pool, struct user *user);
