/* JSONPath as API Gateway evaluates it: Jayway's dialect of Java JsonPath.
 *
 * A definite path ("$.a.b[0]") gives the value itself, missing gives NULL; a path with "..", "*",
 * a filter, a slice or several names gives a list. Functions: length() size() keys() min() max()
 * sum() avg(). A path that does not begin with '$' means "$." and the rest.
 * https://github.com/json-path/JsonPath (README) is the dialect's description. */
#pragma once

#include "core/json.h"

struct jsonpath;

/* NULL: *why says what is wrong and at which column. Lives in the arena. */
struct jsonpath *jsonpath_compile(struct arena *arena, struct str text, struct str *why);
bool jsonpath_is_definite(const struct jsonpath *path);
/* Borrowed from `root` or owned by the arena; NULL when a definite path finds nothing.
 * Visits at most a million values, then finds nothing more. */
json_t *jsonpath_find(struct arena *arena, const struct jsonpath *path, json_t *root);
/* Always a list, as RFC 9535 has it. */
json_t *jsonpath_find_all(struct arena *arena, const struct jsonpath *path, json_t *root);
