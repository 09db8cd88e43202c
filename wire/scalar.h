/* Scalars as text: in paths, query strings, headers, forms and XML. */
#pragma once

#include "wire/model.h"

/* Is the member there? `member` points to its C representation (a structure's: to the pointer). */
bool member_is_set(const struct shape *shape, const void *member);

/* `format` is the member's or, when that is TIME_DEFAULT, the binding's. A shape's own wins over
 * the binding's only when the member has none: see timestamp_format_of. */
enum timestamp_format timestamp_format_of(const struct shape *shape, enum timestamp_format member,
                                          enum timestamp_format binding);

/* Reads a string, blob (base64), boolean, number or timestamp. False: *why is AWS's sentence. */
bool scalar_from_text(struct arena *arena, const struct shape *shape, enum timestamp_format format,
                      struct str text, void *member, struct str *why);
struct str scalar_to_text(struct arena *arena, const struct shape *shape, enum timestamp_format format,
                          const void *member);
/* 1.5, 3.0, NaN, Infinity: shortest text that reads back the same. */
struct str double_to_text(struct arena *arena, double value);
/* Any format that AWS's clients write. */
bool timestamp_from_text(struct str text, double *seconds);
struct str timestamp_to_text(struct arena *arena, enum timestamp_format format, double seconds);
