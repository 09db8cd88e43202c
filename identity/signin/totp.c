#include "identity/signin/totp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "core/digest.h"

enum { SHA1_BYTES = 20 };

uint32_t totp_code(struct str secret, uint64_t step)
{
    uint8_t counter[8], mac[SHA1_BYTES];
    unsigned int len = sizeof mac;
    for (int i = 7; i >= 0; i--, step >>= 8)
        counter[i] = (uint8_t)step;
    HMAC(EVP_sha1(), secret.ptr, (int)secret.len, counter, sizeof counter, mac, &len);
    const uint8_t *at = mac + (mac[SHA1_BYTES - 1] & 15); /* "dynamic truncation" */
    uint32_t number = (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    digest_wipe(mac, sizeof mac);
    return number % 1000000;
}

static bool is_code_of(struct str secret, int64_t step, struct str code)
{
    char text[16];
    snprintf(text, sizeof text, "%06u", (unsigned)totp_code(secret, (uint64_t)step));
    return digest_equal((struct str){ text, TOTP_DIGITS }, code);
}

bool totp_find(struct str secret, struct str code, int64_t now_s, int64_t *step)
{
    bool found = false;
    if (code.len != TOTP_DIGITS)
        return false;
    for (int64_t s = now_s / TOTP_STEP_S - TOTP_WINDOW; s <= now_s / TOTP_STEP_S + TOTP_WINDOW; s++) {
        if (is_code_of(secret, s, code)) {
            found = true;
            *step = s;
        }
    }
    return found;
}

/* The nearest step to now; its neighbours on both sides first. */
bool totp_find_two(struct str secret, struct str first, struct str second, int64_t now_s, int64_t window,
                   int64_t *step)
{
    int64_t now = now_s / TOTP_STEP_S;
    if (first.len != TOTP_DIGITS || second.len != TOTP_DIGITS)
        return false;
    for (int64_t away = 0; away <= 2 * window; away++) {
        int64_t s = now + (away % 2 ? -(away + 1) / 2 : away / 2);
        if (s >= 0 && is_code_of(secret, s, first) && is_code_of(secret, s + 1, second)) {
            *step = s;
            return true;
        }
    }
    return false;
}
