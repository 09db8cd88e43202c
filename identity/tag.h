/* Tags of principals and sessions. */
#pragma once

#include "core/str.h"

struct tag {
    struct str key, value;
};
struct tags {
    size_t n;
    const struct tag *items;
};
