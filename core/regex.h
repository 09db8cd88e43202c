/* Regular expressions of templates, selection patterns and schemas, by PCRE2 with bounded work. */
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/arena.h"
#include "core/str.h"

/* Java's dialect, as near as PCRE2 comes. NULL: does not compile. Freed with the arena. */
pcre2_code *regex_compile(struct arena *arena, struct str pattern);
/* ECMA 262's, which JSON schemas use; compiled to machine code, for patterns that are kept and used often. */
pcre2_code *regex_compile_ecma(struct arena *arena, struct str pattern);

bool regex_matches_whole(const pcre2_code *code, struct str text);
/* Anywhere in the text, in at most so many steps back; then *gave_up: nothing is known. 200,000 are about 2 ms. */
bool regex_matches(const pcre2_code *code, struct str text, uint32_t backtracks, bool *gave_up);
/* The first match at or after `from`; ovector holds pairs for up to 10 groups. Number of groups set, or 0. */
#define REGEX_GROUPS 10
int regex_find(const pcre2_code *code, struct str text, size_t from, size_t ovector[2 * REGEX_GROUPS]);
