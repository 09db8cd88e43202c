/* Time as text. Everything is UTC; instants are seconds or microseconds since 1970. */
#pragma once

#include "core/arena.h"
#include "core/str.h"

struct str time_iso8601(struct arena *arena, int64_t s);         /* 2026-11-21T03:04:05Z */
struct str time_iso8601_ms(struct arena *arena, int64_t us);     /* 2026-11-21T03:04:05.123Z */
struct str time_basic(struct arena *arena, int64_t s);           /* 20261121T030405Z, SigV4's */
struct str time_rfc1123(struct arena *arena, int64_t s);         /* Sat, 21 Nov 2026 03:04:05 GMT */
struct str time_clf(struct arena *arena, int64_t s);             /* 21/Nov/2026:03:04:05 +0000 */
/* "2026-11-21T03:04:05[.fraction](Z|+hh:mm)", also a date alone; false when it is no instant. */
bool time_parse_iso8601(struct str text, double *s);
bool time_parse_basic(struct str text, int64_t *s);
bool time_parse_rfc1123(struct str text, int64_t *s);
