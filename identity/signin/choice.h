/* First factors of choice-based sign-in: which ones a pool allows and a user has. */
#pragma once

#include "identity/users/user.h"

enum first_factor {
    FIRST_PASSWORD,
    FIRST_WEB_AUTHN,
    FIRST_EMAIL_OTP,
    FIRST_SMS_OTP,
    FIRST_FACTORS,
};
#define FIRST_BIT(factor) (1u << (factor))

bool pool_allows_first(const struct pool *pool, enum first_factor factor);
/* Does the pool let people in without a password? */
bool pool_is_passwordless(const struct pool *pool);
/* FIRST_BITs that the pool allows and the user can use now. */
gh_err first_factors_of(struct call *call, const struct pool *pool, const struct user *user, unsigned *out);
