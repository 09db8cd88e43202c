/* Values of a template: Java's, as far as a mapping template can tell. */
#pragma once

#include "core/json.h"
#include "core/json_tree.h"

struct vtl_list;
struct vtl_map;
struct vtl_value;
struct vtl_run;

/* An object with code behind it: $input, $util. */
struct vtl_class {
    const char *name;
    /* False: no such member; *out stays null. */
    bool (*get)(void *self, struct str name, struct vtl_value *out);
    /* False: no such method, or arguments it does not take. */
    bool (*call)(void *self, struct vtl_run *run, struct str name, const struct vtl_value *args, size_t n,
                 struct vtl_value *out);
    /* What it looks like when it is printed, looped over or asked for a map's methods; NULL: it is no map. */
    struct vtl_map *(*map)(void *self);
};

struct vtl_value {
    enum vtl_kind {
        VTL_NULL, VTL_BOOL, VTL_INT, VTL_DOUBLE, VTL_STRING, VTL_LIST, VTL_MAP, VTL_OBJECT, VTL_BLOCK,
    } kind;
    union {
        bool flag;
        int64_t integer;
        struct {
            double real;
            const struct jt *written; /* an integer that is too long for Java's long; or NULL */
        };
        struct str text;
        struct vtl_list *list;
        struct vtl_map *map;
        struct {
            const struct vtl_class *class;
            void *self;
        } object;
        const void *block; /* of #define: printed when referred to */
    };
};

struct vtl_list {
    struct arena *arena;
    struct vtl_value *items;
    size_t n, cap;
    bool json; /* came out of a JSON payload: prints as JSON, not as Java */
};

struct vtl_entry {
    struct str key;
    struct vtl_value value;
    bool removed;
};

/* In order of insertion; a hash index appears when it grows. */
struct vtl_map {
    struct arena *arena;
    struct vtl_entry *entries;
    size_t n, cap, live;
    uint32_t *index; /* entry number + 1, 0 empty */
    size_t index_size;
    bool read_only;  /* $context, $input.params() */
    bool write_once; /* overrides: "setting the same one twice" is an error */
};

static inline struct vtl_value vtl_null(void)
{
    return (struct vtl_value){ .kind = VTL_NULL };
}
static inline struct vtl_value vtl_text(struct str text)
{
    return text.ptr ? (struct vtl_value){ .kind = VTL_STRING, .text = text } : vtl_null();
}
static inline struct vtl_value vtl_bool(bool flag)
{
    return (struct vtl_value){ .kind = VTL_BOOL, .flag = flag };
}
static inline struct vtl_value vtl_int(int64_t integer)
{
    return (struct vtl_value){ .kind = VTL_INT, .integer = integer };
}
static inline struct vtl_value vtl_double(double real)
{
    return (struct vtl_value){ .kind = VTL_DOUBLE, .real = real };
}
static inline struct vtl_value vtl_map_value(struct vtl_map *map)
{
    return (struct vtl_value){ .kind = VTL_MAP, .map = map };
}
static inline struct vtl_value vtl_list_value(struct vtl_list *list)
{
    return (struct vtl_value){ .kind = VTL_LIST, .list = list };
}

struct vtl_list *vtl_list_new(struct arena *arena);
void vtl_list_add(struct vtl_list *list, struct vtl_value value);
struct vtl_map *vtl_map_new(struct arena *arena);
struct vtl_value *vtl_map_find(const struct vtl_map *map, struct str key); /* NULL: no such key */
void vtl_map_put(struct vtl_map *map, struct str key, struct vtl_value value);
void vtl_map_remove(struct vtl_map *map, struct str key);

struct vtl_value vtl_of_json(struct arena *arena, const json_t *json);
/* *values goes up by the values made: what a caller charges for. */
struct vtl_value vtl_of_tree(struct arena *arena, const struct jt *json, int64_t *values);
/* An object that is a map (see vtl_class) as that map; every other value as it is. */
struct vtl_value vtl_plain(struct vtl_value value);
/* As JSON text. False: nested too deeply (a map that holds itself). */
bool vtl_json(struct strbuf *out, struct vtl_value value, int depth);
/* As Java's toString() prints it; null prints "null" inside containers. */
bool vtl_print(struct strbuf *out, struct vtl_value value, int depth);
struct str vtl_string(struct arena *arena, struct vtl_value value); /* of a value as text; "" for null */

/* Java's equals(), which methods use. */
bool vtl_equals(struct vtl_value a, struct vtl_value b);
/* Velocity's ==: "When the objects are of different classes, the string representations are obtained by calling
 * toString() for each object and then compared." */
bool vtl_same(struct arena *arena, struct vtl_value a, struct vtl_value b);
/* An integer beyond Java's long, as its BigInteger: exact when printed. */
struct vtl_value vtl_big(struct arena *arena, __int128 value);
/* -1, 0, 1; 2: not comparable. */
int vtl_compare(struct vtl_value a, struct vtl_value b);
bool vtl_is_true(struct vtl_value value);

/* Java's methods on strings, lists, maps and numbers. False: no such method. */
bool vtl_method(struct arena *arena, struct vtl_value self, struct str name, const struct vtl_value *args,
                size_t n, struct vtl_value *out);
/* $x.name on a value that is no object. */
bool vtl_property(struct arena *arena, struct vtl_value self, struct str name, struct vtl_value *out);
bool vtl_index(struct arena *arena, struct vtl_value self, struct vtl_value index, struct vtl_value *out);
