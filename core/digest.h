/* SHA-256, HMAC and comparing secrets.
 *
 * OpenSSL 3's one-shot calls look the algorithm up by name each time (about 1 µs); the block
 * functions used here do not, and signatures and token checks hash on the hot path. */
#pragma once

#include "core/str.h"

enum { SHA256_BYTES = 32 };

void digest_sha256(struct str data, uint8_t out[SHA256_BYTES]);
/* The hash of the parts one after the other. */
void digest_sha256_parts(const struct str *parts, size_t n, uint8_t out[SHA256_BYTES]);
#define digest_sha256_of(out, ...)                                                                           \
    digest_sha256_parts((const struct str[]){ __VA_ARGS__ },                                                 \
                        sizeof((const struct str[]){ __VA_ARGS__ }) / sizeof(struct str), (out))

void digest_hmac_sha256(struct str key, struct str data, uint8_t out[SHA256_BYTES]);
void digest_hmac_sha256_parts(struct str key, const struct str *parts, size_t n, uint8_t out[SHA256_BYTES]);

/* A hash that grows, for bodies that stream. */
struct digest_stream {
    uint64_t state[16]; /* private */
};
void digest_stream_start(struct digest_stream *stream);
void digest_stream_add(struct digest_stream *stream, struct str data);
void digest_stream_end(struct digest_stream *stream, uint8_t out[SHA256_BYTES]);

/* Constant time in the contents (not the lengths): for secrets, MACs, signatures. */
bool digest_equal(struct str a, struct str b);
/* Overwrites memory that held a secret; never optimised away. */
void digest_wipe(void *ptr, size_t bytes);

static inline struct str digest_str(const uint8_t *bytes, size_t n)
{
    return (struct str){ (const char *)bytes, n };
}
