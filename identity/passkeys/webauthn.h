/* WebAuthn's two ceremonies, judged: bytes in, a verdict out. Knows no pool, no user, no clock.
 *
 * W3C Web Authentication Level 3, 7.1 and 7.2. Keys are those that Cognito offers: ES256 and RS256.
 * Attestation is asked for as "none" and trusted by nobody. A "packed" statement that comes all the same must
 * be rightly signed; those of the other formats of the standard are passed over, and formats of no standard
 * refused. */
#pragma once

#include <jansson.h>

#include "core/arena.h"
#include "core/str.h"

enum {
    WEBAUTHN_ES256 = -7, /* in COSE's register */
    WEBAUTHN_RS256 = -257,
    WEBAUTHN_ID_MOST = 1023,      /* bytes of a credential id */
    WEBAUTHN_OBJECT_MOST = 65536, /* of an attestation object, and of clientDataJSON */
};

enum webauthn_verdict {
    WEBAUTHN_OK,
    WEBAUTHN_MALFORMED,      /* not what the standard says, or not signed rightly in itself */
    WEBAUTHN_WRONG_CEREMONY, /* "type" is the other one */
    WEBAUTHN_WRONG_CHALLENGE,
    WEBAUTHN_WRONG_ORIGIN,
    WEBAUTHN_WRONG_PARTY,  /* made for another relying party */
    WEBAUTHN_NOT_PRESENT,  /* nobody touched it */
    WEBAUTHN_NOT_VERIFIED, /* it did not make sure who touched it, and had to */
    WEBAUTHN_UNSUPPORTED,  /* a key or an attestation that we do not take */
    WEBAUTHN_WRONG_SIGNATURE,
    WEBAUTHN_COUNTER, /* did not go on: there are two of this authenticator */
};

/* What a page's browser says of the ceremony. */
struct client_data {
    struct str type;      /* "webauthn.create", "webauthn.get" */
    struct str challenge; /* bytes */
    struct str origin;
    bool cross_origin;
};
bool client_data_read(struct arena *arena, struct str json, struct client_data *out);

struct webauthn_rule {
    struct str rp_id;
    struct str challenge; /* bytes: the one that was given out */
    struct str
        more_origins; /* accepted as they stand, apart by commas ("android:apk-key-hash:…"), or absent */
    bool verify_user;
};
/* https on the relying party's name or below it, any port; http on localhost alone. */
bool webauthn_origin_is_allowed(struct str origin, const struct webauthn_rule *rule);
/* Could it be a relying party's id? A host name, not an address. */
bool webauthn_is_rp_id(struct str text);

struct webauthn_key {
    struct str id;     /* bytes */
    const json_t *jwk; /* the public key, with "alg": "ES256" or "RS256" */
    uint32_t counter;
};
struct webauthn_new {
    struct webauthn_key key;
    struct str aaguid; /* 16 bytes: the authenticator's model; zeros: it does not say */
    struct str format; /* of the attestation */
    bool user_verified, backup_eligible, backed_up;
};
/* Views into the arena. */
enum webauthn_verdict webauthn_register(struct arena *arena, const struct webauthn_rule *rule,
                                        struct str client_data, struct str attestation_object,
                                        struct webauthn_new *out);

struct webauthn_seen {
    uint32_t counter;
    bool user_verified, backed_up;
};
enum webauthn_verdict webauthn_sign_in(struct arena *arena, const struct webauthn_rule *rule,
                                       const struct webauthn_key *key, struct str client_data,
                                       struct str authenticator_data, struct str signature,
                                       struct webauthn_seen *out);
