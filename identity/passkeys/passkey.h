/* Passkeys of users: for which relying party, how they are kept, by what they are shown.
 *
 * Rows are in identity/store/passkey.h; their documents are objects of
 *     key         the public key, a JWK with "alg"
 *     name        FriendlyCredentialName
 *     party       the relying party's id
 *     attachment  "platform", "cross-platform", or missing
 *     transports  ["internal", ...]
 *     aaguid      of the authenticator's model, hex;  format: of its attestation
 *     verified, eligible, backedUp   flags at registration: the user was verified; may it be copied, was it
 */
#pragma once

#include "identity/pools/pool.h"
#include "identity/passkeys/webauthn.h"
#include "identity/store/passkey.h"

enum { PASSKEYS_OF_USER = 20 };

/* "This exception is thrown when the passkey feature isn't enabled for the user pool": WEB_AUTHN is none of
 * its AllowedFirstAuthFactors. */
gh_err passkey_check_enabled(struct call *call, const struct pool *pool);
/* Whom the pool's passkeys are for: its RelyingPartyId, else its own domain, else the name of this server.
 * WebAuthnConfigurationMissingException: none of these can be one. Fills in what webauthn.h asks, but for the
 * challenge. `wanted`: "required", "preferred" */
gh_err passkey_rule(struct call *call, const struct pool *pool, struct webauthn_rule *rule,
                    struct str *wanted);
/* Of SetUserPoolMfaConfig. InvalidParameterException. */
gh_err webauthn_check_settings(struct call *call, const struct idp_WebAuthnConfigurationType *settings);

/* A member of the JSON that browsers make of a credential ("response", "clientDataJSON"): base64url, decoded;
 * false: missing or no base64url. */
bool passkey_member(struct call *call, const json_t *object, const char *name, struct str *bytes);
/* Its id, the same in "id" and (if there) "rawId", of "type" "public-key". */
bool passkey_id(struct call *call, const json_t *credential, struct str *bytes);
/* Does the user have one? */
gh_err passkey_any(struct call *call, struct str pool, struct str sub, bool *any);
/* PublicKeyCredentialDescriptors of what a user has. */
json_t *passkey_descriptors(struct call *call, const struct passkey_row *rows, size_t n);
/* What a refused ceremony is called in a message. */
const char *webauthn_verdict_text(enum webauthn_verdict verdict);
