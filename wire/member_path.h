/* Values inside a call's input by the path of their members: "VpcConfig.SubnetIds" goes through structures,
 * lists and maps. tools/authz.yaml has the language. */
#pragma once

#include "core/arena.h"
#include "wire/model.h"

struct member_values {
    struct str *items;
    size_t n;
};
/* `in` is a struct of `shape`. "patchOperations:/name" are the values of patch operations on /name and what is
 * below it, "patchOperations:!/name" its path when an operation takes it away. */
struct member_values member_values(struct arena *arena, const struct shape *shape, const void *in, struct str path);
/* The one scalar member of that name, as text; absent when it was not sent. */
struct str member_text(struct arena *arena, const struct shape *shape, const void *in, struct str name);
