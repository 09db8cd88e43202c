/* Where a value stands in the text of a JSON document. The text has been parsed before: it is JSON. */
#pragma once

#include "core/str.h"

struct json_step {
    struct str name; /* of a member; absent: */
    size_t index;    /* of an item */
};
struct json_spot {
    size_t offset, end; /* bytes: the value's first, and the one after its last */
};

/* The value that n steps lead to; `name` instead of the last member's value: its name. False: nothing is
 * there. */
bool json_place(struct str text, const struct json_step *steps, size_t n, bool name, struct json_spot *out);
