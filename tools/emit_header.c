/* gen/<service>.h: structs, prototypes, and what the tables in the .c are called. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>

static FILE *out;
static const char *prefix;

static void print_type(const struct schema *schema)
{
    switch (schema->kind) {
    case KIND_STRING:
    case KIND_BLOB:
        fputs("struct str ", out);
        return;
    case KIND_BOOL:
        fputs("struct opt_bool ", out);
        return;
    case KIND_INT:
    case KIND_LONG:
        fputs("struct opt_i64 ", out);
        return;
    case KIND_FLOAT:
        fputs("struct opt_f64 ", out);
        return;
    case KIND_TIMESTAMP:
        fputs("struct opt_time ", out);
        return;
    case KIND_STRUCT:
        fprintf(out, "struct %s_%s *", prefix, schema->name);
        return;
    case KIND_LIST:
    case KIND_MAP:
        fprintf(out, "struct %s_%s ", prefix, schema->name);
        return;
    case KIND_DOCUMENT:
        fputs("json_t *", out);
        return;
    }
}

/* A map holds its values, so the lists and maps among them come first; a list only points to its items. */
static void print_container(struct schema *schema)
{
    if (schema->written || (schema->kind != KIND_LIST && schema->kind != KIND_MAP))
        return;
    schema->written = true;
    if (schema->kind == KIND_MAP)
        print_container(schema->element);
    fprintf(out, "struct %s_%s {\n    bool set;\n    size_t n;\n    ", prefix, schema->name);
    if (schema->kind == KIND_LIST) {
        print_type(schema->element);
        fputs("*items;\n};\n", out);
        return;
    }
    fprintf(out, "struct %s_%s_entry {\n        struct str key;\n        ", prefix, schema->name);
    print_type(schema->element);
    fputs("value;\n    } *items;\n};\n", out);
}

static void print_fields(const struct record *record, const char *indent)
{
    for (size_t i = 0; i < record->n; i++) {
        fputs(indent, out);
        print_type(record->fields[i].schema);
        fprintf(out, "%s;\n", record->fields[i].c_name);
    }
    if (!record->n)
        fprintf(out, "%schar none;\n", indent);
}

static void print_struct(const struct schema *schema)
{
    fprintf(out, "struct %s_%s {\n", prefix, schema->name);
    print_fields(&schema->record, "    ");
    fputs("};\n", out);
}

/* What an operation takes or gives. When its body is a schema that others share and nothing else
 * is bound, `whole` is the same members as that schema's struct: out->whole = *pool. */
static void print_operation_struct(const struct operation *op, const char *suffix,
                                   const struct record *record, const struct schema *body)
{
    fprintf(out, "struct %s_%s_%s {\n", prefix, op->name, suffix);
    if (body && schema_is_shared(body) && record->n == body->record.n && record->n) {
        fputs("    union {\n        struct {\n", out);
        print_fields(record, "            ");
        fprintf(out, "        };\n        struct %s_%s whole;\n    };\n", prefix, body->name);
    } else {
        print_fields(record, "    ");
    }
    fputs("};\n", out);
}

void emit_header(const struct model *model, const char *path)
{
    out = fopen(path, "w");
    if (!out) {
        perror(path);
        exit(1);
    }
    prefix = model->prefix;
    fprintf(
        out,
        "/* %s %s. Written by tools/modelgen; do not edit. */\n#pragma once\n\n#include \"wire/model.h\"\n\n",
        model->id, model->version);
    for (size_t i = 0; i < model->n_schemas; i++)
        print_container(&model->schemas[i]);
    for (size_t i = 0; i < model->n_schemas; i++)
        if (schema_is_shared(&model->schemas[i]))
            print_struct(&model->schemas[i]);
    for (size_t i = 0; i < model->n_operations; i++) {
        const struct operation *op = &model->operations[i];
        print_operation_struct(op, "in", &op->in, op->in_body);
        print_operation_struct(op, "out", &op->out, op->out_body);
    }
    fputs("\n/* errors */\n", out);
    for (size_t i = 0; i < model->n_schemas; i++)
        if (model->schemas[i].is_error)
            fprintf(out, "extern const struct gh_kind %s_%s;\n", prefix, model->schemas[i].name);
    fputs("\n/* descriptors */\n", out);
    for (size_t i = 0; i < model->n_schemas; i++)
        if (model->schemas[i].kind != KIND_STRUCT || schema_is_shared(&model->schemas[i]))
            fprintf(out, "extern const struct shape %s_shape_%s;\n", prefix, model->schemas[i].name);
    for (size_t i = 0; i < model->n_operations; i++)
        fprintf(out, "extern const struct shape %s_shape_%s_in, %s_shape_%s_out;\n", prefix,
                model->operations[i].name, prefix, model->operations[i].name);
    fprintf(out, "extern const struct service %s_service;\n\n/* handlers: define those that are built */\n",
            prefix);
    for (size_t i = 0; i < model->n_operations; i++) {
        const char *name = model->operations[i].name;
        fprintf(out, "gh_err %s_%s(struct call *call, const struct %s_%s_in *in, struct %s_%s_out *out);\n",
                prefix, name, prefix, name, prefix, name);
    }
    fclose(out);
}
