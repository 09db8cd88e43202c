#include "wire/codec_query.h"

#include <stdlib.h>

#include "core/uri.h"
#include "wire/scalar.h"

/* --- form -> struct --- */

/* "Tags.member.1.Key" is a path in a tree of these. */
struct node {
    struct str name;
    struct str value; /* absent: only children */
    struct node *children, *last, *next;
    size_t n_children;
};

struct pair {
    struct str name, value;
};

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct pair *)a)->name, ((const struct pair *)b)->name);
}

static struct node *child_add(struct arena *arena, struct node *parent, struct str name)
{
    struct node *child = ARENA_NEW(arena, struct node);
    child->name = name;
    if (parent->last)
        parent->last->next = child;
    else
        parent->children = child;
    parent->last = child;
    parent->n_children++;
    return child;
}

/* Pairs come sorted, so what shares a path stands together and the last child is the one to go on with. */
static void tree_add(struct arena *arena, struct node *root, const struct pair *pair)
{
    struct node *at = root;
    struct str rest = pair->name, name;
    while (str_split(&rest, '.', &name))
        at = at->last && str_eq(at->last->name, name) ? at->last : child_add(arena, at, name);
    if (!at->value.ptr)
        at->value = pair->value;
}

static size_t count_pairs(struct str form)
{
    size_t n = 1;
    for (size_t i = 0; i < form.len; i++)
        n += form.ptr[i] == '&';
    return n;
}

static struct node *tree_of(struct arena *arena, struct str form)
{
    struct pair *pairs = ARENA_ARRAY(arena, struct pair, count_pairs(form));
    size_t n = 0;
    struct str rest = form, name, value;
    while (uri_query_next(&rest, &name, &value)) {
        pairs[n].name = uri_decode(arena, name, true);
        pairs[n++].value = value.ptr ? uri_decode(arena, value, true) : STR("");
    }
    qsort(pairs, n, sizeof(*pairs), by_name);
    struct node *root = ARENA_NEW(arena, struct node);
    for (size_t i = 0; i < n; i++)
        tree_add(arena, root, &pairs[i]);
    return root;
}

static const struct node *child_named(const struct node *node, const char *name)
{
    for (const struct node *child = node->children; child; child = child->next)
        if (str_is(child->name, name))
            return child;
    return NULL;
}

struct decoder {
    struct arena *arena;
    struct str why;
};

static bool decode(struct decoder *d, const struct shape *shape, const struct node *node, void *at);

struct numbered {
    int64_t number;
    const struct node *node;
};

static int by_number(const void *a, const void *b)
{
    int64_t x = ((const struct numbered *)a)->number, y = ((const struct numbered *)b)->number;
    return (x > y) - (x < y);
}

/* The children "1", "2", … in order of their numbers; others are ignored. */
static struct numbered *numbered_children(struct arena *arena, const struct node *node, size_t *n)
{
    struct numbered *rows = ARENA_ARRAY(arena, struct numbered, node->n_children);
    *n = 0;
    for (const struct node *child = node->children; child; child = child->next)
        if (str_i64(child->name, &rows[*n].number) && rows[*n].number > 0)
            rows[(*n)++].node = child;
    qsort(rows, *n, sizeof(*rows), by_number);
    return rows;
}

static bool decode_struct(struct decoder *d, const struct shape *shape, const struct node *node, void *out)
{
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct member *member = &shape->members[i];
        const struct node *child = child_named(node, member->wire_name);
        if (child && !decode(d, member->shape, child, (char *)out + member->offset))
            return false;
    }
    return true;
}

static bool decode_list(struct decoder *d, const struct shape *shape, const struct node *node,
                        struct any_list *out)
{
    const struct node *wrapper = child_named(node, shape->element_name ? shape->element_name : "member");
    size_t n;
    struct numbered *rows = numbered_children(d->arena, wrapper ? wrapper : node, &n);
    *out =
        (struct any_list){ .set = true, .n = n, .items = arena_zalloc(d->arena, n * shape->element->size) };
    for (size_t i = 0; i < n; i++)
        if (!decode(d, shape->element, rows[i].node, (char *)out->items + i * shape->element->size))
            return false;
    return true;
}

static bool decode_map(struct decoder *d, const struct shape *shape, const struct node *node,
                       struct any_list *out)
{
    const struct node *wrapper = child_named(node, "entry");
    const char *key_name = shape->key_name ? shape->key_name : "key";
    const char *value_name = shape->value_name ? shape->value_name : "value";
    size_t n;
    struct numbered *rows = numbered_children(d->arena, wrapper ? wrapper : node, &n);
    *out = (struct any_list){ .set = true, .items = arena_zalloc(d->arena, n * shape->alloc) };
    for (size_t i = 0; i < n; i++) {
        const struct node *key = child_named(rows[i].node, key_name),
                          *value = child_named(rows[i].node, value_name);
        if (!key || !key->value.ptr || !value)
            continue;
        char *item = (char *)out->items + out->n++ * shape->alloc;
        if (!decode(d, shape->key, key, item) ||
            !decode(d, shape->element, value, item + shape->value_offset))
            return false;
    }
    return true;
}

static bool decode(struct decoder *d, const struct shape *shape, const struct node *node, void *at)
{
    switch (shape->kind) {
    case SHAPE_STRUCT:
        *(void **)at = arena_zalloc(d->arena, shape->alloc);
        return decode_struct(d, shape, node, *(void **)at);
    case SHAPE_LIST:
        return decode_list(d, shape, node, at);
    case SHAPE_MAP:
        return decode_map(d, shape, node, at);
    case SHAPE_DOCUMENT:
        return true; /* the protocol has none */
    default:
        return !node->value.ptr || scalar_from_text(d->arena, shape, TIME_DEFAULT, node->value, at, &d->why);
    }
}

bool query_decode(struct arena *arena, const struct shape *shape, struct str form, void *out, struct str *why)
{
    struct decoder d = { arena, STR_NONE };
    memset(out, 0, shape->alloc);
    if (decode_struct(&d, shape, tree_of(arena, form), out))
        return true;
    if (why)
        *why = d.why;
    return false;
}

/* --- struct -> XML --- */

void xml_escape(struct strbuf *xml, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '&')
            strbuf_add(xml, STR("&amp;"));
        else if (c == '<')
            strbuf_add(xml, STR("&lt;"));
        else if (c == '>')
            strbuf_add(xml, STR("&gt;"));
        else if (c == '"')
            strbuf_add(xml, STR("&quot;"));
        else if (c == '\r' || c == '\n')
            strbuf_add(xml, c == '\r' ? STR("&#xD;") : STR("&#xA;"));
        else if ((unsigned char)c < 0x20 && c != '\t')
            strbuf_add(xml, STR("\xef\xbf\xbd")); /* XML 1.0 has no way to write it */
        else
            strbuf_char(xml, c);
    }
}

static void open_tag(struct strbuf *xml, const char *name)
{
    strbuf_printf(xml, "<%s>", name);
}
static void close_tag(struct strbuf *xml, const char *name)
{
    strbuf_printf(xml, "</%s>", name);
}

static void encode_struct(struct strbuf *xml, const struct shape *shape, const void *value);
static void encode(struct strbuf *xml, const struct shape *shape, const char *name, bool flattened,
                   enum timestamp_format time, const void *at);

static void encode_list(struct strbuf *xml, const struct shape *shape, const char *name, bool flattened,
                        const struct any_list *list)
{
    const char *item = flattened ? name : shape->element_name ? shape->element_name : "member";
    if (!flattened)
        open_tag(xml, name);
    for (size_t i = 0; i < list->n; i++)
        encode(xml, shape->element, item, false, TIME_DEFAULT,
               (const char *)list->items + i * shape->element->size);
    if (!flattened)
        close_tag(xml, name);
}

static void encode_map(struct strbuf *xml, const struct shape *shape, const char *name, bool flattened,
                       const struct any_list *map)
{
    const char *entry = flattened ? name : "entry";
    if (!flattened)
        open_tag(xml, name);
    for (size_t i = 0; i < map->n; i++) {
        const char *item = (const char *)map->items + i * shape->alloc;
        open_tag(xml, entry);
        encode(xml, shape->key, shape->key_name ? shape->key_name : "key", false, TIME_DEFAULT, item);
        encode(xml, shape->element, shape->value_name ? shape->value_name : "value", false, TIME_DEFAULT,
               item + shape->value_offset);
        close_tag(xml, entry);
    }
    if (!flattened)
        close_tag(xml, name);
}

static void encode(struct strbuf *xml, const struct shape *shape, const char *name, bool flattened,
                   enum timestamp_format time, const void *at)
{
    if (!member_is_set(shape, at))
        return;
    switch (shape->kind) {
    case SHAPE_LIST:
        encode_list(xml, shape, name, flattened, at);
        return;
    case SHAPE_MAP:
        encode_map(xml, shape, name, flattened, at);
        return;
    case SHAPE_STRUCT:
        open_tag(xml, name);
        encode_struct(xml, shape, *(void *const *)at);
        close_tag(xml, name);
        return;
    default:
        open_tag(xml, name);
        xml_escape(xml,
                   scalar_to_text(xml->arena, shape, timestamp_format_of(shape, time, TIME_ISO8601), at));
        close_tag(xml, name);
    }
}

static void encode_struct(struct strbuf *xml, const struct shape *shape, const void *value)
{
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct member *member = &shape->members[i];
        encode(xml, member->shape, member->wire_name, member->flattened || member->shape->flattened,
               member->time, (const char *)value + member->offset);
    }
}

struct str query_encode(struct arena *arena, const struct service *service, const struct operation *operation,
                        const void *out, struct str request_id)
{
    struct strbuf xml = strbuf_in(arena, 1024);
    strbuf_printf(&xml, "<%sResponse", operation->name);
    if (service->xml_namespace)
        strbuf_printf(&xml, " xmlns=\"%s\"", service->xml_namespace);
    strbuf_char(&xml, '>');
    if (operation->result_wrapper) {
        open_tag(&xml, operation->result_wrapper);
        encode_struct(&xml, operation->out, out);
        close_tag(&xml, operation->result_wrapper);
    }
    strbuf_printf(&xml, "<ResponseMetadata><RequestId>%.*s</RequestId></ResponseMetadata></%sResponse>",
                  STR_FMT(request_id), operation->name);
    return strbuf_view(&xml);
}

struct str query_error(struct arena *arena, const struct service *service, const char *code,
                       bool server_fault, struct str message, struct str request_id)
{
    struct strbuf xml = strbuf_in(arena, 512);
    strbuf_add(&xml, STR("<ErrorResponse"));
    if (service->xml_namespace)
        strbuf_printf(&xml, " xmlns=\"%s\"", service->xml_namespace);
    strbuf_printf(&xml, "><Error><Type>%s</Type><Code>", server_fault ? "Receiver" : "Sender");
    xml_escape(&xml, str_of(code));
    strbuf_add(&xml, STR("</Code><Message>"));
    xml_escape(&xml, message);
    strbuf_printf(&xml, "</Message></Error><RequestId>%.*s</RequestId></ErrorResponse>", STR_FMT(request_id));
    return strbuf_view(&xml);
}
