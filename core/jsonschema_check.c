/* A value against a compiled schema. First silently, which is all a good value needs; a bad one once more, aloud. */
#include <stdlib.h>

#include "core/jsonschema_parts.h"
#include "core/json.h"
#include "core/map.h"

#define STEPS_AT_LEAST 1000000  /* about 20 ms */
#define DEEPEST        (2 * JT_DEPTH + 500)
#define TEXT_AT_MOST   (16 * 1024)
#define FEW_ITEMS      8
#define FEW_BACKTRACKS 2000
#define MANY_BACKTRACKS 100000
#define COST_OF_MANY   20000    /* steps; so many backtracks are about a millisecond */

struct check {
    struct arena *arena;
    struct strbuf *out;        /* NULL: silent, and done at the first error */
    bool failed;
    int64_t *steps;
    int depth;
    enum jsonschema_verdict *stopped; /* VALID: not */
};

static void check_value(struct check *c, const struct node *node, const struct jt *value);

static void fail(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct check *c, const char *fmt, ...)
{
    c->failed = true;
    if (!c->out || c->out->len > TEXT_AT_MOST)
        return;
    va_list args;
    va_start(args, fmt);
    struct str text = str_vprintf(c->arena, fmt, args);
    va_end(args);
    strbuf_add(c->out, c->out->len > 1 ? STR(", ") : STR(""));
    strbuf_add(c->out, str_sub(text, 0, TEXT_AT_MOST));
}

static bool stop(struct check *c, enum jsonschema_verdict why)
{
    if (*c->stopped == JSONSCHEMA_VALID)
        *c->stopped = why;
    c->failed = true;
    return false;
}

static bool step(struct check *c)
{
    return --*c->steps >= 0 || stop(c, JSONSCHEMA_TOO_MUCH);
}

static unsigned type_of(const struct jt *value)
{
    switch (value->kind) {
    case JT_NULL:
        return TYPE_NULL;
    case JT_BOOL:
        return TYPE_BOOLEAN;
    case JT_NUMBER:
        return value->flag ? TYPE_INTEGER : TYPE_NUMBER;
    case JT_STRING:
        return TYPE_STRING;
    case JT_ARRAY:
        return TYPE_ARRAY;
    default:
        return TYPE_OBJECT;
    }
}

/* Most texts end a pattern quickly; one that does not is given more, and pays for it. */
static bool pattern_matches(struct check *c, const pcre2_code *code, struct str text)
{
    bool gave_up;
    *c->steps -= 1 + (int64_t)(text.len / 16);
    bool found = regex_matches(code, text, FEW_BACKTRACKS, &gave_up);
    if (!gave_up)
        return found;
    *c->steps -= COST_OF_MANY;
    found = *c->steps >= 0 && regex_matches(code, text, MANY_BACKTRACKS, &gave_up);
    return gave_up ? stop(c, JSONSCHEMA_TOO_MUCH) : found;
}

static size_t characters(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return n;
}

/* ["a","b"], as errors list names. */
struct list {
    struct strbuf text;
};
static struct list list_new(struct check *c)
{
    struct list list = { strbuf_in(c->arena, 64) };
    strbuf_char(&list.text, '[');
    return list;
}
static void list_add(struct list *list, struct str quoted)
{
    if (list->text.len > 1)
        strbuf_char(&list->text, ',');
    if (list->text.len < TEXT_AT_MOST)
        strbuf_add(&list->text, quoted);
}
static const char *list_end(struct list *list)
{
    strbuf_char(&list->text, ']');
    return strbuf_view(&list->text).ptr;
}
static struct str quoted(struct check *c, struct str text)
{
    struct strbuf out = strbuf_in(c->arena, text.len + 2);
    json_quote(&out, text);
    return strbuf_view(&out);
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* --- every type --- */

static void check_type(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)node;
    unsigned type = type_of(value);
    if (rule->types & type)
        return;
    c->failed = true;
    if (!c->out)
        return;
    struct list allowed = list_new(c);
    const char *found = "";
    for (unsigned i = 0; i < 7; i++) {
        if (rule->types & 1u << i)
            list_add(&allowed, quoted(c, str_of(jsonschema_type_names[i])));
        if (type == 1u << i)
            found = jsonschema_type_names[i];
    }
    fail(c, "instance type (%s) does not match any allowed primitive type (allowed: %s)", found, list_end(&allowed));
}

static void check_enum(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)node;
    bool few = rule->json->n <= FEW_ITEMS;
    uint64_t hash = few ? 0 : jt_hash(value, c->steps);
    *c->steps -= rule->json->n / 8;
    for (uint32_t i = 0; i < rule->json->n; i++)
        if ((few || rule->hashes[i] == hash) && jt_equal(&rule->json->items[i], value, c->steps))
            return;
    c->failed = true;
    if (c->out)
        fail(c, "instance value (%s) not found in enum (possible values: %s)", jt_string(c->arena, value).ptr,
             jt_string(c->arena, rule->json).ptr);
}

/* How many of a rule's schemas the value fits; `enough`: stop counting there. */
static size_t count_matches(struct check *c, const struct rule *rule, const struct jt *value, size_t enough, bool all)
{
    size_t matched = 0;
    for (size_t i = 0; i < rule->n && matched < enough; i++) {
        struct check one = { .arena = c->arena, .steps = c->steps, .depth = c->depth, .stopped = c->stopped };
        check_value(&one, rule->nodes[i], value);
        matched += !one.failed;
        if (one.failed && all && !c->out)
            break;
        if (*c->stopped)
            c->failed = true;
    }
    return matched;
}

static void check_all(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)node;
    size_t matched = count_matches(c, rule, value, rule->n, true);
    if (matched != rule->n)
        fail(c, "instance failed to match all required schemas (matched only %zu out of %zu)", matched, rule->n);
}

static void check_any(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)node;
    if (!count_matches(c, rule, value, 1, false))
        fail(c, "instance failed to match at least one required schema among %zu", rule->n);
}

static void check_one(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)node;
    size_t matched = count_matches(c, rule, value, c->out ? rule->n : 2, false);
    if (matched != 1)
        fail(c, "instance failed to match exactly one schema (matched %zu out of %zu)", matched, rule->n);
}

static void check_not(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)node;
    if (count_matches(c, rule, value, 1, false))
        fail(c, "instance matched a schema which it should not have");
}

/* --- numbers --- */

static void check_maximum(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)node;
    int order = jt_number_compare(jt_text(value), rule->number);
    if (order > 0)
        fail(c, "numeric instance is greater than the required maximum (maximum: %.*s, found: %.*s)",
             STR_FMT(rule->number), STR_FMT(jt_text(value)));
    else if (order == 0 && rule->exclusive)
        fail(c, "numeric instance is not strictly lower than the required maximum %.*s", STR_FMT(rule->number));
}

static void check_minimum(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)node;
    int order = jt_number_compare(jt_text(value), rule->number);
    if (order < 0)
        fail(c, "numeric instance is lower than the required minimum (minimum: %.*s, found: %.*s)",
             STR_FMT(rule->number), STR_FMT(jt_text(value)));
    else if (order == 0 && rule->exclusive)
        fail(c, "numeric instance is not strictly greater than the required minimum %.*s", STR_FMT(rule->number));
}

static void check_multiple(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)node;
    *c->steps -= value->n / 8;
    if (!jt_number_multiple(jt_text(value), rule->number))
        fail(c, "remainder of division is not zero (%.*s / %.*s)", STR_FMT(jt_text(value)), STR_FMT(rule->number));
}

/* --- strings --- */

static void check_max_length(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)node;
    size_t n = value->n > rule->count ? characters(jt_text(value)) : 0;
    if (n > rule->count)
        fail(c, "string \"%.*s\" is too long (length: %zu, maximum allowed: %u)", STR_FMT(jt_text(value)), n, rule->count);
}

static void check_min_length(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)node;
    size_t n = characters(jt_text(value));
    if (n < rule->count)
        fail(c, "string \"%.*s\" is too short (length: %zu, required minimum: %u)", STR_FMT(jt_text(value)), n,
             rule->count);
}

static void check_pattern(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)node;
    if (!pattern_matches(c, rule->regex, jt_text(value)))
        fail(c, "ECMA 262 regex \"%.*s\" does not match input string \"%.*s\"", STR_FMT(jt_text(rule->json)),
             STR_FMT(jt_text(value)));
}

static void check_format(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)node;
    if (rule->format->good(jt_text(value)))
        return;
    c->failed = true;
    if (c->out) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        struct str text = str_printf(c->arena, rule->format->error, STR_FMT(jt_text(value)));
#pragma GCC diagnostic pop
        fail(c, "%s", text.ptr);
    }
}

/* --- arrays --- */

static void check_max_items(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)node;
    if (value->n > rule->count)
        fail(c, "array is too long: must have at most %u elements but instance has %u elements", rule->count, value->n);
}

static void check_min_items(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)node;
    if (value->n < rule->count)
        fail(c, "array is too short: must have at least %u elements but instance has %u elements", rule->count, value->n);
}

static void check_additional_items(struct check *c, const struct node *node, const struct rule *rule,
                                   const struct jt *value)
{
    (void)rule;
    if (node->closed_items && value->n > node->n_tuple)
        fail(c, "schema only allows %zu elements in array but instance has %u elements", node->n_tuple, value->n);
}

static void check_unique(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)node;
    (void)rule;
    if (value->n <= FEW_ITEMS) { /* each with each costs less than a table */
        for (uint32_t i = 1; i < value->n; i++)
            for (uint32_t k = 0; k < i; k++)
                if (jt_equal(&value->items[i], &value->items[k], c->steps)) {
                    fail(c, "array must not contain duplicate elements");
                    return;
                }
        return;
    }
    uint32_t size = 8;
    while (size < value->n * 2)
        size *= 2;
    uint32_t *table = arena_zalloc(c->arena, size * sizeof *table);
    uint64_t *hashes = arena_alloc(c->arena, value->n * sizeof *hashes, _Alignof(uint64_t));
    for (uint32_t i = 0; i < value->n; i++) {
        hashes[i] = jt_hash(&value->items[i], c->steps);
        uint32_t at = (uint32_t)hashes[i] & (size - 1);
        for (; table[at]; at = (at + 1) & (size - 1)) {
            uint32_t other = table[at] - 1;
            if (hashes[other] == hashes[i] && jt_equal(&value->items[other], &value->items[i], c->steps)) {
                fail(c, "array must not contain duplicate elements");
                return;
            }
        }
        table[at] = i + 1;
    }
}

/* --- objects --- */

static void check_max_properties(struct check *c, const struct node *node, const struct rule *rule,
                                 const struct jt *value)
{
    (void)node;
    if (value->n > rule->count)
        fail(c, "object has too many properties (found %u but schema requires at most %u)", value->n, rule->count);
}

static void check_min_properties(struct check *c, const struct node *node, const struct rule *rule,
                                 const struct jt *value)
{
    (void)node;
    if (value->n < rule->count)
        fail(c, "object has too few properties (found %u but schema requires at least %u)", value->n, rule->count);
}

static void check_required(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)rule;
    size_t found = 0, missing = 0;
    for (uint32_t i = 0; i < value->n; i++) {
        const struct property *p = jsonschema_property(node, value->object->members[i].name);
        found += p && p->required;
    }
    *c->steps -= value->n / 4;
    if (found == node->n_required)
        return;
    c->failed = true;
    if (!c->out)
        return;
    struct str *names = ARENA_ARRAY(c->arena, struct str, node->n_required);
    for (size_t i = 0; i < node->n_properties; i++)
        if (node->properties[i].required && !jt_get(value, node->properties[i].name))
            names[missing++] = node->properties[i].name;
    qsort(names, missing, sizeof *names, by_name);
    struct list list = list_new(c);
    for (size_t i = 0; i < missing; i++)
        list_add(&list, quoted(c, names[i]));
    fail(c, "object has missing required properties (%s)", list_end(&list));
}

static bool fits_pattern(struct check *c, const struct node *node, struct str name)
{
    for (size_t i = 0; i < node->n_patterns; i++)
        if (pattern_matches(c, node->patterns[i].regex, name))
            return true;
    return false;
}

static bool is_additional(struct check *c, const struct node *node, struct str name)
{
    const struct property *p = jsonschema_property(node, name);
    return !(p && p->node) && !fits_pattern(c, node, name);
}

static void check_additional(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)rule;
    size_t n = 0;
    struct str *names = c->out ? ARENA_ARRAY(c->arena, struct str, value->n + 1) : NULL;
    for (uint32_t i = 0; node->closed && i < value->n && !*c->stopped; i++) {
        if (!is_additional(c, node, value->object->members[i].name))
            continue;
        c->failed = true;
        if (!names)
            return;
        names[n++] = value->object->members[i].name;
    }
    if (!n)
        return;
    qsort(names, n, sizeof *names, by_name);
    struct list list = list_new(c);
    for (size_t i = 0; i < n; i++)
        list_add(&list, quoted(c, names[i]));
    fail(c, "object instance has properties which are not allowed by the schema: %s", list_end(&list));
}

static void check_dependency_names(struct check *c, struct str name, const struct jt *wanted, const struct jt *value)
{
    struct list missing = { { 0 } };
    for (uint32_t i = 0; i < wanted->n; i++) {
        if (jt_get(value, jt_text(&wanted->items[i])))
            continue;
        c->failed = true;
        if (!c->out)
            return;
        if (!missing.text.ptr)
            missing = list_new(c);
        list_add(&missing, quoted(c, jt_text(&wanted->items[i])));
    }
    if (missing.text.ptr)
        fail(c, "property \"%.*s\" of object has missing property dependencies (schema requires %s; missing: %s)",
             STR_FMT(name), jt_string(c->arena, wanted).ptr, list_end(&missing));
}

static void check_dependencies(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value)
{
    (void)node;
    for (size_t i = 0; i < rule->n; i++) {
        const struct jt_member *m = &rule->json->object->members[i];
        if (jt_get(value, m->name) && !rule->nodes[i])
            check_dependency_names(c, m->name, &m->value, value);
    }
    for (size_t i = 0; i < rule->n && !*c->stopped; i++)
        if (rule->nodes[i] && jt_get(value, rule->json->object->members[i].name))
            check_value(c, rule->nodes[i], value);
}

const struct keyword jsonschema_keywords[] = {
    { "additionalItems", TYPE_ARRAY, check_additional_items },
    { "additionalProperties", TYPE_OBJECT, check_additional },
    { "allOf", TYPE_ANY, check_all },
    { "anyOf", TYPE_ANY, check_any },
    { "dependencies", TYPE_OBJECT, check_dependencies },
    { "enum", TYPE_ANY, check_enum },
    { "maxItems", TYPE_ARRAY, check_max_items },
    { "maxLength", TYPE_STRING, check_max_length },
    { "maxProperties", TYPE_OBJECT, check_max_properties },
    { "maximum", TYPE_INTEGER | TYPE_NUMBER, check_maximum },
    { "minItems", TYPE_ARRAY, check_min_items },
    { "minLength", TYPE_STRING, check_min_length },
    { "minProperties", TYPE_OBJECT, check_min_properties },
    { "minimum", TYPE_INTEGER | TYPE_NUMBER, check_minimum },
    { "multipleOf", TYPE_INTEGER | TYPE_NUMBER, check_multiple },
    { "not", TYPE_ANY, check_not },
    { "oneOf", TYPE_ANY, check_one },
    { "pattern", TYPE_STRING, check_pattern },
    { "required", TYPE_OBJECT, check_required },
    { "type", TYPE_ANY, check_type },
    { "uniqueItems", TYPE_ARRAY, check_unique },
    { "format", TYPE_STRING, check_format },
};
const size_t jsonschema_n_keywords = COUNT(jsonschema_keywords);

/* --- a value, and what is in it --- */

static void check_items(struct check *c, const struct node *node, const struct jt *value)
{
    for (uint32_t i = 0; i < value->n && !*c->stopped; i++) {
        const struct node *child = i < node->n_tuple ? node->tuple[i]
                                   : node->n_tuple || node->additional_items ? node->additional_items
                                                                             : node->items;
        if (child)
            check_value(c, child, &value->items[i]);
        if (c->failed && !c->out)
            return;
    }
}

static void check_member(struct check *c, const struct node *node, struct str name, const struct jt *value)
{
    const struct property *p = jsonschema_property(node, name);
    bool known = p && p->node;
    if (known)
        check_value(c, p->node, value);
    for (size_t i = 0; i < node->n_patterns && !*c->stopped; i++) {
        if (!pattern_matches(c, node->patterns[i].regex, name))
            continue;
        known = true;
        check_value(c, node->patterns[i].node, value);
    }
    if (!known && node->additional)
        check_value(c, node->additional, value);
}

static int by_member_name(const void *a, const void *b)
{
    return str_cmp((*(const struct jt_member *const *)a)->name, (*(const struct jt_member *const *)b)->name);
}

static void check_members(struct check *c, const struct node *node, const struct jt *value)
{
    if (!node->n_properties && !node->n_patterns && !node->additional)
        return;
    const struct jt_member *members = value->object->members, **sorted = NULL;
    if (c->out) {
        sorted = ARENA_ARRAY(c->arena, const struct jt_member *, value->n + 1);
        for (uint32_t i = 0; i < value->n; i++)
            sorted[i] = &members[i];
        qsort(sorted, value->n, sizeof *sorted, by_member_name);
    }
    for (uint32_t i = 0; i < value->n && !*c->stopped; i++) {
        const struct jt_member *m = sorted ? sorted[i] : &members[i];
        check_member(c, node, m->name, &m->value);
        if (c->failed && !c->out)
            return;
    }
}

static void check_value(struct check *c, const struct node *node, const struct jt *value)
{
    if (node->ref)
        node = node->ref;
    if (!step(c))
        return;
    if (++c->depth > DEEPEST) {
        stop(c, JSONSCHEMA_LOOP);
        return;
    }
    unsigned type = type_of(value);
    for (size_t i = 0; (node->rule_types & type) && i < node->n_rules && !*c->stopped; i++) {
        const struct rule *rule = &node->rules[i];
        if (!(rule->keyword->types & type))
            continue;
        rule->keyword->check(c, node, rule, value);
        if (c->failed && !c->out)
            break;
    }
    if (!c->failed && type == TYPE_OBJECT)
        check_members(c, node, value);
    else if (!c->failed && type == TYPE_ARRAY)
        check_items(c, node, value);
    c->depth--;
}

enum jsonschema_verdict jsonschema_check(const struct jsonschema *schema, const struct jt *value, size_t bytes,
                                         struct arena *arena, struct str *errors)
{
    int64_t steps = STEPS_AT_LEAST + (int64_t)bytes;
    enum jsonschema_verdict stopped = JSONSCHEMA_VALID;
    struct check c = { .arena = arena, .steps = &steps, .stopped = &stopped };
    check_value(&c, schema->root, value);
    if (!c.failed)
        return JSONSCHEMA_VALID;
    struct strbuf out = strbuf_in(arena, 256);
    strbuf_char(&out, '[');
    if (!stopped) {
        steps = STEPS_AT_LEAST + (int64_t)bytes;
        c = (struct check){ .arena = arena, .out = &out, .steps = &steps, .stopped = &stopped };
        check_value(&c, schema->root, value);
    }
    if (stopped)
        fail(&(struct check){ .arena = arena, .out = &out },
             stopped == JSONSCHEMA_LOOP ? "the schema refers to itself without end"
                                        : "validating this instance takes more work than is allowed");
    strbuf_char(&out, ']');
    *errors = strbuf_view(&out);
    return stopped ? stopped : JSONSCHEMA_INVALID;
}
