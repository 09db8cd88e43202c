#include "wire/constrain.h"

#include "wire/pattern.h"
#include "wire/scalar.h"

enum { MAX_ERRORS = 50, MAX_SHOWN_BYTES = 8192 };

/* One walk over the input; errors are collected in the order of the members. */
struct walk {
    struct arena *arena;
    bool terse;
    unsigned faults_that_count;
    int errors;
    struct strbuf text; /* "Value 'x' at …; Value 'y' at …" */
};

/* --- values as Java prints them: x, [a, b], {k=v} --- */

static void show(struct strbuf *buf, const struct shape *shape, const void *at);

static void show_items(struct strbuf *buf, const struct shape *shape, const struct any_list *list)
{
    bool map = shape->kind == SHAPE_MAP;
    strbuf_char(buf, map ? '{' : '[');
    for (size_t i = 0; i < list->n && buf->len < MAX_SHOWN_BYTES; i++) {
        const char *item = (const char *)list->items + i * (map ? shape->alloc : shape->element->size);
        if (i)
            strbuf_add(buf, STR(", "));
        if (map) {
            strbuf_add(buf, *(const struct str *)item);
            strbuf_char(buf, '=');
        }
        show(buf, shape->element, item + (map ? shape->value_offset : 0));
    }
    strbuf_char(buf, map ? '}' : ']');
}

static void show_struct(struct strbuf *buf, const struct shape *shape, const void *value)
{
    bool first = true;
    strbuf_printf(buf, "%s(", shape->name);
    for (size_t i = 0; i < shape->n_members && buf->len < MAX_SHOWN_BYTES; i++) {
        const struct member *member = &shape->members[i];
        const void *at = (const char *)value + member->offset;
        if (!member_is_set(member->shape, at))
            continue;
        strbuf_printf(buf, "%s%s=", first ? "" : ", ", member->name);
        show(buf, member->shape, at);
        first = false;
    }
    strbuf_char(buf, ')');
}

static void show(struct strbuf *buf, const struct shape *shape, const void *at)
{
    if (shape->sensitive)
        strbuf_add(buf, STR("***"));
    else if (shape->kind == SHAPE_LIST || shape->kind == SHAPE_MAP)
        show_items(buf, shape, at);
    else if (shape->kind == SHAPE_STRUCT)
        show_struct(buf, shape, *(void *const *)at);
    else if (shape->kind != SHAPE_DOCUMENT && shape->kind != SHAPE_BLOB)
        strbuf_add(buf, str_sub(scalar_to_text(buf->arena, shape, TIME_ISO8601, at), 0, MAX_SHOWN_BYTES));
}

/* --- sentences --- */

static struct str limit_text(struct walk *walk, const struct shape *shape, bool upper)
{
    bool value = shape->kind == SHAPE_INT || shape->kind == SHAPE_LONG || shape->kind == SHAPE_FLOAT;
    return str_printf(walk->arena, "Member must have %s %s than or equal to %lld%s",
                      value ? "value" : "length", upper ? "less" : "greater",
                      (long long)(upper ? shape->max : shape->min), shape->kind == SHAPE_FLOAT ? ".0" : "");
}

static struct str pattern_text(struct walk *walk, const struct shape *shape)
{
    return str_printf(walk->arena, "Member must satisfy regular expression pattern: %s", shape->pattern);
}

static struct str enum_text(struct walk *walk, const struct shape *shape)
{
    if (walk->terse)
        return STR("Member must satisfy enum value set");
    struct strbuf buf = strbuf_in(walk->arena, 256);
    strbuf_add(&buf, STR("Member must satisfy enum value set: ["));
    for (const char *const *value = shape->values; *value; value++)
        strbuf_printf(&buf, "%s%s", value == shape->values ? "" : ", ", *value);
    strbuf_char(&buf, ']');
    return strbuf_view(&buf);
}

/* All that an item of a list, a key or a value of a map must satisfy. */
static struct str all_texts(struct walk *walk, const struct shape *shape, bool dense)
{
    struct strbuf buf = strbuf_in(walk->arena, 256);
    const struct str texts[] = {
        shape->has_max ? limit_text(walk, shape, true) : STR_NONE,
        shape->has_min ? limit_text(walk, shape, false) : STR_NONE,
        shape->pattern ? pattern_text(walk, shape) : STR_NONE,
        shape->values ? enum_text(walk, shape) : STR_NONE,
        dense ? STR("Member must not be null") : STR_NONE,
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        if (!texts[i].ptr)
            continue;
        if (buf.len)
            strbuf_add(&buf, STR(", "));
        strbuf_add(&buf, texts[i]);
    }
    return strbuf_view(&buf);
}

static void complain(struct walk *walk, const struct shape *shape, struct str path, const void *at,
                     struct str constraint)
{
    if (walk->errors++ >= MAX_ERRORS)
        return;
    if (walk->text.len)
        strbuf_add(&walk->text, STR("; "));
    bool hidden = shape->sensitive || walk->terse;
    strbuf_add(&walk->text, !at ? STR("Value null") : hidden ? STR("Value") : STR("Value '"));
    if (!hidden && at) {
        show(&walk->text, shape, at);
        strbuf_char(&walk->text, '\'');
    }
    strbuf_printf(&walk->text, " at '%.*s' failed to satisfy constraint: %.*s", STR_FMT(path),
                  STR_FMT(constraint));
}

/* --- checks --- */

/* Java counts UTF-16 units. */
static int64_t string_length(struct str text)
{
    int64_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        n += (c & 0xc0) != 0x80;
        n += c >= 0xf0;
    }
    return n;
}

enum fault { FAULT_MAX = 1, FAULT_MIN = 2, FAULT_PATTERN = 4, FAULT_ENUM = 8, FAULT_ANY = 15 };

static bool is_one_of(struct str text, const char *const *values)
{
    for (; *values; values++)
        if (str_is(text, *values))
            return true;
    return false;
}

static unsigned size_faults(const struct shape *shape, int64_t size)
{
    return (shape->has_max && size > shape->max ? FAULT_MAX : 0u) |
           (shape->has_min && size < shape->min ? FAULT_MIN : 0u);
}

static unsigned faults_of(const struct shape *shape, const void *at)
{
    const struct str *text = at;
    double number;
    switch (shape->kind) {
    case SHAPE_STRING:
        return size_faults(shape, string_length(*text)) |
               (shape->pattern && !pattern_matches(shape->pattern, *text) ? FAULT_PATTERN : 0u) |
               (shape->values && !is_one_of(*text, shape->values) ? FAULT_ENUM : 0u);
    case SHAPE_BLOB:
        return size_faults(shape, (int64_t)text->len);
    case SHAPE_INT:
    case SHAPE_LONG:
        return size_faults(shape, ((const struct opt_i64 *)at)->value);
    case SHAPE_FLOAT:
        number = ((const struct opt_f64 *)at)->value;
        return (shape->has_max && !(number <= (double)shape->max) ? FAULT_MAX : 0u) |
               (shape->has_min && !(number >= (double)shape->min) ? FAULT_MIN : 0u);
    case SHAPE_LIST:
    case SHAPE_MAP:
        return size_faults(shape, (int64_t)((const struct any_list *)at)->n);
    default:
        return 0;
    }
}

static bool is_scalar(const struct shape *shape)
{
    return shape->kind <= SHAPE_TIMESTAMP;
}

static struct str member_path(struct arena *arena, struct str prefix, const char *name)
{
    char first = name[0] >= 'A' && name[0] <= 'Z' ? (char)(name[0] + 32) : name[0];
    return str_printf(arena, "%.*s%s%c%s", STR_FMT(prefix), prefix.len ? "." : "", first, name + 1);
}

static void check_struct(struct walk *walk, const struct shape *shape, struct str path, const void *value);
static void check(struct walk *walk, const struct shape *shape, struct str path, const void *at);

/* Items that are scalars are named by their list; others have a path of their own, "tags.1.member.key". */
static void check_list(struct walk *walk, const struct shape *shape, struct str path,
                       const struct any_list *list)
{
    for (size_t i = 0; i < list->n && walk->errors < MAX_ERRORS; i++) {
        const void *item = (const char *)list->items + i * shape->element->size;
        if (!is_scalar(shape->element)) {
            check(walk, shape->element, str_printf(walk->arena, "%.*s.%zu.member", STR_FMT(path), i + 1),
                  item);
        } else if (faults_of(shape->element, item) & walk->faults_that_count) {
            complain(walk, shape->element->sensitive ? shape->element : shape, path, list,
                     str_printf(walk->arena, "Member must satisfy constraint: [%.*s]",
                                STR_FMT(all_texts(walk, shape->element, shape->dense))));
            return;
        }
    }
}

static void check_map(struct walk *walk, const struct shape *shape, struct str path,
                      const struct any_list *map)
{
    bool bad_key = false, bad_value = false;
    for (size_t i = 0; i < map->n && walk->errors < MAX_ERRORS; i++) {
        const char *item = (const char *)map->items + i * shape->alloc;
        bad_key |= (faults_of(shape->key, item) & walk->faults_that_count) != 0;
        if (is_scalar(shape->element))
            bad_value |=
                (faults_of(shape->element, item + shape->value_offset) & walk->faults_that_count) != 0;
        else
            check(walk, shape->element,
                  str_printf(walk->arena, "%.*s.%.*s.member", STR_FMT(path),
                             STR_FMT(*(const struct str *)item)),
                  item + shape->value_offset);
    }
    if (bad_key)
        complain(walk, shape, path, map,
                 str_printf(walk->arena, "Map keys must satisfy constraint: [%.*s]",
                            STR_FMT(all_texts(walk, shape->key, false))));
    if (bad_value)
        complain(walk, shape->element->sensitive ? shape->element : shape, path, map,
                 str_printf(walk->arena, "Map value must satisfy constraint: [%.*s]",
                            STR_FMT(all_texts(walk, shape->element, shape->dense))));
}

static void check(struct walk *walk, const struct shape *shape, struct str path, const void *at)
{
    unsigned faults = faults_of(shape, at) & walk->faults_that_count;
    if (faults & FAULT_MAX)
        complain(walk, shape, path, at, limit_text(walk, shape, true));
    if (faults & FAULT_MIN)
        complain(walk, shape, path, at, limit_text(walk, shape, false));
    if (faults & FAULT_PATTERN)
        complain(walk, shape, path, at, pattern_text(walk, shape));
    if (faults & FAULT_ENUM)
        complain(walk, shape, path, at, enum_text(walk, shape));
    if (shape->kind == SHAPE_STRUCT)
        check_struct(walk, shape, path, *(void *const *)at);
    else if (shape->kind == SHAPE_LIST)
        check_list(walk, shape, path, at);
    else if (shape->kind == SHAPE_MAP)
        check_map(walk, shape, path, at);
}

static void check_member(struct walk *walk, const struct member *member, struct str prefix, const void *value)
{
    const void *at = (const char *)value + member->offset;
    if (member_is_set(member->shape, at))
        check(walk, member->shape, member_path(walk->arena, prefix, member->name), at);
    else if (member->required)
        complain(walk, member->shape, member_path(walk->arena, prefix, member->name), NULL,
                 STR("Member must not be null"));
}

static void check_struct(struct walk *walk, const struct shape *shape, struct str path, const void *value)
{
    for (size_t i = 0; i < shape->n_members && walk->errors < MAX_ERRORS; i++)
        check_member(walk, &shape->members[i], path, value);
}

gh_err constrain_check(struct arena *arena, const struct service *service, const struct operation *operation,
                       const void *in)
{
    struct walk walk = { arena, operation->terse, FAULT_ANY, 0, strbuf_in(arena, 64) };
    struct str prefix = STR("");
    if (service->input_prefix)
        prefix = member_path(arena, prefix, str_printf(arena, "%sInput", operation->name).ptr);
    const struct shape *shape = operation->in;
    for (size_t i = 0; i < shape->n_members; i++) /* the body comes first, and may have a prefix */
        if (shape->members[i].in == IN_BODY)
            check_member(&walk, &shape->members[i], prefix, in);
    for (size_t i = 0; i < shape->n_members; i++)
        if (shape->members[i].in != IN_BODY)
            check_member(&walk, &shape->members[i], STR(""), in);
    if (!walk.errors)
        return NULL;
    /* not by way of printf, which would end the sentence at a NUL in a value */
    struct gh_err *err = ARENA_NEW(arena, struct gh_err);
    err->kind = service->validation;
    err->message = str_concat(arena,
                              str_printf(arena, "%d validation error%s detected: ", walk.errors, walk.errors == 1 ? "" : "s"),
                              strbuf_view(&walk.text));
    return err;
}

struct str constrain_reply(struct arena *arena, const struct operation *operation, const void *out)
{
    struct walk walk = { arena, false, FAULT_ENUM, 0, strbuf_in(arena, 64) };
    check_struct(&walk, operation->out, STR(""), out);
    return walk.errors ? strbuf_view(&walk.text) : STR_NONE;
}

/* --- members that are not supported yet --- */

static bool asks_for(const struct shape *shape, const void *at, struct str path, struct str wanted);

static bool asks_for_in_struct(const struct shape *shape, const void *value, struct str path,
                               struct str wanted)
{
    struct str name;
    if (!str_split(&path, '.', &name))
        return false;
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct member *member = &shape->members[i];
        const void *at = (const char *)value + member->offset;
        if (str_is(name, member->name) && member_is_set(member->shape, at))
            return asks_for(member->shape, at, path, wanted);
    }
    return false;
}

static bool asks_for_in_items(const struct shape *shape, const struct any_list *list, struct str path,
                              struct str wanted)
{
    size_t step = shape->kind == SHAPE_MAP ? shape->alloc : shape->element->size;
    for (size_t i = 0; i < list->n; i++)
        if (asks_for(shape->element,
                     (const char *)list->items + i * step +
                         (shape->kind == SHAPE_MAP ? shape->value_offset : 0),
                     path, wanted))
            return true;
    return false;
}

static bool is_value(const struct shape *shape, const void *at, struct str wanted)
{
    int64_t number;
    if (shape->kind == SHAPE_STRING)
        return str_eq(*(const struct str *)at, wanted);
    if (shape->kind == SHAPE_BOOL)
        return ((const struct opt_bool *)at)->value == str_is(wanted, "true");
    return (shape->kind == SHAPE_INT || shape->kind == SHAPE_LONG) && str_i64(wanted, &number) &&
           ((const struct opt_i64 *)at)->value == number;
}

/* path: what is left of it; wanted: the value that is refused, absent: any. An empty list or map,
 * false and "" ask for nothing. */
static bool asks_for(const struct shape *shape, const void *at, struct str path, struct str wanted)
{
    bool list = shape->kind == SHAPE_LIST || shape->kind == SHAPE_MAP;
    if (list && (path.ptr || wanted.ptr))
        return asks_for_in_items(shape, at, path, wanted);
    if (path.ptr)
        return shape->kind == SHAPE_STRUCT && asks_for_in_struct(shape, *(void *const *)at, path, wanted);
    if (list)
        return ((const struct any_list *)at)->n > 0;
    if (wanted.ptr)
        return is_value(shape, at, wanted);
    if (shape->kind == SHAPE_BOOL)
        return ((const struct opt_bool *)at)->value;
    return shape->kind != SHAPE_STRING || ((const struct str *)at)->len > 0;
}

gh_err constrain_refused(struct arena *arena, const struct registered *registered,
                         const struct operation *operation, const void *in)
{
    for (const char *const *row = registered->refused; row && *row; row++) {
        struct str path = str_of(*row), name, wanted = STR_NONE;
        if (!str_split(&path, '.', &name) || !str_is(name, operation->name) || !path.ptr)
            continue;
        struct str shown = path;
        ptrdiff_t equals = str_find(path, '=');
        if (equals >= 0) {
            wanted = str_from(path, (size_t)equals + 1);
            path = str_sub(path, 0, (size_t)equals);
        }
        if (asks_for_in_struct(operation->in, in, path, wanted))
            return gh_fail(arena, registered->service->refusal, "%s: %.*s is not supported by Gatehouse yet",
                           operation->name, STR_FMT(shown));
    }
    return NULL;
}
