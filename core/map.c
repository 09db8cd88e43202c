#include "core/map.h"

#include <stdlib.h>
#include <sys/random.h>

struct entry {
    uint64_t hash;
    struct str key; /* own copy; ptr NULL: free slot */
    void *value;
};

/* Open addressing with linear probing; at most 3/4 full; removal shifts back, so no tombstones. */
struct map {
    struct entry *slots;
    size_t n, cap;
};

static uint64_t hash_key[2];

__attribute__((constructor)) static void draw_hash_key(void)
{
    if (getrandom(hash_key, sizeof hash_key, 0) != (ssize_t)sizeof hash_key)
        abort();
}

static uint64_t rotl(uint64_t x, int b)
{
    return x << b | x >> (64 - b);
}

#define SIP_ROUND                                  \
    do {                                           \
        v0 += v1; v1 = rotl(v1, 13); v1 ^= v0;     \
        v0 = rotl(v0, 32);                         \
        v2 += v3; v3 = rotl(v3, 16); v3 ^= v2;     \
        v0 += v3; v3 = rotl(v3, 21); v3 ^= v0;     \
        v2 += v1; v1 = rotl(v1, 17); v1 ^= v2;     \
        v2 = rotl(v2, 32);                         \
    } while (0)

uint64_t str_hash(struct str s)
{
    uint64_t v0 = hash_key[0] ^ 0x736f6d6570736575ull, v1 = hash_key[1] ^ 0x646f72616e646f6dull;
    uint64_t v2 = hash_key[0] ^ 0x6c7967656e657261ull, v3 = hash_key[1] ^ 0x7465646279746573ull;
    size_t left = s.len;
    const char *at = s.ptr;
    uint64_t word;
    for (; left >= 8; left -= 8, at += 8) {
        memcpy(&word, at, 8);
        v3 ^= word;
        SIP_ROUND;
        v0 ^= word;
    }
    word = (uint64_t)s.len << 56;
    for (size_t i = 0; i < left; i++)
        word |= (uint64_t)(unsigned char)at[i] << (8 * i);
    v3 ^= word;
    SIP_ROUND;
    v0 ^= word;
    v2 ^= 0xff;
    SIP_ROUND;
    SIP_ROUND;
    SIP_ROUND;
    return v0 ^ v1 ^ v2 ^ v3;
}

static void *must(void *ptr)
{
    if (!ptr)
        abort();
    return ptr;
}

struct map *map_new(void)
{
    struct map *map = must(calloc(1, sizeof *map));
    map->cap = 16;
    map->slots = must(calloc(map->cap, sizeof *map->slots));
    return map;
}

void map_free(struct map *map, void (*free_value)(void *))
{
    if (!map)
        return;
    for (size_t i = 0; i < map->cap; i++) {
        if (!map->slots[i].key.ptr)
            continue;
        free((char *)map->slots[i].key.ptr);
        if (free_value)
            free_value(map->slots[i].value);
    }
    free(map->slots);
    free(map);
}

/* The slot of the key, or the free slot where it would go. */
static struct entry *locate(const struct map *map, struct str key, uint64_t hash)
{
    for (size_t i = hash & (map->cap - 1);; i = (i + 1) & (map->cap - 1)) {
        struct entry *slot = &map->slots[i];
        if (!slot->key.ptr || (slot->hash == hash && str_eq(slot->key, key)))
            return slot;
    }
}

void *map_get(const struct map *map, struct str key)
{
    return locate(map, key, str_hash(key))->value;
}

static void grow(struct map *map)
{
    struct map bigger = { must(calloc(map->cap * 2, sizeof *map->slots)), map->n, map->cap * 2 };
    for (size_t i = 0; i < map->cap; i++)
        if (map->slots[i].key.ptr)
            *locate(&bigger, map->slots[i].key, map->slots[i].hash) = map->slots[i];
    free(map->slots);
    *map = bigger;
}

void *map_set(struct map *map, struct str key, void *value)
{
    if ((map->n + 1) * 4 > map->cap * 3)
        grow(map);
    uint64_t hash = str_hash(key);
    struct entry *slot = locate(map, key, hash);
    void *before = slot->value;
    if (!slot->key.ptr) {
        char *copy = must(malloc(key.len + 1));
        if (key.len)
            memcpy(copy, key.ptr, key.len);
        copy[key.len] = '\0';
        slot->key = (struct str){ copy, key.len };
        slot->hash = hash;
        map->n++;
    }
    slot->value = value;
    return before;
}

void *map_remove(struct map *map, struct str key)
{
    struct entry *slot = locate(map, key, str_hash(key));
    if (!slot->key.ptr)
        return NULL;
    void *value = slot->value;
    free((char *)slot->key.ptr);
    map->n--;
    size_t mask = map->cap - 1, hole = (size_t)(slot - map->slots);
    for (size_t i = (hole + 1) & mask; map->slots[i].key.ptr; i = (i + 1) & mask) {
        size_t home = map->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) { /* may move back into the hole */
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole] = (struct entry){ 0 };
    return value;
}

size_t map_count(const struct map *map)
{
    return map->n;
}

bool map_each(const struct map *map, size_t *at, struct str *key, void **value)
{
    for (; *at < map->cap; (*at)++) {
        struct entry *slot = &map->slots[*at];
        if (!slot->key.ptr)
            continue;
        *key = slot->key;
        *value = slot->value;
        (*at)++;
        return true;
    }
    return false;
}
