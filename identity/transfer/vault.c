#include "identity/transfer/vault.h"

#include <argon2.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "core/base64.h"
#include "core/digest.h"
#include "core/json.h"

enum { SALT = 16, NONCE = 12, TAG = 16, MEMORY_KIB = 65536, PASSES = 3, MOST_MEMORY_KIB = 1024 * 1024, MOST_PASSES = 16 };

static bool derive(struct str passphrase, struct str salt, int64_t memory_kib, int64_t passes, uint8_t key[32])
{
    return argon2id_hash_raw((uint32_t)passes, (uint32_t)memory_kib, 1, passphrase.ptr, passphrase.len, salt.ptr, salt.len,
                             key, 32) == ARGON2_OK;
}

/* Tells a wrong passphrase from an altered file. */
static struct str check_of(struct arena *arena, const uint8_t key[32])
{
    uint8_t mac[SHA256_BYTES];
    digest_hmac_sha256(digest_str(key, 32), STR("gatehouse user pool export"), mac);
    return base64_encode(arena, digest_str(mac, 16));
}

bool vault_new(const struct env *env, struct arena *arena, struct str passphrase, struct vault *out, struct str *header)
{
    uint8_t salt[SALT];
    env_random(env, salt, sizeof salt);
    if (!derive(passphrase, digest_str(salt, SALT), MEMORY_KIB, PASSES, out->key))
        return false;
    *header = str_printf(arena,
                         "{\"format\":\"gatehouse-user-pool\",\"version\":1,\"cipher\":\"AES-256-GCM\",\"kdf\":\"argon2id\","
                         "\"memory_kib\":%d,\"passes\":%d,\"salt\":\"%s\",\"check\":\"%s\"}",
                         MEMORY_KIB, PASSES, base64_encode(arena, digest_str(salt, SALT)).ptr, check_of(arena, out->key).ptr);
    digest_sha256(*header, out->header);
    return true;
}

static bool no(struct str *why, const char *text)
{
    *why = str_of(text);
    return false;
}

bool vault_open(struct arena *arena, struct str passphrase, struct str header, struct vault *out, struct str *why)
{
    const json_t *doc = json_parse(arena, header, NULL);
    int64_t memory_kib = json_i64(doc, "memory_kib", 0), passes = json_i64(doc, "passes", 0);
    struct str salt, check = json_str(doc, "check");
    if (!str_is(json_str(doc, "format"), "gatehouse-user-pool"))
        return no(why, "This is no export of a user pool.");
    if (json_i64(doc, "version", 0) != 1)
        return no(why, "This export was written by a newer Gatehouse.");
    if (memory_kib < 8 || memory_kib > MOST_MEMORY_KIB || passes < 1 || passes > MOST_PASSES ||
        !base64_decode(arena, json_str(doc, "salt").ptr ? json_str(doc, "salt") : STR(""), &salt) || salt.len < 8)
        return no(why, "The export's header is damaged.");
    if (!derive(passphrase, salt, memory_kib, passes, out->key))
        return no(why, "No memory to derive the export's key.");
    digest_sha256(header, out->header);
    return (check.ptr && digest_equal(check_of(arena, out->key), check)) || no(why, "The passphrase is wrong.");
}

static void place_of(const struct vault *vault, uint64_t number, bool last, uint8_t out[41])
{
    memcpy(out, vault->header, 32);
    for (int i = 0; i < 8; i++)
        out[32 + i] = (uint8_t)(number >> (56 - 8 * i));
    out[40] = last;
}

struct str vault_seal(const struct env *env, struct arena *arena, const struct vault *vault, uint64_t number, bool last,
                      struct str plain)
{
    uint8_t place[41], *out = arena_alloc(arena, 4 + NONCE + plain.len + TAG, 1), *nonce = out + 4, *text = nonce + NONCE;
    size_t len = NONCE + plain.len + TAG;
    int n;
    place_of(vault, number, last, place);
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(len >> (24 - 8 * i));
    env_random(env, nonce, NONCE);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ok = ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, vault->key, nonce) == 1 &&
              EVP_EncryptUpdate(ctx, NULL, &n, place, sizeof place) == 1 &&
              EVP_EncryptUpdate(ctx, text, &n, (const uint8_t *)plain.ptr, (int)plain.len) == 1 &&
              EVP_EncryptFinal_ex(ctx, text + plain.len, &n) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, text + plain.len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (!ok)
        abort(); /* AES-GCM cannot fail on good memory; never write a pool in the clear instead */
    return digest_str(out, 4 + len);
}

bool vault_unseal(struct arena *arena, const struct vault *vault, uint64_t number, bool last, struct str part,
                  struct str *plain)
{
    uint8_t place[41];
    int n;
    if (part.len < NONCE + TAG)
        return false;
    size_t len = part.len - NONCE - TAG;
    const uint8_t *nonce = (const uint8_t *)part.ptr, *text = nonce + NONCE;
    uint8_t *out = arena_alloc(arena, len + 1, 1);
    place_of(vault, number, last, place);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ok = ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, vault->key, nonce) == 1 &&
              EVP_DecryptUpdate(ctx, NULL, &n, place, sizeof place) == 1 &&
              EVP_DecryptUpdate(ctx, out, &n, text, (int)len) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, (void *)(uintptr_t)(text + len)) == 1 &&
              EVP_DecryptFinal_ex(ctx, out + len, &n) == 1;
    EVP_CIPHER_CTX_free(ctx);
    out[len] = '\0';
    *plain = digest_str(out, len);
    return ok;
}
