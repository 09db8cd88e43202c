/* What one user, or one nobody, may do in an hour: "LimitExceededException: Attempt limit exceeded, please try
 * after some time." Counted before anything is looked at, so that guesses that come at once are counted, too; kept
 * over a crash. The hour begins with the first attempt. */
#pragma once

#include "identity/pools/pool.h"

enum cap {
    CAP_FORGOT_PASSWORD,
    CAP_CONFIRM_FORGOT_PASSWORD,
    CAP_RESEND_CODE,
    CAP_CONFIRM_SIGN_UP,
    CAP_CHANGE_PASSWORD,
    CAP_GET_ATTRIBUTE_CODE,
    CAP_VERIFY_ATTRIBUTE,
};
/* sub absent: nobody of that name. */
gh_err cap_take(struct call *call, const struct pool *pool, struct str sub, struct str name, enum cap cap);
