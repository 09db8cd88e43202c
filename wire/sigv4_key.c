/* Signing keys: a chain of four HMACs over secret, date, region and service. One key serves a
 * caller for a day, so each thread keeps the last ones; a slot is found and checked by a hash, and
 * the secret itself is not kept. */
#include "core/base64.h"
#include "wire/sigv4_parts.h"

enum { CACHED_KEYS = 64 };
static _Thread_local struct {
    uint8_t of[SHA256_BYTES];
    uint8_t key[SHA256_BYTES];
} cache[CACHED_KEYS];

static void derive(struct str secret, struct str date, struct str region, struct str service,
                   uint8_t out[SHA256_BYTES])
{
    char first[256];
    struct str key = { first, secret.len + 4 };
    memcpy(first, "AWS4", 4);
    memcpy(first + 4, secret.ptr, secret.len);
    const struct str chain[] = { date, region, service, STR("aws4_request") };
    uint8_t step[SHA256_BYTES];
    for (size_t i = 0; i < COUNT(chain); i++) {
        digest_hmac_sha256(key, chain[i], out);
        memcpy(step, out, sizeof step);
        key = digest_str(step, sizeof step);
    }
    digest_wipe(first, sizeof first);
    digest_wipe(step, sizeof step);
}

void sigv4_signing_key(struct str secret, struct str date, struct str region, struct str service,
                       uint8_t out[SHA256_BYTES])
{
    uint8_t of[SHA256_BYTES];
    if (secret.len > 200) /* none of ours is longer than 40 */
        secret.len = 200;
    digest_sha256_of(of, secret, STR("\n"), date, STR("\n"), region, STR("\n"), service);
    size_t slot = of[0] % CACHED_KEYS;
    if (memcmp(cache[slot].of, of, sizeof of) != 0) {
        derive(secret, date, region, service, cache[slot].key);
        memcpy(cache[slot].of, of, sizeof of);
    }
    memcpy(out, cache[slot].key, SHA256_BYTES);
}

struct str sigv4_signature(struct arena *arena, const uint8_t key[SHA256_BYTES], struct str string_to_sign)
{
    uint8_t mac[SHA256_BYTES];
    digest_hmac_sha256(digest_str(key, SHA256_BYTES), string_to_sign, mac);
    return hex_encode(arena, digest_str(mac, sizeof mac));
}
