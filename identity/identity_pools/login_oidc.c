/* OpenID Connect and SAML logins: refused until tokens of others can be verified here. */
#include "identity/identity_pools/login_check.h"

gh_err login_check_oidc(const struct login_check *check, struct login *out)
{
    (void)out;
    return login_unsupported(check->call);
}

gh_err login_check_public(const struct login_check *check, struct login *out)
{
    return login_check_oidc(check, out);
}

gh_err login_check_saml(const struct login_check *check, struct login *out)
{
    return login_check_oidc(check, out);
}
