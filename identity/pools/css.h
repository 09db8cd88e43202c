/* Style sheets for the classic sign-in pages: what AWS lets in. */
#pragma once

#include "core/arena.h"
#include "core/str.h"

/* NULL: it may be shown. Else why not, in a few words, in the arena. */
const char *css_refuses(struct arena *arena, struct str css);
