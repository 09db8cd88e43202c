#include "core/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
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
    bool only;                /* its JWK names an alg: */
    enum key_alg alg;
    const struct curve *curve; /* NULL: RSA */
    size_t signature_bytes;   /* the modulus; or r and s */
};

static const struct curve {
    const char *name, *group;
    size_t bytes;
    enum key_alg alg;
} curves[] = {
    { "P-256", "prime256v1", 32, KEY_ES256 },
    { "P-384", "secp384r1", 48, KEY_ES384 },
    { "P-521", "secp521r1", 66, KEY_ES512 },
};

static const struct {
    const char *name, *digest;
    bool ec;
} algs[] = {
    [KEY_RS256] = { "RS256", "SHA256" },       [KEY_RS384] = { "RS384", "SHA384" },
    [KEY_RS512] = { "RS512", "SHA512" },       [KEY_ES256] = { "ES256", "SHA256", true },
    [KEY_ES384] = { "ES384", "SHA384", true }, [KEY_ES512] = { "ES512", "SHA512", true },
};

bool key_alg_of(struct str name, enum key_alg *out)
{
    for (size_t i = 0; i < COUNT(algs); i++)
        if (str_is(name, algs[i].name)) {
            *out = (enum key_alg)i;
            return true;
        }
    return false;
}

const char *key_alg_name(enum key_alg alg)
{
    return algs[alg].name;
}

static struct key *key_of(EVP_PKEY *pkey, bool private);
static struct key *key_from_point(const struct curve *curve, struct str x, struct str y);
static bool strong_enough(EVP_PKEY *pkey);
static bool ecdsa_der(const struct key *key, struct str signature, unsigned char **der, int *len);
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

static const struct curve *curve_of(enum key_alg alg)
{
    for (size_t i = 0; i < COUNT(curves); i++)
        if (curves[i].alg == alg)
            return &curves[i];
    return NULL;
}

/* Takes the pkey. NULL: it is on another curve, or none. */
static struct key *ec_key_of(EVP_PKEY *pkey, const struct curve *curve)
{
    char group[64] = "";
    bool fits = pkey && curve && EVP_PKEY_is_a(pkey, "EC") &&
                EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 && strcmp(group, curve->group) == 0;
    struct key *key = fits ? malloc(sizeof *key) : NULL;
    if (key)
        *key = (struct key){ .pkey = pkey, .private = true, .curve = curve, .signature_bytes = 2 * curve->bytes };
    else
        EVP_PKEY_free(pkey);
    return key;
}

struct key *key_ec_generate(enum key_alg alg)
{
    const struct curve *curve = curve_of(alg);
    return curve ? ec_key_of(EVP_EC_gen(curve->group), curve) : NULL;
}

struct key *key_ec_from_private_der(struct str der, enum key_alg alg)
{
    const unsigned char *at = (const unsigned char *)der.ptr;
    return ec_key_of(d2i_AutoPrivateKey(NULL, &at, (long)der.len), curve_of(alg));
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
    const json_t *use = json_object_get(jwk, "use");
    if (use && !str_is(json_value_str(use), "sig"))
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

static struct key *read_rsa(struct arena *arena, const json_t *jwk)
{
    struct str n, e;
    if (!base64url_decode(arena, json_str(jwk, "n"), &n) || !base64url_decode(arena, json_str(jwk, "e"), &e))
        return NULL;
    return key_from_modulus(n, e);
}

/* "The length of this octet string MUST be the full size of a coordinate" — RFC 7518, 6.2.1.2 */
static struct key *read_ec(struct arena *arena, const json_t *jwk)
{
    struct str x, y;
    for (size_t i = 0; i < COUNT(curves); i++)
        if (str_is(json_str(jwk, "crv"), curves[i].name) && base64url_decode(arena, json_str(jwk, "x"), &x) &&
            base64url_decode(arena, json_str(jwk, "y"), &y) && x.len == curves[i].bytes && y.len == x.len)
            return key_from_point(&curves[i], x, y);
    return NULL;
}

struct key *key_from_jwk(struct arena *arena, const json_t *jwk)
{
    struct str kty = json_str(jwk, "kty");
    const json_t *named = json_object_get(jwk, "alg");
    enum key_alg alg = KEY_RS256;
    if (!may_verify(jwk) || (named && !key_alg_of(json_value_str(named), &alg)))
        return NULL;
    struct key *key = str_is(kty, "RSA") ? read_rsa(arena, jwk) : str_is(kty, "EC") ? read_ec(arena, jwk) : NULL;
    if (!key || !named)
        return key;
    if (!key_fits(key, alg)) {
        key_free(key);
        return NULL;
    }
    key->only = true;
    key->alg = alg;
    return key;
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
    size_t len = key->signature_bytes;
    unsigned char *out = arena_alloc(arena, len, 1);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (ctx && key->private && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
        EVP_DigestSign(ctx, out, &len, (const unsigned char *)data.ptr, data.len) == 1)
        signature = digest_str(out, len);
    EVP_MD_CTX_free(ctx);
    return signature;
}

/* DER's r and s, each as long as the curve's numbers. */
static struct str side_by_side(struct arena *arena, const struct key *key, const unsigned char *der, size_t len)
{
    size_t half = key->curve->bytes;
    unsigned char *out = arena_zalloc(arena, 2 * half);
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool good = pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, (int)half) == (int)half &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + half, (int)half) == (int)half;
    ECDSA_SIG_free(pair);
    return good ? digest_str(out, 2 * half) : STR_NONE;
}

struct str key_sign(struct arena *arena, const struct key *key, enum key_alg alg, struct str data)
{
    struct str signature = STR_NONE;
    if (!key->private || !key_fits(key, alg))
        return signature;
    size_t len = (size_t)EVP_PKEY_get_size(key->pkey);
    unsigned char *out = arena_alloc(arena, len, 1);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (ctx && EVP_DigestSignInit_ex(ctx, NULL, algs[alg].digest, NULL, NULL, key->pkey, NULL) == 1 &&
        EVP_DigestSign(ctx, out, &len, (const unsigned char *)data.ptr, data.len) == 1)
        signature = key->curve ? side_by_side(arena, key, out, len) : digest_str(out, len);
    EVP_MD_CTX_free(ctx);
    return signature;
}

static struct str coordinate(struct arena *arena, const struct key *key, const char *param)
{
    BIGNUM *bn = NULL;
    uint8_t bytes[66];
    int half = (int)key->curve->bytes;
    bool good = EVP_PKEY_get_bn_param(key->pkey, param, &bn) == 1 && BN_bn2binpad(bn, bytes, half) == half;
    BN_free(bn);
    return good ? base64url_encode(arena, digest_str(bytes, (size_t)half)) : STR_NONE;
}

json_t *key_public_jwk(struct arena *arena, const struct key *key, struct str kid, enum key_alg alg)
{
    json_t *jwk = json_own(arena, json_object());
    json_set_str(jwk, "kid", kid);
    json_set_str(jwk, "use", STR("sig"));
    json_set_str(jwk, "alg", str_of(key_alg_name(alg)));
    json_set_str(jwk, "kty", key->curve ? STR("EC") : STR("RSA"));
    if (key->curve) {
        json_set_str(jwk, "crv", str_of(key->curve->name));
        json_set_str(jwk, "x", coordinate(arena, key, OSSL_PKEY_PARAM_EC_PUB_X));
        json_set_str(jwk, "y", coordinate(arena, key, OSSL_PKEY_PARAM_EC_PUB_Y));
    } else {
        json_set_str(jwk, "n", key_modulus(arena, key));
        json_set_str(jwk, "e", key_exponent(arena, key));
    }
    return jwk;
}

bool key_fits(const struct key *key, enum key_alg alg)
{
    if (key->only && key->alg != alg)
        return false;
    return key->curve ? key->curve->alg == alg : !algs[alg].ec;
}

static bool verify(const struct key *key, enum key_alg alg, struct str data, struct str signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx &&
              EVP_DigestVerifyInit_ex(ctx, NULL, algs[alg].digest, NULL, NULL, key->pkey, NULL) == 1 &&
              EVP_DigestVerify(ctx, (const unsigned char *)signature.ptr, signature.len,
                               (const unsigned char *)data.ptr, data.len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

bool key_verify(const struct key *key, enum key_alg alg, struct str data, struct str signature)
{
    unsigned char *der = NULL;
    int der_len = 0;
    if (!key_fits(key, alg) || signature.len != key->signature_bytes ||
        (key->curve && !ecdsa_der(key, signature, &der, &der_len)))
        return false;
    bool ok = verify(key, alg, data, der ? (struct str){ (const char *)der, (size_t)der_len } : signature);
    OPENSSL_free(der);
    return ok;
}

bool key_verify_der(const struct key *key, enum key_alg alg, struct str data, struct str signature)
{
    return key_fits(key, alg) && (key->curve ? signature.len > 0 : signature.len == key->signature_bytes) &&
           verify(key, alg, data, signature);
}

bool key_verify_rs256(const struct key *key, struct str data, struct str signature)
{
    return key_verify(key, KEY_RS256, data, signature);
}

/* r and s as OpenSSL wants them; it refuses what is not between 1 and the curve's order. */
static bool ecdsa_der(const struct key *key, struct str signature, unsigned char **der, int *len)
{
    size_t half = key->curve->bytes;
    const unsigned char *bytes = (const unsigned char *)signature.ptr;
    BIGNUM *r = BN_bin2bn(bytes, (int)half, NULL), *s = BN_bin2bn(bytes + half, (int)half, NULL);
    ECDSA_SIG *sig = ECDSA_SIG_new();
    bool good = r && s && sig && ECDSA_SIG_set0(sig, r, s) == 1;
    if (good)
        *len = i2d_ECDSA_SIG(sig, der);
    else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(sig);
    return good && *len > 0;
}

static struct key *key_from_point(const struct curve *curve, struct str x, struct str y)
{
    unsigned char point[1 + 2 * 66] = { POINT_CONVERSION_UNCOMPRESSED };
    memcpy(point + 1, x.ptr, x.len);
    memcpy(point + 1 + x.len, y.ptr, y.len);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)curve->group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + x.len + y.len),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL), *check = NULL;
    bool good = ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
                EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) == 1 &&
                (check = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL)) && EVP_PKEY_public_check(check) == 1;
    struct key *key = good ? malloc(sizeof *key) : NULL;
    if (key)
        *key = (struct key){ .pkey = pkey, .curve = curve, .signature_bytes = 2 * curve->bytes };
    else
        EVP_PKEY_free(pkey);
    EVP_PKEY_CTX_free(check);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static struct key *key_of(EVP_PKEY *pkey, bool private)
{
    struct key *key = pkey && strong_enough(pkey) ? malloc(sizeof *key) : NULL;
    if (!key) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    *key = (struct key){ .pkey = pkey, .private = private, .signature_bytes = (size_t)EVP_PKEY_get_size(pkey) };
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
