/* A schema's text becomes nodes: references resolved, patterns compiled, names in tables. */
#include "core/jsonschema.h"

#include <stdlib.h>

#include "core/jsonschema_parts.h"
#include "core/map.h"
#include "core/uri.h"

#define MANY_NODES 100000

/* A place of a schema that still waits to become a node. */
struct pending {
    const struct jt *schema;
    struct str base;            /* URI without fragment that its references start from */
    struct node *node;
};

struct builder {
    struct arena *arena;
    const struct jsonschema_names *names;
    struct map *nodes;          /* by the schema's address: struct node */
    struct map *bases;          /* by the schema's address: its base, struct str */
    struct map *ids;            /* by URI: struct jt */
    struct pending *pending;
    size_t n, cap;
    struct str why;
};

static bool fail(struct builder *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool fail(struct builder *b, const char *fmt, ...)
{
    if (!b->why.ptr) {
        va_list args;
        va_start(args, fmt);
        b->why = str_vprintf(b->arena, fmt, args);
        va_end(args);
    }
    return false;
}

static struct str address_key(const struct jt *const *schema)
{
    return (struct str){ (const char *)schema, sizeof *schema };
}

/* --- URIs --- */

static size_t scheme_len(struct str uri)
{
    size_t n = 0;
    while (n < uri.len && (((uri.ptr[n] | 32) >= 'a' && (uri.ptr[n] | 32) <= 'z') ||
                           (n && ((uri.ptr[n] >= '0' && uri.ptr[n] <= '9') || strchr("+.-", uri.ptr[n])))))
        n++;
    return n && n < uri.len && uri.ptr[n] == ':' ? n + 1 : 0;
}

static struct str without_fragment(struct str uri)
{
    ptrdiff_t at = str_find(uri, '#');
    return at < 0 ? uri : str_sub(uri, 0, (size_t)at);
}

static struct str join(struct arena *arena, struct str base, struct str ref)
{
    if (scheme_len(ref) || !base.len)
        return ref;
    if (!ref.len || ref.ptr[0] == '#')
        return str_concat(arena, base, ref);
    size_t root = scheme_len(base);
    if (str_starts(str_from(base, root), STR("//"))) {
        ptrdiff_t slash = str_find(str_from(base, root + 2), '/');
        root = slash < 0 ? base.len : root + 2 + (size_t)slash;
    }
    ptrdiff_t last = str_find_last(str_from(base, root), '/');
    struct str kept = str_sub(base, 0, root + (ref.ptr[0] == '/' ? 0 : (size_t)(last + 1)));
    return str_concat(arena, kept, ref);
}

/* --- where schemas stand within a schema --- */

enum shape { SHAPE_SCHEMA, SHAPE_LIST, SHAPE_MAP, SHAPE_SCHEMA_OR_LIST };
static const struct {
    const char *keyword;
    enum shape shape;
} places[] = {
    { "additionalItems", SHAPE_SCHEMA }, { "additionalProperties", SHAPE_SCHEMA }, { "allOf", SHAPE_LIST },
    { "anyOf", SHAPE_LIST },             { "definitions", SHAPE_MAP },             { "dependencies", SHAPE_MAP },
    { "items", SHAPE_SCHEMA_OR_LIST },   { "not", SHAPE_SCHEMA },                  { "oneOf", SHAPE_LIST },
    { "patternProperties", SHAPE_MAP },  { "properties", SHAPE_MAP },
};

static void learn(struct builder *b, const struct jt *schema, struct str base);

static void learn_all(struct builder *b, const struct jt *value, enum shape shape, struct str base)
{
    if (shape == SHAPE_SCHEMA || (shape == SHAPE_SCHEMA_OR_LIST && value->kind == JT_OBJECT))
        learn(b, value, base);
    else if (shape == SHAPE_MAP && value->kind == JT_OBJECT)
        for (uint32_t i = 0; i < value->n; i++)
            learn(b, &value->object->members[i].value, base);
    else if (value->kind == JT_ARRAY && shape != SHAPE_MAP)
        for (uint32_t i = 0; i < value->n; i++)
            learn(b, &value->items[i], base);
}

/* Notes the base of each schema and the names (id) by which references find them. */
static void learn(struct builder *b, const struct jt *schema, struct str base)
{
    if (schema->kind != JT_OBJECT || map_get(b->bases, address_key(&schema)))
        return;
    const struct jt *ref = jt_get(schema, STR("$ref"));
    struct str id = jt_get_str(schema, "id");
    if (id.ptr && !jt_is(ref, JT_STRING)) {
        struct str whole = join(b->arena, base, id);
        if (!map_get(b->ids, whole))
            map_set(b->ids, whole, (void *)(uintptr_t)schema);
        if (id.len && id.ptr[0] != '#') {
            base = without_fragment(whole);
            if (!map_get(b->ids, base))
                map_set(b->ids, base, (void *)(uintptr_t)schema);
        }
    }
    struct str *kept = ARENA_NEW(b->arena, struct str);
    *kept = base;
    map_set(b->bases, address_key(&schema), kept);
    for (size_t i = 0; i < COUNT(places); i++) {
        const struct jt *value = jt_get(schema, str_of(places[i].keyword));
        if (value)
            learn_all(b, value, places[i].shape, base);
    }
}

static void learn_document(struct builder *b, const struct jt *root, struct str uri)
{
    if (!map_get(b->ids, uri))
        map_set(b->ids, uri, (void *)(uintptr_t)root);
    learn(b, root, uri);
}

/* --- references --- */

static const struct jt *pointed(struct builder *b, const struct jt *at, struct str pointer)
{
    struct str part, rest = str_from(uri_decode(b->arena, pointer, false), 1);
    while (at && str_split(&rest, '/', &part)) {
        char *name = arena_alloc(b->arena, part.len + 1, 1);
        size_t n = 0;
        for (size_t i = 0; i < part.len; i++) {
            bool escape = part.ptr[i] == '~' && i + 1 < part.len;
            name[n++] = escape ? part.ptr[++i] == '1' ? '/' : '~' : part.ptr[i];
        }
        int64_t index;
        struct str plain = { name, n };
        if (at->kind == JT_ARRAY)
            at = str_i64(plain, &index) && index >= 0 && index < at->n ? &at->items[index] : NULL;
        else
            at = jt_get(at, plain);
    }
    return at;
}

static const struct jt *document(struct builder *b, struct str uri)
{
    const struct jt *found = map_get(b->ids, uri);
    if (found)
        return found;
    if (str_is(uri, "http://json-schema.org/draft-04/schema"))
        found = jt_parse(b->arena, jsonschema_draft4, NULL);
    else if (b->names)
        found = b->names->look_up(b->names->user, uri);
    if (found)
        learn_document(b, found, uri);
    return found;
}

static const struct jt *referred(struct builder *b, struct str base, struct str ref)
{
    struct str whole = join(b->arena, base, ref);
    const struct jt *found = map_get(b->ids, whole);
    if (found)
        return found;
    struct str uri = without_fragment(whole);
    const struct jt *at = document(b, uri);
    struct str fragment = whole.len > uri.len ? str_from(whole, uri.len + 1) : STR("");
    if (at && fragment.len)
        at = fragment.ptr[0] == '/' || fragment.ptr[0] == '%' ? pointed(b, at, fragment) : map_get(b->ids, whole);
    return at && at->kind == JT_OBJECT ? at : NULL;
}

/* --- nodes --- */

/* The node of a schema; it is filled later, so that schemas may go in circles. */
static const struct node *node_of(struct builder *b, const struct jt *schema, struct str base)
{
    struct node *node = map_get(b->nodes, address_key(&schema));
    if (node)
        return node;
    if (schema->kind != JT_OBJECT || b->n >= MANY_NODES) {
        fail(b, schema->kind != JT_OBJECT ? "a schema is an object" : "too many schemas");
        return NULL;
    }
    const struct str *known = map_get(b->bases, address_key(&schema));
    if (!known) { /* referred to where no schema is expected */
        learn(b, schema, base);
        known = map_get(b->bases, address_key(&schema));
    }
    node = ARENA_NEW(b->arena, struct node);
    map_set(b->nodes, address_key(&schema), node);
    if (b->n == b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 16;
        b->pending = arena_grow(b->arena, b->pending, b->cap * sizeof *b->pending, cap * sizeof *b->pending);
        b->cap = cap;
    }
    b->pending[b->n++] = (struct pending){ schema, *known, node };
    return node;
}

static bool fill_ref(struct builder *b, struct node *node, struct str ref, struct str base)
{
    const struct jt *target = referred(b, base, ref);
    if (!target)
        return fail(b, "$ref '%.*s' leads nowhere", STR_FMT(ref));
    node->ref = node_of(b, target, without_fragment(join(b->arena, base, ref)));
    return node->ref != NULL;
}

static bool node_list(struct builder *b, const struct jt *list, struct str base, const struct node ***out, size_t *n)
{
    if (list->kind != JT_ARRAY)
        return fail(b, "a list of schemas is no list");
    *out = ARENA_ARRAY(b->arena, const struct node *, list->n + 1);
    for (*n = 0; *n < list->n; (*n)++)
        if (!((*out)[*n] = node_of(b, &list->items[*n], base)))
            return false;
    return true;
}

static uint32_t name_hash(struct str name)
{
    uint32_t h = 2166136261u ^ (uint32_t)name.len;
    for (size_t i = 0; i < name.len && i < 24; i++)
        h = (h ^ (unsigned char)name.ptr[i]) * 16777619u;
    return h ^ h >> 15;
}

const struct property *jsonschema_property(const struct node *node, struct str name)
{
    if (!node->index)
        return NULL;
    for (uint32_t at = name_hash(name) & node->mask; node->index[at]; at = (at + 1) & node->mask) {
        const struct property *p = &node->properties[node->index[at] - 1];
        if (str_eq(p->name, name))
            return p;
    }
    return NULL;
}

static struct property *property_named(struct node *node, struct str name)
{
    uint32_t at = name_hash(name) & node->mask;
    for (; node->index[at]; at = (at + 1) & node->mask)
        if (str_eq(node->properties[node->index[at] - 1].name, name))
            return &node->properties[node->index[at] - 1];
    node->properties[node->n_properties] = (struct property){ .name = name };
    node->index[at] = (uint32_t)++node->n_properties;
    return &node->properties[node->n_properties - 1];
}

static bool fill_properties(struct builder *b, struct node *node, const struct jt *schema, struct str base)
{
    const struct jt *properties = jt_get(schema, STR("properties")), *required = jt_get(schema, STR("required"));
    size_t n = (jt_is(properties, JT_OBJECT) ? properties->n : 0) + (jt_is(required, JT_ARRAY) ? required->n : 0);
    if (!n)
        return true;
    uint32_t size = 8;
    while (size < n * 2)
        size *= 2;
    node->mask = size - 1;
    node->index = ARENA_ARRAY(b->arena, uint32_t, size);
    node->properties = ARENA_ARRAY(b->arena, struct property, n);
    for (uint32_t i = 0; jt_is(properties, JT_OBJECT) && i < properties->n; i++) {
        const struct jt_member *m = &properties->object->members[i];
        const struct node *child = node_of(b, &m->value, base);
        if (!child)
            return false;
        property_named(node, m->name)->node = child;
    }
    for (uint32_t i = 0; jt_is(required, JT_ARRAY) && i < required->n; i++) {
        if (required->items[i].kind != JT_STRING)
            return fail(b, "required lists names");
        struct property *p = property_named(node, jt_text(&required->items[i]));
        node->n_required += !p->required;
        p->required = true;
    }
    return true;
}

static pcre2_code *pattern(struct builder *b, struct str text)
{
    pcre2_code *code = regex_compile_ecma(b->arena, text);
    if (!code)
        fail(b, "pattern '%.*s' does not compile", STR_FMT(text));
    return code;
}

static bool fill_patterns(struct builder *b, struct node *node, const struct jt *schema, struct str base)
{
    const struct jt *patterns = jt_get(schema, STR("patternProperties"));
    if (!jt_is(patterns, JT_OBJECT))
        return true;
    node->patterns = ARENA_ARRAY(b->arena, struct pattern_property, patterns->n + 1);
    for (uint32_t i = 0; i < patterns->n; i++) {
        const struct jt_member *m = &patterns->object->members[i];
        struct pattern_property *p = &node->patterns[node->n_patterns++];
        *p = (struct pattern_property){ m->name, pattern(b, m->name), node_of(b, &m->value, base) };
        if (!p->regex || !p->node)
            return false;
    }
    return true;
}

/* true and {} allow everything, false nothing. */
static bool allowance(struct builder *b, const struct jt *value, struct str base, const struct node **node, bool *closed)
{
    if (!value || value->kind == JT_BOOL) {
        *closed = value && !value->flag;
        return true;
    }
    *node = node_of(b, value, base);
    return *node != NULL;
}

static bool fill_items(struct builder *b, struct node *node, const struct jt *schema, struct str base)
{
    const struct jt *items = jt_get(schema, STR("items"));
    if (jt_is(items, JT_OBJECT))
        return (node->items = node_of(b, items, base)) != NULL;
    if (!jt_is(items, JT_ARRAY)) /* additionalItems means nothing without a list */
        return true;
    return node_list(b, items, base, &node->tuple, &node->n_tuple) &&
           allowance(b, jt_get(schema, STR("additionalItems")), base, &node->additional_items, &node->closed_items);
}

static bool add_type(struct builder *b, struct rule *rule, const struct jt *value)
{
    unsigned type = value->kind == JT_STRING ? jsonschema_type(jt_text(value)) : 0;
    rule->types |= type == TYPE_NUMBER ? TYPE_NUMBER | TYPE_INTEGER : type;
    return type || fail(b, "type is none of the seven");
}

static bool fill_types(struct builder *b, struct rule *rule)
{
    if (rule->json->kind != JT_ARRAY)
        return add_type(b, rule, rule->json);
    for (uint32_t i = 0; i < rule->json->n; i++)
        if (!add_type(b, rule, &rule->json->items[i]))
            return false;
    return true;
}

static bool fill_enum(struct builder *b, struct rule *rule)
{
    int64_t steps = INT64_MAX;
    if (rule->json->kind != JT_ARRAY)
        return fail(b, "enum is no list");
    rule->hashes = ARENA_ARRAY(b->arena, uint64_t, rule->json->n + 1);
    for (uint32_t i = 0; i < rule->json->n; i++)
        rule->hashes[i] = jt_hash(&rule->json->items[i], &steps);
    return true;
}

static bool fill_dependencies(struct builder *b, struct rule *rule, struct str base)
{
    if (rule->json->kind != JT_OBJECT)
        return fail(b, "dependencies is no object");
    rule->n = rule->json->n;
    rule->nodes = ARENA_ARRAY(b->arena, const struct node *, rule->n + 1);
    for (uint32_t i = 0; i < rule->json->n; i++) {
        const struct jt *value = &rule->json->object->members[i].value;
        if (value->kind == JT_OBJECT && !(rule->nodes[i] = node_of(b, value, base)))
            return false;
        if (value->kind != JT_OBJECT && value->kind != JT_ARRAY)
            return fail(b, "a dependency is a schema or a list of names");
        for (uint32_t k = 0; value->kind == JT_ARRAY && k < value->n; k++)
            if (value->items[k].kind != JT_STRING)
                return fail(b, "a dependency lists names");
    }
    return true;
}

/* What a keyword's value must be, and what it becomes. */
static bool fill_rule(struct builder *b, struct node *node, struct rule *rule, const struct jt *schema, struct str base)
{
    const char *name = rule->keyword->name;
    const struct jt *value = rule->json;
    if (!strcmp(name, "type"))
        return fill_types(b, rule);
    if (!strcmp(name, "enum"))
        return fill_enum(b, rule);
    if (!strcmp(name, "allOf") || !strcmp(name, "anyOf") || !strcmp(name, "oneOf"))
        return node_list(b, value, base, &rule->nodes, &rule->n);
    if (!strcmp(name, "not")) {
        rule->nodes = ARENA_ARRAY(b->arena, const struct node *, 1);
        rule->n = 1;
        return (rule->nodes[0] = node_of(b, value, base)) != NULL;
    }
    if (!strcmp(name, "dependencies"))
        return fill_dependencies(b, rule, base);
    if (!strcmp(name, "pattern"))
        return value->kind == JT_STRING ? (rule->regex = pattern(b, jt_text(value))) != NULL
                                        : fail(b, "pattern is no string");
    if (!strcmp(name, "format")) {
        rule->format = value->kind == JT_STRING ? jsonschema_format(jt_text(value)) : NULL;
        return true;
    }
    if (!strcmp(name, "required"))
        return value->kind == JT_ARRAY || fail(b, "required is no list");
    if (!strcmp(name, "additionalProperties"))
        return allowance(b, value, base, &node->additional, &node->closed);
    if (!strcmp(name, "additionalItems"))
        return true;
    if (!strcmp(name, "uniqueItems"))
        return value->kind == JT_BOOL || fail(b, "uniqueItems is true or false");
    if (value->kind != JT_NUMBER)
        return fail(b, "%s is no number", name);
    rule->number = jt_text(value);
    if (!strcmp(name, "multipleOf") && jt_number_digits(rule->number) > JT_DIVISOR_DIGITS)
        return fail(b, "multipleOf has more than %d digits", JT_DIVISOR_DIGITS);
    double number = jt_number_double(rule->number);
    rule->count = number < 0 ? 0 : number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
    struct str exclusive = !strcmp(name, "maximum") ? STR("exclusiveMaximum") : STR("exclusiveMinimum");
    const struct jt *flag = jt_get(schema, exclusive);
    rule->exclusive = jt_is(flag, JT_BOOL) && flag->flag;
    return true;
}

static bool means_nothing(const struct rule *rule)
{
    return (!strcmp(rule->keyword->name, "format") && !rule->format) ||
           (!strcmp(rule->keyword->name, "uniqueItems") && !rule->json->flag);
}

static bool fill(struct builder *b, const struct pending *p)
{
    struct node *node = p->node;
    struct str ref = jt_get_str(p->schema, "$ref");
    if (ref.ptr)
        return fill_ref(b, node, ref, p->base);
    node->rules = ARENA_ARRAY(b->arena, struct rule, jsonschema_n_keywords);
    for (size_t i = 0; i < jsonschema_n_keywords; i++) {
        const struct keyword *keyword = &jsonschema_keywords[i];
        const struct jt *value = jt_get(p->schema, str_of(keyword->name));
        if (!value)
            continue;
        struct rule *rule = &node->rules[node->n_rules];
        *rule = (struct rule){ .keyword = keyword, .json = value };
        if (!fill_rule(b, node, rule, p->schema, p->base))
            return false;
        if (means_nothing(rule))
            continue;
        node->rule_types |= keyword->types;
        node->n_rules++;
    }
    return fill_properties(b, node, p->schema, p->base) && fill_patterns(b, node, p->schema, p->base) &&
           fill_items(b, node, p->schema, p->base);
}

/* A reference to a reference becomes one to its end; a circle of them has none. */
static bool shorten(struct builder *b)
{
    for (size_t i = 0; i < b->n; i++) {
        size_t hops = 0;
        for (const struct node *n = b->pending[i].node->ref; n && n->ref; n = n->ref) {
            if (++hops > b->n)
                return fail(b, "a $ref that leads back to itself");
            b->pending[i].node->ref = n->ref;
        }
    }
    return true;
}

static const struct node *build(struct builder *b, const struct jt *schema, struct str uri)
{
    learn_document(b, schema, uri);
    const struct node *root = node_of(b, schema, uri);
    for (size_t i = 0; root && i < b->n; i++)
        if (!fill(b, &(struct pending){ b->pending[i].schema, b->pending[i].base, b->pending[i].node }))
            return NULL;
    return root && shorten(b) ? root : NULL;
}

struct jsonschema *jsonschema_compile(struct arena *arena, const struct jt *schema, struct str uri,
                                      const struct jsonschema_names *names, struct str *why)
{
    struct builder b = { .arena = arena, .names = names, .nodes = map_new(), .bases = map_new(), .ids = map_new() };
    struct jsonschema *out = ARENA_NEW(arena, struct jsonschema);
    out->root = build(&b, schema, uri.ptr ? without_fragment(uri) : STR(""));
    map_free(b.nodes, NULL);
    map_free(b.bases, NULL);
    map_free(b.ids, NULL);
    if (!out->root && why)
        *why = b.why;
    return out->root ? out : NULL;
}

const char *const jsonschema_type_names[7] = { "array", "boolean", "integer", "null", "number", "object", "string" };

unsigned jsonschema_type(struct str name)
{
    for (unsigned i = 0; i < 7; i++)
        if (str_is(name, jsonschema_type_names[i]))
            return 1u << i;
    return 0;
}
