#include "core/json.h"

#include <stdlib.h>

static void decref(void *ptr)
{
    json_decref(ptr);
}

json_t *json_own(struct arena *arena, json_t *fresh)
{
    if (fresh)
        arena_defer(arena, decref, fresh);
    return fresh;
}

/* jansson recurses; refuse depth before it does. */
static bool too_deep(struct str text)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > 512)
                return true;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

json_t *json_parse(struct arena *arena, struct str text, struct str *why)
{
    if (too_deep(text)) {
        if (why)
            *why = STR("nested deeper than 512 levels");
        return NULL;
    }
    if (str_find(text, '\0') >= 0) { /* jansson takes a NUL after the value for the end */
        if (why)
            *why = STR("a NUL byte");
        return NULL;
    }
    json_error_t error;
    json_t *value = json_loadb(text.ptr ? text.ptr : "", text.len,
                               JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!value && why) {
        /* jansson goes on: near '…', a piece of the text. It may hold a password, and `why` ends in logs. */
        const char *near = strstr(error.text, " near '");
        *why = str_printf(arena, "%.*s at line %d, column %d", near ? (int)(near - error.text) : (int)strlen(error.text),
                          error.text, error.line, error.column);
    }
    return json_own(arena, value);
}

struct str json_print(struct arena *arena, const json_t *value)
{
    size_t len = json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
    char *ptr = arena_alloc(arena, len + 1, 1);
    json_dumpb(value, ptr, len, JSON_COMPACT | JSON_ENCODE_ANY);
    ptr[len] = '\0';
    return (struct str){ ptr, len };
}

struct str json_value_str(const json_t *string)
{
    if (!json_is_string(string))
        return STR_NONE;
    return (struct str){ json_string_value(string), json_string_length(string) };
}

struct str json_str(const json_t *object, const char *name)
{
    return json_value_str(json_object_get(object, name));
}

int64_t json_i64(const json_t *object, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool json_flag(const json_t *object, const char *name, bool otherwise)
{
    const json_t *value = json_object_get(object, name);
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

json_t *json_at(const json_t *object, struct str name)
{
    return json_object_getn(object, name.ptr, name.len);
}

json_t *json_of(struct str value)
{
    if (!value.ptr)
        return json_null();
    json_t *string = json_stringn(value.ptr, value.len);
    return string ? string : json_stringn("", 0); /* not UTF-8: callers check at the edge */
}

void json_set_str(json_t *object, const char *name, struct str value)
{
    if (value.ptr)
        json_object_set_new(object, name, json_of(value));
}

void json_set_i64(json_t *object, const char *name, int64_t value)
{
    json_object_set_new(object, name, json_integer(value));
}

void json_set_flag(json_t *object, const char *name, bool value)
{
    json_object_set_new(object, name, json_boolean(value));
}

size_t json_utf8_len(struct str s)
{
    const unsigned char *u = (const unsigned char *)s.ptr;
    if (u[0] < 0x80)
        return 1;
    size_t len = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
    if (u[0] < 0xc2 || u[0] > 0xf4 || s.len < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
        (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
        return 0;
    return len;
}

/* How much of the text may stand in a JSON string as it is. */
static size_t plain_run(struct str text)
{
    size_t n = 0;
    while (n < text.len) {
        unsigned char c = (unsigned char)text.ptr[n];
        if (c >= 0x80) {
            size_t len = json_utf8_len(str_from(text, n));
            if (!len)
                break;
            n += len;
        } else if (c < 0x20 || c == 0x7f || c == '"' || c == '\\') {
            break;
        } else {
            n++;
        }
    }
    return n;
}

static void add_escape(struct strbuf *buf, unsigned char c)
{
    if (c == '"' || c == '\\') {
        strbuf_char(buf, '\\');
        strbuf_char(buf, (char)c);
    } else if (c == '\n') {
        strbuf_add(buf, STR("\\n"));
    } else if (c == '\r') {
        strbuf_add(buf, STR("\\r"));
    } else if (c == '\t') {
        strbuf_add(buf, STR("\\t"));
    } else if (c < 0x80) {
        strbuf_printf(buf, "\\u%04x", c);
    } else { /* no UTF-8 */
        strbuf_add(buf, STR("\\ufffd"));
    }
}

void json_quote(struct strbuf *buf, struct str text)
{
    strbuf_char(buf, '"');
    while (text.len > 0) {
        size_t run = plain_run(text);
        strbuf_add(buf, str_sub(text, 0, run));
        if (run < text.len)
            add_escape(buf, (unsigned char)text.ptr[run++]);
        text = str_from(text, run);
    }
    strbuf_char(buf, '"');
}
