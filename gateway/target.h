/* Request targets that are refused before there is an API: one answer for each odd way to write a path, so that
 * route, authorizer and endpoint cannot understand different ones. */
#pragma once

#include "core/arena.h"
#include "core/str.h"

/* NULL: good. Otherwise what is wrong with it:
 *   - in the path: "." and ".." as a segment, also percent-encoded and between encoded slashes; an encoded NUL; a '%'
 *     without two hexadecimal digits; bytes that RFC 3986 has no place for (" < > \ ^ ` { | })
 *   - in the query: "Raw |, {, } in a query are refused"
 * What is left is never normalised: "//", "%2f", ";" and a trailing slash stay as they were sent. */
const char *target_fault(struct arena *arena, struct str path, struct str query);
