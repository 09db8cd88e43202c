#include "gateway/vtl/value.h"

#include "core/map.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_PRINT_DEPTH JT_DEPTH
#define INDEX_FROM      16

struct vtl_list *vtl_list_new(struct arena *arena)
{
    struct vtl_list *list = ARENA_NEW(arena, struct vtl_list);
    list->arena = arena;
    return list;
}

void vtl_list_add(struct vtl_list *list, struct vtl_value value)
{
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 8;
        struct vtl_value *items = ARENA_ARRAY(list->arena, struct vtl_value, cap);
        if (list->n)
            memcpy(items, list->items, list->n * sizeof *items);
        list->items = items;
        list->cap = cap;
    }
    list->items[list->n++] = value;
}

struct vtl_map *vtl_map_new(struct arena *arena)
{
    struct vtl_map *map = ARENA_NEW(arena, struct vtl_map);
    map->arena = arena;
    return map;
}

static uint32_t hash(struct str key) /* keyed: names of a payload come from strangers */
{
    return (uint32_t)str_hash(key);
}

static void index_add(struct vtl_map *map, size_t entry)
{
    size_t slot = hash(map->entries[entry].key) & (map->index_size - 1);
    while (map->index[slot])
        slot = (slot + 1) & (map->index_size - 1);
    map->index[slot] = (uint32_t)entry + 1;
}

static void index_build(struct vtl_map *map)
{
    map->index_size = 64;
    while (map->index_size < map->cap * 2)
        map->index_size *= 2;
    map->index = ARENA_ARRAY(map->arena, uint32_t, map->index_size);
    for (size_t i = 0; i < map->n; i++)
        if (!map->entries[i].removed)
            index_add(map, i);
}

static struct vtl_entry *find(const struct vtl_map *map, struct str key)
{
    if (!map->index) {
        for (size_t i = 0; i < map->n; i++)
            if (!map->entries[i].removed && str_eq(map->entries[i].key, key))
                return &map->entries[i];
        return NULL;
    }
    size_t slot = hash(key) & (map->index_size - 1);
    for (; map->index[slot]; slot = (slot + 1) & (map->index_size - 1)) {
        struct vtl_entry *entry = &map->entries[map->index[slot] - 1];
        if (!entry->removed && str_eq(entry->key, key))
            return entry;
    }
    return NULL;
}

struct vtl_value *vtl_map_find(const struct vtl_map *map, struct str key)
{
    struct vtl_entry *entry = find(map, key);
    return entry ? &entry->value : NULL;
}

void vtl_map_put(struct vtl_map *map, struct str key, struct vtl_value value)
{
    struct vtl_entry *old = find(map, key);
    if (old) {
        old->value = value;
        return;
    }
    bool grown = map->n == map->cap;
    if (grown) {
        size_t cap = map->cap ? map->cap * 2 : 8;
        struct vtl_entry *entries = ARENA_ARRAY(map->arena, struct vtl_entry, cap);
        if (map->n)
            memcpy(entries, map->entries, map->n * sizeof *entries);
        map->entries = entries;
        map->cap = cap;
    }
    map->entries[map->n++] = (struct vtl_entry){ key, value, false };
    map->live++;
    if (map->n > INDEX_FROM) {
        if (grown || !map->index)
            index_build(map);
        else
            index_add(map, map->n - 1);
    }
}

void vtl_map_remove(struct vtl_map *map, struct str key)
{
    struct vtl_entry *entry = find(map, key);
    if (entry) {
        entry->removed = true;
        map->live--;
    }
}

struct vtl_value vtl_of_json(struct arena *arena, const json_t *json)
{
    if (!json)
        return vtl_null();
    switch (json_typeof(json)) {
    case JSON_TRUE:
    case JSON_FALSE:
        return vtl_bool(json_is_true(json));
    case JSON_INTEGER:
        return vtl_int(json_integer_value(json));
    case JSON_REAL:
        return vtl_double(json_real_value(json));
    case JSON_STRING:
        return vtl_text(json_value_str(json));
    case JSON_ARRAY: {
        struct vtl_list *list = vtl_list_new(arena);
        list->json = true;
        for (size_t i = 0; i < json_array_size(json); i++)
            vtl_list_add(list, vtl_of_json(arena, json_array_get(json, i)));
        return vtl_list_value(list);
    }
    case JSON_OBJECT: {
        struct vtl_map *map = vtl_map_new(arena);
        const char *name;
        json_t *child;
        json_object_foreach((json_t *)(uintptr_t)json, name, child)
            vtl_map_put(map, str_of(name), vtl_of_json(arena, child));
        return vtl_map_value(map);
    }
    default:
        return vtl_null();
    }
}

static struct vtl_value number_of_tree(const struct jt *json)
{
    int64_t whole;
    if (json->flag && jt_number_i64(jt_text(json), &whole))
        return vtl_int(whole);
    struct vtl_value value = vtl_double(jt_number_double(jt_text(json)));
    value.written = json->flag ? json : NULL;
    return value;
}

struct vtl_value vtl_of_tree(struct arena *arena, const struct jt *json, int64_t *values)
{
    if (!json)
        return vtl_null();
    ++*values;
    switch (json->kind) {
    case JT_BOOL:
        return vtl_bool(json->flag);
    case JT_NUMBER:
        return number_of_tree(json);
    case JT_STRING:
        return vtl_text(jt_text(json));
    case JT_ARRAY: {
        struct vtl_list *list = vtl_list_new(arena);
        list->json = true;
        list->cap = list->n = json->n;
        list->items = arena_alloc(arena, json->n * sizeof *list->items, _Alignof(struct vtl_value));
        for (uint32_t i = 0; i < json->n; i++)
            list->items[i] = vtl_of_tree(arena, &json->items[i], values);
        return vtl_list_value(list);
    }
    case JT_OBJECT: { /* its names are known to differ */
        struct vtl_map *map = vtl_map_new(arena);
        map->cap = map->n = map->live = json->n;
        map->entries = arena_alloc(arena, json->n * sizeof *map->entries, _Alignof(struct vtl_entry));
        for (uint32_t i = 0; i < json->n; i++) {
            const struct jt_member *m = &json->object->members[i];
            map->entries[i] = (struct vtl_entry){ m->name, vtl_of_tree(arena, &m->value, values), false };
        }
        if (map->n > INDEX_FROM)
            index_build(map);
        return vtl_map_value(map);
    }
    default:
        return vtl_null();
    }
}

struct vtl_value vtl_plain(struct vtl_value value)
{
    return value.kind == VTL_OBJECT && value.object.class->map ? vtl_map_value(value.object.class->map(value.object.self))
                                                               : value;
}

static void print_int(struct strbuf *out, int64_t integer, int at_least)
{
    char text[24], *p = text + sizeof text;
    uint64_t rest = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    for (int n = 0; rest || n < at_least; n++, rest /= 10)
        *--p = (char)('0' + rest % 10);
    if (integer < 0)
        *--p = '-';
    strbuf_add(out, (struct str){ p, (size_t)(text + sizeof text - p) });
}

/* The same for what has up to nine digits behind the point, without trying texts: whole / power is the double
 * that these digits are read as. */
static bool print_short(struct strbuf *out, double real)
{
    int64_t power = 10;
    double size = fabs(real);
    for (int digits = 1; digits <= 9; digits++, power *= 10) {
        double whole = nearbyint(size * (double)power);
        if (whole > 9e15)
            return false;
        if (whole / (double)power != size)
            continue;
        if (signbit(real))
            strbuf_char(out, '-');
        print_int(out, (int64_t)whole / power, 1);
        strbuf_char(out, '.');
        print_int(out, (int64_t)whole % power, digits);
        return true;
    }
    return false;
}

/* Java's Double.toString: shortest digits that read back, always with a fraction. */
static void print_double(struct strbuf *out, double real)
{
    char text[40];
    if (isnan(real) || isinf(real)) {
        strbuf_add(out, isnan(real) ? STR("NaN") : real > 0 ? STR("Infinity") : STR("-Infinity"));
        return;
    }
    double size = fabs(real);
    if (size != 0 && (size < 1e-3 || size >= 1e7)) {
        for (int digits = 1; digits <= 17; digits++) {
            snprintf(text, sizeof text, "%.*e", digits, real);
            if (strtod(text, NULL) == real)
                break;
        }
        char *e = strchr(text, 'e');
        strbuf_add(out, (struct str){ text, (size_t)(e - text) });
        strbuf_printf(out, "E%d", atoi(e + 1));
        return;
    }
    if (print_short(out, real))
        return;
    for (int digits = 10; digits <= 20; digits++) {
        snprintf(text, sizeof text, "%.*f", digits, real);
        if (strtod(text, NULL) == real)
            break;
    }
    strbuf_add(out, str_of(text));
}

bool vtl_json(struct strbuf *out, struct vtl_value value, int depth)
{
    if (depth > MAX_PRINT_DEPTH)
        return false;
    bool first = true;
    switch (value.kind) {
    case VTL_STRING:
        json_quote(out, value.text);
        return true;
    case VTL_LIST:
        strbuf_char(out, '[');
        for (size_t i = 0; i < value.list->n; i++) {
            if (i)
                strbuf_char(out, ',');
            if (!vtl_json(out, value.list->items[i], depth + 1))
                return false;
        }
        strbuf_char(out, ']');
        return true;
    case VTL_MAP:
        strbuf_char(out, '{');
        for (size_t i = 0; i < value.map->n; i++) {
            const struct vtl_entry *entry = &value.map->entries[i];
            if (entry->removed)
                continue;
            if (!first)
                strbuf_char(out, ',');
            first = false;
            json_quote(out, entry->key);
            strbuf_char(out, ':');
            if (!vtl_json(out, entry->value, depth + 1))
                return false;
        }
        strbuf_char(out, '}');
        return true;
    case VTL_NULL:
        strbuf_add(out, STR("null"));
        return true;
    case VTL_OBJECT:
        if (value.object.class->map)
            return vtl_json(out, vtl_plain(value), depth);
        return vtl_print(out, value, depth);
    default:
        return vtl_print(out, value, depth);
    }
}

static bool print_java_list(struct strbuf *out, const struct vtl_list *list, int depth)
{
    strbuf_char(out, '[');
    for (size_t i = 0; i < list->n; i++) {
        if (i)
            strbuf_add(out, STR(", "));
        if (!vtl_print(out, list->items[i], depth + 1))
            return false;
    }
    strbuf_char(out, ']');
    return true;
}

static bool print_java_map(struct strbuf *out, const struct vtl_map *map, int depth)
{
    bool first = true;
    strbuf_char(out, '{');
    for (size_t i = 0; i < map->n; i++) {
        if (map->entries[i].removed)
            continue;
        if (!first)
            strbuf_add(out, STR(", "));
        first = false;
        strbuf_add(out, map->entries[i].key);
        strbuf_char(out, '=');
        if (!vtl_print(out, map->entries[i].value, depth + 1))
            return false;
    }
    strbuf_char(out, '}');
    return true;
}

bool vtl_print(struct strbuf *out, struct vtl_value value, int depth)
{
    if (depth > MAX_PRINT_DEPTH)
        return false;
    switch (value.kind) {
    case VTL_NULL:
        strbuf_add(out, STR("null"));
        break;
    case VTL_BOOL:
        strbuf_add(out, value.flag ? STR("true") : STR("false"));
        break;
    case VTL_INT:
        print_int(out, value.integer, 1);
        break;
    case VTL_DOUBLE:
        if (value.written)
            strbuf_add(out, jt_text(value.written));
        else
            print_double(out, value.real);
        break;
    case VTL_STRING:
        strbuf_add(out, value.text);
        break;
    case VTL_LIST:
        /* Recorded: a list from $input.path prints as compact JSON, one made in the template as Java's. */
        return value.list->json ? vtl_json(out, value, depth) : print_java_list(out, value.list, depth);
    case VTL_MAP:
        return print_java_map(out, value.map, depth);
    case VTL_OBJECT:
        if (value.object.class->map)
            return vtl_print(out, vtl_plain(value), depth);
        strbuf_add(out, str_of(value.object.class->name));
        break;
    case VTL_BLOCK:
        break;
    }
    return true;
}

struct str vtl_string(struct arena *arena, struct vtl_value value)
{
    if (value.kind == VTL_STRING)
        return value.text;
    if (value.kind == VTL_NULL)
        return STR("");
    struct strbuf buf = strbuf_in(arena, 32);
    vtl_print(&buf, value, 0);
    return strbuf_view(&buf);
}

static bool number_of(struct vtl_value value, double *out)
{
    if (value.kind == VTL_INT)
        *out = (double)value.integer;
    else if (value.kind == VTL_DOUBLE)
        *out = value.real;
    else
        return false;
    return true;
}

bool vtl_equals(struct vtl_value a, struct vtl_value b)
{
    double x, y;
    /* Recorded: $missing == "" is true. */
    if (a.kind == VTL_NULL)
        a = vtl_text(STR(""));
    if (b.kind == VTL_NULL)
        b = vtl_text(STR(""));
    if (a.kind == VTL_INT && b.kind == VTL_INT)
        return a.integer == b.integer;
    if (number_of(a, &x) && number_of(b, &y))
        return x == y;
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case VTL_BOOL:
        return a.flag == b.flag;
    case VTL_STRING:
        return str_eq(a.text, b.text);
    case VTL_LIST:
        if (a.list == b.list)
            return true;
        if (a.list->n != b.list->n)
            return false;
        for (size_t i = 0; i < a.list->n; i++)
            if (a.list->items[i].kind >= VTL_LIST || !vtl_equals(a.list->items[i], b.list->items[i]))
                return false;
        return true;
    case VTL_MAP:
        return a.map == b.map;
    default:
        return false;
    }
}

bool vtl_same(struct arena *arena, struct vtl_value a, struct vtl_value b)
{
    bool numbers = (a.kind == VTL_INT || a.kind == VTL_DOUBLE) && (b.kind == VTL_INT || b.kind == VTL_DOUBLE);
    if (a.kind == b.kind || numbers || a.kind == VTL_NULL || b.kind == VTL_NULL)
        return vtl_equals(a, b);
    if (a.kind >= VTL_LIST && b.kind >= VTL_LIST)
        return false;
    return str_eq(vtl_string(arena, a), vtl_string(arena, b));
}

struct vtl_value vtl_big(struct arena *arena, __int128 value)
{
    char text[48], *p = text + sizeof text;
    unsigned __int128 rest = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    if (value >= INT64_MIN && value <= INT64_MAX)
        return vtl_int((int64_t)value);
    for (; rest; rest /= 10)
        *--p = (char)('0' + (int)(rest % 10));
    if (value < 0)
        *--p = '-';
    struct str digits = str_copy(arena, (struct str){ p, (size_t)(text + sizeof text - p) });
    struct jt *written = ARENA_NEW(arena, struct jt);
    *written = (struct jt){ .kind = JT_NUMBER, .flag = true, .n = (uint32_t)digits.len, .text = digits.ptr };
    struct vtl_value out = vtl_double((double)value);
    out.written = written;
    return out;
}

int vtl_compare(struct vtl_value a, struct vtl_value b)
{
    double x, y;
    if (number_of(a, &x) && number_of(b, &y))
        return x < y ? -1 : x > y;
    if (a.kind == VTL_STRING && b.kind == VTL_STRING) {
        int cmp = str_cmp(a.text, b.text);
        return cmp < 0 ? -1 : cmp > 0;
    }
    return 2;
}

/* Recorded: only Boolean false is false; null, unset and "" are true. */
bool vtl_is_true(struct vtl_value value)
{
    return value.kind != VTL_BOOL || value.flag;
}
