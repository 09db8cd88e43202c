#include "wire/codec_rest.h"

#include "core/base64.h"
#include "core/uri.h"
#include "wire/codec_json.h"
#include "wire/scalar.h"

/* --- request -> struct --- */

struct decoder {
    struct arena *arena;
    const struct wire_request *request;
    const struct label *labels;
    size_t n_labels;
    struct str why;
};

static bool from_path(struct decoder *d, const struct member *member, void *at)
{
    for (size_t i = 0; i < d->n_labels; i++)
        if (str_is(d->labels[i].name, member->wire_name))
            return scalar_from_text(d->arena, member->shape, TIME_ISO8601,
                                    uri_decode(d->arena, d->labels[i].value, false), at, &d->why);
    return true;
}

/* One more item of a list of scalars. */
static bool list_push(struct decoder *d, const struct shape *shape, struct str text, struct any_list *list,
                      size_t *cap)
{
    size_t size = shape->element->size;
    if (list->n == *cap) {
        size_t more = *cap ? 2 * *cap : 4;
        void *items = arena_zalloc(d->arena, more * size);
        if (list->n)
            memcpy(items, list->items, list->n * size);
        list->items = items;
        *cap = more;
    }
    list->set = true;
    return scalar_from_text(d->arena, shape->element, TIME_DEFAULT, text,
                            (char *)list->items + list->n++ * size, &d->why);
}

/* What list_push has made room for when there are n items. */
static size_t room_of(size_t n)
{
    size_t room = n ? 4 : 0;
    while (room < n)
        room *= 2;
    return room;
}

/* A map in the query string has all parameters, those of other members too. Its values are strings
 * or lists of strings. */
static bool from_query_map(struct decoder *d, const struct shape *shape, struct any_list *map)
{
    size_t cap = 1;
    for (size_t i = 0; i < d->request->query.len; i++)
        cap += d->request->query.ptr[i] == '&';
    map->items = arena_zalloc(d->arena, cap * shape->alloc);
    struct str rest = d->request->query, raw_name, raw_value;
    while (uri_query_next(&rest, &raw_name, &raw_value)) {
        struct str name = uri_decode(d->arena, raw_name, true);
        struct str value = raw_value.ptr ? uri_decode(d->arena, raw_value, true) : STR("");
        size_t at = 0;
        while (at < map->n && !str_eq(*(struct str *)((char *)map->items + at * shape->alloc), name))
            at++;
        char *item = (char *)map->items + at * shape->alloc;
        if (at == map->n)
            map->n++;
        bool list = shape->element->kind == SHAPE_LIST;
        size_t room = list ? room_of(((struct any_list *)(item + shape->value_offset))->n) : 0;
        if (!scalar_from_text(d->arena, shape->key, TIME_DEFAULT, name, item, &d->why))
            return false;
        if (list
                ? !list_push(d, shape->element, value, (struct any_list *)(item + shape->value_offset), &room)
                : !scalar_from_text(d->arena, shape->element, TIME_DEFAULT, value, item + shape->value_offset,
                                    &d->why))
            return false;
    }
    map->set = map->n > 0;
    return true;
}

static bool from_query(struct decoder *d, const struct member *member, void *at)
{
    if (member->shape->kind == SHAPE_MAP)
        return from_query_map(d, member->shape, at);
    struct str rest = d->request->query, raw_name, raw_value;
    size_t cap = 0;
    while (uri_query_next(&rest, &raw_name, &raw_value)) {
        if (!str_is(uri_decode(d->arena, raw_name, true), member->wire_name))
            continue;
        struct str value = raw_value.ptr ? uri_decode(d->arena, raw_value, true) : STR("");
        if (member->shape->kind == SHAPE_LIST) {
            if (!list_push(d, member->shape, value, at, &cap))
                return false;
            continue;
        }
        if (value.len == 0 && member->shape->kind != SHAPE_STRING)
            return true; /* "?limit=" asks for nothing */
        return scalar_from_text(d->arena, member->shape,
                                timestamp_format_of(member->shape, member->time, TIME_ISO8601), value, at,
                                &d->why);
    }
    return true;
}

/* Takes one value off "a, b", "\"b,c\", d"; an HTTP date has a comma of its own. */
static struct str next_header_value(struct arena *arena, struct str *rest, bool dates)
{
    struct str text = str_trim(*rest);
    if (text.len && text.ptr[0] == '"') {
        struct strbuf value = strbuf_in(arena, text.len);
        size_t i = 1;
        for (; i < text.len && text.ptr[i] != '"'; i++) {
            if (text.ptr[i] == '\\' && i + 1 < text.len)
                i++;
            strbuf_char(&value, text.ptr[i]);
        }
        struct str after = str_from(text, i + 1);
        ptrdiff_t comma = str_find(after, ',');
        *rest = comma < 0 ? STR_NONE : str_from(after, (size_t)comma + 1);
        return strbuf_view(&value);
    }
    ptrdiff_t comma = str_find(text, ',');
    if (dates && comma == 3) { /* "Mon, 16 Dec 2019 23:48:18 GMT" */
        ptrdiff_t second = str_find(str_from(text, 4), ',');
        comma = second < 0 ? -1 : second + 4;
    }
    *rest = comma < 0 ? STR_NONE : str_from(text, (size_t)comma + 1);
    return str_trim(comma < 0 ? text : str_sub(text, 0, (size_t)comma));
}

static bool from_header(struct decoder *d, const struct member *member, void *at)
{
    struct str text = http_header_get(d->request->headers, member->wire_name);
    if (!text.ptr)
        return true;
    if (member->json_value) {
        if (base64_decode(d->arena, text, at))
            return true;
        d->why = STR("Invalid Base64");
        return false;
    }
    if (member->shape->kind != SHAPE_LIST)
        return scalar_from_text(d->arena, member->shape,
                                timestamp_format_of(member->shape, member->time, TIME_RFC822), text, at,
                                &d->why);
    size_t cap = 0;
    while (text.ptr)
        if (!list_push(d, member->shape,
                       next_header_value(d->arena, &text, member->shape->element->kind == SHAPE_TIMESTAMP),
                       at, &cap))
            return false;
    return true;
}

static bool from_headers(struct decoder *d, const struct member *member, struct any_list *map)
{
    const struct http_headers *headers = d->request->headers;
    struct str prefix = str_of(member->wire_name);
    map->items = arena_zalloc(d->arena, headers->n * member->shape->alloc);
    for (size_t i = 0; i < headers->n; i++) {
        if (!str_starts_nocase(headers->items[i].name, prefix))
            continue;
        char *item = (char *)map->items + map->n++ * member->shape->alloc;
        *(struct str *)item = str_from(headers->items[i].name, prefix.len); /* a token: ASCII */
        if (!scalar_from_text(d->arena, member->shape->element, TIME_RFC822, headers->items[i].value,
                              item + member->shape->value_offset, &d->why))
            return false;
    }
    map->set = map->n > 0;
    return true;
}

static bool parse_body(struct decoder *d, json_t **json)
{
    struct str where;
    *json = json_parse(d->arena, d->request->body, &where);
    if (!*json)
        d->why = str_printf(d->arena, "Could not parse the request body as JSON: %.*s", STR_FMT(where));
    return *json != NULL;
}

static bool from_payload(struct decoder *d, const struct member *member, void *at)
{
    json_t *json;
    if (str_empty(d->request->body))
        return true;
    if (member->shape->kind == SHAPE_BLOB || member->shape->kind == SHAPE_STRING) {
        *(struct str *)at = d->request->body;
        return true;
    }
    if (!parse_body(d, &json))
        return false;
    if (member->shape->kind != SHAPE_STRUCT)
        return json_decode(d->arena, member->shape, json, at, JSON_BODY, &d->why);
    *(void **)at = arena_zalloc(d->arena, member->shape->alloc);
    return json_decode(d->arena, member->shape, json, *(void **)at, JSON_BODY, &d->why);
}

static bool from_binding(struct decoder *d, const struct member *member, void *at)
{
    switch (member->in) {
    case IN_PATH:
        return from_path(d, member, at);
    case IN_QUERY:
        return from_query(d, member, at);
    case IN_HEADER:
        return from_header(d, member, at);
    case IN_HEADERS:
        return from_headers(d, member, at);
    case IN_PAYLOAD:
        return from_payload(d, member, at);
    default:
        return true;
    }
}

static bool has_body_members(const struct shape *shape)
{
    for (size_t i = 0; i < shape->n_members; i++)
        if (shape->members[i].in == IN_BODY)
            return true;
    return false;
}

bool rest_decode(struct arena *arena, const struct operation *operation, const struct wire_request *request,
                 const struct label *labels, size_t n_labels, void *in, struct str *why)
{
    struct decoder d = { arena, request, labels, n_labels, STR_NONE };
    json_t *json;
    memset(in, 0, operation->in->alloc);
    bool ok = true;
    if (has_body_members(operation->in) && !str_empty(request->body))
        ok = parse_body(&d, &json) && json_decode(arena, operation->in, json, in, JSON_BODY, &d.why);
    for (size_t i = 0; ok && i < operation->in->n_members; i++)
        ok = from_binding(&d, &operation->in->members[i], (char *)in + operation->in->members[i].offset);
    if (!ok && why)
        *why = d.why;
    return ok;
}

/* --- struct -> answer --- */

struct str json_body_print(struct arena *arena, const json_t *json)
{
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15);
    size_t len = json_dumpb(json, NULL, 0, flags);
    char *ptr = arena_alloc(arena, len + 1, 1);
    json_dumpb(json, ptr, len, flags);
    ptr[len] = '\0';
    return (struct str){ ptr, len };
}

/* A value in a list of header values is quoted when it has a comma or a quote. */
static void add_header_item(struct strbuf *buf, struct str text, bool quote)
{
    if (!quote || (str_find(text, ',') < 0 && str_find(text, '"') < 0)) {
        strbuf_add(buf, text);
        return;
    }
    strbuf_char(buf, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            strbuf_char(buf, '\\');
        strbuf_char(buf, text.ptr[i]);
    }
    strbuf_char(buf, '"');
}

static struct str header_list(struct arena *arena, const struct member *member, const struct any_list *list)
{
    const struct shape *element = member->shape->element;
    struct strbuf buf = strbuf_in(arena, 64);
    for (size_t i = 0; i < list->n; i++) {
        if (i)
            strbuf_add(&buf, STR(", "));
        add_header_item(&buf,
                        scalar_to_text(arena, element,
                                       timestamp_format_of(element, TIME_DEFAULT, TIME_RFC822),
                                       (const char *)list->items + i * element->size),
                        element->kind == SHAPE_STRING);
    }
    return strbuf_view(&buf);
}

/* Header values come from stored data: no control character may end the line. */
static void add_header(struct arena *arena, struct http_headers *headers, struct str name, struct str value)
{
    if (http_is_token(name) && http_is_field_value(value))
        http_header_add(arena, headers, name, value);
}

static void to_header(struct arena *arena, const struct member *member, const void *at,
                      struct rest_answer *answer)
{
    struct str text;
    if (member->json_value)
        text = base64_encode(arena, *(const struct str *)at);
    else if (member->shape->kind == SHAPE_LIST)
        text = header_list(arena, member, at);
    else
        text = scalar_to_text(arena, member->shape,
                              timestamp_format_of(member->shape, member->time, TIME_RFC822), at);
    add_header(arena, &answer->headers, str_of(member->wire_name), text);
}

static void to_headers(struct arena *arena, const struct member *member, const struct any_list *map,
                       struct rest_answer *answer)
{
    for (size_t i = 0; i < map->n; i++) {
        const char *item = (const char *)map->items + i * member->shape->alloc;
        add_header(
            arena, &answer->headers, str_concat(arena, str_of(member->wire_name), *(const struct str *)item),
            scalar_to_text(arena, member->shape->element, TIME_RFC822, item + member->shape->value_offset));
    }
}

static void to_payload(struct arena *arena, const struct operation *operation, const struct member *member,
                       const void *at, struct rest_answer *answer)
{
    const char *type = "application/json";
    if (member->shape->kind == SHAPE_BLOB || member->shape->kind == SHAPE_STRING) {
        answer->body = *(const struct str *)at;
        type = member->shape->kind == SHAPE_BLOB ? "application/octet-stream" : "text/plain";
        if (operation->payload_type)
            type = operation->payload_type;
    } else {
        const void *value = member->shape->kind == SHAPE_STRUCT ? *(void *const *)at : at;
        answer->body = json_body_print(arena, json_encode(arena, member->shape, value, JSON_BODY));
    }
    if (!http_header_has(&answer->headers, "Content-Type"))
        http_header_add(arena, &answer->headers, STR("Content-Type"), str_of(type));
}

void rest_encode(struct arena *arena, const struct operation *operation, const void *out,
                 struct rest_answer *answer)
{
    const struct shape *shape = operation->out;
    const struct member *payload = NULL;
    bool whole = has_body_members(shape) || operation->output;
    *answer = (struct rest_answer){ .status = operation->status };
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct member *member = &shape->members[i];
        const void *at = (const char *)out + member->offset;
        whole &= member->in != IN_PAYLOAD;
        if (!member_is_set(member->shape, at))
            continue;
        if (member->in == IN_STATUS)
            answer->status = (int)((const struct opt_i64 *)at)->value;
        else if (member->in == IN_HEADER)
            to_header(arena, member, at, answer);
        else if (member->in == IN_HEADERS)
            to_headers(arena, member, at, answer);
        else if (member->in == IN_PAYLOAD)
            payload = member;
    }
    if (payload)
        to_payload(arena, operation, payload, (const char *)out + payload->offset, answer);
    if (!whole)
        return;
    answer->body = json_body_print(arena, json_encode(arena, shape, out, JSON_BODY));
    if (!http_header_has(&answer->headers, "Content-Type"))
        http_header_add(arena, &answer->headers, STR("Content-Type"), STR("application/json"));
}

/* --- paths --- */

static bool take_segment(struct str *rest, struct str *segment)
{
    if (rest->len == 0 || rest->ptr[0] != '/')
        return false;
    *rest = str_from(*rest, 1);
    ptrdiff_t slash = str_find(*rest, '/');
    *segment = slash < 0 ? *rest : str_sub(*rest, 0, (size_t)slash);
    *rest = str_from(*rest, segment->len);
    return true;
}

/* How many bytes of `rest` ("/a/b/tail") a greedy label may take when `tail` of the pattern must follow. */
static struct str greedy_part(struct str pattern_rest, struct str rest)
{
    size_t tail = 0; /* segments that must follow */
    for (size_t i = 0; i < pattern_rest.len; i++)
        tail += pattern_rest.ptr[i] == '/';
    struct str part = rest;
    for (; tail > 0; tail--) {
        ptrdiff_t slash = str_find_last(part, '/');
        if (slash <= 0)
            return STR_NONE;
        part = str_sub(part, 0, (size_t)slash);
    }
    return part;
}

static struct str without_last_slash(struct str path)
{
    return path.len > 1 && path.ptr[path.len - 1] == '/' ? str_sub(path, 0, path.len - 1) : path;
}

bool rest_match(struct str pattern, struct str path, struct label *labels, size_t *n_labels)
{
    ptrdiff_t query = str_find(pattern, '?');
    if (query >= 0)
        pattern = str_sub(pattern, 0, (size_t)query);
    struct str want, have;
    *n_labels = 0;
    path = without_last_slash(path); /* "/2015-03-31/functions/" is "/2015-03-31/functions" */
    pattern = without_last_slash(pattern);
    while (take_segment(&pattern, &want)) {
        bool label = want.len > 2 && want.ptr[0] == '{' && want.ptr[want.len - 1] == '}';
        bool greedy = label && want.ptr[want.len - 2] == '+';
        struct str before = path;
        if (!take_segment(&path, &have) || (!label && !str_eq(want, have)) || (label && have.len == 0))
            return false;
        if (greedy) {
            struct str part = greedy_part(pattern, before);
            if (part.len < 2)
                return false;
            have = str_from(part, 1);
            path = str_from(before, part.len);
        }
        if (label && *n_labels < MAX_LABELS)
            labels[(*n_labels)++] = (struct label){ str_sub(want, 1, want.len - (greedy ? 3 : 2)), have };
    }
    return path.len == 0;
}
