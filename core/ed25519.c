#include "core/ed25519.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "core/base64.h"
#include "core/digest.h"

struct ed25519 {
    EVP_PKEY *pkey;
};

static struct ed25519 *own(EVP_PKEY *pkey)
{
    if (!pkey)
        return NULL;
    struct ed25519 *key = malloc(sizeof *key);
    if (!key)
        abort();
    key->pkey = pkey;
    return key;
}

struct ed25519 *ed25519_from_seed(const uint8_t seed[ED25519_SEED_BYTES])
{
    return own(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_BYTES));
}

struct ed25519 *ed25519_from_pem(struct str pem, struct str *rest)
{
    static const struct str end = STR_INIT("-----END PUBLIC KEY-----");
    ptrdiff_t at = str_find_str(pem, end);
    *rest = at < 0 ? STR("") : str_from(pem, (size_t)at + end.len);
    BIO *bio = at < 0 ? NULL : BIO_new_mem_buf(pem.ptr, (int)((size_t)at + end.len));
    EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    if (pkey && EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    return own(pkey);
}

void ed25519_free(struct ed25519 *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

struct str ed25519_pem(struct arena *arena, const struct ed25519 *key)
{
    struct str pem = STR_NONE;
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio && PEM_write_bio_PUBKEY(bio, key->pkey) == 1) {
        long len = BIO_get_mem_data(bio, &text);
        pem = str_copy(arena, (struct str){ text, (size_t)len });
    }
    BIO_free(bio);
    return pem;
}

struct str ed25519_id(struct arena *arena, const struct ed25519 *key)
{
    uint8_t bytes[32] = { 0 }, hash[SHA256_BYTES];
    size_t len = sizeof bytes;
    EVP_PKEY_get_raw_public_key(key->pkey, bytes, &len);
    digest_sha256(digest_str(bytes, sizeof bytes), hash);
    return hex_encode(arena, digest_str(hash, 8));
}

bool ed25519_sign(const struct ed25519 *key, struct str data, uint8_t signature[ED25519_SIGNATURE_BYTES])
{
    size_t len = ED25519_SIGNATURE_BYTES;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
              EVP_DigestSign(ctx, signature, &len, (const uint8_t *)data.ptr, data.len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok && len == ED25519_SIGNATURE_BYTES;
}

bool ed25519_verify(const struct ed25519 *key, struct str data, struct str signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && signature.len == ED25519_SIGNATURE_BYTES &&
              EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
              EVP_DigestVerify(ctx, (const uint8_t *)signature.ptr, signature.len, (const uint8_t *)data.ptr, data.len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}
