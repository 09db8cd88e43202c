/* Passwords of IAM users, for a console: may somebody come in with one? */
#pragma once

#include "identity/iam/iam.h"
#include "identity/store/login_profile.h"

enum login_verdict {
    LOGIN_REFUSED,     /* no such user, no password, a wrong one, or too many of them: nothing tells which */
    LOGIN_OK,
    LOGIN_MUST_CHANGE, /* right, and to be replaced first: PasswordResetRequired, or older than the policy wants */
    LOGIN_EXPIRED,     /* right, and older than the policy wants, which has HardExpiry: only an administrator helps */
};
struct login {
    enum login_verdict verdict;
    struct str user_id, arn; /* unless refused */
    bool mfa;                /* the user has a device: mfa_device_check is still due */
};
/* Costs one argon2 in any case, and a commit or two. A guess counts before it is judged, so that many at once get no
 * further than one after the other: after five wrong ones the next are refused unseen for a second, two, four, …
 * A right one (LOGIN_OK) is the user's PasswordLastUsed. Errors: storage. Job threads. */
gh_err login_profile_check(struct call *call, struct str account, struct str user_name, struct str password,
                           struct login *out);
