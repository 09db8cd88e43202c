/* Descriptor tables made at run time from a botocore-style model, as the protocol vectors hold it. */
#pragma once

#include "core/json.h"
#include "wire/model.h"

struct protocol_model {
    struct arena *arena;
    const json_t *shapes;
    json_t *made; /* name -> address of its struct shape */
};

static struct shape *model_shape(struct protocol_model *model, const char *name);

static enum timestamp_format model_time(const json_t *of)
{
    struct str format = json_str(of, "timestampFormat");
    return str_is(format, "iso8601")         ? TIME_ISO8601
           : str_is(format, "rfc822")        ? TIME_RFC822
           : str_is(format, "unixTimestamp") ? TIME_EPOCH
                                             : TIME_DEFAULT;
}

static const char *model_name(struct arena *arena, const json_t *of, const char *key, const char *otherwise)
{
    struct str name = json_str(of, key);
    return name.ptr ? str_c(arena, name) : otherwise;
}

static const struct {
    const char *type;
    enum shape_kind kind;
    size_t size;
} model_kinds[] = {
    { "string", SHAPE_STRING, sizeof(struct str) },
    { "blob", SHAPE_BLOB, sizeof(struct str) },
    { "boolean", SHAPE_BOOL, sizeof(struct opt_bool) },
    { "integer", SHAPE_INT, sizeof(struct opt_i64) },
    { "long", SHAPE_LONG, sizeof(struct opt_i64) },
    { "float", SHAPE_FLOAT, sizeof(struct opt_f64) },
    { "double", SHAPE_FLOAT, sizeof(struct opt_f64) },
    { "timestamp", SHAPE_TIMESTAMP, sizeof(struct opt_time) },
    { "structure", SHAPE_STRUCT, sizeof(void *) },
    { "list", SHAPE_LIST, sizeof(struct any_list) },
    { "map", SHAPE_MAP, sizeof(struct any_list) },
};

static enum location model_location(const json_t *spec, bool payload)
{
    struct str in = json_str(spec, "location");
    if (payload)
        return IN_PAYLOAD;
    return str_is(in, "uri")           ? IN_PATH
           : str_is(in, "querystring") ? IN_QUERY
           : str_is(in, "header")      ? IN_HEADER
           : str_is(in, "headers")     ? IN_HEADERS
           : str_is(in, "statusCode")  ? IN_STATUS
                                       : IN_BODY;
}

static void model_members(struct protocol_model *model, const json_t *of, struct shape *shape)
{
    json_t *members = json_object_get(of, "members");
    struct member *rows = ARENA_ARRAY(model->arena, struct member, json_object_size(members) + 1);
    const char *name;
    json_t *spec;
    json_object_foreach(members, name, spec)
    {
        struct member *row = &rows[shape->n_members++];
        *row = (struct member){ .name = name,
                                .wire_name = model_name(model->arena, spec, "locationName", name),
                                .shape = model_shape(model, model_name(model->arena, spec, "shape", "")),
                                .offset = shape->alloc,
                                .in = model_location(spec, str_is(json_str(of, "payload"), name)),
                                .flattened = json_flag(spec, "flattened", false),
                                .json_value = json_flag(spec, "jsonvalue", false),
                                .time = model_time(spec) };
        shape->alloc += (row->shape->size + 7) & ~(size_t)7;
    }
    shape->members = rows;
    shape->alloc += 8;
}

static struct shape *model_shape(struct protocol_model *model, const char *name)
{
    const json_t *of = json_object_get(model->shapes, name), *known = json_object_get(model->made, name);
    if (known)
        return (struct shape *)(uintptr_t)json_integer_value(known);
    struct shape *shape = ARENA_NEW(model->arena, struct shape);
    json_object_set_new(model->made, name, json_integer((json_int_t)(uintptr_t)shape));
    shape->name = name;
    shape->time = model_time(of);
    for (size_t i = 0; i < COUNT(model_kinds); i++)
        if (str_is(json_str(of, "type"), model_kinds[i].type)) {
            shape->kind = model_kinds[i].kind;
            shape->size = model_kinds[i].size;
        }
    if (json_flag(of, "document", false)) {
        shape->kind = SHAPE_DOCUMENT;
    } else if (shape->kind == SHAPE_STRUCT) {
        model_members(model, of, shape);
    } else if (shape->kind == SHAPE_LIST) {
        const json_t *element = json_object_get(of, "member");
        shape->element = model_shape(model, model_name(model->arena, element, "shape", ""));
        shape->element_name = model_name(model->arena, element, "locationName", NULL);
    } else if (shape->kind == SHAPE_MAP) {
        const json_t *key = json_object_get(of, "key"), *value = json_object_get(of, "value");
        shape->key = model_shape(model, model_name(model->arena, key, "shape", ""));
        shape->element = model_shape(model, model_name(model->arena, value, "shape", ""));
        shape->key_name = model_name(model->arena, key, "locationName", NULL);
        shape->value_name = model_name(model->arena, value, "locationName", NULL);
        shape->value_offset = sizeof(struct str);
        shape->alloc = sizeof(struct str) + ((shape->element->size + 7) & ~(size_t)7);
    }
    return shape;
}
