/* Structs of the services <-> JSON, by descriptor tables. awsJson 1.1 and rest-json bodies, and the
 * documents that stores keep.
 *
 * `value` and `out` point to the struct itself for SHAPE_STRUCT, else to a member's C representation
 * (wire/model.h). Members are found by their wire names; those bound to path, query or headers by
 * the API's. null is the same as absent; what the model does not know is ignored, as on AWS. */
#pragma once

#include "core/json.h"
#include "wire/model.h"

/* Who reads or writes the JSON? */
enum json_use {
    JSON_BODY,     /* the wire: members bound to path, query, headers and payload are left out */
    JSON_DOCUMENT, /* a store: all members, timestamps as numbers */
};

/* The tree belongs to the arena. Absent members are left out. */
json_t *shape_to_json(struct arena *arena, const struct shape *shape, const void *value);
/* Strings are views into the tree; everything else lives in the arena. `out` is overwritten.
 * False: *why (may be NULL) is what AWS's SerializationException would say. */
bool shape_from_json(struct arena *arena, const struct shape *shape, const json_t *json, void *out,
                     struct str *why);
/* The same by way of text: what a store's `doc` column holds. */
struct str shape_print(struct arena *arena, const struct shape *shape, const void *value);
bool shape_parse(struct arena *arena, const struct shape *shape, struct str text, void *out);

/* As above, for one use or the other. */
json_t *json_encode(struct arena *arena, const struct shape *shape, const void *value, enum json_use use);
bool json_decode(struct arena *arena, const struct shape *shape, const json_t *json, void *out,
                 enum json_use use, struct str *why);
