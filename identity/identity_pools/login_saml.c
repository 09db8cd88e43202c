/* SAML logins: refused until assertions can be verified here. */
#include "identity/identity_pools/login_check.h"

gh_err login_check_saml(const struct login_check *check, struct login *out)
{
    (void)out;
    return login_unsupported(check->call);
}
