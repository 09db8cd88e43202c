/* JSON trees (jansson), owned by an arena: what json_parse or json_new gives is freed with it.
 * Strictly RFC 8259: duplicate names, NaN, trailing bytes and bad UTF-8 are refused;
 * at most 512 levels deep. */
#pragma once

#include <jansson.h>

#include "core/arena.h"
#include "core/str.h"

/* NULL when the text is not JSON; *why then says where. Any value may stand at the top. */
json_t *json_parse(struct arena *arena, struct str text, struct str *why);
/* Hands a new reference to the arena and gives it back: json_own(a, json_object()). */
json_t *json_own(struct arena *arena, json_t *fresh);
/* Compact, names in insertion order; lives in the arena. */
struct str json_print(struct arena *arena, const json_t *value);

/* Typed getters: absent (or false, 0) when the name is missing or of another type. Views. */
struct str json_str(const json_t *object, const char *name);
int64_t json_i64(const json_t *object, const char *name, int64_t otherwise);
bool json_flag(const json_t *object, const char *name, bool otherwise);
struct str json_value_str(const json_t *string); /* view of a string value, else absent */
json_t *json_at(const json_t *object, struct str name); /* borrowed, NULL when missing */

/* Setters on an object; the value is copied. An absent string sets nothing. */
void json_set_str(json_t *object, const char *name, struct str value);
void json_set_i64(json_t *object, const char *name, int64_t value);
void json_set_flag(json_t *object, const char *name, bool value);
json_t *json_of(struct str value); /* new reference to a string; null when absent */

/* Length of the UTF-8 sequence at the front of `s`, 0 when it is none; `s` is not empty. */
size_t json_utf8_len(struct str s);
/* Appends "text" with quotes and escapes; bytes that are no UTF-8 become U+FFFD. */
struct strbuf;
void json_quote(struct strbuf *buf, struct str text);
