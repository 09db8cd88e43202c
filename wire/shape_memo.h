/* Documents of a store that are read at every call and rarely change: decoded once.
 *
 * A value is found by the row's key and belongs to exactly the text it was decoded from. The caller reads the
 * row as ever and shows its text, so nothing has to be told when a row changes, and nothing stale can be
 * seen. Any thread; bounded: when it is full everything is forgotten. */
#pragma once

#include "wire/codec_json.h"

struct shape_memo;

struct shape_memo *shape_memo_new(const struct shape *shape, size_t value_bytes, size_t most);
void shape_memo_free(struct shape_memo *memo);
/* What shape_parse would make of `text`. Shared: never to be changed; held until the arena is freed. NULL:
 * the text is damaged. */
const void *shape_memo_get(struct shape_memo *memo, struct arena *arena, struct str key, struct str text);
