#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/jsonpath_parts.h"

#define MAX_VISITED 1000000

/* A growing list of borrowed values. */
struct nodes {
    const struct jt **items;
    size_t n, cap;
};

struct search {
    struct arena *arena;
    const struct jt *root;
    int64_t left;              /* visits */
};

static void select_from(struct search *s, const struct segment *seg, const struct jt *value, struct nodes *out);
static bool passes(struct search *s, const struct filter *filter, const struct jt *value);

static void add(struct search *s, struct nodes *nodes, const struct jt *value)
{
    if (s->left <= 0)
        return;
    s->left--;
    if (nodes->n == nodes->cap) {
        size_t cap = nodes->cap ? nodes->cap * 2 : 4;
        nodes->items = nodes->items ? arena_grow(s->arena, nodes->items, nodes->cap * sizeof(struct jt *),
                                                 cap * sizeof(struct jt *))
                                    : ARENA_ARRAY(s->arena, const struct jt *, cap);
        nodes->cap = cap;
    }
    nodes->items[nodes->n++] = value;
}

static void add_children(struct search *s, const struct jt *value, struct nodes *out)
{
    if (value->kind == JT_OBJECT)
        for (uint32_t i = 0; i < value->n; i++)
            add(s, out, &value->object->members[i].value);
    else if (value->kind == JT_ARRAY)
        for (uint32_t i = 0; i < value->n; i++)
            add(s, out, &value->items[i]);
}

/* The value and everything under it, parents first; jt_parse allows JT_DEPTH levels. */
static void add_descendants(struct search *s, const struct jt *value, struct nodes *out)
{
    add(s, out, value);
    struct nodes children = { 0 };
    add_children(s, value, &children);
    for (size_t i = 0; i < children.n; i++)
        add_descendants(s, children.items[i], out);
}

static void add_slice(struct search *s, const struct segment *seg, const struct jt *value, struct nodes *out)
{
    int64_t len = value->n;
    int64_t step = seg->step;
    if (step == 0 || len == 0)
        return;
    int64_t start = seg->has_start ? seg->start : step > 0 ? 0 : len - 1;
    int64_t end = seg->has_end ? seg->end : step > 0 ? len : -len - 1;
    if (start < 0)
        start = start < -len ? (step > 0 ? 0 : -1) : start + len;
    if (end < 0)
        end = end < -len ? (step > 0 ? 0 : -1) : end + len;
    if (start >= len)
        start = step > 0 ? len : len - 1;
    if (end > len)
        end = len;
    for (int64_t i = start; step > 0 ? i < end : i > end; i += step) {
        add(s, out, &value->items[i]);
        if (s->left <= 0 || (step > 0 ? i > end - step : i < end - step))
            break;
    }
}

static void add_filtered(struct search *s, const struct segment *seg, const struct jt *value, struct nodes *out)
{
    struct nodes children = { 0 };
    /* "[?(…)]" on an object tests the object itself in Jayway, each member in RFC 9535; members
     * that are objects make both readings agree in practice. */
    add_children(s, value, &children);
    for (size_t i = 0; i < children.n; i++)
        if (passes(s, seg->filter, children.items[i]))
            add(s, out, children.items[i]);
}

/* --- functions --- */

static struct jt text_value(struct arena *arena, enum jt_kind kind, struct str text)
{
    text = str_copy(arena, text);
    return (struct jt){ .kind = kind, .n = (uint32_t)text.len, .text = text.ptr,
                        .flag = kind == JT_NUMBER && str_find(text, '.') < 0 && str_find(text, 'e') < 0 };
}

/* Shortest digits that read back, always with a fraction or an exponent: these are doubles. */
static struct jt real_value(struct arena *arena, double real)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, real);
        if (strtod(text, NULL) == real)
            break;
    }
    if (!strpbrk(text, ".e"))
        memcpy(text + strlen(text), ".0", sizeof ".0");
    return text_value(arena, JT_NUMBER, str_of(text));
}

static bool fn_length(struct arena *arena, const struct jt *value, struct jt *out)
{
    size_t n = value->n;
    if (value->kind < JT_STRING)
        return false;
    if (value->kind == JT_STRING)
        for (uint32_t i = 0; i < value->n; i++)
            n -= ((unsigned char)value->text[i] & 0xc0) == 0x80;
    *out = text_value(arena, JT_NUMBER, str_printf(arena, "%zu", n));
    return true;
}

static bool fn_keys(struct arena *arena, const struct jt *value, struct jt *out)
{
    if (value->kind != JT_OBJECT)
        return false;
    *out = (struct jt){ .kind = JT_ARRAY, .n = value->n, .items = ARENA_ARRAY(arena, struct jt, value->n + 1) };
    for (uint32_t i = 0; i < value->n; i++)
        out->items[i] = text_value(arena, JT_STRING, value->object->members[i].name);
    return true;
}

static bool fold(struct arena *arena, const struct jt *list, char how, struct jt *out)
{
    double result = how == '<' ? INFINITY : how == '>' ? -INFINITY : 0;
    size_t n = 0;
    for (uint32_t i = 0; list->kind == JT_ARRAY && i < list->n; i++) {
        if (list->items[i].kind != JT_NUMBER)
            continue;
        double x = jt_number_double(jt_text(&list->items[i]));
        n++;
        if (how == '<')
            result = x < result ? x : result;
        else if (how == '>')
            result = x > result ? x : result;
        else
            result += x;
    }
    result = how == '/' ? result / (double)n : result;
    if (n == 0 || !isfinite(result))
        return false;
    *out = real_value(arena, result);
    return true;
}
static bool fn_min(struct arena *arena, const struct jt *value, struct jt *out)
{
    return fold(arena, value, '<', out);
}
static bool fn_max(struct arena *arena, const struct jt *value, struct jt *out)
{
    return fold(arena, value, '>', out);
}
static bool fn_sum(struct arena *arena, const struct jt *value, struct jt *out)
{
    return fold(arena, value, '+', out);
}
static bool fn_avg(struct arena *arena, const struct jt *value, struct jt *out)
{
    return fold(arena, value, '/', out);
}

static const struct {
    const char *name;
    bool (*run)(struct arena *arena, const struct jt *value, struct jt *out);
} functions[] = {
    { "length", fn_length }, { "size", fn_length }, { "keys", fn_keys }, { "min", fn_min },
    { "max", fn_max },       { "sum", fn_sum },     { "avg", fn_avg },
};

static void add_function(struct search *s, const struct segment *seg, const struct jt *value, struct nodes *out)
{
    for (size_t i = 0; i < COUNT(functions); i++) {
        if (!str_is(seg->function, functions[i].name))
            continue;
        struct jt *result = ARENA_NEW(s->arena, struct jt);
        if (functions[i].run(s->arena, value, result))
            add(s, out, result);
    }
}

static void select_from(struct search *s, const struct segment *seg, const struct jt *value, struct nodes *out)
{
    switch (seg->kind) {
    case SEG_NAMES:
        for (size_t i = 0; i < seg->n && value->kind == JT_OBJECT; i++) {
            const struct jt *child = jt_get(value, seg->names[i]);
            if (child)
                add(s, out, child);
        }
        break;
    case SEG_INDEXES:
        for (size_t i = 0; i < seg->n && value->kind == JT_ARRAY; i++) {
            int64_t len = value->n;
            int64_t index = seg->indexes[i] < 0 ? seg->indexes[i] + len : seg->indexes[i];
            if (index >= 0 && index < len)
                add(s, out, &value->items[index]);
        }
        break;
    case SEG_WILD:
        add_children(s, value, out);
        break;
    case SEG_SLICE:
        if (value->kind == JT_ARRAY)
            add_slice(s, seg, value, out);
        break;
    case SEG_FILTER:
        add_filtered(s, seg, value, out);
        break;
    case SEG_FUNCTION:
        add_function(s, seg, value, out);
        break;
    }
}

static const struct jt *as_list(struct search *s, const struct nodes *found)
{
    struct jt *list = ARENA_NEW(s->arena, struct jt);
    *list = (struct jt){ .kind = JT_ARRAY, .n = (uint32_t)found->n,
                         .items = ARENA_ARRAY(s->arena, struct jt, found->n + 1) };
    for (size_t i = 0; i < found->n; i++)
        list->items[i] = *found->items[i];
    return list;
}

static struct nodes walk(struct search *s, const struct jsonpath *path, const struct jt *start)
{
    struct nodes now = { 0 };
    add(s, &now, start);
    bool many = false;
    for (const struct segment *seg = path->first; seg; seg = seg->next) {
        struct nodes next = { 0 };
        if (seg->kind == SEG_FUNCTION && many) { /* a function of the list found so far */
            const struct jt *list = as_list(s, &now);
            now.n = 0;
            add(s, &now, list);
        }
        for (size_t i = 0; i < now.n; i++) {
            struct nodes from = { 0 };
            if (seg->deep)
                add_descendants(s, now.items[i], &from);
            else
                add(s, &from, now.items[i]);
            for (size_t f = 0; f < from.n; f++)
                select_from(s, seg, from.items[f], &next);
        }
        many = many || seg->deep || (seg->kind != SEG_FUNCTION && (seg->kind > SEG_INDEXES || seg->n > 1));
        if (seg->kind == SEG_FUNCTION)
            many = false;
        now = next;
    }
    return now;
}

/* --- filters --- */

static const struct jt *operand_value(struct search *s, const struct operand *operand, const struct jt *value)
{
    if (operand->kind == OPERAND_LITERAL)
        return operand->literal;
    struct nodes found = walk(s, operand->path, operand->path->relative ? value : s->root);
    if (operand->path->definite)
        return found.n ? found.items[0] : NULL;
    return as_list(s, &found);
}

static bool equal(struct search *s, const struct jt *a, const struct jt *b)
{
    if (!a || !b)
        return a == b;
    return jt_equal(a, b, &s->left);
}

/* -1, 0, 1; 2: not comparable. */
static int order(const struct jt *a, const struct jt *b)
{
    if (jt_is(a, JT_NUMBER) && jt_is(b, JT_NUMBER))
        return jt_number_compare(jt_text(a), jt_text(b));
    if (jt_is(a, JT_STRING) && jt_is(b, JT_STRING)) {
        int cmp = str_cmp(jt_text(a), jt_text(b));
        return cmp < 0 ? -1 : cmp > 0;
    }
    return 2;
}

static bool matches(const struct operand *operand, const struct jt *value)
{
    return operand->kind == OPERAND_REGEX && jt_is(value, JT_STRING) &&
           regex_matches_whole(operand->regex, jt_text(value));
}

static bool contains(struct search *s, const struct jt *list, const struct jt *value)
{
    if (jt_is(list, JT_STRING) && jt_is(value, JT_STRING))
        return str_find_str(jt_text(list), jt_text(value)) >= 0;
    if (jt_is(list, JT_ARRAY))
        for (uint32_t i = 0; i < list->n; i++)
            if (equal(s, &list->items[i], value))
                return true;
    return false;
}

static size_t size_of(const struct jt *value)
{
    return value->kind >= JT_STRING ? value->n : 0;
}

static bool has_size(const struct jt *value, const struct jt *wanted)
{
    int64_t n;
    return value && jt_is(wanted, JT_NUMBER) && jt_number_i64(jt_text(wanted), &n) && (int64_t)size_of(value) == n;
}

static bool compare(struct search *s, const struct filter *f, const struct jt *value)
{
    const struct jt *a = f->a.kind == OPERAND_REGEX ? NULL : operand_value(s, &f->a, value);
    if (f->op == FILTER_MATCH)
        return matches(&f->b, a);
    const struct jt *b = f->b.kind == OPERAND_REGEX ? NULL : operand_value(s, &f->b, value);
    switch (f->op) {
    case FILTER_EQ:
        return equal(s, a, b);
    case FILTER_NE:
        return !equal(s, a, b);
    case FILTER_LT:
        return order(a, b) == -1;
    case FILTER_LE:
        return equal(s, a, b) || order(a, b) == -1;
    case FILTER_GT:
        return order(a, b) == 1;
    case FILTER_GE:
        return equal(s, a, b) || order(a, b) == 1;
    case FILTER_IN:
        return a && contains(s, b, a);
    case FILTER_NIN:
        return !contains(s, b, a);
    case FILTER_CONTAINS:
        return contains(s, a, b);
    case FILTER_SIZE:
        return has_size(a, b);
    case FILTER_EMPTY:
        return a && (size_of(a) == 0) == (jt_is(b, JT_BOOL) && b->flag);
    default:
        return false;
    }
}

static bool passes(struct search *s, const struct filter *f, const struct jt *value)
{
    if (s->left-- <= 0)
        return false;
    switch (f->op) {
    case FILTER_OR:
        return passes(s, f->left, value) || passes(s, f->right, value);
    case FILTER_AND:
        return passes(s, f->left, value) && passes(s, f->right, value);
    case FILTER_NOT:
        return !passes(s, f->left, value);
    case FILTER_EXISTS:
        return walk(s, f->a.path, f->a.path->relative ? value : s->root).n > 0;
    default:
        return compare(s, f, value);
    }
}

static const struct jt *search(struct arena *arena, const struct jsonpath *path, const struct jt *root, int64_t *visits,
                              bool always_list)
{
    struct search s = { arena, root, visits ? *visits : MAX_VISITED };
    struct nodes found = walk(&s, path, root);
    if (visits)
        *visits = s.left > 0 ? s.left : 0;
    if (path->definite && !always_list)
        return found.n ? found.items[0] : NULL;
    return as_list(&s, &found);
}

const struct jt *jsonpath_find(struct arena *arena, const struct jsonpath *path, const struct jt *root, int64_t *visits)
{
    return root ? search(arena, path, root, visits, false) : NULL;
}

const struct jt *jsonpath_find_all(struct arena *arena, const struct jsonpath *path, const struct jt *root)
{
    return search(arena, path, root, NULL, true);
}
