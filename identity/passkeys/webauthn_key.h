/* Keys of credentials and what they sign: for webauthn.c. */
#pragma once

#include "core/cbor_tree.h"
#include "identity/passkeys/webauthn.h"

/* A COSE key as a JWK. WEBAUTHN_UNSUPPORTED: of another algorithm; WEBAUTHN_MALFORMED: no key of its own one.
 */
enum webauthn_verdict webauthn_jwk(struct arena *arena, const cbor_item_t *cose, json_t **out);
/* What both ceremonies sign. */
struct str webauthn_signed_bytes(struct arena *arena, struct str authenticator_data, struct str client_data);
bool webauthn_is_signed(struct arena *arena, const json_t *jwk, struct str bytes, struct str signature);
/* attStmt of an attestation object. raw: its authData */
enum webauthn_verdict webauthn_check_statement(struct arena *arena, struct str format,
                                               const cbor_item_t *statement, const json_t *jwk,
                                               struct str raw, struct str client_data);
