#include "identity/triggers/envelope.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "core/base64.h"
#include "core/digest.h"
#include "identity/kms/key.h"

enum {
    VERSION = 1,
    CUSTOMER_DATA = 0x80,
    SUITE = 0x0378,
    KEY = 32,
    MESSAGE_ID = 16,
    NONCE = 12,
    TAG = 16,
    POINT = 49, /* of P-384, compressed */
    FRAME = 4096,
    FRAMED = 2,
};
static const struct str PUBLIC_KEY = STR_INIT("aws-crypto-public-key"), POOL_ID = STR_INIT("userpool-id"),
                        PROVIDER = STR_INIT("aws-kms"), LAST_FRAME = STR_INIT("AWSKMSEncryptionClient Final Frame");

/* ---- numbers and fields, big-endian ---- */

static void add_number(struct strbuf *buf, uint64_t value, int bytes)
{
    while (bytes-- > 0)
        strbuf_char(buf, (char)(value >> (8 * bytes)));
}

static void add_field(struct strbuf *buf, struct str field)
{
    add_number(buf, field.len, 2);
    strbuf_add(buf, field);
}

/* ---- primitives ---- */

static bool derive(struct str data_key, struct str message_id, uint8_t out[KEY])
{
    uint8_t info[2 + MESSAGE_ID] = { SUITE >> 8, SUITE & 0xff };
    memcpy(info + 2, message_id.ptr, MESSAGE_ID);
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    char digest[] = "SHA384";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)data_key.ptr, data_key.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, sizeof info),
        OSSL_PARAM_construct_end(),
    };
    bool ok = ctx && EVP_KDF_derive(ctx, out, KEY, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok;
}

/* Ciphertext and tag onto `out`. */
static bool encrypt(const uint8_t key[KEY], struct str nonce, struct str aad, struct str plain, struct strbuf *out)
{
    uint8_t tag[TAG];
    int n = 0;
    char *text = arena_alloc(out->arena, plain.len + TAG, 1);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ok = ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, (const uint8_t *)nonce.ptr) == 1 &&
              EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *)aad.ptr, (int)aad.len) == 1 &&
              EVP_EncryptUpdate(ctx, (uint8_t *)text, &n, (const uint8_t *)plain.ptr, (int)plain.len) == 1 &&
              EVP_EncryptFinal_ex(ctx, (uint8_t *)text + n, &n) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, tag) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (ok) {
        strbuf_add(out, (struct str){ text, plain.len });
        strbuf_add(out, digest_str(tag, sizeof tag));
    }
    return ok;
}

static bool compressed_point(EVP_PKEY *key, uint8_t out[POINT])
{
    uint8_t point[2 * 48 + 1];
    size_t n = 0;
    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &n) != 1 || n != sizeof point)
        return false;
    out[0] = 2 + (point[sizeof point - 1] & 1);
    memcpy(out + 1, point + 1, POINT - 1);
    return true;
}

static bool sign(EVP_PKEY *key, struct str data, struct strbuf *out)
{
    uint8_t signature[128];
    size_t n = sizeof signature;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, key) == 1 &&
              EVP_DigestSign(ctx, signature, &n, (const uint8_t *)data.ptr, data.len) == 1;
    EVP_MD_CTX_free(ctx);
    if (ok)
        add_field(out, digest_str(signature, n));
    return ok;
}

/* ---- the message ---- */

struct message_parts {
    struct call *call;
    struct str key_arn, message_id, data_key, wrapped;
    struct kms_context context; /* in order of the keys */
};

static void add_header(struct strbuf *out, const struct message_parts *parts)
{
    struct strbuf aad = strbuf_in(parts->call->arena, 256);
    add_number(&aad, parts->context.n, 2);
    for (size_t i = 0; i < parts->context.n; i++) {
        add_field(&aad, parts->context.items[i].key);
        add_field(&aad, parts->context.items[i].value);
    }
    add_number(out, VERSION, 1);
    add_number(out, CUSTOMER_DATA, 1);
    add_number(out, SUITE, 2);
    strbuf_add(out, parts->message_id);
    add_field(out, strbuf_view(&aad));
    add_number(out, 1, 2); /* one data key */
    add_field(out, PROVIDER);
    add_field(out, parts->key_arn);
    add_field(out, parts->wrapped);
    add_number(out, FRAMED, 1);
    add_number(out, 0, 4);
    add_number(out, NONCE, 1);
    add_number(out, FRAME, 4);
}

/* One frame, the last. */
static bool add_body(struct strbuf *out, const struct message_parts *parts, const uint8_t key[KEY], struct str plain)
{
    struct strbuf aad = strbuf_in(parts->call->arena, 64);
    uint8_t nonce[NONCE] = { [NONCE - 1] = 1 };
    strbuf_add(&aad, parts->message_id);
    strbuf_add(&aad, LAST_FRAME);
    add_number(&aad, 1, 4);
    add_number(&aad, plain.len, 8);
    add_number(out, 0xffffffff, 4);
    add_number(out, 1, 4);
    strbuf_add(out, digest_str(nonce, sizeof nonce));
    add_number(out, plain.len, 4);
    return encrypt(key, digest_str(nonce, sizeof nonce), strbuf_view(&aad), plain, out);
}

static bool add_message(struct strbuf *out, const struct message_parts *parts, EVP_PKEY *signer, struct str plain)
{
    static const uint8_t zeros[NONCE];
    uint8_t key[KEY];
    if (!derive(parts->data_key, parts->message_id, key))
        return false;
    add_header(out, parts);
    struct str header = str_copy(out->arena, strbuf_view(out)), nonce = digest_str(zeros, NONCE);
    strbuf_add(out, nonce);
    bool ok = encrypt(key, nonce, header, STR(""), out) && add_body(out, parts, key, plain) &&
              sign(signer, strbuf_view(out), out);
    digest_wipe(key, sizeof key);
    return ok;
}

static struct str fresh(struct call *call, size_t n)
{
    char *bytes = arena_alloc(call->arena, n, 1);
    env_random(call->env, bytes, n);
    return (struct str){ bytes, n };
}

static bool seal_message(struct call *call, const struct pool *pool, EVP_PKEY *signer, struct str plain, struct str *out)
{
    uint8_t point[POINT];
    if (!compressed_point(signer, point))
        return false;
    struct kms_pair pairs[] = { { PUBLIC_KEY, base64_encode(call->arena, digest_str(point, POINT)) },
                                { POOL_ID, pool->id } };
    struct message_parts parts = {
        .call = call,
        .key_arn = pool->doc->lambda_config->kms_key_id,
        .message_id = fresh(call, MESSAGE_ID),
        .data_key = fresh(call, KEY),
        .context = { pairs, COUNT(pairs) },
    };
    struct strbuf message = strbuf_in(call->arena, 1024);
    parts.wrapped = kms_wrap(call, parts.key_arn, &parts.context, parts.data_key);
    bool ok = add_message(&message, &parts, signer, plain);
    digest_wipe((void *)(uintptr_t)parts.data_key.ptr, KEY);
    *out = base64_encode(call->arena, strbuf_view(&message));
    return ok;
}

gh_err envelope_seal_code(struct call *call, const struct pool *pool, struct str code, struct str *out)
{
    if (!pool->doc->lambda_config || !pool->doc->lambda_config->kms_key_id.len)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "KMSKeyId parameter is required when Custom SMS/Email Lambda trigger is used.");
    EVP_PKEY *signer = EVP_EC_gen("P-384");
    bool ok = signer && seal_message(call, pool, signer, code, out);
    EVP_PKEY_free(signer);
    return ok ? NULL : gh_fail(call->arena, &GH_INTERNAL, "The code could not be encrypted.");
}
