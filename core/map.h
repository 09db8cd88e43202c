/* Hash map from string to pointer on the heap; keys are copied. Not thread-safe by itself. */
#pragma once

#include "core/str.h"

struct map;

struct map *map_new(void);
void map_free(struct map *map, void (*free_value)(void *)); /* free_value may be NULL */
void *map_get(const struct map *map, struct str key);       /* NULL: none */
/* The value that stood there before, or NULL. */
void *map_set(struct map *map, struct str key, void *value);
void *map_remove(struct map *map, struct str key);
size_t map_count(const struct map *map);
/* for (size_t at = 0; map_each(map, &at, &key, &value);): in no order; no changes meanwhile. */
bool map_each(const struct map *map, size_t *at, struct str *key, void **value);
/* Keyed hash (SipHash-1-3 with a key drawn at start): strangers cannot aim for collisions. */
uint64_t str_hash(struct str s);
