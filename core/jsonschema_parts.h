/* A compiled schema: private to the jsonschema files. */
#pragma once

#include "core/jsonschema.h"
#include "core/regex.h"

struct check;
struct node;
struct rule;

/* Bits of `types`, in the order in which errors list them. */
enum { TYPE_ARRAY = 1, TYPE_BOOLEAN = 2, TYPE_INTEGER = 4, TYPE_NULL = 8, TYPE_NUMBER = 16, TYPE_OBJECT = 32,
       TYPE_STRING = 64, TYPE_ANY = 127 };

struct keyword {
    const char *name;
    unsigned types;   /* of values that it says something about */
    void (*check)(struct check *c, const struct node *node, const struct rule *rule, const struct jt *value);
};
extern const struct keyword jsonschema_keywords[];   /* in the order of errors */
extern const size_t jsonschema_n_keywords;

struct rule {
    const struct keyword *keyword;
    const struct jt *json;      /* the keyword's value */
    struct str number;
    uint32_t count;             /* maxItems and its like */
    bool exclusive;
    unsigned types;
    pcre2_code *regex;
    const struct node **nodes;  /* allOf …, not; dependencies: NULL for a list of names */
    size_t n;
    uint64_t *hashes;           /* enum */
    const struct format *format;
};

struct property {
    struct str name;
    const struct node *node;    /* NULL: only required */
    bool required;
};

struct pattern_property {
    struct str pattern;
    pcre2_code *regex;
    const struct node *node;
};

struct node {
    const struct node *ref;     /* everything else is ignored beside it */
    unsigned rule_types;        /* of all rules */
    struct rule *rules;
    size_t n_rules;
    struct property *properties; /* what properties and required name */
    uint32_t *index;            /* property + 1 by hash of the name */
    uint32_t mask;
    size_t n_properties, n_required;
    struct pattern_property *patterns;
    size_t n_patterns;
    const struct node *additional; /* NULL: anything */
    bool closed;                /* additionalProperties: false */
    const struct node *items;   /* of every item, or */
    const struct node **tuple;
    size_t n_tuple;
    const struct node *additional_items;
    bool closed_items;
};

struct jsonschema {
    const struct node *root;
};

struct format {
    const char *name;
    bool (*good)(struct str text);
    const char *error;          /* a format with one %.*s */
};
const struct format *jsonschema_format(struct str name); /* NULL: unknown, means nothing */

const struct property *jsonschema_property(const struct node *node, struct str name);
unsigned jsonschema_type(struct str name); /* 0: none */
extern const char *const jsonschema_type_names[7];
