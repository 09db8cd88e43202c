/* A code as AWS's encryption SDKs decrypt it: a message of format 1, algorithm suite 0x0378 (AES-256-GCM under a key
 * that HKDF-SHA384 derives, signed with ECDSA P-384), its data key encrypted under a key of KMS. */
#pragma once

#include "identity/pools/pool.h"

/* Base64, under the pool's LambdaConfig.KMSKeyID and the encryption context {"userpool-id": id}.
 * Errors: InvalidParameterException: the pool names no key; GH_INTERNAL. */
gh_err envelope_seal_code(struct call *call, const struct pool *pool, struct str code, struct str *out);
