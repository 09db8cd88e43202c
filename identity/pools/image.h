/* What an image says it is, by its first bytes. */
#pragma once

#include "core/str.h"

/* "PNG", "JPEG", "ICO", "WEBP", "SVG": AWS's names of extensions; NULL: none of them. */
const char *image_kind(struct str bytes);
const char *image_content_type(struct str bytes);
