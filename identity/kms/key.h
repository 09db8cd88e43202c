/* Keys that encrypt data keys: what custom senders' codes need of KMS, and no more.
 *
 * A key is not kept anywhere: what it has encrypted is sealed (core/seal.h) for the place that the key's ARN and the
 * encryption context name, so it opens under the same ARN and context on this server only. Every key of an account is
 * there as soon as somebody names it; who may use it is IAM's to say. */
#pragma once

#include "wire/call.h"

struct kms_pair {
    struct str key, value;
};
struct kms_context {
    struct kms_pair *items; /* any order */
    size_t n;
};

/* The ciphertext of a data key, bytes in the arena. */
struct str kms_wrap(struct call *call, struct str key_arn, const struct kms_context *context, struct str plain);
/* The key that a ciphertext names; false: it is none of ours. */
bool kms_wrapped_by(struct str ciphertext, struct str *key_arn);
/* False: damaged, of another key, another context, another server. */
bool kms_unwrap(struct call *call, const struct kms_context *context, struct str ciphertext, struct str *plain);
