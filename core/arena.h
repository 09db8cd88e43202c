/* One arena a request or call: allocate as you go, free all at once.
 *
 * Not thread-safe: an arena belongs to whoever works on the request at the moment.
 * Memory never runs out gracefully on a server that overcommits, so allocation aborts with a
 * log line when the system refuses; limits on input are what keeps an arena small. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct arena;

struct arena *arena_new(size_t first_block_bytes); /* caller frees with arena_free */
void arena_free(struct arena *arena);              /* runs the deferred cleanups, newest first */
void arena_reset(struct arena *arena);             /* as free and new, keeping the first block */

/* Memory taken from the system so far: what a bound on heap looks at. */
size_t arena_bytes(const struct arena *arena);

void *arena_alloc(struct arena *arena, size_t bytes, size_t align);       /* uninitialised */
void *arena_zalloc(struct arena *arena, size_t bytes);                    /* zeroed, max aligned */
void *arena_grow(struct arena *arena, void *old, size_t old_bytes, size_t bytes); /* in place when last */

/* What is not memory goes along with it: arena_defer(a, close_key, key). */
void arena_defer(struct arena *arena, void (*fn)(void *), void *ptr);

#define ARENA_NEW(arena, type) ((type *)arena_zalloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, n) ((type *)arena_zalloc((arena), sizeof(type) * (size_t)(n)))
