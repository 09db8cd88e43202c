#include "core/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base64.h"

enum { NONCE = 12, TAG = 16, KEY = 32 };

struct sealer {
    const struct env *env;
    uint8_t key[KEY];
};

static bool write_key(const char *path, struct str hex)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool ok = write(fd, hex.ptr, hex.len) == (ssize_t)hex.len && write(fd, "\n", 1) == 1 && fsync(fd) == 0;
    close(fd);
    return ok;
}

static bool read_key(const char *path, struct arena *arena, struct str *key, struct str *why)
{
    char text[KEY * 2 + 2];
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        *why = str_printf(arena, "cannot read the key file %s: %m", path);
        return false;
    }
    ssize_t len = read(fd, text, sizeof text);
    bool loose = fstat(fd, &info) != 0 || (info.st_mode & 077) != 0;
    close(fd);
    if (loose) {
        *why = str_printf(arena, "the key file %s may be read by others: chmod 600 it", path);
        return false;
    }
    struct str hex = str_trim((struct str){ text, len < 0 ? 0 : (size_t)len });
    bool ok = hex.len == KEY * 2 && hex_decode(arena, hex, key);
    OPENSSL_cleanse(text, sizeof text);
    if (!ok)
        *why = str_printf(arena, "the key file %s does not hold 64 hex digits", path);
    return ok;
}

struct sealer *sealer_open(const char *path, bool create, const struct env *env, struct arena *arena, struct str *why)
{
    if (create && access(path, F_OK) != 0 && errno == ENOENT) {
        uint8_t fresh[KEY];
        env_random(env, fresh, sizeof fresh);
        bool ok = write_key(path, hex_encode(arena, (struct str){ (char *)fresh, KEY }));
        OPENSSL_cleanse(fresh, sizeof fresh);
        if (!ok) {
            *why = str_printf(arena, "cannot write the key file %s: %m", path);
            return NULL;
        }
    }
    struct str key;
    if (!read_key(path, arena, &key, why))
        return NULL;
    struct sealer *sealer = calloc(1, sizeof *sealer);
    if (!sealer)
        abort();
    sealer->env = env;
    memcpy(sealer->key, key.ptr, KEY);
    OPENSSL_cleanse((char *)key.ptr, KEY);
    return sealer;
}

void sealer_free(struct sealer *sealer)
{
    if (!sealer)
        return;
    OPENSSL_cleanse(sealer, sizeof *sealer);
    free(sealer);
}

struct str seal(const struct sealer *sealer, struct arena *arena, struct str place, struct str plain)
{
    uint8_t *out = arena_alloc(arena, NONCE + plain.len + TAG, 1);
    int n;
    env_random(sealer->env, out, NONCE);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ok = ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, sealer->key, out) == 1 &&
              EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *)place.ptr, (int)place.len) == 1 &&
              EVP_EncryptUpdate(ctx, out + NONCE, &n, (const uint8_t *)plain.ptr, (int)plain.len) == 1 &&
              EVP_EncryptFinal_ex(ctx, out + NONCE + plain.len, &n) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, out + NONCE + plain.len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (!ok)
        abort(); /* AES-GCM cannot fail on good memory; never store a secret in the clear instead */
    return str_concat(arena, STR("v1."),
                      base64url_encode(arena, (struct str){ (char *)out, NONCE + plain.len + TAG }));
}

bool unseal(const struct sealer *sealer, struct arena *arena, struct str place, struct str sealed, struct str *plain)
{
    struct str bytes;
    if (!str_starts(sealed, STR("v1.")) || !base64url_decode(arena, str_from(sealed, 3), &bytes) ||
        bytes.len < NONCE + TAG)
        return false;
    const uint8_t *in = (const uint8_t *)bytes.ptr;
    int len = (int)(bytes.len - NONCE - TAG), n;
    uint8_t *out = arena_alloc(arena, (size_t)len + 1, 1);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ok = ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, sealer->key, in) == 1 &&
              EVP_DecryptUpdate(ctx, NULL, &n, (const uint8_t *)place.ptr, (int)place.len) == 1 &&
              EVP_DecryptUpdate(ctx, out, &n, in + NONCE, len) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, (void *)(in + NONCE + len)) == 1 &&
              EVP_DecryptFinal_ex(ctx, out + len, &n) == 1;
    EVP_CIPHER_CTX_free(ctx);
    out[len] = '\0';
    *plain = (struct str){ (char *)out, (size_t)len };
    return ok;
}

void sealer_mac(const struct sealer *sealer, struct str purpose, struct str data, uint8_t out[32])
{
    uint8_t derived[32];
    unsigned len = 32;
    HMAC(EVP_sha256(), sealer->key, KEY, (const uint8_t *)purpose.ptr, purpose.len, derived, &len);
    HMAC(EVP_sha256(), derived, 32, (const uint8_t *)data.ptr, data.len, out, &len);
    OPENSSL_cleanse(derived, sizeof derived);
}
