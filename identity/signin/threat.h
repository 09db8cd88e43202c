/* Threat protection of a sign-in: judged after its first factor, written down with its last commit. All of these do
 * nothing while AdvancedSecurityMode is OFF. */
#pragma once

#include "identity/signin/sign_in.h"

/* The gate: blocks, or wants a second factor ("mfa_required" or "mfa_if_configured" in the state).
 * NotAuthorizedException "Unable to login because of security reasons.", "Request not allowed due to security reasons."
 * (the address is blocked). */
gh_err threat_due(struct sign_in *s, const char **due);
/* The event of a wrong answer, in the transaction that counts it. */
void threat_wrong(struct sign_in *s, struct tx *tx, const char *challenge);
/* Of a sign-in that ends in tokens; after the commit, who is to hear of it does. */
void threat_passed(struct sign_in *s, struct tx *tx);
void threat_tell(struct sign_in *s);
