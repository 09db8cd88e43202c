/* SAML 2.0: who does this response say that somebody is? For STS, identity pools and user pools.
 *
 * Only what a key of the provider's metadata signed is read. The element that is used is the element whose signature was
 * verified, found by the tree, never by an ID that could be there twice: one Response, one Assertion, each ID once, no
 * document type, no signature elsewhere. The message's own KeyInfo is never looked at. */
#pragma once

#include "identity/iam/providers/provider.h"
#include "wire/call.h"

struct saml_attribute {
    struct str name, friendly_name; /* friendly_name: or absent */
    const struct str *values;
    size_t n;
};

struct saml_identity {
    struct str issuer;
    struct str assertion_id;
    struct str name_id, name_id_format, name_qualifier; /* format and qualifier: as written, or absent */
    struct str session_index;      /* or absent */
    struct str audience, recipient; /* those that fitted */
    struct str in_response_to;     /* or absent: nobody asked for it */
    const struct saml_attribute *attributes; /* each name once, with all of its values */
    size_t n_attributes;
    int64_t issued_s, not_after_s; /* no more after that moment: the assertion */
    int64_t session_not_after_s;   /* SessionNotOnOrAfter; 0: none */
};

/* What a response must fit. */
struct saml_rules {
    const struct str *recipients; /* Destination and Recipient: one of these */
    size_t n_recipients;
    const struct str *audiences;
    size_t n_audiences;
    struct str in_response_to;    /* of the request that is answered; absent: none was sent, and none may be named */
    bool any_in_response_to;      /* STS: it does not know what was asked */
    const struct str *private_keys; /* PEM: what encrypted assertions are opened with */
    size_t n_private_keys;
    bool encryption_required;
    int64_t now_s;
    int64_t skew_s;               /* by which clocks may differ */
    bool legacy;                  /* SHA-1 and short keys: tests with old messages only */
};

/* `response` is XML, `metadata` that of the provider. False: *why, one of AWS's sentences where there is one.
 * *expired: only time is what is wrong. */
bool saml_read(struct arena *arena, struct str metadata, struct str response, const struct saml_rules *rules,
               struct saml_identity *out, struct str *why, bool *expired);

/* For STS: audience and recipient are https://signin.aws.amazon.com/saml and its regional forms, or BASE_URL/saml.
 * Errors: InvalidIdentityToken, ExpiredTokenException. The assertion is not yet spent. Job threads. */
gh_err saml_verify(struct call *call, const struct saml_provider *provider, struct str response_base64,
                   struct saml_identity *out);
/* Notes that it was used. Errors: InvalidIdentityToken when it was before. */
gh_err saml_spend(struct call *call, const struct saml_identity *identity);

/* NULL when it has none of that name. */
const struct saml_attribute *saml_attribute_find(const struct saml_identity *identity, const char *name);

/* Is it the metadata of one identity provider, with an entity id and a key that may sign? False: *why. */
bool saml_metadata_check(struct arena *arena, struct str text, struct str *why);
/* The entity id and, where it says so, when it is valid until (0: it does not). */
bool saml_metadata_read(struct arena *arena, struct str text, struct str *entity_id, int64_t *valid_until_s,
                        struct str *why);
