#include "wire/member_path.h"

#include "wire/scalar.h"

static const struct member *member_named(const struct shape *shape, struct str name)
{
    for (size_t i = 0; i < shape->n_members; i++)
        if (str_is(name, shape->members[i].name))
            return &shape->members[i];
    return NULL;
}

struct walk {
    struct arena *arena;
    struct member_values found;
    size_t cap;
};

static void take(struct walk *walk, struct str value)
{
    if (walk->found.n == walk->cap) {
        struct str *more = ARENA_ARRAY(walk->arena, struct str, walk->cap * 2 + 4);
        if (walk->found.n)
            memcpy(more, walk->found.items, walk->found.n * sizeof *more);
        walk->found.items = more;
        walk->cap = walk->cap * 2 + 4;
    }
    walk->found.items[walk->found.n++] = value;
}

static void go(struct walk *walk, const struct shape *shape, const void *at, struct str path);

static void go_into(struct walk *walk, const struct shape *shape, const void *in, struct str path)
{
    struct str name = STR_NONE;
    str_split(&path, '.', &name);
    const struct member *member = member_named(shape, name);
    if (member)
        go(walk, member->shape, (const char *)in + member->offset, path);
}

/* `at` is where a member of this shape stands. */
static void go(struct walk *walk, const struct shape *shape, const void *at, struct str path)
{
    const struct any_list *list = at;
    const void *inner;
    switch (shape->kind) {
    case SHAPE_STRUCT:
        memcpy(&inner, at, sizeof inner);
        if (inner && path.len)
            go_into(walk, shape, inner, path);
        break;
    case SHAPE_LIST:
        for (size_t i = 0; i < list->n; i++)
            go(walk, shape->element, (const char *)list->items + i * shape->element->size, path);
        break;
    case SHAPE_MAP:
        for (size_t i = 0; i < list->n; i++)
            go(walk, shape->element, (const char *)list->items + i * shape->alloc + shape->value_offset, path);
        break;
    case SHAPE_DOCUMENT:
    case SHAPE_BLOB:
        break;
    default:
        if (!path.len && member_is_set(shape, at))
            take(walk, scalar_to_text(walk->arena, shape, TIME_ISO8601, at));
    }
}

static void go_patches(struct walk *walk, const struct shape *patch, const struct any_list *operations, struct str wanted)
{
    bool removed = str_starts(wanted, STR("!"));
    wanted = removed ? str_from(wanted, 1) : wanted;
    for (size_t i = 0; i < operations->n; i++) {
        const void *operation = ((void *const *)operations->items)[i];
        struct str op = member_text(walk->arena, patch, operation, STR("op"));
        struct str path = member_text(walk->arena, patch, operation, STR("path"));
        struct str value = member_text(walk->arena, patch, operation, STR("value"));
        bool below = str_starts(path, wanted) && (path.len == wanted.len || (path.ptr && path.ptr[wanted.len] == '/'));
        bool gone = str_is(op, "remove") || !value.len;
        if (below && gone == removed)
            take(walk, removed ? path : value);
    }
}

struct member_values member_values(struct arena *arena, const struct shape *shape, const void *in, struct str path)
{
    struct walk walk = { .arena = arena };
    ptrdiff_t colon = str_find(path, ':');
    const struct member *patches = colon < 0 ? NULL : member_named(shape, str_sub(path, 0, (size_t)colon));
    if (patches)
        go_patches(&walk, patches->shape->element, (const void *)((const char *)in + patches->offset),
                   str_from(path, (size_t)colon + 1));
    else
        go_into(&walk, shape, in, path);
    return walk.found;
}

struct str member_text(struct arena *arena, const struct shape *shape, const void *in, struct str name)
{
    const struct member *member = member_named(shape, name);
    const void *at = member ? (const char *)in + member->offset : NULL;
    if (!member || !member_is_set(member->shape, at))
        return STR_NONE;
    return scalar_to_text(arena, member->shape, TIME_ISO8601, at);
}
