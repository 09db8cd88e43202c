/* Outbound identity federation: may STS issue tokens for others (GetWebIdentityToken), and under which issuer? */
#pragma once

#include "wire/call.h"

/* The account's issuer, its own for ever: BASE_URL/outbound-UUID. *enabled false: then *issuer is absent. */
gh_err outbound_issuer(struct call *call, struct str account, struct str *issuer, bool *enabled);
/* Whose issuer is it? `id` is the last part of the URL: "outbound-UUID". *account absent: nobody's, or disabled. */
gh_err outbound_account(struct call *call, struct str id, struct str *account);
