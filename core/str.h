/* Strings are views: a pointer and a length, never NUL-dependent.
 *
 * A view borrows; whoever made the bytes owns them. `ptr == NULL` means absent, which is
 * different from empty (`ptr != NULL, len == 0`): an AWS member that was not sent is absent. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <stdarg.h>
#include <string.h>

struct arena;

struct str {
    const char *ptr;
    size_t len;
};

/* A literal as a view: STR("GET"). */
#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
/* For static initialisers. */
#define STR_INIT(literal) { (literal), sizeof(literal) - 1 }
#define STR_NONE ((struct str){ NULL, 0 })
/* For printf-like functions: "%.*s". */
#define STR_FMT(s) (int)(s).len, (s).ptr
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline struct str str_of(const char *cstr)
{
    return (struct str){ cstr, cstr ? strlen(cstr) : 0 };
}
static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
static inline bool str_is(struct str a, const char *cstr)
{
    return str_eq(a, str_of(cstr));
}
static inline bool str_empty(struct str s)
{
    return s.len == 0;
}
/* ASCII case only. */
bool str_eq_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
int str_cmp(struct str a, struct str b); /* as memcmp, shorter first */
/* Index of the first occurrence, or -1. */
ptrdiff_t str_find(struct str s, char c);
ptrdiff_t str_find_last(struct str s, char c);
ptrdiff_t str_find_str(struct str s, struct str needle);
/* Clamped to the string's length. */
struct str str_from(struct str s, size_t start);
struct str str_sub(struct str s, size_t start, size_t len);
/* Without white space (space, tab, CR, LF) at both ends. */
struct str str_trim(struct str s);
/* Takes the part before `sep` off the front of `*rest`; false when `*rest` is absent (used up).
 * "a,,b" gives "a", "", "b". */
bool str_split(struct str *rest, char sep, struct str *part);
/* Decimal digits with an optional minus, nothing else; false when not a number or out of range. */
bool str_i64(struct str s, int64_t *out);

/* The result lives in the arena and is followed by a NUL, so that .ptr serves as a C string. */
struct str str_copy(struct arena *arena, struct str s);
struct str str_lower(struct arena *arena, struct str s); /* ASCII */
struct str str_upper(struct arena *arena, struct str s); /* ASCII */
struct str str_concat(struct arena *arena, struct str a, struct str b);
struct str str_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct str str_vprintf(struct arena *arena, const char *fmt, va_list args);
const char *str_c(struct arena *arena, struct str s); /* NUL-terminated copy */

/* A string being built in an arena. */
struct strbuf {
    struct arena *arena;
    char *ptr;
    size_t len, cap;
};
struct strbuf strbuf_in(struct arena *arena, size_t expected_bytes);
void strbuf_add(struct strbuf *buf, struct str s);
void strbuf_char(struct strbuf *buf, char c);
void strbuf_printf(struct strbuf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct str strbuf_view(struct strbuf *buf); /* NUL-terminated; lives in the arena */
