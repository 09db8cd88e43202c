#include "wire/shape_memo.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/map.h"

struct entry {
    atomic_int references;
    struct arena *arena; /* the entry, too */
    struct str text;
    void *value;
};

struct shape_memo {
    const struct shape *shape;
    size_t value_bytes, most;
    pthread_mutex_t lock;
    struct map *by_key; /* struct entry, a reference each */
};

struct shape_memo *shape_memo_new(const struct shape *shape, size_t value_bytes, size_t most)
{
    struct shape_memo *memo = calloc(1, sizeof *memo);
    if (!memo)
        abort();
    memo->shape = shape;
    memo->value_bytes = value_bytes;
    memo->most = most;
    pthread_mutex_init(&memo->lock, NULL);
    memo->by_key = map_new();
    return memo;
}

static void release(void *ptr)
{
    struct entry *entry = ptr;
    if (atomic_fetch_sub(&entry->references, 1) == 1)
        arena_free(entry->arena);
}

void shape_memo_free(struct shape_memo *memo)
{
    if (!memo)
        return;
    map_free(memo->by_key, release);
    pthread_mutex_destroy(&memo->lock);
    free(memo);
}

static struct entry *find(struct shape_memo *memo, struct str key, struct str text)
{
    pthread_mutex_lock(&memo->lock);
    struct entry *entry = map_get(memo->by_key, key);
    if (entry && str_eq(entry->text, text))
        atomic_fetch_add(&entry->references, 1);
    else
        entry = NULL;
    pthread_mutex_unlock(&memo->lock);
    return entry;
}

/* One reference for the map, one for the caller. NULL: damaged. */
static struct entry *decode(struct shape_memo *memo, struct str text)
{
    struct arena *arena = arena_new(text.len * 4 + 1024);
    struct entry *entry = ARENA_NEW(arena, struct entry);
    entry->arena = arena;
    atomic_init(&entry->references, 2);
    entry->text = str_copy(arena, text);
    entry->value = arena_zalloc(arena, memo->value_bytes);
    if (shape_parse(arena, memo->shape, entry->text, entry->value))
        return entry;
    arena_free(arena);
    return NULL;
}

static void keep(struct shape_memo *memo, struct str key, struct entry *entry)
{
    struct map *full = NULL;
    pthread_mutex_lock(&memo->lock);
    if (map_count(memo->by_key) >= memo->most) {
        full = memo->by_key;
        memo->by_key = map_new();
    }
    struct entry *before = map_set(memo->by_key, key, entry);
    pthread_mutex_unlock(&memo->lock);
    if (before)
        release(before);
    if (full)
        map_free(full, release);
}

const void *shape_memo_get(struct shape_memo *memo, struct arena *arena, struct str key, struct str text)
{
    struct entry *entry = find(memo, key, text);
    if (!entry) {
        entry = decode(memo, text);
        if (!entry)
            return NULL;
        keep(memo, key, entry);
    }
    arena_defer(arena, release, entry);
    return entry->value;
}
