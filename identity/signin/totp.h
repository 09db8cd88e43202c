/* Codes of an authenticator app: RFC 6238 with SHA-1, six digits, steps of 30 seconds.
 *
 * "Amazon Cognito only accepts TOTPs from authenticator apps that generate codes with the HMAC-SHA1 hash
 * function." Which steps were used already is the caller's to remember. */
#pragma once

#include "core/env.h"

enum {
    TOTP_SECRET_BYTES = 32, /* 52 letters in base32, as Cognito's are */
    TOTP_STEP_S = 30,
    TOTP_DIGITS = 6,
    TOTP_WINDOW = 1, /* a clock may be one step ahead or behind */
};

/* HOTP (RFC 4226) of a counter: below 10^6. */
uint32_t totp_code(struct str secret, uint64_t step);
/* Which step near `now_s` the code is of. False: none, or it is not six digits. Looks at every step of the
 * window, so that time tells nothing. */
bool totp_find(struct str secret, struct str code, int64_t now_s, int64_t *step);
/* Two codes one after the other: the step of the first, within `window` steps of now. For a clock that is to be set
 * right. False: there are no such steps, or either is not six digits. */
bool totp_find_two(struct str secret, struct str first, struct str second, int64_t now_s, int64_t window,
                   int64_t *step);
