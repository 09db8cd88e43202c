/* Base64 (standard and URL alphabets), base32 and hex. Decoders are strict: no white space, no wrong
 * padding, no non-zero trailing bits. Results live in the arena. */
#pragma once

#include "core/arena.h"
#include "core/str.h"

struct str base64_encode(struct arena *arena, struct str bytes);
bool base64_decode(struct arena *arena, struct str text, struct str *bytes);
/* URL alphabet without padding, as JOSE writes it. */
struct str base64url_encode(struct arena *arena, struct str bytes);
bool base64url_decode(struct arena *arena, struct str text, struct str *bytes);

/* RFC 4648's A-Z2-7 in upper case without padding, as authenticator apps take secrets; decodes either case. */
struct str base32_encode(struct arena *arena, struct str bytes);
bool base32_decode(struct arena *arena, struct str text, struct str *bytes);

struct str hex_encode(struct arena *arena, struct str bytes); /* lower case */
bool hex_decode(struct arena *arena, struct str text, struct str *bytes);
