/* JSONPath as API Gateway evaluates it: Jayway's dialect of Java JsonPath.
 *
 * A definite path ("$.a.b[0]") gives the value itself, missing gives NULL; a path with "..", "*",
 * a filter, a slice or several names gives a list. Functions: length() size() keys() min() max()
 * sum() avg(). A path that does not begin with '$' means "$." and the rest.
 * https://github.com/json-path/JsonPath (README) is the dialect's description. */
#pragma once

#include "core/json_tree.h"

struct jsonpath;

/* NULL: *why says what is wrong and at which column. Lives in the arena. */
struct jsonpath *jsonpath_compile(struct arena *arena, struct str text, struct str *why);
bool jsonpath_is_definite(const struct jsonpath *path);
/* A part of `root`, or in the arena; NULL when a definite path finds nothing, or root is NULL.
 * Visits at most *visits values, which goes down by them, then finds nothing more; NULL: a million. */
const struct jt *jsonpath_find(struct arena *arena, const struct jsonpath *path, const struct jt *root, int64_t *visits);
/* Always a list, as RFC 9535 has it. */
const struct jt *jsonpath_find_all(struct arena *arena, const struct jsonpath *path, const struct jt *root);
