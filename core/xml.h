/* XML from outside, read once into a tree: no document type, no entities but XML's own five, nothing fetched, bounded
 * in size, depth and elements. libxml2 reads it, and is loaded with the first document (its libraries take longer to
 * load than the rest of the program). */
#pragma once

#include "core/arena.h"
#include "core/str.h"

enum { XML_DEPTH = 64, XML_ELEMENTS = 20000 };

struct xml_attribute {
    struct str ns, name, value; /* ns: of the namespace, empty when it has none */
};

/* An element. Views live as long as the arena. */
struct xml {
    struct str ns, name;
    struct xml *parent, *first, *next; /* elements only */
    const struct xml_attribute *attributes;
    size_t n_attributes;
    struct str text; /* directly within it: comments and children do not cut it, they are left out */
    void *node;      /* libxml2's, for xml_canonical */
};

/* The root. NULL: *why, static text. UTF-8 only. */
struct xml *xml_parse(struct arena *arena, struct str text, size_t most_bytes, const char **why);
/* The first child of that name, and the next one after `of`. ns NULL: of whatever namespace. NULL: none. */
struct xml *xml_child(const struct xml *parent, const char *ns, const char *name);
struct xml *xml_again(const struct xml *of);
/* In document order: the element after `of` in the whole tree below `root`. NULL: it was the last. */
struct xml *xml_walk(const struct xml *root, const struct xml *of);
bool xml_is(const struct xml *element, const char *ns, const char *name);
/* An attribute without a namespace; absent: it has none. */
struct str xml_attr(const struct xml *element, const char *name);
/* All text in it, its children's too. */
struct str xml_deep_text(struct arena *arena, const struct xml *element);

/* A base64 text in lines, as XML has them. */
bool xml_base64(struct arena *arena, struct str text, struct str *bytes);

/* The element's canonical form (W3C Canonical XML 1.0, or exclusive), without one of its children.
 *   prefixes  InclusiveNamespaces of the exclusive form; NULL-terminated, or NULL
 * Absent: it cannot be done. */
struct str xml_canonical(struct arena *arena, const struct xml *element, const struct xml *without, bool exclusive,
                         bool comments, const char *const *prefixes);
