#include "wire/codec_json.h"

#include <math.h>

#include "core/base64.h"
#include "wire/scalar.h"

/* --- struct -> JSON --- */

static json_t *encode(struct arena *arena, const struct shape *shape, const void *at,
                      enum timestamp_format time, enum json_use use);

/* Bytes that are no UTF-8 cannot be a JSON string; they become U+FFFD. */
static json_t *string_json(struct arena *arena, struct str text)
{
    json_t *string = json_stringn(text.ptr, text.len);
    if (string)
        return string;
    struct strbuf quoted = strbuf_in(arena, text.len + 16);
    json_quote(&quoted, text);
    return json_loadb(quoted.ptr, quoted.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

static json_t *double_json(double value)
{
    if (isnan(value))
        return json_string("NaN");
    if (isinf(value))
        return json_string(value < 0 ? "-Infinity" : "Infinity");
    return json_real(value);
}

/* Seconds with three digits after the point, as AWS writes them; a whole number when they are zero. */
static json_t *timestamp_json(struct arena *arena, enum timestamp_format format, double seconds)
{
    if (format == TIME_ISO8601 || format == TIME_RFC822)
        return string_json(arena, timestamp_to_text(arena, format, seconds));
    double ms = round(seconds * 1000);
    return fmod(ms, 1000) == 0 ? json_integer((json_int_t)(ms / 1000)) : json_real(ms / 1000);
}

static const char *name_of(const struct member *member)
{
    return member->in == IN_BODY ? member->wire_name : member->name;
}

static json_t *encode_struct(struct arena *arena, const struct shape *shape, const void *value,
                             enum json_use use)
{
    json_t *object = json_object();
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct member *member = &shape->members[i];
        const void *at = (const char *)value + member->offset;
        if ((use == JSON_BODY && member->in != IN_BODY) || !member_is_set(member->shape, at))
            continue;
        enum timestamp_format time = use == JSON_BODY ? member->time : TIME_EPOCH;
        json_object_set_new(object, name_of(member), encode(arena, member->shape, at, time, use));
    }
    return object;
}

static json_t *encode_list(struct arena *arena, const struct shape *shape, const struct any_list *list,
                           enum json_use use)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->n; i++) {
        const void *at = (const char *)list->items + i * shape->element->size;
        if (member_is_set(shape->element, at))
            json_array_append_new(
                array, encode(arena, shape->element, at, use == JSON_BODY ? TIME_DEFAULT : TIME_EPOCH, use));
    }
    return array;
}

static json_t *encode_map(struct arena *arena, const struct shape *shape, const struct any_list *map,
                          enum json_use use)
{
    json_t *object = json_object();
    for (size_t i = 0; i < map->n; i++) {
        const char *item = (const char *)map->items + i * shape->alloc;
        const struct str *key = (const struct str *)item;
        const void *at = item + shape->value_offset;
        if (member_is_set(shape->element, at))
            json_object_setn_new(
                object, key->ptr, key->len,
                encode(arena, shape->element, at, use == JSON_BODY ? TIME_DEFAULT : TIME_EPOCH, use));
    }
    return object;
}

/* A new reference. `at` is the member, of a structure: the pointer to it. */
static json_t *encode(struct arena *arena, const struct shape *shape, const void *at,
                      enum timestamp_format time, enum json_use use)
{
    switch (shape->kind) {
    case SHAPE_STRING:
        return string_json(arena, *(const struct str *)at);
    case SHAPE_BLOB:
        return string_json(arena, base64_encode(arena, *(const struct str *)at));
    case SHAPE_BOOL:
        return json_boolean(((const struct opt_bool *)at)->value);
    case SHAPE_INT:
    case SHAPE_LONG:
        return json_integer(((const struct opt_i64 *)at)->value);
    case SHAPE_FLOAT:
        return double_json(((const struct opt_f64 *)at)->value);
    case SHAPE_TIMESTAMP:
        return timestamp_json(arena, timestamp_format_of(shape, time, TIME_EPOCH),
                              ((const struct opt_time *)at)->value);
    case SHAPE_STRUCT:
        return encode_struct(arena, shape, *(void *const *)at, use);
    case SHAPE_LIST:
        return encode_list(arena, shape, at, use);
    case SHAPE_MAP:
        return encode_map(arena, shape, at, use);
    case SHAPE_DOCUMENT:
        return json_incref(*(json_t *const *)at);
    }
    return NULL;
}

json_t *json_encode(struct arena *arena, const struct shape *shape, const void *value, enum json_use use)
{
    if (shape->kind == SHAPE_STRUCT)
        return json_own(arena, encode_struct(arena, shape, value, use));
    return member_is_set(shape, value) ? json_own(arena, encode(arena, shape, value, TIME_DEFAULT, use))
                                       : json_null();
}

json_t *shape_to_json(struct arena *arena, const struct shape *shape, const void *value)
{
    return json_encode(arena, shape, value, JSON_DOCUMENT);
}

struct str shape_print(struct arena *arena, const struct shape *shape, const void *value)
{
    return json_print(arena, shape_to_json(arena, shape, value));
}

/* --- JSON -> struct --- */

struct decoder {
    struct arena *arena;
    enum json_use use;
    struct str why;
};

static bool decode(struct decoder *d, const struct shape *shape, const json_t *json, void *at);

/* AWS's sentences name the classes of its Java. */
static const char *class_of(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_TRUE:
    case JSON_FALSE:
        return "class java.lang.Boolean";
    case JSON_INTEGER:
    case JSON_REAL:
        return "class com.amazon.coral.value.json.numbers.TruncatingBigNumber";
    default:
        return "class java.lang.String";
    }
}

static bool wrong_scalar(struct decoder *d, const json_t *json, const char *wanted)
{
    if (json_is_object(json))
        d->why = STR("Start of structure or map found where not expected.");
    else if (json_is_array(json))
        d->why = STR("Start of list found where not expected");
    else
        d->why = str_printf(d->arena, "%s can not be converted to an %s", class_of(json), wanted);
    return false;
}

static bool wrong_collection(struct decoder *d, const json_t *json)
{
    if (json_is_object(json))
        d->why = STR("Start of structure or map found where not expected.");
    else if (json_is_array(json))
        d->why = STR("Start of list found where not expected");
    else
        d->why = str_printf(d->arena, "Unrecognized collection type %s", class_of(json));
    return false;
}

static bool decode_integer(struct decoder *d, const struct shape *shape, const json_t *json,
                           struct opt_i64 *out)
{
    int64_t low = shape->kind == SHAPE_INT ? INT32_MIN : INT64_MIN,
            high = shape->kind == SHAPE_INT ? INT32_MAX : INT64_MAX;
    const char *wanted = shape->kind == SHAPE_INT ? "Integer" : "Long";
    if (json_is_integer(json)) {
        *out = some_i64(json_integer_value(json));
    } else if (json_is_real(json) && fabs(json_real_value(json)) < 9e18) {
        *out = some_i64((int64_t)json_real_value(json)); /* TruncatingBigNumber */
    } else {
        return wrong_scalar(d, json, wanted);
    }
    return (out->value >= low && out->value <= high) || wrong_scalar(d, json, wanted);
}

static bool decode_double(struct decoder *d, const json_t *json, struct opt_f64 *out)
{
    struct str text = json_value_str(json);
    out->set = true;
    if (json_is_number(json))
        out->value = json_number_value(json);
    else if (str_is(text, "NaN"))
        out->value = NAN;
    else if (str_is(text, "Infinity") || str_is(text, "-Infinity"))
        out->value = text.ptr[0] == '-' ? -INFINITY : INFINITY;
    else
        return wrong_scalar(d, json, "Double");
    return true;
}

static bool decode_timestamp(struct decoder *d, const json_t *json, struct opt_time *out)
{
    out->set = true;
    if (json_is_number(json)) {
        out->value = json_number_value(json);
        return true;
    }
    return (json_is_string(json) && timestamp_from_text(json_value_str(json), &out->value)) ||
           wrong_scalar(d, json, "Timestamp");
}

static bool decode_blob(struct decoder *d, const json_t *json, struct str *out)
{
    if (!json_is_string(json))
        return wrong_scalar(d, json, "Blob");
    if (base64_decode(d->arena, json_value_str(json), out))
        return true;
    d->why = STR("Invalid Base64");
    return false;
}

static bool decode_struct(struct decoder *d, const struct shape *shape, const json_t *json, void *out)
{
    if (!json_is_object(json))
        return wrong_collection(d, json);
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct member *member = &shape->members[i];
        if (d->use == JSON_BODY && member->in != IN_BODY)
            continue;
        const json_t *value = json_object_get(json, name_of(member));
        if (value && !json_is_null(value) && !decode(d, member->shape, value, (char *)out + member->offset))
            return false;
    }
    return true;
}

static bool decode_list(struct decoder *d, const struct shape *shape, const json_t *json,
                        struct any_list *out)
{
    if (!json_is_array(json))
        return wrong_collection(d, json);
    size_t n = json_array_size(json);
    *out = (struct any_list){ .set = true, .items = arena_zalloc(d->arena, n * shape->element->size) };
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_array_get(json, i);
        if (json_is_null(value))
            continue;
        if (!decode(d, shape->element, value, (char *)out->items + out->n * shape->element->size))
            return false;
        out->n++;
    }
    return true;
}

static bool decode_map(struct decoder *d, const struct shape *shape, const json_t *json, struct any_list *out)
{
    if (!json_is_object(json))
        return wrong_collection(d, json);
    *out = (struct any_list){ .set = true,
                              .items = arena_zalloc(d->arena, json_object_size(json) * shape->alloc) };
    for (void *iter = json_object_iter((json_t *)json); iter;
         iter = json_object_iter_next((json_t *)json, iter)) {
        const json_t *value = json_object_iter_value(iter);
        if (json_is_null(value))
            continue;
        char *item = (char *)out->items + out->n * shape->alloc;
        *(struct str *)item = (struct str){ json_object_iter_key(iter), json_object_iter_key_len(iter) };
        if (!decode(d, shape->element, value, item + shape->value_offset))
            return false;
        out->n++;
    }
    return true;
}

static bool decode(struct decoder *d, const struct shape *shape, const json_t *json, void *at)
{
    switch (shape->kind) {
    case SHAPE_STRING:
        *(struct str *)at = json_value_str(json);
        return json_is_string(json) || wrong_scalar(d, json, "String");
    case SHAPE_BLOB:
        return decode_blob(d, json, at);
    case SHAPE_BOOL:
        *(struct opt_bool *)at = some_bool(json_is_true(json));
        return json_is_boolean(json) || wrong_scalar(d, json, "Boolean");
    case SHAPE_INT:
    case SHAPE_LONG:
        return decode_integer(d, shape, json, at);
    case SHAPE_FLOAT:
        return decode_double(d, json, at);
    case SHAPE_TIMESTAMP:
        return decode_timestamp(d, json, at);
    case SHAPE_STRUCT:
        *(void **)at = arena_zalloc(d->arena, shape->alloc);
        return decode_struct(d, shape, json, *(void **)at);
    case SHAPE_LIST:
        return decode_list(d, shape, json, at);
    case SHAPE_MAP:
        return decode_map(d, shape, json, at);
    case SHAPE_DOCUMENT:
        *(json_t **)at = json_own(d->arena, json_incref((json_t *)json));
        return true;
    }
    return false;
}

bool json_decode(struct arena *arena, const struct shape *shape, const json_t *json, void *out,
                 enum json_use use, struct str *why)
{
    struct decoder d = { arena, use, STR_NONE };
    bool ok;
    if (shape->kind == SHAPE_STRUCT) {
        memset(out, 0, shape->alloc);
        ok = decode_struct(&d, shape, json, out);
    } else {
        memset(out, 0, shape->size);
        ok = json_is_null(json) || decode(&d, shape, json, out);
    }
    if (!ok && why)
        *why = d.why;
    return ok;
}

bool shape_from_json(struct arena *arena, const struct shape *shape, const json_t *json, void *out,
                     struct str *why)
{
    return json_decode(arena, shape, json, out, JSON_DOCUMENT, why);
}

bool shape_parse(struct arena *arena, const struct shape *shape, struct str text, void *out)
{
    const json_t *json = json_parse(arena, text, NULL);
    return json && shape_from_json(arena, shape, json, out, NULL);
}
