/* XML as a JSON tree, for comparing: ["name", text or list of children], attributes dropped,
 * siblings of different names in the order of their names. Enough for what we and the vectors write. */
#pragma once

#include "core/json.h"

static void xml_entities(struct strbuf *out, struct str text)
{
    static const struct {
        const char *name;
        char c;
    } known[] = { { "&lt;", '<' },   { "&gt;", '>' },    { "&amp;", '&' },
                  { "&quot;", '"' }, { "&apos;", '\'' }, { "&#xD;", '\r' },
                  { "&#xA;", '\n' }, { "&#xd;", '\r' },  { "&#xa;", '\n' } };
    while (text.len) {
        size_t i = 0;
        while (i < COUNT(known) && !str_starts(text, str_of(known[i].name)))
            i++;
        strbuf_char(out, i < COUNT(known) ? known[i].c : text.ptr[0]);
        text = str_from(text, i < COUNT(known) ? strlen(known[i].name) : 1);
    }
}

static int xml_order(const json_t *a, const json_t *b)
{
    return strcmp(json_string_value(json_array_get(a, 0)), json_string_value(json_array_get(b, 0)));
}

/* Reads one element off the front; NULL when there is none. A new reference. */
static json_t *xml_element(struct arena *arena, struct str *rest)
{
    *rest = str_trim(*rest);
    if (rest->len < 2 || rest->ptr[0] != '<' || rest->ptr[1] == '/')
        return NULL;
    size_t end = (size_t)str_find(*rest, '>'), name = 1;
    while (name < end && !strchr(" \t\r\n/", rest->ptr[name]))
        name++;
    json_t *element = json_array(), *children = json_array();
    json_array_append_new(element, json_stringn(rest->ptr + 1, name - 1));
    bool closed = rest->ptr[end - 1] == '/';
    *rest = str_from(*rest, end + 1);
    struct strbuf text = strbuf_in(arena, 64);
    if (!closed) {
        size_t len = (size_t)str_find(*rest, '<');
        xml_entities(&text, str_sub(*rest, 0, len));
        *rest = str_from(*rest, len);
        for (json_t *child; (child = xml_element(arena, rest));)
            json_array_append_new(children, child);
        *rest = str_from(*rest, (size_t)str_find(*rest, '>') + 1);
    }
    size_t n = json_array_size(children);
    if (!n) {
        struct str value = strbuf_view(&text);
        json_decref(children);
        json_array_append_new(element, json_of(str_trim(value).len ? value : STR("")));
        return element;
    }
    json_t **sorted = ARENA_ARRAY(arena, json_t *, n);
    for (size_t i = 0; i < n; i++)
        sorted[i] = json_incref(json_array_get(children, i));
    for (size_t i = 1; i < n; i++) /* insertion: equal names keep their order */
        for (size_t at = i; at > 0 && xml_order(sorted[at - 1], sorted[at]) > 0; at--) {
            json_t *swap = sorted[at];
            sorted[at] = sorted[at - 1];
            sorted[at - 1] = swap;
        }
    json_array_clear(children);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(children, sorted[i]);
    json_array_append_new(element, children);
    return element;
}

static inline json_t *xml_tree(struct arena *arena, struct str text)
{
    return json_own(arena, xml_element(arena, &text));
}
