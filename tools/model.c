/* Reads a service description with libyaml. */
#include "model.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static yaml_document_t document;
static const char *document_path;

static void fail(const yaml_node_t *node, const char *what, const char *name)
{
    fprintf(stderr, "%s:%zu: %s %s\n", document_path, node ? node->start_mark.line + 1 : 0, what,
            name ? name : "");
    exit(1);
}

static void *zalloc(size_t bytes)
{
    void *ptr = calloc(1, bytes ? bytes : 1);
    if (!ptr)
        abort();
    return ptr;
}

static char *copy_n(const char *text, size_t n)
{
    char *copy = zalloc(n + 1);
    memcpy(copy, text, n);
    return copy;
}

yaml_node_t *node_at(yaml_node_t *map, const char *key)
{
    if (!map || map->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++)
        if (!strcmp(node_text(yaml_document_get_node(&document, pair->key)), key))
            return yaml_document_get_node(&document, pair->value);
    return NULL;
}

const char *node_text(yaml_node_t *node)
{
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

const char *text_at(yaml_node_t *map, const char *key)
{
    return node_text(node_at(map, key));
}

bool flag_at(yaml_node_t *map, const char *key)
{
    const char *text = text_at(map, key);
    return text && !strcmp(text, "true");
}

size_t node_count(yaml_node_t *sequence)
{
    if (!sequence || sequence->type != YAML_SEQUENCE_NODE)
        return 0;
    return (size_t)(sequence->data.sequence.items.top - sequence->data.sequence.items.start);
}

yaml_node_t *node_item(yaml_node_t *sequence, size_t i)
{
    return yaml_document_get_node(&document, sequence->data.sequence.items.start[i]);
}

/* Mappings are walked by index, too. */
static size_t pair_count(yaml_node_t *map)
{
    if (!map || map->type != YAML_MAPPING_NODE)
        return 0;
    return (size_t)(map->data.mapping.pairs.top - map->data.mapping.pairs.start);
}
static const char *pair_key(yaml_node_t *map, size_t i)
{
    return node_text(yaml_document_get_node(&document, map->data.mapping.pairs.start[i].key));
}
static yaml_node_t *pair_value(yaml_node_t *map, size_t i)
{
    return yaml_document_get_node(&document, map->data.mapping.pairs.start[i].value);
}

static const char *must(yaml_node_t *map, const char *key)
{
    const char *text = text_at(map, key);
    if (!text)
        fail(map, "missing", key);
    return text;
}

/* --- names --- */

static bool is_c_word(const char *name)
{
    /* keywords, and what GNU C predefines */
    static const char *const words[] = { "auto",     "break",    "case",     "char",   "const",   "continue",
                                         "default",  "do",       "double",   "else",   "enum",    "extern",
                                         "float",    "for",      "goto",     "if",     "inline",  "int",
                                         "long",     "register", "restrict", "return", "short",   "signed",
                                         "sizeof",   "static",   "struct",   "switch", "typedef", "union",
                                         "unsigned", "void",     "volatile", "while",  "asm",     "typeof",
                                         "unix",     "linux",    "errno",    "stdin",  "stdout",  "stderr" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(name, words[i]))
            return true;
    return false;
}

/* Does a word begin at name[i]? UserPoolId -> User Pool Id, MFAOptions -> MFA Options, ProviderARNs ->
 * Provider ARNs. */
static bool word_begins(const char *name, size_t i)
{
    if (!i || !isupper((unsigned char)name[i]))
        return false;
    if (!isupper((unsigned char)name[i - 1]))
        return true;
    if (!islower((unsigned char)name[i + 1]))
        return false;
    bool plural = name[i + 1] == 's' && !islower((unsigned char)name[i + 2]);
    return !plural;
}

static char *snake_case(const char *name)
{
    char *out = zalloc(2 * strlen(name) + 2);
    size_t n = 0;
    for (size_t i = 0; name[i]; i++) {
        if (word_begins(name, i) && n && out[n - 1] != '_' &&
            !(n >= 1 && i >= 1 && !strncmp(name + i - 1, "OAuth", 5)))
            out[n++] = '_';
        out[n++] = isalnum((unsigned char)name[i]) ? (char)tolower((unsigned char)name[i]) : '_';
    }
    if (is_c_word(out))
        out[n++] = '_';
    return out;
}

/* --- schemas --- */

static struct schema *schema_named(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->n_schemas; i++)
        if (!strcmp(model->schemas[i].name, name))
            return &model->schemas[i];
    return NULL;
}

static struct schema *schema_of(const struct model *model, yaml_node_t *node)
{
    static const char prefix[] = "#/components/schemas/";
    const char *ref = must(node, "$ref");
    if (strncmp(ref, prefix, sizeof prefix - 1))
        fail(node, "not a reference to a schema:", ref);
    struct schema *schema = schema_named(model, ref + sizeof prefix - 1);
    if (!schema)
        fail(node, "no such schema:", ref);
    return schema;
}

static enum kind kind_of(yaml_node_t *node)
{
    if (flag_at(node, "x-document"))
        return KIND_DOCUMENT;
    const char *type = must(node, "type"), *format = text_at(node, "format");
    if (text_at(node, "x-timestamp"))
        return KIND_TIMESTAMP;
    if (!strcmp(type, "string"))
        return format && !strcmp(format, "byte") ? KIND_BLOB : KIND_STRING;
    if (!strcmp(type, "boolean"))
        return KIND_BOOL;
    if (!strcmp(type, "integer"))
        return format && !strcmp(format, "int64") ? KIND_LONG : KIND_INT;
    if (!strcmp(type, "number"))
        return KIND_FLOAT;
    if (!strcmp(type, "array"))
        return KIND_LIST;
    if (strcmp(type, "object"))
        fail(node, "unknown type", type);
    return node_at(node, "additionalProperties") ? KIND_MAP : KIND_STRUCT;
}

static const char *time_name(yaml_node_t *node)
{
    const char *format = text_at(node, "x-timestamp");
    if (!format || !strcmp(format, "default"))
        return NULL;
    if (!strcmp(format, "iso8601"))
        return "TIME_ISO8601";
    if (!strcmp(format, "unixTimestamp"))
        return "TIME_EPOCH";
    if (!strcmp(format, "rfc822"))
        return "TIME_RFC822";
    fail(node, "unknown timestamp format", format);
    return NULL;
}

static void field_add(struct record *record, struct field field)
{
    if ((record->n & (record->n - 1)) == 0) {
        struct field *more = zalloc(sizeof *more * (record->n ? 2 * record->n : 1));
        if (record->n)
            memcpy(more, record->fields, sizeof *more * record->n);
        record->fields = more;
    }
    field.c_name = snake_case(field.name);
    for (size_t i = 0; i < record->n; i++)
        if (!strcmp(record->fields[i].c_name, field.c_name))
            fail(field.schema->node, "two members make the C name", field.c_name);
    record->fields[record->n++] = field;
}

static void read_properties(const struct model *model, yaml_node_t *node, struct record *record)
{
    yaml_node_t *properties = node_at(node, "properties"), *required = node_at(node, "required");
    for (size_t i = 0; i < pair_count(properties); i++) {
        yaml_node_t *value = pair_value(properties, i);
        const char *wire = pair_key(properties, i), *name = text_at(value, "x-member");
        struct field field = { .name = name ? name : wire,
                               .wire = wire,
                               .schema = schema_of(model, value),
                               .location = "IN_BODY",
                               .time = time_name(value),
                               .flattened = flag_at(value, "x-flattened"),
                               .json_value = flag_at(value, "x-json") };
        for (size_t r = 0; r < node_count(required); r++)
            field.required |= !strcmp(node_text(node_item(required, r)), wire);
        field_add(record, field);
    }
}

static void read_schemas(struct model *model, yaml_node_t *schemas)
{
    model->n_schemas = pair_count(schemas);
    model->schemas = zalloc(sizeof *model->schemas * model->n_schemas);
    for (size_t i = 0; i < model->n_schemas; i++) {
        struct schema *schema = &model->schemas[i];
        schema->name = pair_key(schemas, i);
        schema->node = pair_value(schemas, i);
        schema->kind = kind_of(schema->node);
        schema->is_error = node_at(schema->node, "x-error") != NULL;
    }
    for (size_t i = 0; i < model->n_schemas; i++) {
        struct schema *schema = &model->schemas[i];
        if (schema->kind == KIND_STRUCT)
            read_properties(model, schema->node, &schema->record);
        if (schema->kind == KIND_LIST)
            schema->element = schema_of(model, node_at(schema->node, "items"));
        if (schema->kind == KIND_MAP) {
            schema->element = schema_of(model, node_at(schema->node, "additionalProperties"));
            schema->key = schema_of(model, node_at(schema->node, "propertyNames"));
        }
        if (schema->element)
            schema->element->nested++;
        for (size_t m = 0; m < schema->record.n; m++)
            schema->record.fields[m].schema->nested++;
    }
}

bool schema_is_shared(const struct schema *schema)
{
    return schema->kind == KIND_STRUCT && !schema->is_error && (schema->nested > 0 || schema->bodies > 1);
}

/* --- operations --- */

static const char *parameter_location(yaml_node_t *row)
{
    const char *in = must(row, "in");
    if (flag_at(row, "x-prefix"))
        return "IN_HEADERS";
    return !strcmp(in, "path") ? "IN_PATH" : !strcmp(in, "query") ? "IN_QUERY" : "IN_HEADER";
}

static void read_parameters(const struct model *model, yaml_node_t *rows, struct record *record)
{
    for (size_t i = 0; i < node_count(rows); i++) {
        yaml_node_t *row = node_item(rows, i);
        const char *wire = must(row, "name"), *name = text_at(row, "x-member");
        field_add(record, (struct field){ .name = name ? name : wire,
                                          .wire = wire,
                                          .schema = schema_of(model, node_at(row, "schema")),
                                          .location = parameter_location(row),
                                          .required = flag_at(row, "required"),
                                          .json_value = flag_at(row, "x-json") });
    }
}

/* The content of a request or an answer: either one member, or a schema that is the whole body. */
static struct schema *read_body(const struct model *model, yaml_node_t *body, struct record *record)
{
    yaml_node_t *content = node_at(body, "content");
    if (!content)
        return NULL;
    yaml_node_t *only = pair_value(content, 0);
    struct schema *schema = schema_of(model, node_at(only, "schema"));
    const char *payload = text_at(only, "x-payload");
    if (payload) {
        schema->nested++;
        field_add(record, (struct field){ .name = payload,
                                          .wire = payload,
                                          .schema = schema,
                                          .location = "IN_PAYLOAD",
                                          .required = flag_at(only, "x-required") });
        return NULL;
    }
    schema->bodies++;
    read_properties(model, schema->node, record);
    return schema;
}

static void read_answer(const struct model *model, yaml_node_t *responses, struct operation *op)
{
    yaml_node_t *answer = pair_value(responses, 0), *headers = node_at(answer, "headers"),
                *status = node_at(answer, "x-status");
    op->status = atoi(pair_key(responses, 0));
    op->wrapper = text_at(answer, "x-wrapper");
    if (status)
        field_add(&op->out, (struct field){ .name = must(status, "x-member"),
                                            .wire = must(status, "x-member"),
                                            .schema = schema_of(model, status),
                                            .location = "IN_STATUS" });
    for (size_t i = 0; i < pair_count(headers); i++) {
        yaml_node_t *row = pair_value(headers, i);
        field_add(&op->out,
                  (struct field){ .name = must(row, "x-member"),
                                  .wire = pair_key(headers, i),
                                  .schema = schema_of(model, node_at(row, "schema")),
                                  .location = flag_at(row, "x-prefix") ? "IN_HEADERS" : "IN_HEADER" });
    }
    op->out_body = read_body(model, answer, &op->out);
    yaml_node_t *content = node_at(answer, "content");
    if (content && strcmp(pair_key(content, 0), "*/*"))
        op->payload_type = pair_key(content, 0);
}

static void read_operation(const struct model *model, const char *path_key, const char *method,
                           yaml_node_t *node, struct operation *op)
{
    op->name = must(node, "operationId");
    op->action = must(node, "x-action");
    op->arn = must(node, "x-arn");
    op->also = node_at(node, "x-also");
    op->keys = node_at(node, "x-keys");
    op->is_unsigned = flag_at(node, "x-unsigned");
    op->is_free = flag_at(node, "x-free");
    op->terse = flag_at(node, "x-terse");
    char *upper = copy_n(method, strlen(method));
    for (char *c = upper; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    op->method = upper;
    /* "/#Operation" is "/"; "/restapis#mode=import" is "/restapis?mode=import" */
    op->path = copy_n(path_key, strlen(path_key));
    char *hash = strchr(op->path, '#');
    if (hash)
        *hash = strchr(hash, '=') ? '?' : 0;
    read_parameters(model, node_at(node, "parameters"), &op->in);
    op->in_body = read_body(model, node_at(node, "requestBody"), &op->in);
    read_answer(model, node_at(node, "responses"), op);
    yaml_node_t *errors = node_at(node, "x-errors");
    op->n_errors = node_count(errors);
    op->errors = zalloc(sizeof *op->errors * op->n_errors);
    for (size_t i = 0; i < op->n_errors; i++) {
        op->errors[i] = schema_named(model, node_text(node_item(errors, i)));
        if (!op->errors[i] || !op->errors[i]->is_error)
            fail(node, "no such error:", node_text(node_item(errors, i)));
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct operation *)a)->name, ((const struct operation *)b)->name);
}

static void read_operations(struct model *model, yaml_node_t *paths)
{
    size_t n = 0;
    for (size_t i = 0; i < pair_count(paths); i++)
        n += pair_count(pair_value(paths, i));
    model->operations = zalloc(sizeof *model->operations * n);
    for (size_t i = 0; i < pair_count(paths); i++) {
        yaml_node_t *methods = pair_value(paths, i);
        for (size_t m = 0; m < pair_count(methods); m++)
            read_operation(model, pair_key(paths, i), pair_key(methods, m), pair_value(methods, m),
                           &model->operations[model->n_operations++]);
    }
    qsort(model->operations, model->n_operations, sizeof *model->operations, by_name);
}

void model_load(struct model *model, const char *path)
{
    document_path = path;
    FILE *file = fopen(path, "rb");
    if (!file)
        fail(NULL, "cannot open", NULL);
    yaml_parser_t parser;
    yaml_parser_initialize(&parser);
    yaml_parser_set_input_file(&parser, file);
    if (!yaml_parser_load(&parser, &document)) {
        fprintf(stderr, "%s:%zu: %s\n", path, parser.problem_mark.line + 1, parser.problem);
        exit(1);
    }
    yaml_parser_delete(&parser);
    fclose(file);

    yaml_node_t *root = yaml_document_get_root_node(&document), *facts = node_at(root, "x-service");
    *model = (struct model){ .id = must(facts, "id"),
                             .signing = must(facts, "signing"),
                             .protocol = must(facts, "protocol"),
                             .prefix = must(facts, "prefix"),
                             .target = text_at(facts, "target"),
                             .xmlns = text_at(facts, "xmlns"),
                             .version = must(node_at(root, "info"), "version"),
                             .validation = must(facts, "validation"),
                             .refusal = must(facts, "refusal"),
                             .input_prefix = flag_at(facts, "input-prefix") };
    read_schemas(model, node_at(node_at(root, "components"), "schemas"));
    read_operations(model, node_at(root, "paths"));
}
