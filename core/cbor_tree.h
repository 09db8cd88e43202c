/* CBOR from outside, as authenticators write it: libcbor's items, owned by an arena.
 *
 * What is given to libcbor has been walked through before: it reserves (and touches) whatever a header
 * claims, up to 2^64 members. Refused are items that end too early, indefinite lengths (CTAP2's canonical
 * form has none), tags, more than CBOR_TREE_DEPTH levels and reserved values. */
#pragma once

#include <cbor.h>

#include "core/arena.h"
#include "core/str.h"

enum { CBOR_TREE_DEPTH = 8 };

/* The bytes of the item at the front of `bytes`; 0: it is none that we take. */
size_t cbor_tree_extent(struct str bytes);
/* One item and nothing behind it. NULL: refused. */
cbor_item_t *cbor_tree_read(struct arena *arena, struct str bytes);

/* Members of a map, by a text or by a number; NULL: no map, no such member, or two of them. Borrowed. */
cbor_item_t *cbor_tree_member(const cbor_item_t *map, const char *name);
cbor_item_t *cbor_tree_numbered(const cbor_item_t *map, int64_t number);
/* Absent, false: another type, or NULL. Views. */
struct str cbor_tree_bytes(const cbor_item_t *item);
struct str cbor_tree_text(const cbor_item_t *item);
bool cbor_tree_int(const cbor_item_t *item, int64_t *out);
