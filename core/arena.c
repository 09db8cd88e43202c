#include "core/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct block {
    struct block *next;
    size_t used, cap;
    alignas(max_align_t) char bytes[];
};

struct cleanup {
    struct cleanup *next;
    void (*fn)(void *);
    void *ptr;
};

struct arena {
    struct block *first, *last;
    struct cleanup *cleanups;
    size_t bytes;              /* of all blocks */
};

static struct block *block_new(size_t cap)
{
    struct block *block = malloc(sizeof(struct block) + cap);
    if (!block) {
        fputs("{\"level\":\"error\",\"msg\":\"out of memory\"}\n", stderr);
        abort();
    }
    block->next = NULL;
    block->used = 0;
    block->cap = cap;
    return block;
}

struct arena *arena_new(size_t first_block_bytes)
{
    if (first_block_bytes < sizeof(struct arena) + 256)
        first_block_bytes = sizeof(struct arena) + 256;
    struct block *block = block_new(first_block_bytes);
    struct arena *arena = (struct arena *)(void *)block->bytes;
    block->used = sizeof(struct arena);
    *arena = (struct arena){ .first = block, .last = block, .bytes = block->cap };
    return arena;
}

static void run_cleanups(struct arena *arena)
{
    while (arena->cleanups) {
        struct cleanup *cleanup = arena->cleanups;
        arena->cleanups = cleanup->next;
        cleanup->fn(cleanup->ptr);
    }
}

static void free_after(struct block *block)
{
    struct block *next = block->next;
    block->next = NULL;
    while (next) {
        struct block *gone = next;
        next = gone->next;
        free(gone);
    }
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    run_cleanups(arena);
    struct block *first = arena->first;
    free_after(first);
    free(first);
}

void arena_reset(struct arena *arena)
{
    run_cleanups(arena);
    free_after(arena->first);
    arena->first->used = sizeof(struct arena);
    arena->last = arena->first;
    arena->bytes = arena->first->cap;
}

void *arena_alloc(struct arena *arena, size_t bytes, size_t align)
{
    struct block *block = arena->last;
    size_t start = (block->used + align - 1) & ~(align - 1);
    if (start + bytes > block->cap || start + bytes < start) {
        size_t cap = block->cap * 2;
        if (cap > 256 * 1024)
            cap = 256 * 1024;
        if (cap < bytes + align)
            cap = bytes + align;
        block->next = block_new(cap);
        arena->last = block = block->next;
        arena->bytes += cap;
        start = 0;
    }
    block->used = start + bytes;
    return block->bytes + start;
}

size_t arena_bytes(const struct arena *arena)
{
    return arena->bytes;
}

void *arena_zalloc(struct arena *arena, size_t bytes)
{
    void *ptr = arena_alloc(arena, bytes, alignof(max_align_t));
    memset(ptr, 0, bytes);
    return ptr;
}

void *arena_grow(struct arena *arena, void *old, size_t old_bytes, size_t bytes)
{
    if (!old)
        return arena_alloc(arena, bytes, alignof(max_align_t));
    struct block *block = arena->last;
    if ((char *)old + old_bytes == block->bytes + block->used &&
        (size_t)((char *)old - block->bytes) + bytes <= block->cap) {
        block->used = (size_t)((char *)old - block->bytes) + bytes;
        return old;
    }
    void *ptr = arena_alloc(arena, bytes, alignof(max_align_t));
    if (old_bytes)
        memcpy(ptr, old, old_bytes < bytes ? old_bytes : bytes);
    return ptr;
}

void arena_defer(struct arena *arena, void (*fn)(void *), void *ptr)
{
    struct cleanup *cleanup = arena_alloc(arena, sizeof *cleanup, alignof(struct cleanup));
    *cleanup = (struct cleanup){ arena->cleanups, fn, ptr };
    arena->cleanups = cleanup;
}
