/* XML Encryption: an element that only the holder of a private key can read.
 *
 * RSA-OAEP and AES (GCM, CBC). PKCS#1 v1.5 is not taken: what it says about a key under attack is too much. Every failure is the
 * same; with CBC the caller must not tell a plaintext that is no XML from one whose signature is wrong, either. */
#pragma once

#include "core/xml.h"

#define XML_ENC "http://www.w3.org/2001/04/xmlenc#"

/* `holder` has one EncryptedData child, its key in that, or beside it. keys: RSA private keys in PEM. False: not for us,
 * damaged, or an algorithm that is not taken. */
bool xml_decrypt(struct arena *arena, const struct xml *holder, const struct str *keys, size_t n_keys,
                 struct str *plain);
