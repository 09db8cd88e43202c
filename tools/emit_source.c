/* gen/<service>.c: const descriptor tables, error kinds, typed thunks. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *out;
static const char *prefix;

static void print_string(const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        if ((unsigned char)*text < 0x20)
            fprintf(out, "\\%03o", (unsigned char)*text);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

static void print_string_member(const char *name, const char *text)
{
    if (!text)
        return;
    fprintf(out, ", .%s = ", name);
    print_string(text);
}

static void print_flag(const char *name, bool on)
{
    if (on)
        fprintf(out, ", .%s = true", name);
}

static void print_number(yaml_node_t *node, const char *const keys[3], const char *name)
{
    for (int i = 0; i < 3; i++) {
        const char *text = text_at(node, keys[i]);
        if (text)
            fprintf(out, ", .has_%s = true, .%s = %s", name, name, text);
    }
}

static const char *const kind_names[] = { "STRING",    "BLOB",   "BOOL", "INT", "LONG",    "FLOAT",
                                          "TIMESTAMP", "STRUCT", "LIST", "MAP", "DOCUMENT" };
static const char *const kind_sizes[] = { "struct str",      "struct str",     "struct opt_bool",
                                          "struct opt_i64",  "struct opt_i64", "struct opt_f64",
                                          "struct opt_time", "void *",         "struct any_list",
                                          "struct any_list", "json_t *" };

static void print_flags(yaml_node_t *node)
{
    print_flag("flattened", flag_at(node, "x-flattened"));
    print_flag("sensitive", flag_at(node, "x-sensitive"));
    print_flag("dense", flag_at(node, "x-dense"));
}

static void print_constraints(const struct schema *schema)
{
    static const char *const lows[3] = { "minLength", "minimum", "minItems" }, *const highs[3] = {
        "maxLength", "maximum", "maxItems"
    };
    static const char *const map_lows[3] = { "minProperties", "", "" }, *const map_highs[3] = {
        "maxProperties", "", ""
    };
    print_number(schema->node, schema->kind == KIND_MAP ? map_lows : lows, "min");
    print_number(schema->node, schema->kind == KIND_MAP ? map_highs : highs, "max");
    print_string_member("pattern", text_at(schema->node, "pattern"));
    if (node_at(schema->node, "enum"))
        fprintf(out, ", .values = values_%s", schema->name);
    const char *time = text_at(schema->node, "x-timestamp");
    if (time && !strcmp(time, "iso8601"))
        fputs(", .time = TIME_ISO8601", out);
    if (time && !strcmp(time, "unixTimestamp"))
        fputs(", .time = TIME_EPOCH", out);
    if (time && !strcmp(time, "rfc822"))
        fputs(", .time = TIME_RFC822", out);
}

static void print_values(const struct schema *schema)
{
    yaml_node_t *values = node_at(schema->node, "enum");
    if (!values)
        return;
    fprintf(out, "static const char *const values_%s[] = { ", schema->name);
    for (size_t i = 0; i < node_count(values); i++) {
        print_string(node_text(node_item(values, i)));
        fputs(", ", out);
    }
    fputs("NULL };\n", out);
}

/* Anything but a structure. */
static void print_shape(const struct schema *schema)
{
    print_values(schema);
    fprintf(out, "const struct shape %s_shape_%s = { .name = \"%s\", .kind = SHAPE_%s, .size = sizeof(%s)",
            prefix, schema->name, schema->name, kind_names[schema->kind], kind_sizes[schema->kind]);
    if (schema->element)
        fprintf(out, ", .element = &%s_shape_%s", prefix, schema->element->name);
    if (schema->kind == KIND_LIST)
        print_string_member("element_name", text_at(node_at(schema->node, "xml"), "name"));
    if (schema->kind == KIND_MAP) {
        fprintf(out,
                ", .key = &%s_shape_%s, .alloc = sizeof(struct %s_%s_entry), .value_offset = offsetof(struct "
                "%s_%s_entry, value)",
                prefix, schema->key->name, prefix, schema->name, prefix, schema->name);
        print_string_member("key_name", text_at(node_at(schema->node, "x-entry"), "key"));
        print_string_member("value_name", text_at(node_at(schema->node, "x-entry"), "value"));
    }
    print_constraints(schema);
    print_flags(schema->node);
    fputs(" };\n", out);
}

static void print_members(const char *c_name, const struct record *record)
{
    if (!record->n)
        return;
    fprintf(out, "static const struct member members_%s[] = {\n", c_name);
    for (size_t i = 0; i < record->n; i++) {
        const struct field *field = &record->fields[i];
        fprintf(out,
                "    { .name = \"%s\", .wire_name = \"%s\", .shape = &%s_shape_%s, .offset = offsetof(struct "
                "%s_%s, %s), .in = %s",
                field->name, field->wire, prefix, field->schema->name, prefix, c_name, field->c_name,
                field->location);
        print_flag("required", field->required);
        print_flag("flattened", field->flattened);
        print_flag("json_value", field->json_value);
        if (field->time)
            fprintf(out, ", .time = %s", field->time);
        fputs(" },\n", out);
    }
    fputs("};\n", out);
}

static void print_struct_shape(const char *name, const char *c_name, const struct record *record,
                               yaml_node_t *node)
{
    print_members(c_name, record);
    fprintf(out,
            "const struct shape %s_shape_%s = { .name = \"%s\", .kind = SHAPE_STRUCT, .size = sizeof(void "
            "*), .alloc = sizeof(struct %s_%s)",
            prefix, c_name, name, prefix, c_name);
    if (record->n)
        fprintf(out, ", .members = members_%s, .n_members = %zu", c_name, record->n);
    print_flags(node);
    fputs(" };\n", out);
}

static void print_operation_shape(const struct operation *op, const char *suffix, const struct record *record,
                                  const struct schema *body)
{
    char c_name[256];
    snprintf(c_name, sizeof c_name, "%s_%s", op->name, suffix);
    print_struct_shape(body ? body->name : c_name, c_name, record, body ? body->node : NULL);
}

static void print_kind(const struct schema *schema)
{
    yaml_node_t *error = node_at(schema->node, "x-error");
    fprintf(out, "const struct gh_kind %s_%s = { .code = \"%s\", .status = %s", prefix, schema->name,
            schema->name, text_at(error, "status"));
    print_flag("server_fault", flag_at(error, "fault"));
    print_string_member("query_code", text_at(error, "code"));
    fputs(" };\n", out);
}

/* How an error's body spells its members: "message" or "Message", with "Type" or without. */
static void print_error_form(const struct schema *schema)
{
    const char *message = NULL;
    bool type = false;
    for (size_t i = 0; i < schema->record.n; i++) {
        const struct field *field = &schema->record.fields[i];
        if (!strcmp(field->c_name, "message"))
            message = field->wire;
        type |= !strcmp(field->wire, "Type");
    }
    fprintf(out, "    { .kind = &%s_%s", prefix, schema->name);
    print_string_member("message_name", message);
    print_flag("type", type);
    fputs(" },\n", out);
}

static void print_strings(const char *what, const struct operation *op, yaml_node_t *list)
{
    if (!list)
        return;
    fprintf(out, "static const char *const %s_%s[] = {", what, op->name);
    for (size_t i = 0; i < node_count(list); i++)
        fprintf(out, " \"%s\",", node_text(node_item(list, i)));
    fputs(" NULL };\n", out);
}

static void print_thunk(const struct operation *op)
{
    fprintf(out,
            "#pragma weak %s_%s\nstatic gh_err run_%s(struct call *call, const void *in, void *out)\n{\n    "
            "return %s_%s(call, in, out);\n}\n",
            prefix, op->name, op->name, prefix, op->name);
    print_strings("also", op, op->also);
    print_strings("keys", op, op->keys);
    if (!op->n_errors)
        return;
    fprintf(out, "static const struct gh_kind *const errors_%s[] = {", op->name);
    for (size_t i = 0; i < op->n_errors; i++)
        fprintf(out, " &%s_%s,", prefix, op->errors[i]->name);
    fputs(" NULL };\n", out);
}

static void print_operation(const struct operation *op)
{
    fprintf(out,
            "    { .name = \"%s\", .method = \"%s\", .status = %d, .in = &%s_shape_%s_in, .out = "
            "&%s_shape_%s_out",
            op->name, op->method, op->status, prefix, op->name, prefix, op->name);
    fprintf(out, ", .run = run_%s, .handler = (void (*)(void))%s_%s", op->name, prefix, op->name);
    print_string_member("path", op->path);
    print_string_member("action", op->action);
    print_string_member("arn", op->arn);
    if (op->also)
        fprintf(out, ", .also = also_%s", op->name);
    if (op->keys)
        fprintf(out, ", .keys = keys_%s", op->name);
    print_string_member("result_wrapper", op->wrapper);
    if (op->n_errors)
        fprintf(out, ", .errors = errors_%s", op->name);
    print_flag("unsigned_", op->is_unsigned);
    print_flag("free", op->is_free);
    print_flag("output", op->out_body != NULL);
    print_flag("terse", op->terse);
    print_string_member("payload_type", op->payload_type);
    fputs(" },\n", out);
}

static void print_service(const struct model *model)
{
    fprintf(out, "static const struct gh_kind validation = { .code = \"%s\", .status = 400 };\n",
            model->validation);
    fprintf(out, "static const struct gh_kind refusal = { .code = \"%s\", .status = 400 };\n",
            model->refusal);
    const char *protocol = !strcmp(model->protocol, "query")  ? "QUERY"
                           : !strcmp(model->protocol, "json") ? "JSON11"
                                                              : "REST_JSON";
    fprintf(out,
            "const struct service %s_service = { .id = \"%s\", .signing_name = \"%s\", .protocol = "
            "PROTOCOL_%s, .api_version = \"%s\"",
            prefix, model->id, model->signing, protocol, model->version);
    print_string_member("target_prefix", model->target);
    print_flag("input_prefix", model->input_prefix);
    print_string_member("xml_namespace", model->xmlns);
    fputs(", .validation = &validation, .refusal = &refusal, .operations = operations, .n_operations = "
          "sizeof(operations) / sizeof(*operations)"
          ", .errors = error_forms, .n_errors = sizeof(error_forms) / sizeof(*error_forms) };\n",
          out);
}

void emit_source(const struct model *model, const char *path, const char *header)
{
    out = fopen(path, "w");
    if (!out) {
        perror(path);
        exit(1);
    }
    prefix = model->prefix;
    fprintf(out, "/* %s %s. Written by tools/modelgen; do not edit. */\n#include \"gen/%s\"\n\n", model->id,
            model->version, header);
    for (size_t i = 0; i < model->n_schemas; i++) {
        const struct schema *schema = &model->schemas[i];
        if (schema->is_error)
            print_kind(schema);
        else if (schema->kind != KIND_STRUCT)
            print_shape(schema);
        else if (schema_is_shared(schema))
            print_struct_shape(schema->name, schema->name, &schema->record, schema->node);
    }
    fputs("static const struct error_form error_forms[] = {\n", out);
    for (size_t i = 0; i < model->n_schemas; i++)
        if (model->schemas[i].is_error)
            print_error_form(&model->schemas[i]);
    fputs("};\n", out);
    for (size_t i = 0; i < model->n_operations; i++) {
        const struct operation *op = &model->operations[i];
        print_operation_shape(op, "in", &op->in, op->in_body);
        print_operation_shape(op, "out", &op->out, op->out_body);
        print_thunk(op);
    }
    fputs("static const struct operation operations[] = {\n", out);
    for (size_t i = 0; i < model->n_operations; i++)
        print_operation(&model->operations[i]);
    fputs("};\n", out);
    print_service(model);
    fclose(out);
}
