/* Patterns with '*' (any run, also empty) and '?' (one character), without recursion and without memory.
 * Time is linear in pattern and text, however many stars; only a run between two stars that holds a '?', or is
 * compared without case, may cost a step for each 64 of its signs and each byte of text. */
#pragma once

#include "core/str.h"

bool glob_match(struct str pattern, struct str text);
bool glob_match_nocase(struct str pattern, struct str text); /* ASCII */

/* As glob_match, for patterns whose wild cards were marked apart from literal text: GLOB_STAR and
 * GLOB_ONE are the wild cards, every other byte ('*' and '?' too) stands for itself. A policy
 * variable's value may hold a star, which is then text, never a pattern. The two bytes do not
 * occur in UTF-8. */
#define GLOB_STAR '\xfe'
#define GLOB_ONE '\xff'
bool glob_match_marked(struct str pattern, struct str text);
