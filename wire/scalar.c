#include "wire/scalar.h"

#include <math.h>
#include <stdlib.h>

#include "core/base64.h"
#include "core/time.h"

bool member_is_set(const struct shape *shape, const void *member)
{
    switch (shape->kind) {
    case SHAPE_STRING:
    case SHAPE_BLOB:
        return ((const struct str *)member)->ptr != NULL;
    case SHAPE_BOOL:
        return ((const struct opt_bool *)member)->set;
    case SHAPE_INT:
    case SHAPE_LONG:
        return ((const struct opt_i64 *)member)->set;
    case SHAPE_FLOAT:
    case SHAPE_TIMESTAMP:
        return ((const struct opt_f64 *)member)->set;
    case SHAPE_LIST:
    case SHAPE_MAP:
        return ((const struct any_list *)member)->set || ((const struct any_list *)member)->n > 0;
    case SHAPE_STRUCT:
    case SHAPE_DOCUMENT:
        return *(void *const *)member != NULL;
    }
    return false;
}

enum timestamp_format timestamp_format_of(const struct shape *shape, enum timestamp_format member,
                                          enum timestamp_format binding)
{
    if (member != TIME_DEFAULT)
        return member;
    return shape->time != TIME_DEFAULT ? shape->time : binding;
}

static bool number_from_text(struct arena *arena, struct str text, double *value)
{
    if (str_is(text, "NaN") || str_is(text, "Infinity") || str_is(text, "-Infinity")) {
        *value = str_is(text, "NaN") ? NAN : text.ptr[0] == '-' ? -INFINITY : INFINITY;
        return true;
    }
    for (size_t i = 0; i < text.len; i++) /* strtod would take hex, "inf" and blanks */
        if (!strchr("0123456789+-.eE", text.ptr[i]) || !text.ptr[i])
            return false;
    char *end;
    const char *start = str_c(arena, text);
    *value = strtod(start, &end);
    return text.len > 0 && *end == '\0' && isfinite(*value);
}

bool timestamp_from_text(struct str text, double *seconds)
{
    int64_t whole;
    if (time_parse_iso8601(text, seconds))
        return true;
    if (time_parse_rfc1123(text, &whole) || time_parse_basic(text, &whole)) {
        *seconds = (double)whole;
        return true;
    }
    char buffer[32] = { 0 }, *end;
    if (text.len == 0 || text.len >= sizeof(buffer))
        return false;
    memcpy(buffer, text.ptr, text.len);
    if (buffer[strspn(buffer, "0123456789.-+eE")])
        return false;
    *seconds = strtod(buffer, &end);
    return *end == '\0' && isfinite(*seconds);
}

struct str double_to_text(struct arena *arena, double value)
{
    if (isnan(value))
        return STR("NaN");
    if (isinf(value))
        return value < 0 ? STR("-Infinity") : STR("Infinity");
    for (int digits = 15; digits <= 17; digits++) {
        struct str text = str_printf(arena, "%.*g", digits, value);
        if (strtod(text.ptr, NULL) == value || digits == 17) {
            bool plain = str_find(text, '.') < 0 && str_find(text, 'e') < 0;
            return plain ? str_concat(arena, text, STR(".0")) : text;
        }
    }
    return STR_NONE;
}

struct str timestamp_to_text(struct arena *arena, enum timestamp_format format, double seconds)
{
    int64_t us = llround(seconds * 1e6);
    int64_t whole = us >= 0 ? us / 1000000 : -((-us + 999999) / 1000000);
    bool fraction = us % 1000000 >= 1000 || us % 1000000 <= -1000;
    switch (format) {
    case TIME_RFC822:
        return time_rfc1123(arena, whole);
    case TIME_EPOCH:
        return fraction ? str_printf(arena, "%.3f", seconds) : str_printf(arena, "%lld", (long long)whole);
    default:
        return fraction ? time_iso8601_ms(arena, us) : time_iso8601(arena, whole);
    }
}

static const char *java_name(const struct shape *shape)
{
    switch (shape->kind) {
    case SHAPE_BOOL:
        return "Boolean";
    case SHAPE_INT:
        return "Integer";
    case SHAPE_LONG:
        return "Long";
    case SHAPE_FLOAT:
        return "Double";
    case SHAPE_TIMESTAMP:
        return "Timestamp";
    case SHAPE_BLOB:
        return "Blob";
    default:
        return "String";
    }
}

static bool integer_from_text(const struct shape *shape, struct str text, struct opt_i64 *out)
{
    out->set = str_i64(text, &out->value);
    return out->set && (shape->kind == SHAPE_LONG || (out->value >= INT32_MIN && out->value <= INT32_MAX));
}

/* Length of the sequence at the front of `text`, 0 when it is no UTF-8. */
static size_t sequence_length(struct str text)
{
    const unsigned char *u = (const unsigned char *)text.ptr;
    size_t len = u[0] < 0x80 ? 1 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
    if ((u[0] >= 0x80 && u[0] < 0xc2) || u[0] > 0xf4 || text.len < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xf0 && u[1] < 0x90);
    bool surrogate = u[0] == 0xed && u[1] > 0x9f, beyond = u[0] == 0xf4 && u[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : len;
}

/* Text from paths, forms and headers may be any bytes; what goes on from here is UTF-8, as JSON's is. */
static bool is_utf8(struct str text)
{
    while (text.len) {
        size_t len = sequence_length(text);
        if (!len)
            return false;
        text = str_from(text, len);
    }
    return true;
}

bool scalar_from_text(struct arena *arena, const struct shape *shape, enum timestamp_format format,
                      struct str text, void *member, struct str *why)
{
    (void)format; /* every format is understood everywhere */
    bool ok = false;
    switch (shape->kind) {
    case SHAPE_STRING:
        *(struct str *)member = text;
        if (is_utf8(text))
            return true;
        if (why)
            *why = STR("Invalid UTF-8");
        return false;
    case SHAPE_BLOB:
        ok = base64_decode(arena, text, member);
        break;
    case SHAPE_BOOL:
        ok = str_eq_nocase(text, STR("true")) || str_eq_nocase(text, STR("false"));
        *(struct opt_bool *)member = (struct opt_bool){ ok, ok && text.len == 4 };
        break;
    case SHAPE_INT:
    case SHAPE_LONG:
        ok = integer_from_text(shape, text, member);
        break;
    case SHAPE_FLOAT:
        ok = ((struct opt_f64 *)member)->set =
            number_from_text(arena, text, &((struct opt_f64 *)member)->value);
        break;
    case SHAPE_TIMESTAMP:
        ok = ((struct opt_time *)member)->set =
            timestamp_from_text(text, &((struct opt_time *)member)->value);
        break;
    default:
        break;
    }
    if (!ok && why)
        *why = str_printf(arena, "class java.lang.String can not be converted to an %s", java_name(shape));
    return ok;
}

struct str scalar_to_text(struct arena *arena, const struct shape *shape, enum timestamp_format format,
                          const void *member)
{
    switch (shape->kind) {
    case SHAPE_STRING:
        return *(const struct str *)member;
    case SHAPE_BLOB:
        return base64_encode(arena, *(const struct str *)member);
    case SHAPE_BOOL:
        return ((const struct opt_bool *)member)->value ? STR("true") : STR("false");
    case SHAPE_INT:
    case SHAPE_LONG:
        return str_printf(arena, "%lld", (long long)((const struct opt_i64 *)member)->value);
    case SHAPE_FLOAT:
        return double_to_text(arena, ((const struct opt_f64 *)member)->value);
    case SHAPE_TIMESTAMP:
        return timestamp_to_text(arena, format, ((const struct opt_time *)member)->value);
    default:
        return STR_NONE;
    }
}
