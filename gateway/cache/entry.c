/* What is kept of one answer, in clear or sealed.
 *
 * "If you anticipate that a method that you are caching will receive sensitive data in its responses,
 * choose Encrypt cache data": head and body of such an entry are one AES-256-GCM message, its key in
 * the table a MAC of the real one. The process's key is drawn at start and never leaves it. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/digest.h"
#include "core/map.h"
#include "gateway/cache/cache.h"

enum { NONCE = 12, TAG = 16, KEY = 32 };

struct cache_sealer {
    uint8_t key[KEY], name_key[KEY];
    EVP_CIPHER *cipher;
    atomic_uint_fast64_t used; /* nonces: each is taken once */
};

struct cache_sealer *cache_sealer_new(const struct env *env)
{
    struct cache_sealer *sealer = calloc(1, sizeof *sealer);
    if (!sealer || !(sealer->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL)))
        abort();
    env_random(env, sealer->key, sizeof sealer->key);
    env_random(env, sealer->name_key, sizeof sealer->name_key);
    return sealer;
}

void cache_sealer_free(struct cache_sealer *sealer)
{
    if (!sealer)
        return;
    EVP_CIPHER_free(sealer->cipher);
    OPENSSL_cleanse(sealer, sizeof *sealer);
    free(sealer);
}

struct str cache_sealed_key(const struct cache_sealer *sealer, struct arena *arena, struct str key)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t mac[SHA256_BYTES];
    char *text = arena_alloc(arena, 2 * sizeof mac, 1);
    digest_hmac_sha256(digest_str(sealer->name_key, KEY), key, mac);
    for (size_t i = 0; i < sizeof mac; i++) {
        text[2 * i] = hex[mac[i] >> 4];
        text[2 * i + 1] = hex[mac[i] & 15];
    }
    return (struct str){ text, 2 * sizeof mac };
}

/* nonce || ciphertext of head and body || tag, bound to the entry's key. */
static bool close_up(const struct cache_sealer *sealer, struct str key, struct str head, struct str body, uint8_t *out)
{
    uint64_t number = atomic_fetch_add(&((struct cache_sealer *)(uintptr_t)sealer)->used, 1);
    int len = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t *at = out + NONCE;
    memset(out, 0, NONCE);
    memcpy(out, &number, sizeof number);
    bool ok = ctx && EVP_EncryptInit_ex2(ctx, sealer->cipher, sealer->key, out, NULL) == 1 &&
              EVP_EncryptUpdate(ctx, NULL, &len, (const uint8_t *)key.ptr, (int)key.len) == 1;
    const struct str parts[] = { head, body };
    for (size_t i = 0; ok && i < COUNT(parts); i++) {
        ok = EVP_EncryptUpdate(ctx, at, &len, (const uint8_t *)parts[i].ptr, (int)parts[i].len) == 1;
        at += len;
    }
    ok = ok && EVP_EncryptFinal_ex(ctx, at, &len) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, at) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

static bool open_up(const struct cache_entry *e, uint8_t *out)
{
    const uint8_t *sealed = (const uint8_t *)e->body.ptr;
    size_t n = e->body.len - NONCE - TAG;
    int len = 0, last = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ok = ctx && EVP_DecryptInit_ex2(ctx, e->sealer->cipher, e->sealer->key, sealed, NULL) == 1 &&
              EVP_DecryptUpdate(ctx, NULL, &len, (const uint8_t *)e->key.ptr, (int)e->key.len) == 1 &&
              EVP_DecryptUpdate(ctx, out, &len, sealed + NONCE, (int)n) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, (void *)(uintptr_t)(sealed + NONCE + n)) == 1 &&
              EVP_DecryptFinal_ex(ctx, out + len, &last) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

static struct str put(char **at, struct str text)
{
    char *start = *at;
    if (!text.ptr)
        return STR_NONE;
    memcpy(start, text.ptr, text.len);
    *at += text.len;
    return (struct str){ start, text.len };
}

struct cache_entry *cache_entry_new(const struct cache_entry *from, const struct cache_sealer *sealer)
{
    size_t content = from->head.len + from->body.len + (sealer ? NONCE + TAG : 0);
    size_t bytes = sizeof *from + from->key.len + from->tag_list.len + from->etag.len + from->vary.len + content;
    struct cache_entry *e = malloc(bytes);
    if (!e)
        abort();
    char *at = (char *)(e + 1);
    *e = (struct cache_entry){ .hash = str_hash(from->key), .bytes = bytes, .stored_us = from->stored_us,
                               .fresh_until_us = from->fresh_until_us, .stale_until_us = from->stale_until_us,
                               .status = from->status, .sealer = sealer, .head_bytes = from->head.len };
    atomic_init(&e->references, 1);
    e->key = put(&at, from->key);
    e->tag_list = put(&at, from->tag_list);
    e->etag = put(&at, from->etag);
    e->vary = put(&at, from->vary);
    if (!sealer) {
        e->head = put(&at, from->head.ptr ? from->head : STR(""));
        e->body = put(&at, from->body.ptr ? from->body : STR(""));
        return e;
    }
    e->body = (struct str){ at, content };
    if (close_up(sealer, e->key, from->head, from->body, (uint8_t *)at))
        return e;
    abort(); /* out of memory: AES itself does not fail */
}

void cache_entry_unref(struct cache_entry *entry)
{
    if (!entry || atomic_fetch_sub_explicit(&entry->references, 1, memory_order_acq_rel) != 1)
        return;
    free(entry);
}

bool cache_entry_open(const struct cache_entry *entry, struct arena *arena, struct str *head, struct str *body)
{
    *head = entry->head;
    *body = entry->body;
    if (!entry->sealer)
        return true;
    size_t n = entry->body.len - NONCE - TAG;
    uint8_t *clear = arena_alloc(arena, n + 1, 1);
    *head = (struct str){ (char *)clear, entry->head_bytes };
    *body = (struct str){ (char *)clear + entry->head_bytes, n - entry->head_bytes };
    return open_up(entry, clear);
}
