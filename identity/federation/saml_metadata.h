/* What a SAML provider's metadata says that matters to us. */
#pragma once

#include "core/xml_signature.h"

#define SAML_METADATA "urn:oasis:names:tc:SAML:2.0:metadata"

struct saml_metadata {
    struct str entity_id;
    struct xml_key *const *keys; /* of its IDPSSODescriptor, for signing */
    size_t n_keys;
    int64_t valid_until_s; /* 0: it does not say */
};

/* False: *why. Lives in the arena. */
bool saml_metadata_parse(struct arena *arena, struct str text, struct saml_metadata *out, struct str *why);
/* xs:dateTime; 0: it is none. */
int64_t saml_time_s(struct str text);
