/* Random identifiers in AWS's shapes. Lives in the arena; randomness from env. */
#pragma once

#include "core/env.h"

struct str id_uuid(const struct env *env, struct arena *arena); /* version 4, lower case */
/* `n` characters of an alphabet, without bias. */
struct str id_random(const struct env *env, struct arena *arena, size_t n, const char *alphabet);
#define ID_LOWER_ALNUM "abcdefghijklmnopqrstuvwxyz0123456789"            /* API ids, client ids */
#define ID_ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define ID_UPPER_BASE32 "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"               /* after AKIA, AIDA, AROA */
#define ID_DIGITS "0123456789"                                           /* codes */
#define ID_SECRET ID_ALNUM "+/"                                          /* secret access keys, 40 */
