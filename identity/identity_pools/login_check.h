/* How each kind of provider's logins are verified: a file a kind, a row of a table in login.c. */
#pragma once

#include "identity/identity_pools/login.h"

struct login_check {
    struct call *call;
    const struct identity_pool *pool;
    struct str name;  /* as given */
    struct str token;
    struct provider provider;
};
/* out->provider is filled in; the rest is theirs to say. */
gh_err login_check_user_pool(const struct login_check *check, struct login *out);
gh_err login_check_oidc(const struct login_check *check, struct login *out);
gh_err login_check_public(const struct login_check *check, struct login *out);
gh_err login_check_saml(const struct login_check *check, struct login *out);

/* "Invalid login token. WHY", a NotAuthorizedException. */
gh_err login_invalid(struct call *call, const char *why, ...) __attribute__((format(printf, 2, 3)));
gh_err login_unsupported(struct call *call);
/* Takes a token apart that nobody has verified. False: *err says what it is instead. */
bool login_peek(const struct login_check *check, const json_t **claims, gh_err *err);
gh_err login_expired(struct call *call, const json_t *claims);
