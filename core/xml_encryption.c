#include "core/xml_encryption.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "core/digest.h"
#include "core/xml_signature.h"

#define XML_ENC11 "http://www.w3.org/2009/xmlenc11#"

enum { TAG_BYTES = 16, GCM_IV_BYTES = 12, CBC_IV_BYTES = 16 };

static const struct block {
    const char *uri, *cipher;
    size_t key_bytes;
    bool gcm;
} blocks[] = {
    { XML_ENC11 "aes256-gcm", "AES-256-GCM", 32, true }, { XML_ENC11 "aes192-gcm", "AES-192-GCM", 24, true },
    { XML_ENC11 "aes128-gcm", "AES-128-GCM", 16, true }, { XML_ENC "aes256-cbc", "AES-256-CBC", 32, false },
    { XML_ENC "aes192-cbc", "AES-192-CBC", 24, false },  { XML_ENC "aes128-cbc", "AES-128-CBC", 16, false },
};

static const struct {
    const char *uri, *name;
} digests[] = {
    { XML_DSIG "sha1", "SHA1" },     { XML_ENC "sha256", "SHA256" },
    { XML_ENC "sha512", "SHA512" },  { "http://www.w3.org/2001/04/xmldsig-more#sha384", "SHA384" },
    { XML_ENC11 "mgf1sha1", "SHA1" }, { XML_ENC11 "mgf1sha256", "SHA256" },
    { XML_ENC11 "mgf1sha384", "SHA384" }, { XML_ENC11 "mgf1sha512", "SHA512" },
};

static struct str cipher_value(struct arena *arena, const struct xml *of)
{
    const struct xml *value = xml_child(xml_child(of, XML_ENC, "CipherData"), XML_ENC, "CipherValue");
    struct str bytes;
    return value && xml_base64(arena, value->text, &bytes) ? bytes : STR_NONE;
}

static struct str algorithm(const struct xml *of)
{
    return xml_attr(xml_child(of, XML_ENC, "EncryptionMethod"), "Algorithm");
}

/* "The default mask generation function is MGF1 with SHA1", and so is the default digest. NULL: one that is not known. */
static const EVP_MD *digest_of(const struct xml *method)
{
    if (!method)
        return EVP_sha1();
    for (size_t i = 0; i < COUNT(digests); i++)
        if (str_is(xml_attr(method, "Algorithm"), digests[i].uri))
            return EVP_get_digestbyname(digests[i].name);
    return NULL;
}

static bool open_key(struct arena *arena, EVP_PKEY *pkey, const struct xml *encrypted, struct str sealed, struct str *key)
{
    const struct xml *method = xml_child(encrypted, XML_ENC, "EncryptionMethod");
    bool newer = str_is(algorithm(encrypted), XML_ENC11 "rsa-oaep");
    const EVP_MD *md = digest_of(xml_child(method, XML_DSIG, "DigestMethod"));
    const EVP_MD *mask = newer ? digest_of(xml_child(method, XML_ENC11, "MGF")) : EVP_sha1();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    size_t len = (size_t)EVP_PKEY_get_size(pkey);
    unsigned char *out = arena_alloc(arena, len, 1);
    bool good = md && mask && ctx && EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_decrypt_init(ctx) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mask) == 1 &&
                EVP_PKEY_decrypt(ctx, out, &len, (const unsigned char *)sealed.ptr, sealed.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    *key = (struct str){ (const char *)out, len };
    return good;
}

/* With whichever of our keys opens it. */
static bool find_key(struct arena *arena, const struct xml *encrypted, const struct str *keys, size_t n, struct str *key)
{
    struct str sealed = cipher_value(arena, encrypted), how = algorithm(encrypted);
    if (!sealed.len || (!str_is(how, XML_ENC "rsa-oaep-mgf1p") && !str_is(how, XML_ENC11 "rsa-oaep")))
        return false;
    for (size_t i = 0; i < n; i++) {
        BIO *bio = BIO_new_mem_buf(keys[i].ptr, (int)keys[i].len);
        EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
        bool good = pkey && open_key(arena, pkey, encrypted, sealed, key);
        EVP_PKEY_free(pkey);
        BIO_free(bio);
        if (good)
            return true;
    }
    return false;
}

/* XML Encryption's padding says in its last byte how long it is; the others may be anything. */
static bool unpad(unsigned char *bytes, size_t *len)
{
    size_t padding = *len ? bytes[*len - 1] : 0;
    if (padding == 0 || padding > CBC_IV_BYTES || padding > *len)
        return false;
    *len -= padding;
    return true;
}

static bool open_block(struct arena *arena, const struct block *block, struct str key, struct str sealed, struct str *plain)
{
    size_t iv = block->gcm ? GCM_IV_BYTES : CBC_IV_BYTES, tag = block->gcm ? TAG_BYTES : 0;
    if (key.len != block->key_bytes || sealed.len < iv + tag)
        return false;
    const unsigned char *bytes = (const unsigned char *)sealed.ptr;
    size_t len = sealed.len - iv - tag;
    unsigned char *out = arena_alloc(arena, len + CBC_IV_BYTES, 1);
    int first = 0, last = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool good = ctx && EVP_DecryptInit_ex(ctx, EVP_get_cipherbyname(block->cipher), NULL,
                                          (const unsigned char *)key.ptr, bytes) == 1 &&
                EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 && EVP_DecryptUpdate(ctx, out, &first, bytes + iv, (int)len) == 1 &&
                (!block->gcm || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES,
                                                    (void *)(uintptr_t)(bytes + iv + len)) == 1) &&
                EVP_DecryptFinal_ex(ctx, out + first, &last) == 1;
    EVP_CIPHER_CTX_free(ctx);
    size_t made = (size_t)first + (size_t)last;
    if (!good || (!block->gcm && !unpad(out, &made)))
        return false;
    *plain = (struct str){ (const char *)out, made };
    return true;
}

bool xml_decrypt(struct arena *arena, const struct xml *holder, const struct str *keys, size_t n_keys,
                 struct str *plain)
{
    const struct xml *data = xml_child(holder, XML_ENC, "EncryptedData"), *info = xml_child(data, XML_DSIG, "KeyInfo");
    const struct xml *sealed_key = xml_child(info, XML_ENC, "EncryptedKey");
    struct str key;
    if (!sealed_key)
        sealed_key = xml_child(holder, XML_ENC, "EncryptedKey");
    if (!data || xml_again(data) || !sealed_key || !find_key(arena, sealed_key, keys, n_keys, &key))
        return false;
    bool good = false;
    for (size_t i = 0; i < COUNT(blocks); i++)
        if (str_is(algorithm(data), blocks[i].uri))
            good = open_block(arena, &blocks[i], key, cipher_value(arena, data), plain);
    digest_wipe((void *)(uintptr_t)key.ptr, key.len);
    return good;
}
