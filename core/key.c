#include "core/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "core/base64.h"
#include "core/digest.h"
#include "core/json.h"

enum { MIN_BITS = 2048, MAX_BITS = 8192 };

struct key {
    EVP_PKEY *pkey;
    bool private;
    size_t modulus_bytes;
};

static struct key *key_of(EVP_PKEY *pkey, bool private);
static bool strong_enough(EVP_PKEY *pkey);
static struct str number(struct arena *arena, const struct key *key, const char *param);

/* OpenSSL asks after each candidate prime: 0 gives up. */
static int goes_on(EVP_PKEY_CTX *ctx)
{
    const atomic_bool *stop = EVP_PKEY_CTX_get_app_data(ctx);
    return !stop || !atomic_load(stop);
}

struct key *key_rsa_generate(const atomic_bool *stop)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (ctx && EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, KEY_RSA_BITS) == 1) {
        EVP_PKEY_CTX_set_app_data(ctx, (void *)(uintptr_t)stop);
        EVP_PKEY_CTX_set_cb(ctx, goes_on);
        if (EVP_PKEY_generate(ctx, &pkey) != 1)
            pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return key_of(pkey, true);
}

struct key *key_from_private_der(struct str der)
{
    const unsigned char *at = (const unsigned char *)der.ptr;
    return key_of(d2i_AutoPrivateKey(NULL, &at, (long)der.len), true);
}

struct key *key_from_modulus(struct str n, struct str e)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BIGNUM *bn_n =
        n.len <= MAX_BITS / 8 + 1 ? BN_bin2bn((const unsigned char *)n.ptr, (int)n.len, NULL) : NULL;
    BIGNUM *bn_e = e.len <= 8 ? BN_bin2bn((const unsigned char *)e.ptr, (int)e.len, NULL) : NULL;
    if (build && ctx && bn_n && bn_e && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn_n) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, bn_e) &&
        (params = OSSL_PARAM_BLD_to_param(build)) && EVP_PKEY_fromdata_init(ctx) == 1 &&
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    BN_free(bn_n);
    BN_free(bn_e);
    return key_of(pkey, false);
}

/* "The operation values are case-sensitive"; a key whose use or key_ops leaves verification out
 * is not ours to verify with (RFC 7517, 4.2 and 4.3). */
static bool may_verify(const json_t *jwk)
{
    const json_t *use = json_object_get(jwk, "use"), *alg = json_object_get(jwk, "alg");
    if ((use && !str_is(json_value_str(use), "sig")) || (alg && !str_is(json_value_str(alg), "RS256")))
        return false;
    const json_t *ops = json_object_get(jwk, "key_ops"), *op;
    if (!ops)
        return true;
    size_t i;
    json_array_foreach(ops, i, op)
        if (str_is(json_value_str(op), "verify"))
            return true;
    return false;
}

struct key *key_from_jwk(struct arena *arena, const json_t *jwk)
{
    struct str n, e;
    if (!str_is(json_str(jwk, "kty"), "RSA") || !may_verify(jwk) ||
        !base64url_decode(arena, json_str(jwk, "n"), &n) || !base64url_decode(arena, json_str(jwk, "e"), &e))
        return NULL;
    return key_from_modulus(n, e);
}

void key_free(struct key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey); /* clears the private numbers */
    free(key);
}

struct str key_private_der(struct arena *arena, const struct key *key)
{
    struct str der = STR_NONE;
    PKCS8_PRIV_KEY_INFO *info = key->private ? EVP_PKEY2PKCS8(key->pkey) : NULL;
    unsigned char *bytes = NULL;
    int len = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &bytes) : -1;
    if (len > 0) {
        der = str_copy(arena, digest_str(bytes, (size_t)len));
        OPENSSL_cleanse(bytes, (size_t)len);
    }
    OPENSSL_free(bytes);
    PKCS8_PRIV_KEY_INFO_free(info);
    return der;
}

struct str key_modulus(struct arena *arena, const struct key *key)
{
    return number(arena, key, OSSL_PKEY_PARAM_RSA_N);
}

struct str key_exponent(struct arena *arena, const struct key *key)
{
    return number(arena, key, OSSL_PKEY_PARAM_RSA_E);
}

/* "the JSON … with only the required members, in lexicographic order, no white space" — RFC 7638, 3 */
void key_thumbprint(struct arena *arena, const struct key *key, uint8_t out[32])
{
    digest_sha256_of(out, STR("{\"e\":\""), key_exponent(arena, key), STR("\",\"kty\":\"RSA\",\"n\":\""),
                     key_modulus(arena, key), STR("\"}"));
}

struct str key_sign_rs256(struct arena *arena, const struct key *key, struct str data)
{
    struct str signature = STR_NONE;
    size_t len = key->modulus_bytes;
    unsigned char *out = arena_alloc(arena, len, 1);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (ctx && key->private && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
        EVP_DigestSign(ctx, out, &len, (const unsigned char *)data.ptr, data.len) == 1)
        signature = digest_str(out, len);
    EVP_MD_CTX_free(ctx);
    return signature;
}

bool key_verify_rs256(const struct key *key, struct str data, struct str signature)
{
    if (signature.len != key->modulus_bytes)
        return false;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
              EVP_DigestVerify(ctx, (const unsigned char *)signature.ptr, signature.len,
                               (const unsigned char *)data.ptr, data.len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

static struct key *key_of(EVP_PKEY *pkey, bool private)
{
    struct key *key = pkey && strong_enough(pkey) ? malloc(sizeof *key) : NULL;
    if (!key) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    *key = (struct key){ pkey, private, (size_t)EVP_PKEY_get_size(pkey) };
    return key;
}

/* RFC 7518, 3.3: "A key of size 2048 bits or larger MUST be used". Exponent 1 signs nothing. */
static bool strong_enough(EVP_PKEY *pkey)
{
    BIGNUM *n = NULL, *e = NULL;
    bool ok = EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
              EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_num_bits(n) >= MIN_BITS &&
              BN_num_bits(n) <= MAX_BITS && BN_is_odd(n) && BN_is_odd(e) && BN_num_bits(e) >= 2;
    BN_free(n);
    BN_free(e);
    return ok;
}

static struct str number(struct arena *arena, const struct key *key, const char *param)
{
    BIGNUM *bn = NULL;
    if (EVP_PKEY_get_bn_param(key->pkey, param, &bn) != 1)
        return STR_NONE;
    uint8_t bytes[MAX_BITS / 8];
    int len = BN_bn2bin(bn, bytes);
    BN_free(bn);
    return base64url_encode(arena, digest_str(bytes, (size_t)len));
}
