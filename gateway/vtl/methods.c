/* java.lang.String, java.util.List and Map, java.lang.Integer and Double: the methods that
 * mapping templates use, as a table. */
#include <inttypes.h>
#include <stdlib.h>

#include "core/regex.h"
#include "gateway/vtl/value.h"

#define MAX_TEXT (10u * 1024 * 1024)

struct method_call {
    struct arena *arena;
    struct vtl_value self;
    const struct vtl_value *args;
    size_t n;
    struct vtl_value *out;
};

static struct str text_arg(const struct method_call *c, size_t i)
{
    return i < c->n ? vtl_string(c->arena, c->args[i]) : STR("");
}

static bool int_arg(const struct method_call *c, size_t i, int64_t *out)
{
    if (i >= c->n || c->args[i].kind != VTL_INT)
        return false;
    *out = c->args[i].integer;
    return true;
}

static bool give(const struct method_call *c, struct vtl_value value)
{
    *c->out = value;
    return true;
}

/* --- strings; Java counts UTF-16 units --- */

static size_t units(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char b = (unsigned char)s.ptr[i];
        n += (b & 0xc0) != 0x80;
        n += b >= 0xf0;
    }
    return n;
}

/* Byte offset of UTF-16 unit `unit`; false past the end. */
static bool offset_of(struct str s, int64_t unit, size_t *offset)
{
    int64_t n = 0;
    size_t i = 0;
    if (unit < 0)
        return false;
    while (n < unit && i < s.len) {
        unsigned char b = (unsigned char)s.ptr[i];
        n += 1 + (b >= 0xf0);
        i++;
        while (i < s.len && ((unsigned char)s.ptr[i] & 0xc0) == 0x80)
            i++;
    }
    *offset = i;
    return n >= unit;
}

static bool string_length(const struct method_call *c)
{
    return give(c, vtl_int((int64_t)units(c->self.text)));
}

static bool string_substring(const struct method_call *c)
{
    int64_t from, to = (int64_t)units(c->self.text);
    size_t a, b;
    if (!int_arg(c, 0, &from) || (c->n == 2 && !int_arg(c, 1, &to)) || to < from ||
        !offset_of(c->self.text, from, &a) || !offset_of(c->self.text, to, &b))
        return false;
    return give(c, vtl_text(str_sub(c->self.text, a, b - a)));
}

static bool string_index_of(const struct method_call *c)
{
    int64_t from = 0;
    size_t start = 0;
    if (c->n == 2 && (!int_arg(c, 1, &from) || !offset_of(c->self.text, from, &start)))
        return give(c, vtl_int(-1));
    ptrdiff_t at = str_find_str(str_from(c->self.text, start), text_arg(c, 0));
    return give(c, vtl_int(at < 0 ? -1 : (int64_t)units(str_sub(c->self.text, 0, start + (size_t)at))));
}

static bool string_last_index_of(const struct method_call *c)
{
    struct str what = text_arg(c, 0), s = c->self.text;
    int64_t from;
    size_t last = s.len;
    if (c->n == 2) {
        if (!int_arg(c, 1, &from) || from < 0)
            return give(c, vtl_int(-1));
        offset_of(s, from, &last);
    }
    for (size_t i = last + 1; i-- > 0;)
        if (str_starts(str_from(s, i), what))
            return give(c, vtl_int((int64_t)units(str_sub(s, 0, i))));
    return give(c, vtl_int(-1));
}

static bool string_compare_ignoring_case(const struct method_call *c)
{
    return give(c, vtl_int(str_cmp(str_lower(c->arena, c->self.text), str_lower(c->arena, text_arg(c, 0)))));
}

/* Java's: 31 times over UTF-16 units, in 32 bits. */
static bool string_hash_code(const struct method_call *c)
{
    uint32_t h = 0;
    struct str rest = c->self.text;
    while (rest.len) {
        unsigned char lead = (unsigned char)rest.ptr[0];
        size_t len = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
        uint32_t code = len == 1 || len > rest.len ? lead : lead & (0x7fu >> len);
        for (size_t i = 1; len <= rest.len && i < len; i++)
            code = code << 6 | ((unsigned char)rest.ptr[i] & 0x3f);
        if (code >= 0x10000)
            h = (h * 31 + 0xd800 + ((code - 0x10000) >> 10)) * 31 + 0xdc00 + (code & 0x3ff);
        else
            h = h * 31 + code;
        rest = str_from(rest, len <= rest.len ? len : 1);
    }
    return give(c, vtl_int((int32_t)h));
}

static bool string_chars(const struct method_call *c)
{
    struct vtl_list *list = vtl_list_new(c->arena);
    struct str rest = c->self.text;
    while (rest.len) {
        size_t len = 1;
        while (len < rest.len && ((unsigned char)rest.ptr[len] & 0xc0) == 0x80)
            len++;
        vtl_list_add(list, vtl_text(str_sub(rest, 0, len)));
        rest = str_from(rest, len);
    }
    return give(c, vtl_list_value(list));
}

static bool string_value_of(const struct method_call *c)
{
    return give(c, vtl_text(vtl_string(c->arena, vtl_plain(c->args[0]))));
}

static bool string_char_at(const struct method_call *c)
{
    int64_t at;
    size_t a, b;
    if (!int_arg(c, 0, &at) || at >= (int64_t)units(c->self.text) || !offset_of(c->self.text, at, &a) ||
        !offset_of(c->self.text, at + 1, &b))
        return false;
    return give(c, vtl_text(str_sub(c->self.text, a, b - a)));
}

static bool string_contains(const struct method_call *c)
{
    return give(c, vtl_bool(str_find_str(c->self.text, text_arg(c, 0)) >= 0));
}
static bool string_starts_with(const struct method_call *c)
{
    int64_t from;
    size_t start;
    if (c->n == 2)
        return int_arg(c, 1, &from) && give(c, vtl_bool(offset_of(c->self.text, from, &start) &&
                                                        str_starts(str_from(c->self.text, start), text_arg(c, 0))));
    return give(c, vtl_bool(str_starts(c->self.text, text_arg(c, 0))));
}
static bool string_ends_with(const struct method_call *c)
{
    return give(c, vtl_bool(str_ends(c->self.text, text_arg(c, 0))));
}
static bool string_equals(const struct method_call *c)
{
    return give(c, vtl_bool(c->args[0].kind == VTL_STRING && str_eq(c->self.text, c->args[0].text)));
}
static bool string_equals_ignore_case(const struct method_call *c)
{
    return give(c, vtl_bool(str_eq_nocase(c->self.text, text_arg(c, 0))));
}
static bool string_lower(const struct method_call *c)
{
    return give(c, vtl_text(str_lower(c->arena, c->self.text)));
}
static bool string_upper(const struct method_call *c)
{
    return give(c, vtl_text(str_upper(c->arena, c->self.text)));
}
static bool string_trim(const struct method_call *c)
{
    return give(c, vtl_text(str_trim(c->self.text)));
}
static bool string_is_empty(const struct method_call *c)
{
    return give(c, vtl_bool(c->self.text.len == 0));
}
static bool string_concat(const struct method_call *c)
{
    return give(c, vtl_text(str_concat(c->arena, c->self.text, text_arg(c, 0))));
}
static bool string_compare_to(const struct method_call *c)
{
    return give(c, vtl_int(str_cmp(c->self.text, text_arg(c, 0))));
}

static bool string_replace(const struct method_call *c)
{
    struct str from = text_arg(c, 0), to = text_arg(c, 1), rest = c->self.text;
    struct strbuf out = strbuf_in(c->arena, rest.len);
    while (rest.len > 0 || from.len == 0) {
        ptrdiff_t at = from.len ? str_find_str(rest, from) : 0;
        if (at < 0 || out.len > MAX_TEXT)
            break;
        if (from.len == 0) { /* Java puts it between all characters */
            strbuf_add(&out, to);
            if (!rest.len)
                return give(c, vtl_text(strbuf_view(&out)));
            strbuf_char(&out, rest.ptr[0]);
            rest = str_from(rest, 1);
            continue;
        }
        strbuf_add(&out, str_sub(rest, 0, (size_t)at));
        strbuf_add(&out, to);
        rest = str_from(rest, (size_t)at + from.len);
    }
    strbuf_add(&out, rest);
    return out.len <= MAX_TEXT && give(c, vtl_text(strbuf_view(&out)));
}

/* Java's replacement text: $1 is a group, a backslash takes the next character as it is. */
static void add_replacement(struct strbuf *out, struct str with, struct str text, const size_t *ovector, int groups)
{
    for (size_t i = 0; i < with.len; i++) {
        if (with.ptr[i] == '\\' && i + 1 < with.len) {
            strbuf_char(out, with.ptr[++i]);
        } else if (with.ptr[i] == '$' && i + 1 < with.len && with.ptr[i + 1] >= '0' && with.ptr[i + 1] <= '9') {
            int group = with.ptr[++i] - '0';
            if (group < groups && ovector[2 * group] != PCRE2_UNSET)
                strbuf_add(out, str_sub(text, ovector[2 * group], ovector[2 * group + 1] - ovector[2 * group]));
        } else {
            strbuf_char(out, with.ptr[i]);
        }
    }
}

static bool replace_regex(const struct method_call *c, bool all)
{
    struct str text = c->self.text, with = text_arg(c, 1);
    pcre2_code *code = regex_compile(c->arena, text_arg(c, 0));
    if (!code)
        return false;
    struct strbuf out = strbuf_in(c->arena, text.len);
    size_t from = 0, ovector[2 * REGEX_GROUPS];
    while (from <= text.len && out.len <= MAX_TEXT) {
        int groups = regex_find(code, text, from, ovector);
        if (!groups)
            break;
        strbuf_add(&out, str_sub(text, from, ovector[0] - from));
        add_replacement(&out, with, text, ovector, groups);
        from = ovector[1];
        if (ovector[0] == ovector[1]) { /* an empty match: go on behind the next character */
            if (from < text.len)
                strbuf_char(&out, text.ptr[from]);
            from++;
        }
        if (!all)
            break;
    }
    strbuf_add(&out, str_from(text, from));
    return out.len <= MAX_TEXT && give(c, vtl_text(strbuf_view(&out)));
}

static bool string_replace_all(const struct method_call *c)
{
    return replace_regex(c, true);
}
static bool string_replace_first(const struct method_call *c)
{
    return replace_regex(c, false);
}

static bool string_matches(const struct method_call *c)
{
    pcre2_code *code = regex_compile(c->arena, text_arg(c, 0));
    return code && give(c, vtl_bool(regex_matches_whole(code, c->self.text)));
}

static bool string_split(const struct method_call *c)
{
    struct str text = c->self.text;
    int64_t limit = 0;
    if (c->n == 2 && !int_arg(c, 1, &limit))
        return false;
    pcre2_code *code = regex_compile(c->arena, text_arg(c, 0));
    if (!code)
        return false;
    struct vtl_list *list = vtl_list_new(c->arena);
    size_t piece = 0, from = 0, ovector[2 * REGEX_GROUPS];
    while (from <= text.len && !(limit > 0 && (int64_t)list->n + 1 >= limit) &&
           regex_find(code, text, from, ovector)) {
        if (ovector[1] == ovector[0]) {
            from = ovector[1] + 1;
            if (ovector[0] == 0 || ovector[0] >= text.len)
                continue;
        } else {
            from = ovector[1];
        }
        vtl_list_add(list, vtl_text(str_sub(text, piece, ovector[0] - piece)));
        piece = ovector[1];
    }
    vtl_list_add(list, vtl_text(str_from(text, piece)));
    while (limit == 0 && list->n > 1 && list->items[list->n - 1].text.len == 0)
        list->n--;
    return give(c, vtl_list_value(list));
}

/* --- lists --- */

static bool at_arg(const struct method_call *c, size_t end, size_t *at)
{
    int64_t i;
    if (!int_arg(c, 0, &i) || i < 0 || i >= (int64_t)end)
        return false;
    *at = (size_t)i;
    return true;
}

static bool list_size(const struct method_call *c)
{
    return give(c, vtl_int((int64_t)c->self.list->n));
}
static bool list_is_empty(const struct method_call *c)
{
    return give(c, vtl_bool(c->self.list->n == 0));
}
static bool list_get(const struct method_call *c)
{
    size_t at;
    return at_arg(c, c->self.list->n, &at) && give(c, c->self.list->items[at]);
}
static bool list_set(const struct method_call *c)
{
    size_t at;
    if (!at_arg(c, c->self.list->n, &at))
        return false;
    *c->out = c->self.list->items[at];
    c->self.list->items[at] = c->args[1];
    return true;
}

static bool list_add(const struct method_call *c)
{
    struct vtl_list *list = c->self.list;
    size_t at;
    if (c->n == 1) {
        vtl_list_add(list, c->args[0]);
        return give(c, vtl_bool(true));
    }
    if (!at_arg(c, list->n + 1, &at))
        return false;
    vtl_list_add(list, vtl_null());
    memmove(list->items + at + 1, list->items + at, (list->n - 1 - at) * sizeof *list->items);
    list->items[at] = c->args[1];
    return give(c, vtl_null());
}

static bool list_add_all(const struct method_call *c)
{
    if (c->args[0].kind != VTL_LIST)
        return false;
    size_t n = c->args[0].list->n;
    for (size_t i = 0; i < n; i++)
        vtl_list_add(c->self.list, c->args[0].list->items[i]);
    return give(c, vtl_bool(n > 0));
}

static int64_t list_find(const struct vtl_list *list, struct vtl_value value)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].kind != VTL_NULL && vtl_equals(list->items[i], value))
            return (int64_t)i;
    return -1;
}
static bool list_contains(const struct method_call *c)
{
    return give(c, vtl_bool(list_find(c->self.list, c->args[0]) >= 0));
}
static bool list_index_of(const struct method_call *c)
{
    return give(c, vtl_int(list_find(c->self.list, c->args[0])));
}

static bool list_remove(const struct method_call *c)
{
    struct vtl_list *list = c->self.list;
    bool by_index = c->args[0].kind == VTL_INT;
    int64_t at = by_index ? c->args[0].integer : list_find(list, c->args[0]);
    if (at < 0 || at >= (int64_t)list->n)
        return !by_index && give(c, vtl_bool(false));
    *c->out = by_index ? list->items[at] : vtl_bool(true);
    memmove(list->items + at, list->items + at + 1, (list->n - 1 - (size_t)at) * sizeof *list->items);
    list->n--;
    return true;
}

static bool list_clear(const struct method_call *c)
{
    c->self.list->n = 0;
    return give(c, vtl_null());
}

static bool list_last_index_of(const struct method_call *c)
{
    const struct vtl_list *list = c->self.list;
    for (size_t i = list->n; i-- > 0;)
        if (list->items[i].kind != VTL_NULL && vtl_equals(list->items[i], c->args[0]))
            return give(c, vtl_int((int64_t)i));
    return give(c, vtl_int(-1));
}

static bool list_contains_all(const struct method_call *c)
{
    if (c->args[0].kind != VTL_LIST || c->args[0].list->n > 1000)
        return false;
    for (size_t i = 0; i < c->args[0].list->n; i++)
        if (list_find(c->self.list, c->args[0].list->items[i]) < 0)
            return give(c, vtl_bool(false));
    return give(c, vtl_bool(true));
}

static bool list_keep(const struct method_call *c, bool found)
{
    struct vtl_list *list = c->self.list;
    size_t kept = 0;
    if (c->args[0].kind != VTL_LIST || c->args[0].list->n > 1000)
        return false;
    for (size_t i = 0; i < list->n; i++)
        if ((list_find(c->args[0].list, list->items[i]) >= 0) == found)
            list->items[kept++] = list->items[i];
    bool changed = kept != list->n;
    list->n = kept;
    return give(c, vtl_bool(changed));
}
static bool list_remove_all(const struct method_call *c)
{
    return list_keep(c, false);
}
static bool list_retain_all(const struct method_call *c)
{
    return list_keep(c, true);
}
static bool list_itself(const struct method_call *c)
{
    return give(c, c->self);
}

static bool list_sub_list(const struct method_call *c)
{
    int64_t from, to;
    if (!int_arg(c, 0, &from) || !int_arg(c, 1, &to) || from < 0 || to < from || to > (int64_t)c->self.list->n)
        return false;
    struct vtl_list *list = vtl_list_new(c->arena);
    list->json = c->self.list->json;
    for (int64_t i = from; i < to; i++)
        vtl_list_add(list, c->self.list->items[i]);
    return give(c, vtl_list_value(list));
}

/* --- maps --- */

static bool map_get(const struct method_call *c)
{
    struct vtl_value *found = vtl_map_find(c->self.map, text_arg(c, 0));
    return give(c, found ? *found : vtl_null());
}
static bool map_get_or_default(const struct method_call *c)
{
    struct vtl_value *found = vtl_map_find(c->self.map, text_arg(c, 0));
    return give(c, found ? *found : c->args[1]);
}
static bool map_put(const struct method_call *c)
{
    if (c->self.map->read_only)
        return false;
    map_get(c);
    vtl_map_put(c->self.map, text_arg(c, 0), c->args[1]);
    return true;
}
static bool map_put_all(const struct method_call *c)
{
    if (c->self.map->read_only || c->args[0].kind != VTL_MAP)
        return false;
    for (size_t i = 0; i < c->args[0].map->n; i++)
        if (!c->args[0].map->entries[i].removed)
            vtl_map_put(c->self.map, c->args[0].map->entries[i].key, c->args[0].map->entries[i].value);
    return give(c, vtl_null());
}
static bool map_put_if_absent(const struct method_call *c)
{
    struct vtl_value *found = vtl_map_find(c->self.map, text_arg(c, 0));
    if (c->self.map->read_only)
        return false;
    if (found && found->kind != VTL_NULL)
        return give(c, *found);
    vtl_map_put(c->self.map, text_arg(c, 0), c->args[1]);
    return give(c, vtl_null());
}
static bool map_clear(const struct method_call *c)
{
    if (c->self.map->read_only || c->self.map->write_once)
        return false;
    for (size_t i = 0; i < c->self.map->n; i++)
        c->self.map->entries[i].removed = true;
    c->self.map->live = 0;
    return give(c, vtl_null());
}
static bool map_remove(const struct method_call *c)
{
    if (c->self.map->read_only)
        return false;
    map_get(c);
    vtl_map_remove(c->self.map, text_arg(c, 0));
    return true;
}
static bool map_contains_key(const struct method_call *c)
{
    return give(c, vtl_bool(vtl_map_find(c->self.map, text_arg(c, 0)) != NULL));
}
static bool map_contains_value(const struct method_call *c)
{
    for (size_t i = 0; i < c->self.map->n; i++)
        if (!c->self.map->entries[i].removed && vtl_equals(c->self.map->entries[i].value, c->args[0]))
            return give(c, vtl_bool(true));
    return give(c, vtl_bool(false));
}
static bool map_size(const struct method_call *c)
{
    return give(c, vtl_int((int64_t)c->self.map->live));
}
static bool map_is_empty(const struct method_call *c)
{
    return give(c, vtl_bool(c->self.map->live == 0));
}

static struct vtl_value entry_value(struct arena *arena, const struct vtl_entry *entry)
{
    struct vtl_map *pair = vtl_map_new(arena);
    vtl_map_put(pair, STR("key"), vtl_text(entry->key));
    vtl_map_put(pair, STR("value"), entry->value);
    return vtl_map_value(pair);
}

static bool map_list(const struct method_call *c, char what)
{
    struct vtl_list *list = vtl_list_new(c->arena);
    for (size_t i = 0; i < c->self.map->n; i++) {
        const struct vtl_entry *entry = &c->self.map->entries[i];
        if (!entry->removed)
            vtl_list_add(list, what == 'k'   ? vtl_text(entry->key)
                               : what == 'v' ? entry->value
                                             : entry_value(c->arena, entry));
    }
    return give(c, vtl_list_value(list));
}
static bool map_key_set(const struct method_call *c)
{
    return map_list(c, 'k');
}
static bool map_values(const struct method_call *c)
{
    return map_list(c, 'v');
}
static bool map_entry_set(const struct method_call *c)
{
    return map_list(c, 'e');
}
static bool map_get_key(const struct method_call *c)
{
    struct vtl_value *key = vtl_map_find(c->self.map, STR("key"));
    return key && give(c, *key);
}
static bool map_get_value(const struct method_call *c)
{
    struct vtl_value *value = vtl_map_find(c->self.map, STR("value"));
    return value && give(c, *value);
}

/* --- any --- */

static bool any_to_string(const struct method_call *c)
{
    return give(c, vtl_text(vtl_string(c->arena, c->self)));
}
static bool any_equals(const struct method_call *c)
{
    return give(c, vtl_bool(c->args[0].kind == c->self.kind && vtl_equals(c->self, c->args[0])));
}
static bool number_int_value(const struct method_call *c)
{
    return give(c, vtl_int(c->self.kind == VTL_INT ? c->self.integer : (int64_t)c->self.real));
}
static bool number_double_value(const struct method_call *c)
{
    return give(c, vtl_double(c->self.kind == VTL_INT ? (double)c->self.integer : c->self.real));
}
static bool number_compare_to(const struct method_call *c)
{
    int order = vtl_compare(c->self, c->args[0]);
    return order != 2 && give(c, vtl_int(order));
}
static bool bool_value(const struct method_call *c)
{
    return give(c, c->self);
}
static bool number_parse_int(const struct method_call *c)
{
    int64_t value;
    return str_i64(text_arg(c, 0), &value) && give(c, vtl_int(value));
}
static bool number_parse_double(const struct method_call *c)
{
    const char *text = str_c(c->arena, text_arg(c, 0));
    char *end;
    double value = strtod(text, &end);
    return end != text && *end == '\0' && give(c, vtl_double(value));
}

#define ANY (-1)
static const struct {
    int kind; /* enum vtl_kind, or ANY */
    const char *name;
    size_t min, max;
    bool (*run)(const struct method_call *c);
} methods[] = {
    { VTL_STRING, "length", 0, 0, string_length },
    { VTL_STRING, "substring", 1, 2, string_substring },
    { VTL_STRING, "indexOf", 1, 2, string_index_of },
    { VTL_STRING, "lastIndexOf", 1, 2, string_last_index_of },
    { VTL_STRING, "charAt", 1, 1, string_char_at },
    { VTL_STRING, "contains", 1, 1, string_contains },
    { VTL_STRING, "startsWith", 1, 2, string_starts_with },
    { VTL_STRING, "subSequence", 2, 2, string_substring },
    { VTL_STRING, "compareToIgnoreCase", 1, 1, string_compare_ignoring_case },
    { VTL_STRING, "hashCode", 0, 0, string_hash_code },
    { VTL_STRING, "toCharArray", 0, 0, string_chars },
    { VTL_STRING, "valueOf", 1, 1, string_value_of },
    { VTL_STRING, "contentEquals", 1, 1, string_equals },
    { VTL_STRING, "intern", 0, 0, any_to_string },
    { VTL_STRING, "endsWith", 1, 1, string_ends_with },
    { VTL_STRING, "equals", 1, 1, string_equals },
    { VTL_STRING, "equalsIgnoreCase", 1, 1, string_equals_ignore_case },
    { VTL_STRING, "toLowerCase", 0, 0, string_lower },
    { VTL_STRING, "toUpperCase", 0, 0, string_upper },
    { VTL_STRING, "trim", 0, 0, string_trim },
    { VTL_STRING, "isEmpty", 0, 0, string_is_empty },
    { VTL_STRING, "concat", 1, 1, string_concat },
    { VTL_STRING, "compareTo", 1, 1, string_compare_to },
    { VTL_STRING, "replace", 2, 2, string_replace },
    { VTL_STRING, "replaceAll", 2, 2, string_replace_all },
    { VTL_STRING, "replaceFirst", 2, 2, string_replace_first },
    { VTL_STRING, "matches", 1, 1, string_matches },
    { VTL_STRING, "split", 1, 2, string_split },
    { VTL_LIST, "size", 0, 0, list_size },
    { VTL_LIST, "isEmpty", 0, 0, list_is_empty },
    { VTL_LIST, "get", 1, 1, list_get },
    { VTL_LIST, "set", 2, 2, list_set },
    { VTL_LIST, "add", 1, 2, list_add },
    { VTL_LIST, "addAll", 1, 1, list_add_all },
    { VTL_LIST, "contains", 1, 1, list_contains },
    { VTL_LIST, "indexOf", 1, 1, list_index_of },
    { VTL_LIST, "remove", 1, 1, list_remove },
    { VTL_LIST, "clear", 0, 0, list_clear },
    { VTL_LIST, "lastIndexOf", 1, 1, list_last_index_of },
    { VTL_LIST, "containsAll", 1, 1, list_contains_all },
    { VTL_LIST, "removeAll", 1, 1, list_remove_all },
    { VTL_LIST, "retainAll", 1, 1, list_retain_all },
    { VTL_LIST, "iterator", 0, 0, list_itself },
    { VTL_LIST, "toArray", 0, 0, list_itself },
    { VTL_LIST, "subList", 2, 2, list_sub_list },
    { VTL_MAP, "get", 1, 1, map_get },
    { VTL_MAP, "getOrDefault", 2, 2, map_get_or_default },
    { VTL_MAP, "put", 2, 2, map_put },
    { VTL_MAP, "putAll", 1, 1, map_put_all },
    { VTL_MAP, "putIfAbsent", 2, 2, map_put_if_absent },
    { VTL_MAP, "clear", 0, 0, map_clear },
    { VTL_MAP, "remove", 1, 1, map_remove },
    { VTL_MAP, "containsKey", 1, 1, map_contains_key },
    { VTL_MAP, "containsValue", 1, 1, map_contains_value },
    { VTL_MAP, "size", 0, 0, map_size },
    { VTL_MAP, "isEmpty", 0, 0, map_is_empty },
    { VTL_MAP, "keySet", 0, 0, map_key_set },
    { VTL_MAP, "values", 0, 0, map_values },
    { VTL_MAP, "entrySet", 0, 0, map_entry_set },
    { VTL_MAP, "getKey", 0, 0, map_get_key },
    { VTL_MAP, "getValue", 0, 0, map_get_value },
    { VTL_INT, "intValue", 0, 0, number_int_value },
    { VTL_DOUBLE, "intValue", 0, 0, number_int_value },
    { VTL_INT, "doubleValue", 0, 0, number_double_value },
    { VTL_DOUBLE, "doubleValue", 0, 0, number_double_value },
    { VTL_INT, "longValue", 0, 0, number_int_value },
    { VTL_DOUBLE, "longValue", 0, 0, number_int_value },
    { VTL_INT, "floatValue", 0, 0, number_double_value },
    { VTL_DOUBLE, "floatValue", 0, 0, number_double_value },
    { VTL_INT, "compareTo", 1, 1, number_compare_to },
    { VTL_DOUBLE, "compareTo", 1, 1, number_compare_to },
    { VTL_BOOL, "booleanValue", 0, 0, bool_value },
    { VTL_INT, "valueOf", 1, 1, number_parse_int },
    { VTL_DOUBLE, "valueOf", 1, 1, number_parse_double },
    { VTL_INT, "parseInt", 1, 1, number_parse_int },
    { VTL_INT, "parseLong", 1, 1, number_parse_int },
    { VTL_DOUBLE, "parseDouble", 1, 1, number_parse_double },
    { ANY, "toString", 0, 0, any_to_string },
    { ANY, "equals", 1, 1, any_equals },
};

bool vtl_method(struct arena *arena, struct vtl_value self, struct str name, const struct vtl_value *args, size_t n,
                struct vtl_value *out)
{
    *out = vtl_null();
    if (self.kind == VTL_NULL)
        return false;
    const struct method_call call = { arena, self, args, n, out };
    for (size_t i = 0; i < COUNT(methods); i++)
        if ((methods[i].kind == (int)self.kind || methods[i].kind == ANY) && str_is(name, methods[i].name))
            return n >= methods[i].min && n <= methods[i].max && methods[i].run(&call);
    return false;
}

bool vtl_property(struct arena *arena, struct vtl_value self, struct str name, struct vtl_value *out)
{
    *out = vtl_null();
    if (self.kind == VTL_MAP) {
        struct vtl_value *found = vtl_map_find(self.map, name);
        if (found)
            *out = *found;
        return found != NULL;
    }
    if (str_is(name, "empty") && (self.kind == VTL_LIST || self.kind == VTL_STRING)) /* isEmpty() as a bean */
        return vtl_method(arena, self, STR("isEmpty"), NULL, 0, out);
    return false;
}

bool vtl_index(struct arena *arena, struct vtl_value self, struct vtl_value index, struct vtl_value *out)
{
    *out = vtl_null();
    if (self.kind == VTL_MAP)
        return vtl_property(arena, self, vtl_string(arena, index), out);
    if (self.kind != VTL_LIST || index.kind != VTL_INT)
        return false;
    int64_t n = (int64_t)self.list->n;
    int64_t at = index.integer < 0 ? index.integer + n : index.integer;
    if (at < 0 || at >= n)
        return false;
    *out = self.list->items[at];
    return true;
}
