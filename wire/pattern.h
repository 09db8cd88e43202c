/* The models' regular expressions, as Java's String.matches reads them. */
#pragma once

#include "core/str.h"

/* Does the whole text match? Compiled once, lazily; any thread. Patterns must be static. A text
 * that costs more than the match limit does not match; nor does one that is no UTF-8. */
bool pattern_matches(const char *pattern, struct str text);
/* For tests: does it compile? */
bool pattern_is_valid(const char *pattern);
