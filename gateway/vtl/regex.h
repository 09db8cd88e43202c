/* Java's regular expressions in templates and selection patterns, by PCRE2 with bounded work. */
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/str.h"
#include "core/arena.h"

/* NULL: does not compile. Freed with the arena. */
pcre2_code *regex_compile(struct arena *arena, struct str pattern);
bool regex_matches_whole(const pcre2_code *code, struct str text);
/* The first match at or after `from`; ovector holds pairs for up to 10 groups. Number of groups set, or 0. */
#define REGEX_GROUPS 10
int regex_find(const pcre2_code *code, struct str text, size_t from, size_t ovector[2 * REGEX_GROUPS]);
