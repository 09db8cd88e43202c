#include "identity/iam/credentials/ssh_public_key.h"

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "core/base64.h"

enum { BITS_MIN = 2048, BITS_MAX = 16384, MD5_BYTES = 16 };

static const struct str TYPE = STR_INIT("ssh-rsa");

/* --- the blob --- */

static void add_field(struct strbuf *blob, struct str bytes)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        strbuf_char(blob, (char)(bytes.len >> shift & 0xff));
    strbuf_add(blob, bytes);
}

static bool take_field(struct str *rest, struct str *field)
{
    if (rest->len < 4)
        return false;
    const unsigned char *p = (const unsigned char *)rest->ptr;
    size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    if (n > rest->len - 4)
        return false;
    *field = str_sub(*rest, 4, n);
    *rest = str_from(*rest, 4 + n);
    return true;
}

/* A positive mpint, in its shortest form; the number without its leading zero. */
static bool take_number(struct str *rest, struct str *number)
{
    if (!take_field(rest, number) || !number->len || number->ptr[0] & 0x80)
        return false;
    if (number->ptr[0])
        return true;
    *number = str_from(*number, 1);
    return number->len && number->ptr[0] & 0x80;
}

static void add_number(struct strbuf *blob, struct arena *arena, const BIGNUM *number)
{
    size_t n = (size_t)BN_num_bytes(number);
    unsigned char *bytes = arena_zalloc(arena, n + 1);
    BN_bn2bin(number, bytes + 1);
    bool high = n && bytes[1] & 0x80;
    add_field(blob, (struct str){ (const char *)bytes + !high, n + high });
}

static bool is_strong(const BIGNUM *n, const BIGNUM *e)
{
    return BN_num_bits(n) >= BITS_MIN && BN_num_bits(n) <= BITS_MAX && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e) &&
           BN_num_bits(e) <= 64;
}

static bool blob_numbers(struct str blob, BIGNUM **n, BIGNUM **e)
{
    struct str type, number_e, number_n;
    if (!take_field(&blob, &type) || !str_eq(type, TYPE) || !take_number(&blob, &number_e) ||
        !take_number(&blob, &number_n) || blob.len)
        return false;
    *e = BN_bin2bn((const unsigned char *)number_e.ptr, (int)number_e.len, NULL);
    *n = BN_bin2bn((const unsigned char *)number_n.ptr, (int)number_n.len, NULL);
    return *e && *n;
}

/* --- reading --- */

static enum ssh_key_verdict read_ssh(struct arena *arena, struct str text, struct str *blob)
{
    struct str rest = text, type, encoded;
    BIGNUM *n = NULL, *e = NULL;
    if (!str_split(&rest, ' ', &type) || !rest.ptr || !str_split(&rest, ' ', &encoded))
        return SSH_KEY_UNRECOGNIZED;
    if (!str_starts(type, STR("ssh-")) && !str_starts(type, STR("ecdsa-")))
        return SSH_KEY_UNRECOGNIZED;
    bool good = str_eq(type, TYPE) && base64_decode(arena, encoded, blob) && blob_numbers(*blob, &n, &e) &&
                is_strong(n, e);
    BN_free(n);
    BN_free(e);
    return good ? SSH_KEY_OK : SSH_KEY_INVALID;
}

static EVP_PKEY *decode_pem(struct str text)
{
    EVP_PKEY *key = NULL;
    const unsigned char *at = (const unsigned char *)text.ptr;
    size_t left = text.len;
    OSSL_DECODER_CTX *decoder =
        OSSL_DECODER_CTX_new_for_pkey(&key, "PEM", NULL, "RSA", EVP_PKEY_PUBLIC_KEY, NULL, NULL);
    if (decoder && OSSL_DECODER_from_data(decoder, &at, &left) != 1) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    OSSL_DECODER_CTX_free(decoder);
    return key;
}

static enum ssh_key_verdict read_pem(struct arena *arena, struct str text, struct str *blob)
{
    BIGNUM *n = NULL, *e = NULL;
    bool named = str_starts(text, STR("-----BEGIN PUBLIC KEY-----")) ||
                 str_starts(text, STR("-----BEGIN RSA PUBLIC KEY-----"));
    EVP_PKEY *key = named ? decode_pem(text) : NULL;
    bool good = key && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
                EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && is_strong(n, e);
    if (good) {
        struct strbuf bytes = strbuf_in(arena, 1024);
        add_field(&bytes, TYPE);
        add_number(&bytes, arena, e);
        add_number(&bytes, arena, n);
        *blob = strbuf_view(&bytes);
    }
    BN_free(n);
    BN_free(e);
    EVP_PKEY_free(key);
    return good ? SSH_KEY_OK : SSH_KEY_INVALID;
}

static struct str fingerprint(struct arena *arena, struct str blob)
{
    unsigned char md5[MD5_BYTES];
    if (EVP_Digest(blob.ptr, blob.len, md5, NULL, EVP_md5(), NULL) != 1)
        return STR("");
    struct str hex = hex_encode(arena, (struct str){ (const char *)md5, sizeof md5 });
    struct strbuf text = strbuf_in(arena, 3 * MD5_BYTES);
    for (size_t i = 0; i < hex.len; i += 2) {
        if (i)
            strbuf_char(&text, ':');
        strbuf_add(&text, str_sub(hex, i, 2));
    }
    return strbuf_view(&text);
}

enum ssh_key_verdict ssh_public_key_read(struct arena *arena, struct str text, struct ssh_public_key *out)
{
    struct str trimmed = str_trim(text);
    *out = (struct ssh_public_key){ .pem = str_starts(trimmed, STR("-----BEGIN ")) };
    enum ssh_key_verdict verdict =
        out->pem ? read_pem(arena, trimmed, &out->blob) : read_ssh(arena, trimmed, &out->blob);
    if (verdict == SSH_KEY_OK)
        out->fingerprint = fingerprint(arena, out->blob);
    return verdict;
}

/* --- writing --- */

struct str ssh_public_key_as_ssh(struct arena *arena, const struct ssh_public_key *key)
{
    return str_concat(arena, STR("ssh-rsa "), base64_encode(arena, key->blob));
}

static EVP_PKEY *key_of(const BIGNUM *n, const BIGNUM *e)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    if (builder && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
        params = OSSL_PARAM_BLD_to_param(builder);
    if (!ctx || !params || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

struct str ssh_public_key_as_pem(struct arena *arena, const struct ssh_public_key *key)
{
    BIGNUM *n = NULL, *e = NULL;
    char *bytes;
    struct str pem = STR_NONE;
    EVP_PKEY *pkey = blob_numbers(key->blob, &n, &e) ? key_of(n, e) : NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio && pkey && PEM_write_bio_PUBKEY(bio, pkey) == 1) {
        long len = BIO_get_mem_data(bio, &bytes);
        pem = str_copy(arena, (struct str){ bytes, (size_t)len });
    }
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    BN_free(n);
    BN_free(e);
    return pem;
}
