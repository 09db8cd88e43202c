#include "core/xml.h"

#include <dlfcn.h>
#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <pthread.h>

#include "core/base64.h"

#define XML_FUNCTIONS(X)                                                                                     \
    X(xmlInitParser) X(xmlNewParserCtxt) X(xmlFreeParserCtxt) X(xmlCtxtReadMemory) X(xmlFreeDoc)             \
    X(xmlDocGetRootElement) X(xmlC14NExecute) X(xmlOutputBufferCreateIO) X(xmlOutputBufferClose) \
    X(xmlSetStructuredErrorFunc)

#define POINTER(name) __typeof__(&name) name;
static struct {
    bool loaded;
    XML_FUNCTIONS(POINTER)
} lib;
#undef POINTER

static void load(void)
{
    void *library = dlopen("libxml2.so.2", RTLD_NOW | RTLD_LOCAL);
    bool all = library != NULL;
#define FIND(name) all = all && (*(void **)(void *)&lib.name = dlsym(library, #name)) != NULL;
    XML_FUNCTIONS(FIND)
#undef FIND
    if (all)
        lib.xmlInitParser();
    lib.loaded = all;
}

static bool is_loaded(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return lib.loaded;
}

/* What is wrong with a stranger's document is no line of our log. Each thread has a handler of its own. */
static void say_nothing(void *ctx, xmlErrorPtr error)
{
    (void)ctx, (void)error;
}

/* --- reading --- */

struct reading {
    struct arena *arena;
    size_t elements;
    const char *why;
};

static struct str text_of(struct arena *arena, const xmlChar *text)
{
    return text ? str_copy(arena, str_of((const char *)text)) : STR("");
}

/* The value as one text: pieces where character references were, and no entities (there are none). */
static struct str joined(struct arena *arena, const xmlNode *first)
{
    struct strbuf text = strbuf_in(arena, 32);
    for (const xmlNode *node = first; node; node = node->next)
        if ((node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) && node->content)
            strbuf_add(&text, str_of((const char *)node->content));
    return strbuf_view(&text);
}

static void read_attributes(struct reading *reading, const xmlNode *node, struct xml *out)
{
    size_t n = 0;
    for (const xmlAttr *attribute = node->properties; attribute; attribute = attribute->next)
        n++;
    struct xml_attribute *items = ARENA_ARRAY(reading->arena, struct xml_attribute, n);
    for (const xmlAttr *attribute = node->properties; attribute; attribute = attribute->next)
        items[out->n_attributes++] = (struct xml_attribute){
            text_of(reading->arena, attribute->ns ? attribute->ns->href : NULL),
            text_of(reading->arena, attribute->name),
            joined(reading->arena, attribute->children),
        };
    out->attributes = items;
}

/* Every node of a kind that may be there; what else there is would be a surprise to somebody. */
static bool is_harmless(const xmlNode *node)
{
    return node->type == XML_ELEMENT_NODE || node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE ||
           node->type == XML_COMMENT_NODE || node->type == XML_PI_NODE;
}

static struct xml *read_element(struct reading *reading, xmlNode *node, struct xml *parent, int depth)
{
    struct xml *out = ARENA_NEW(reading->arena, struct xml), **tail = &out->first;
    out->parent = parent;
    out->node = node;
    out->ns = text_of(reading->arena, node->ns ? node->ns->href : NULL);
    out->name = text_of(reading->arena, node->name);
    out->text = joined(reading->arena, node->children);
    read_attributes(reading, node, out);
    if (depth > XML_DEPTH || ++reading->elements > XML_ELEMENTS)
        reading->why = "it has too many elements, or they are too deep";
    for (xmlNode *child = node->children; child && !reading->why; child = child->next) {
        if (!is_harmless(child))
            reading->why = "it has an entity";
        else if (child->type == XML_ELEMENT_NODE) {
            *tail = read_element(reading, child, out, depth + 1);
            tail = &(*tail)->next;
        }
    }
    return out;
}

static void free_document(void *document)
{
    lib.xmlFreeDoc(document);
}

/* "<!DOCTYPE" anywhere ends it before the parser sees it. Only UTF-8 is read, so it cannot hide in another coding. */
static const char *refuse(struct str text, size_t most_bytes)
{
    if (text.len == 0 || text.len > most_bytes)
        return "it is empty or too large";
    if (str_find_str(text, STR("<!DOCTYPE")) >= 0 || str_find_str(text, STR("<!ENTITY")) >= 0)
        return "it has a document type";
    if (str_find(text, '\0') >= 0)
        return "it is not UTF-8";
    return is_loaded() ? NULL : "libxml2 is not installed";
}

struct xml *xml_parse(struct arena *arena, struct str text, size_t most_bytes, const char **why)
{
    *why = refuse(text, most_bytes);
    if (*why)
        return NULL;
    lib.xmlSetStructuredErrorFunc(NULL, say_nothing);
    xmlParserCtxt *context = lib.xmlNewParserCtxt();
    xmlDoc *document = context ? lib.xmlCtxtReadMemory(context, text.ptr, (int)text.len, NULL, "UTF-8",
                                                       XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)
                               : NULL;
    if (context)
        lib.xmlFreeParserCtxt(context);
    *why = "it is no well-formed XML";
    if (!document)
        return NULL;
    arena_defer(arena, free_document, document);
    xmlNode *root = lib.xmlDocGetRootElement(document);
    struct reading reading = { .arena = arena };
    if (document->intSubset || document->extSubset)
        reading.why = "it has a document type";
    struct xml *out = root && !reading.why ? read_element(&reading, root, NULL, 0) : NULL;
    *why = reading.why ? reading.why : out ? NULL : *why;
    return *why ? NULL : out;
}

/* --- looking --- */

bool xml_is(const struct xml *element, const char *ns, const char *name)
{
    return element && str_is(element->name, name) && (!ns || str_is(element->ns, ns));
}

struct xml *xml_child(const struct xml *parent, const char *ns, const char *name)
{
    for (struct xml *child = parent ? parent->first : NULL; child; child = child->next)
        if (xml_is(child, ns, name))
            return child;
    return NULL;
}

struct xml *xml_again(const struct xml *of)
{
    for (struct xml *next = of->next; next; next = next->next)
        if (str_eq(next->name, of->name) && str_eq(next->ns, of->ns))
            return next;
    return NULL;
}

struct xml *xml_walk(const struct xml *root, const struct xml *of)
{
    if (of->first)
        return of->first;
    for (; of != root; of = of->parent)
        if (of->next)
            return of->next;
    return NULL;
}

struct str xml_attr(const struct xml *element, const char *name)
{
    for (size_t i = 0; element && i < element->n_attributes; i++)
        if (!element->attributes[i].ns.len && str_is(element->attributes[i].name, name))
            return element->attributes[i].value;
    return STR_NONE;
}

struct str xml_deep_text(struct arena *arena, const struct xml *element)
{
    struct strbuf text = strbuf_in(arena, 64);
    for (const struct xml *at = element; at; at = xml_walk(element, at))
        strbuf_add(&text, at->text);
    return strbuf_view(&text);
}

bool xml_base64(struct arena *arena, struct str text, struct str *bytes)
{
    struct strbuf solid = strbuf_in(arena, text.len + 1);
    for (size_t i = 0; i < text.len; i++)
        if (!strchr(" \t\r\n", text.ptr[i]))
            strbuf_char(&solid, text.ptr[i]);
    return base64_decode(arena, strbuf_view(&solid), bytes);
}

/* --- canonical form --- */

struct subtree {
    const xmlNode *top, *without;
};

static int is_visible(void *ctx, xmlNodePtr node, xmlNodePtr parent)
{
    const struct subtree *subtree = ctx;
    /* a namespace is no node with a parent of its own */
    const xmlNode *at = node->type == XML_NAMESPACE_DECL || node->type == XML_ATTRIBUTE_NODE ? parent : node;
    for (; at; at = at->parent) {
        if (at == subtree->without)
            return 0;
        if (at == subtree->top)
            return 1;
    }
    return 0;
}

static int write_piece(void *ctx, const char *piece, int len)
{
    strbuf_add(ctx, (struct str){ piece, (size_t)len });
    return len;
}

static int close_nothing(void *ctx)
{
    (void)ctx;
    return 0;
}

struct str xml_canonical(struct arena *arena, const struct xml *element, const struct xml *without, bool exclusive,
                         bool comments, const char *const *prefixes)
{
    xmlNode *top = element->node;
    struct strbuf text = strbuf_in(arena, 4096);
    struct subtree subtree = { top, without ? without->node : NULL };
    lib.xmlSetStructuredErrorFunc(NULL, say_nothing);
    xmlOutputBuffer *out = lib.xmlOutputBufferCreateIO(write_piece, close_nothing, &text, NULL);
    if (!out)
        return STR_NONE;
    int done = lib.xmlC14NExecute(top->doc, is_visible, &subtree, exclusive ? XML_C14N_EXCLUSIVE_1_0 : XML_C14N_1_0,
                                  (xmlChar **)(uintptr_t)prefixes, comments, out);
    int closed = lib.xmlOutputBufferClose(out);
    return done >= 0 && closed >= 0 ? strbuf_view(&text) : STR_NONE;
}
