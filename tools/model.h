/* A service description in memory: what modelgen reads from openapi/<service>.yaml.
 *
 * Built once, never freed: modelgen lives for one file. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

enum kind {
    KIND_STRING,
    KIND_BLOB,
    KIND_BOOL,
    KIND_INT,
    KIND_LONG,
    KIND_FLOAT,
    KIND_TIMESTAMP,
    KIND_STRUCT,
    KIND_LIST,
    KIND_MAP,
    KIND_DOCUMENT,
};

struct schema;

struct field {
    const char *name; /* the model's: "ApiId" */
    const char *wire; /* "apiId" */
    char *c_name;     /* "api_id" */
    struct schema *schema;
    const char *location; /* "IN_BODY" */
    const char *time;     /* "TIME_ISO8601" or NULL: the shape's */
    bool required, flattened, json_value;
};

struct record {
    struct field *fields;
    size_t n;
};

struct schema {
    const char *name;
    enum kind kind;
    yaml_node_t *node;
    struct record record;         /* KIND_STRUCT */
    struct schema *element, *key; /* KIND_LIST, KIND_MAP */
    bool is_error;
    int nested; /* how often other schemas (or payloads) hold it */
    int bodies; /* of how many operations it is the body */
    bool written;
};

struct operation {
    const char *name, *method, *action, *arn, *wrapper, *payload_type;
    char *path;
    int status;
    yaml_node_t *also, *keys; /* lists of strings, or NULL */
    bool is_unsigned, is_free, terse;
    struct record in, out;
    struct schema *in_body, *out_body; /* the schema that is the body, or NULL */
    struct schema **errors;
    size_t n_errors;
};

struct model {
    const char *id, *signing, *protocol, *prefix, *target, *xmlns, *version, *validation, *refusal;
    bool input_prefix;
    struct schema *schemas;
    size_t n_schemas;
    struct operation *operations; /* sorted by name */
    size_t n_operations;
};

/* Ends the process with a message naming file and line when the description makes no sense. */
void model_load(struct model *model, const char *path);

/* For what stays in the document: constraints, flags. NULL when missing. */
yaml_node_t *node_at(yaml_node_t *map, const char *key);
const char *node_text(yaml_node_t *node);
const char *text_at(yaml_node_t *map, const char *key);
bool flag_at(yaml_node_t *map, const char *key);
size_t node_count(yaml_node_t *sequence);
yaml_node_t *node_item(yaml_node_t *sequence, size_t i);

/* Does the schema get a struct of its own (it is held by others, or is the body of several operations)? */
bool schema_is_shared(const struct schema *schema);

void emit_header(const struct model *model, const char *path);
void emit_source(const struct model *model, const char *path, const char *header);
