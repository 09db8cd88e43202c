#define OPENSSL_SUPPRESS_DEPRECATED /* the block functions: see the header */
#include "core/digest.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

enum { BLOCK = 64 };

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct digest_stream), "room for OpenSSL's state");

void digest_sha256_parts(const struct str *parts, size_t n, uint8_t out[SHA256_BYTES])
{
    SHA256_CTX ctx;
    SHA256_Init(&ctx);
    for (size_t i = 0; i < n; i++)
        SHA256_Update(&ctx, parts[i].ptr, parts[i].len);
    SHA256_Final(out, &ctx);
}

void digest_sha256(struct str data, uint8_t out[SHA256_BYTES])
{
    digest_sha256_parts(&data, 1, out);
}

/* RFC 2104: H((K ^ opad) || H((K ^ ipad) || text)), a longer key hashed first. */
void digest_hmac_sha256_parts(struct str key, const struct str *parts, size_t n, uint8_t out[SHA256_BYTES])
{
    uint8_t block[BLOCK] = { 0 };
    if (key.len > BLOCK)
        digest_sha256(key, block);
    else if (key.len > 0)
        memcpy(block, key.ptr, key.len);

    SHA256_CTX ctx;
    for (int i = 0; i < BLOCK; i++)
        block[i] ^= 0x36;
    SHA256_Init(&ctx);
    SHA256_Update(&ctx, block, BLOCK);
    for (size_t i = 0; i < n; i++)
        SHA256_Update(&ctx, parts[i].ptr, parts[i].len);
    uint8_t inner[SHA256_BYTES];
    SHA256_Final(inner, &ctx);

    for (int i = 0; i < BLOCK; i++)
        block[i] ^= 0x36 ^ 0x5c;
    SHA256_Init(&ctx);
    SHA256_Update(&ctx, block, BLOCK);
    SHA256_Update(&ctx, inner, sizeof inner);
    SHA256_Final(out, &ctx);
    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(&ctx, sizeof ctx);
}

void digest_hmac_sha256(struct str key, struct str data, uint8_t out[SHA256_BYTES])
{
    digest_hmac_sha256_parts(key, &data, 1, out);
}

static SHA256_CTX *stream_ctx(struct digest_stream *stream)
{
    return (SHA256_CTX *)(void *)stream->state;
}

void digest_stream_start(struct digest_stream *stream)
{
    SHA256_Init(stream_ctx(stream));
}

void digest_stream_add(struct digest_stream *stream, struct str data)
{
    SHA256_Update(stream_ctx(stream), data.ptr, data.len);
}

void digest_stream_end(struct digest_stream *stream, uint8_t out[SHA256_BYTES])
{
    SHA256_Final(out, stream_ctx(stream));
}

bool digest_equal(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    uint64_t different = 0, x, y;
    size_t at = 0;
    for (; at + sizeof x <= a.len; at += sizeof x) { /* eight bytes at a time: CRYPTO_memcmp takes one */
        memcpy(&x, a.ptr + at, sizeof x);
        memcpy(&y, b.ptr + at, sizeof y);
        different |= x ^ y;
        __asm__("" : "+r"(different)); /* or the compiler might find a shorter way */
    }
    for (; at < a.len; at++)
        different |= (uint64_t)(unsigned char)(a.ptr[at] ^ b.ptr[at]);
    __asm__("" : "+r"(different));
    return different == 0;
}

void digest_wipe(void *ptr, size_t bytes)
{
    OPENSSL_cleanse(ptr, bytes);
}
