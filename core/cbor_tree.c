#include "core/cbor_tree.h"

enum major { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

/* The argument of the head at `*at`, which is then behind the head. */
static bool read_head(struct str bytes, size_t *at, enum major *major, uint8_t *info, uint64_t *argument)
{
    if (*at >= bytes.len)
        return false;
    uint8_t first = (uint8_t)bytes.ptr[(*at)++];
    *major = first >> 5;
    *info = first & 0x1f;
    if (*info < 24) {
        *argument = *info;
        return true;
    }
    if (*info > 27) /* 28 to 30 are reserved, 31 is of indefinite length */
        return false;
    size_t width = (size_t)1 << (*info - 24);
    if (bytes.len - *at < width)
        return false;
    *argument = 0;
    for (size_t i = 0; i < width; i++)
        *argument = *argument << 8 | (uint8_t)bytes.ptr[(*at)++];
    return true;
}

static bool walk(struct str bytes, size_t *at, int depth)
{
    enum major major;
    uint8_t info;
    uint64_t argument;
    if (depth > CBOR_TREE_DEPTH || !read_head(bytes, at, &major, &info, &argument))
        return false;
    size_t left = bytes.len - *at;
    switch (major) {
    case UNSIGNED:
    case NEGATIVE:
        return true;
    case BYTES:
    case TEXT:
        if (argument > left)
            return false;
        *at += (size_t)argument;
        return true;
    case ARRAY:
    case MAP:
        if (argument > left) /* a member is a byte at least */
            return false;
        for (uint64_t i = 0; i < (major == MAP ? argument * 2 : argument); i++)
            if (!walk(bytes, at, depth + 1))
                return false;
        return true;
    case SIMPLE: /* false, true, null, undefined and floats; libcbor has no other values */
        return (info >= 20 && info <= 23) || (info >= 25 && info <= 27);
    case TAG:
        return false;
    }
    return false;
}

size_t cbor_tree_extent(struct str bytes)
{
    size_t at = 0;
    return walk(bytes, &at, 1) ? at : 0;
}

static void release(void *item)
{
    cbor_item_t *held = item;
    cbor_decref(&held);
}

cbor_item_t *cbor_tree_read(struct arena *arena, struct str bytes)
{
    struct cbor_load_result result;
    if (!bytes.len || cbor_tree_extent(bytes) != bytes.len)
        return NULL;
    cbor_item_t *item = cbor_load((cbor_data)bytes.ptr, bytes.len, &result);
    if (!item)
        return NULL;
    arena_defer(arena, release, item);
    return result.error.code == CBOR_ERR_NONE && result.read == bytes.len ? item : NULL;
}

struct str cbor_tree_bytes(const cbor_item_t *item)
{
    if (!item || !cbor_isa_bytestring(item) || !cbor_bytestring_is_definite(item))
        return STR_NONE;
    size_t len = cbor_bytestring_length(item);
    return (struct str){ len ? (const char *)cbor_bytestring_handle(item) : "", len };
}

struct str cbor_tree_text(const cbor_item_t *item)
{
    if (!item || !cbor_isa_string(item) || !cbor_string_is_definite(item))
        return STR_NONE;
    size_t len = cbor_string_length(item);
    return (struct str){ len ? (const char *)cbor_string_handle(item) : "", len };
}

bool cbor_tree_int(const cbor_item_t *item, int64_t *out)
{
    if (!item || !cbor_is_int(item))
        return false;
    uint64_t magnitude = cbor_get_int(item);
    if (magnitude > INT64_MAX)
        return false;
    *out = cbor_isa_negint(item) ? -1 - (int64_t)magnitude : (int64_t)magnitude;
    return true;
}

static cbor_item_t *only(const cbor_item_t *map, bool (*is)(const cbor_item_t *key, const void *wanted),
                         const void *wanted)
{
    cbor_item_t *found = NULL;
    if (!map || !cbor_isa_map(map))
        return NULL;
    const struct cbor_pair *pairs = cbor_map_handle(map);
    for (size_t i = 0; i < cbor_map_size(map); i++) {
        if (!is(pairs[i].key, wanted))
            continue;
        if (found)
            return NULL;
        found = pairs[i].value;
    }
    return found;
}

static bool is_name(const cbor_item_t *key, const void *wanted)
{
    struct str text = cbor_tree_text(key);
    return text.ptr && str_is(text, wanted);
}

static bool is_number(const cbor_item_t *key, const void *wanted)
{
    int64_t number;
    return cbor_tree_int(key, &number) && number == *(const int64_t *)wanted;
}

cbor_item_t *cbor_tree_member(const cbor_item_t *map, const char *name)
{
    return only(map, is_name, name);
}

cbor_item_t *cbor_tree_numbered(const cbor_item_t *map, int64_t number)
{
    return only(map, is_number, &number);
}
