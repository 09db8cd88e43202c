#include <math.h>

#include "core/jsonpath_parts.h"

#define MAX_VISITED 1000000

/* A growing list of borrowed values. */
struct nodes {
    json_t **items;
    size_t n, cap;
};

struct search {
    struct arena *arena;
    json_t *root;
    size_t visited;
};

static void select_from(struct search *s, const struct segment *seg, json_t *value, struct nodes *out);
static bool passes(struct search *s, const struct filter *filter, json_t *value);

static void add(struct search *s, struct nodes *nodes, json_t *value)
{
    if (s->visited >= MAX_VISITED)
        return;
    s->visited++;
    if (nodes->n == nodes->cap) {
        size_t cap = nodes->cap ? nodes->cap * 2 : 4;
        nodes->items = nodes->items ? arena_grow(s->arena, nodes->items, nodes->cap * sizeof(json_t *),
                                                 cap * sizeof(json_t *))
                                    : ARENA_ARRAY(s->arena, json_t *, cap);
        nodes->cap = cap;
    }
    nodes->items[nodes->n++] = value;
}

static void add_children(struct search *s, json_t *value, struct nodes *out)
{
    const char *name;
    json_t *child;
    size_t i;
    if (json_is_object(value))
        json_object_foreach(value, name, child)
            add(s, out, child);
    else if (json_is_array(value))
        json_array_foreach(value, i, child)
            add(s, out, child);
}

/* The value and everything under it, parents first; json_parse allows 512 levels. */
static void add_descendants(struct search *s, json_t *value, struct nodes *out)
{
    add(s, out, value);
    struct nodes children = { 0 };
    add_children(s, value, &children);
    for (size_t i = 0; i < children.n; i++)
        add_descendants(s, children.items[i], out);
}

static void add_slice(struct search *s, const struct segment *seg, json_t *value, struct nodes *out)
{
    int64_t len = (int64_t)json_array_size(value);
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
        add(s, out, json_array_get(value, (size_t)i));
        if (s->visited >= MAX_VISITED || (step > 0 ? i > end - step : i < end - step))
            break;
    }
}

static void add_filtered(struct search *s, const struct segment *seg, json_t *value, struct nodes *out)
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

static json_t *fn_length(json_t *value)
{
    if (json_is_string(value)) {
        size_t chars = 0;
        for (size_t i = 0; i < json_string_length(value); i++)
            chars += ((unsigned char)json_string_value(value)[i] & 0xc0) != 0x80;
        return json_integer((json_int_t)chars);
    }
    if (json_is_array(value))
        return json_integer((json_int_t)json_array_size(value));
    return json_is_object(value) ? json_integer((json_int_t)json_object_size(value)) : NULL;
}

static json_t *fn_keys(json_t *value)
{
    if (!json_is_object(value))
        return NULL;
    json_t *keys = json_array(), *child;
    const char *name;
    json_object_foreach(value, name, child)
        json_array_append_new(keys, json_string(name));
    return keys;
}

static json_t *fold(json_t *list, char how)
{
    double result = how == '<' ? INFINITY : how == '>' ? -INFINITY : 0;
    size_t i, n = 0;
    json_t *one;
    json_array_foreach(list, i, one) {
        if (!json_is_number(one))
            continue;
        double x = json_number_value(one);
        n++;
        if (how == '<')
            result = x < result ? x : result;
        else if (how == '>')
            result = x > result ? x : result;
        else
            result += x;
    }
    if (n == 0)
        return NULL;
    return json_real(how == '/' ? result / (double)n : result);
}
static json_t *fn_min(json_t *value)
{
    return fold(value, '<');
}
static json_t *fn_max(json_t *value)
{
    return fold(value, '>');
}
static json_t *fn_sum(json_t *value)
{
    return fold(value, '+');
}
static json_t *fn_avg(json_t *value)
{
    return fold(value, '/');
}

static const struct {
    const char *name;
    json_t *(*run)(json_t *value);
} functions[] = {
    { "length", fn_length }, { "size", fn_length }, { "keys", fn_keys }, { "min", fn_min },
    { "max", fn_max },       { "sum", fn_sum },     { "avg", fn_avg },
};

static void add_function(struct search *s, const struct segment *seg, json_t *value, struct nodes *out)
{
    for (size_t i = 0; i < COUNT(functions); i++) {
        if (!str_is(seg->function, functions[i].name))
            continue;
        json_t *result = json_own(s->arena, functions[i].run(value));
        if (result)
            add(s, out, result);
    }
}

static void select_from(struct search *s, const struct segment *seg, json_t *value, struct nodes *out)
{
    switch (seg->kind) {
    case SEG_NAMES:
        for (size_t i = 0; i < seg->n && json_is_object(value); i++) {
            json_t *child = json_at(value, seg->names[i]);
            if (child)
                add(s, out, child);
        }
        break;
    case SEG_INDEXES:
        for (size_t i = 0; i < seg->n && json_is_array(value); i++) {
            int64_t len = (int64_t)json_array_size(value);
            int64_t index = seg->indexes[i] < 0 ? seg->indexes[i] + len : seg->indexes[i];
            if (index >= 0 && index < len)
                add(s, out, json_array_get(value, (size_t)index));
        }
        break;
    case SEG_WILD:
        add_children(s, value, out);
        break;
    case SEG_SLICE:
        if (json_is_array(value))
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

static struct nodes walk(struct search *s, const struct jsonpath *path, json_t *start)
{
    struct nodes now = { 0 };
    add(s, &now, start);
    bool many = false;
    for (const struct segment *seg = path->first; seg; seg = seg->next) {
        struct nodes next = { 0 };
        if (seg->kind == SEG_FUNCTION && many) { /* a function of the list found so far */
            json_t *list = json_own(s->arena, json_array());
            for (size_t i = 0; i < now.n; i++)
                json_array_append(list, now.items[i]);
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

static json_t *operand_value(struct search *s, const struct operand *operand, json_t *value)
{
    if (operand->kind == OPERAND_LITERAL)
        return operand->literal;
    struct nodes found = walk(s, operand->path, operand->path->relative ? value : s->root);
    if (operand->path->definite)
        return found.n ? found.items[0] : NULL;
    json_t *list = json_own(s->arena, json_array());
    for (size_t i = 0; i < found.n; i++)
        json_array_append(list, found.items[i]);
    return list;
}

static bool equal(json_t *a, json_t *b)
{
    if (!a || !b)
        return a == b;
    if (json_is_number(a) && json_is_number(b))
        return json_number_value(a) == json_number_value(b);
    return json_equal(a, b);
}

/* -1, 0, 1; 2: not comparable. */
static int order(json_t *a, json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) {
        double x = json_number_value(a), y = json_number_value(b);
        return x < y ? -1 : x > y;
    }
    if (json_is_string(a) && json_is_string(b)) {
        int cmp = str_cmp(json_value_str(a), json_value_str(b));
        return cmp < 0 ? -1 : cmp > 0;
    }
    return 2;
}

static bool matches(const struct operand *operand, json_t *value)
{
    if (operand->kind != OPERAND_REGEX || !json_is_string(value))
        return false;
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_set_match_limit(limits, 100000);
    int found = pcre2_match(operand->regex, (PCRE2_SPTR)json_string_value(value), json_string_length(value), 0,
                            PCRE2_ANCHORED | PCRE2_ENDANCHORED, data, limits);
    pcre2_match_data_free(data);
    pcre2_match_context_free(limits);
    return found >= 0;
}

static bool contains(json_t *list, json_t *value)
{
    size_t i;
    json_t *one;
    if (json_is_string(list) && json_is_string(value))
        return str_find_str(json_value_str(list), json_value_str(value)) >= 0;
    if (json_is_array(list))
        json_array_foreach(list, i, one)
            if (equal(one, value))
                return true;
    return false;
}

static size_t size_of(json_t *value)
{
    return json_is_array(value)    ? json_array_size(value)
           : json_is_object(value) ? json_object_size(value)
           : json_is_string(value) ? json_string_length(value)
                                   : 0;
}

static bool compare(struct search *s, const struct filter *f, json_t *value)
{
    json_t *a = f->a.kind == OPERAND_REGEX ? NULL : operand_value(s, &f->a, value);
    if (f->op == FILTER_MATCH)
        return matches(&f->b, a);
    json_t *b = f->b.kind == OPERAND_REGEX ? NULL : operand_value(s, &f->b, value);
    switch (f->op) {
    case FILTER_EQ:
        return equal(a, b);
    case FILTER_NE:
        return !equal(a, b);
    case FILTER_LT:
        return order(a, b) == -1;
    case FILTER_LE:
        return equal(a, b) || order(a, b) == -1;
    case FILTER_GT:
        return order(a, b) == 1;
    case FILTER_GE:
        return equal(a, b) || order(a, b) == 1;
    case FILTER_IN:
        return a && contains(b, a);
    case FILTER_NIN:
        return !contains(b, a);
    case FILTER_CONTAINS:
        return contains(a, b);
    case FILTER_SIZE:
        return a && json_is_integer(b) && size_of(a) == (size_t)json_integer_value(b);
    case FILTER_EMPTY:
        return a && (size_of(a) == 0) == json_is_true(b);
    default:
        return false;
    }
}

static bool passes(struct search *s, const struct filter *f, json_t *value)
{
    if (s->visited++ >= MAX_VISITED)
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

static json_t *as_list(struct search *s, const struct nodes *found)
{
    json_t *list = json_own(s->arena, json_array());
    for (size_t i = 0; i < found->n; i++)
        json_array_append(list, found->items[i]);
    return list;
}

json_t *jsonpath_find(struct arena *arena, const struct jsonpath *path, json_t *root)
{
    if (!root)
        return NULL;
    struct search s = { arena, root, 0 };
    struct nodes found = walk(&s, path, root);
    if (path->definite)
        return found.n ? found.items[0] : NULL;
    return as_list(&s, &found);
}

json_t *jsonpath_find_all(struct arena *arena, const struct jsonpath *path, json_t *root)
{
    struct search s = { arena, root, 0 };
    struct nodes found = walk(&s, path, root);
    return as_list(&s, &found);
}
