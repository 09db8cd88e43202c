/* Signatures on XML: did one of these keys sign exactly this element?
 *
 * XML Signature lets a message say what is signed, how it is to be transformed, and by whom. Here the caller says: the
 * signature must be a child of the element, refer to the element by its ID and to nothing else, and take nothing away but
 * itself. KeyInfo is not looked at. Canonical forms are libxml2's (core/xml.h), the rest is OpenSSL. */
#pragma once

#include "core/xml.h"

#define XML_DSIG "http://www.w3.org/2000/09/xmldsig#"

struct xml_key; /* of a certificate: its dates and its issuer are not asked */

/* DER. NULL: no certificate, or no RSA or EC key. Lives as long as the arena. */
struct xml_key *xml_key_from_certificate(struct arena *arena, struct str der);

/* RSA PKCS#1 v1.5 of 2048 bits and more, or ECDSA, with SHA-256, SHA-384 or SHA-512; `legacy` also takes SHA-1 and
 * shorter keys. NULL: yes. Else why not, static text. */
const char *xml_signature_wrong(struct arena *arena, const struct xml *element, const struct xml *signature,
                                struct xml_key *const *keys, size_t n_keys, bool legacy);
