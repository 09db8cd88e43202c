#include "core/json_tree.h"

#include "core/json.h"
#include "core/map.h"

#include <assert.h>
#include <stdlib.h>

#define FEW 8 /* members that are compared one by one */

struct frame {
    size_t first;  /* of the container's children on the stack */
    bool object;
};

/* Children wait on a stack until their container closes: an item is one slot, a member two. */
union slot {
    struct jt value;
    struct str name;
};
static_assert(sizeof(struct jt_member) == 2 * sizeof(union slot), "a member is its two slots");

#define LOCAL 128 /* slots without an allocation: most bodies */

struct reader {
    struct arena *arena;
    const char *start, *at, *end;
    union slot *stack;
    size_t n, cap;
    size_t depth;
    const char *problem;
    const char *problem_at;
    union slot local[LOCAL];
    struct frame frames[JT_DEPTH];
};

static bool read_value(struct reader *r, struct jt *out);
static bool read_string(struct reader *r, struct str *out);
static bool close_container(struct reader *r, struct jt *out);

static bool bad(struct reader *r, const char *problem)
{
    if (!r->problem) {
        r->problem = problem;
        r->problem_at = r->at;
    }
    return false;
}

static void blanks(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
        r->at++;
}

static struct str describe(struct reader *r)
{
    int line = 1, column = 1;
    for (const char *p = r->start; p < r->problem_at; p++) {
        column = *p == '\n' ? 1 : column + 1;
        line += *p == '\n';
    }
    return str_printf(r->arena, "%s at line %d, column %d", r->problem, line, column);
}

const struct jt *jt_parse(struct arena *arena, struct str text, struct str *why)
{
    struct reader r;
    r.arena = arena;
    r.start = r.at = text.ptr;
    r.end = text.ptr + text.len;
    r.stack = r.local;
    r.cap = LOCAL;
    r.n = r.depth = 0;
    r.problem = r.problem_at = NULL;
    struct jt *root = arena_alloc(arena, sizeof *root, _Alignof(struct jt));
    bool good = text.ptr && text.len < UINT32_MAX && read_value(&r, root);
    if (good) {
        blanks(&r);
        good = r.at == r.end || bad(&r, "something follows the value");
    } else {
        bad(&r, "no value");
    }
    if (r.stack != r.local)
        free(r.stack);
    if (!good && why)
        *why = describe(&r);
    return good ? root : NULL;
}

/* --- containers, without recursion --- */

static union slot *push(struct reader *r, size_t slots)
{
    if (r->n + slots > r->cap) {
        size_t cap = r->cap * 2;
        union slot *more = realloc(r->stack == r->local ? NULL : r->stack, cap * sizeof *more);
        if (!more)
            abort(); /* as arenas do */
        if (r->stack == r->local)
            memcpy(more, r->local, r->n * sizeof *more);
        r->stack = more;
        r->cap = cap;
    }
    r->n += slots;
    return &r->stack[r->n - slots];
}

static bool literal(struct reader *r, const char *word, size_t len)
{
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
        return bad(r, "an unknown word");
    r->at += len;
    return true;
}

static bool is_digit(const struct reader *r)
{
    return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

static bool digits(struct reader *r)
{
    if (!is_digit(r))
        return bad(r, "a number without a digit");
    while (is_digit(r))
        r->at++;
    return true;
}

static bool read_number(struct reader *r, struct jt *out)
{
    const char *from = r->at;
    bool whole = true;
    if (*r->at == '-')
        r->at++;
    if (r->at < r->end && *r->at == '0') {
        r->at++;
        if (is_digit(r))
            return bad(r, "a number that begins with 0");
    } else if (!digits(r)) {
        return false;
    }
    if (r->at < r->end && *r->at == '.') {
        whole = false;
        r->at++;
        if (!digits(r))
            return false;
    }
    if (r->at < r->end && (*r->at | 32) == 'e') {
        whole = false;
        r->at++;
        if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
            r->at++;
        if (!digits(r))
            return false;
    }
    *out = (struct jt){ .kind = JT_NUMBER, .flag = whole, .n = (uint32_t)(r->at - from), .text = from };
    return true;
}

/* *opened: it is a container, whose children come next. */
static bool read_one(struct reader *r, struct jt *out, bool *opened)
{
    struct str text;
    blanks(r);
    if (r->at == r->end)
        return bad(r, "the text ends early");
    switch (*r->at) {
    case '{':
    case '[':
        if (r->depth == JT_DEPTH)
            return bad(r, "nested too deeply");
        r->frames[r->depth++] = (struct frame){ r->n, *r->at == '{' };
        r->at++;
        *opened = true;
        return true;
    case '"':
        if (!read_string(r, &text))
            return false;
        *out = (struct jt){ .kind = JT_STRING, .n = (uint32_t)text.len, .text = text.ptr };
        return true;
    case 't':
        *out = (struct jt){ .kind = JT_BOOL, .flag = true };
        return literal(r, "true", 4);
    case 'f':
        *out = (struct jt){ .kind = JT_BOOL };
        return literal(r, "false", 5);
    case 'n':
        *out = (struct jt){ .kind = JT_NULL };
        return literal(r, "null", 4);
    default:
        if (*r->at != '-' && !is_digit(r))
            return bad(r, "an unexpected character");
        return read_number(r, out);
    }
}

/* In front of a child: its name and colon, in an object. */
static bool read_name(struct reader *r)
{
    blanks(r);
    if (r->at == r->end || *r->at != '"')
        return bad(r, "a member's name is missing");
    struct str name;
    if (!read_string(r, &name))
        return false;
    push(r, 2)->name = name;
    blanks(r);
    if (r->at == r->end || *r->at != ':')
        return bad(r, "':' is missing");
    r->at++;
    return true;
}

static bool read_value(struct reader *r, struct jt *out)
{
    bool opened = false;
    if (!read_one(r, out, &opened))
        return false;
    bool empty_so_far = true;
    while (r->depth > 0) { /* between children of the innermost container */
        struct frame *frame = &r->frames[r->depth - 1];
        char close = frame->object ? '}' : ']';
        blanks(r);
        if (r->at == r->end)
            return bad(r, "the text ends early");
        if (*r->at == close) {
            r->at++;
            struct jt made;
            if (!close_container(r, &made))
                return false;
            if (r->depth > 0)
                r->stack[r->n - 1].value = made;
            else
                *out = made;
            empty_so_far = false;
            continue;
        }
        if (!empty_so_far && *r->at++ != ',') {
            r->at--;
            return bad(r, "',' is missing");
        }
        if (!frame->object)
            push(r, 1);
        else if (!read_name(r))
            return false;
        opened = false;
        if (!read_one(r, &r->stack[r->n - 1].value, &opened))
            return false;
        empty_so_far = opened;
    }
    return true;
}

/* --- objects --- */

static bool index_members(struct reader *r, struct jt_object *object, uint32_t n)
{
    uint32_t size = 32;
    while (size < n * 2)
        size *= 2;
    object->mask = size - 1;
    object->index = arena_zalloc(r->arena, size * sizeof *object->index);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = (uint32_t)str_hash(object->members[i].name) & object->mask;
        for (; object->index[at]; at = (at + 1) & object->mask)
            if (str_eq(object->members[object->index[at] - 1].name, object->members[i].name))
                return bad(r, "a name that occurs twice");
        object->index[at] = i + 1;
    }
    return true;
}

static bool few_differ(struct reader *r, const struct jt_object *object, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t k = 0; k < i; k++)
            if (str_eq(object->members[i].name, object->members[k].name))
                return bad(r, "a name that occurs twice");
    return true;
}

static bool close_container(struct reader *r, struct jt *out)
{
    struct frame frame = r->frames[--r->depth];
    size_t slots = r->n - frame.first, bytes = slots * sizeof(union slot);
    const union slot *children = r->stack + frame.first;
    r->n = frame.first;
    if (!frame.object) {
        *out = (struct jt){ .kind = JT_ARRAY, .n = (uint32_t)slots };
        out->items = arena_alloc(r->arena, bytes, _Alignof(struct jt));
        memcpy(out->items, children, bytes);
        return true;
    }
    struct jt_object *object = arena_alloc(r->arena, sizeof *object + bytes, _Alignof(struct jt_object));
    object->index = NULL;
    object->mask = 0;
    memcpy(object->members, children, bytes);
    *out = (struct jt){ .kind = JT_OBJECT, .n = (uint32_t)(slots / 2), .object = object };
    return out->n <= FEW ? few_differ(r, object, out->n) : index_members(r, object, out->n);
}

/* --- strings --- */

static int hex4(const char *at, const char *end)
{
    int value = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static void add_utf8(char **to, uint32_t c)
{
    unsigned char *p = (unsigned char *)*to;
    if (c < 0x80) {
        *p++ = (unsigned char)c;
    } else if (c < 0x800) {
        *p++ = (unsigned char)(0xc0 | c >> 6);
        *p++ = (unsigned char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *p++ = (unsigned char)(0xe0 | c >> 12);
        *p++ = (unsigned char)(0x80 | (c >> 6 & 0x3f));
        *p++ = (unsigned char)(0x80 | (c & 0x3f));
    } else {
        *p++ = (unsigned char)(0xf0 | c >> 18);
        *p++ = (unsigned char)(0x80 | (c >> 12 & 0x3f));
        *p++ = (unsigned char)(0x80 | (c >> 6 & 0x3f));
        *p++ = (unsigned char)(0x80 | (c & 0x3f));
    }
    *to = (char *)p;
}

static bool take_escape(struct reader *r, char **to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    if (++r->at == r->end)
        return bad(r, "the text ends early");
    const char *found = *r->at ? strchr(from, *r->at) : NULL;
    if (found) {
        *(*to)++ = into[found - from];
        r->at++;
        return true;
    }
    if (*r->at != 'u')
        return bad(r, "an unknown escape");
    int c = hex4(r->at + 1, r->end);
    if (c < 0)
        return bad(r, "an escape that is no \\uXXXX");
    r->at += 5;
    if (c >= 0xd800 && c <= 0xdfff) {
        int low = c <= 0xdbff && r->end - r->at >= 6 && r->at[0] == '\\' && r->at[1] == 'u' ? hex4(r->at + 2, r->end) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return bad(r, "half of a surrogate pair");
        r->at += 6;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    add_utf8(to, (uint32_t)c);
    return true;
}

/* Up to the quote, a backslash or what may not stand in a string. */
static void plain(struct reader *r)
{
    const char *p = r->at, *end = r->end;
    for (; end - p >= 8; p += 8) { /* eight bytes at once: none is '"', '\\', a control or above 127 */
        uint64_t w;
        memcpy(&w, p, 8);
        uint64_t quote = w ^ 0x2222222222222222u, slash = w ^ 0x5c5c5c5c5c5c5c5cu;
        uint64_t hit = ((quote - 0x0101010101010101u) & ~quote) | ((slash - 0x0101010101010101u) & ~slash) |
                       ((w - 0x2020202020202020u) & ~w) | w;
        if (hit & 0x8080808080808080u)
            break;
    }
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80)
        p++;
    r->at = p;
}

static bool take_utf8(struct reader *r)
{
    size_t len = json_utf8_len((struct str){ r->at, (size_t)(r->end - r->at) });
    if (len < 2)
        return bad(r, len ? "a control character in a string" : "bytes that are no UTF-8");
    r->at += len;
    return true;
}

static bool read_escaped(struct reader *r, const char *from, struct str *out);

static bool read_string(struct reader *r, struct str *out)
{
    const char *from = ++r->at;
    for (;;) {
        plain(r);
        if (r->at == r->end)
            return bad(r, "a string without end");
        if (*r->at == '"') {
            *out = (struct str){ from, (size_t)(r->at - from) };
            r->at++;
            return true;
        }
        if (*r->at == '\\')
            return read_escaped(r, from, out);
        if (!take_utf8(r))
            return false;
    }
}

/* The rest of a string with escapes: into memory as long as the text, since no escape grows. */
static bool read_escaped(struct reader *r, const char *from, struct str *out)
{
    const char *close = r->at;
    while (close < r->end && *close != '"')
        close += *close == '\\' ? 2 : 1;
    if (close >= r->end)
        return bad(r, "a string without end");
    char *text = arena_alloc(r->arena, (size_t)(close - from) + 1, 1), *to = text;
    memcpy(to, from, (size_t)(r->at - from));
    to += r->at - from;
    while (*r->at != '"') {
        if (*r->at == '\\') {
            if (!take_escape(r, &to))
                return false;
            continue;
        }
        const char *run = r->at;
        plain(r);
        if (r->at == run && !take_utf8(r))
            return false;
        memcpy(to, run, (size_t)(r->at - run));
        to += r->at - run;
    }
    r->at++;
    *out = (struct str){ text, (size_t)(to - text) };
    return true;
}

/* --- reading --- */

const struct jt *jt_get(const struct jt *value, struct str name)
{
    if (!value || value->kind != JT_OBJECT)
        return NULL;
    const struct jt_object *object = value->object;
    if (!object->index) {
        for (uint32_t i = 0; i < value->n; i++)
            if (str_eq(object->members[i].name, name))
                return &object->members[i].value;
        return NULL;
    }
    uint32_t at = (uint32_t)str_hash(name) & object->mask;
    for (; object->index[at]; at = (at + 1) & object->mask)
        if (str_eq(object->members[object->index[at] - 1].name, name))
            return &object->members[object->index[at] - 1].value;
    return NULL;
}

struct str jt_get_str(const struct jt *object, const char *name)
{
    const struct jt *found = jt_get(object, str_of(name));
    return jt_is(found, JT_STRING) ? jt_text(found) : STR_NONE;
}

void jt_print(struct strbuf *out, const struct jt *value)
{
    switch (value->kind) {
    case JT_NULL:
        strbuf_add(out, STR("null"));
        break;
    case JT_BOOL:
        strbuf_add(out, value->flag ? STR("true") : STR("false"));
        break;
    case JT_NUMBER:
        strbuf_add(out, jt_text(value));
        break;
    case JT_STRING:
        json_quote(out, jt_text(value));
        break;
    case JT_ARRAY:
        strbuf_char(out, '[');
        for (uint32_t i = 0; i < value->n; i++) {
            if (i)
                strbuf_char(out, ',');
            jt_print(out, &value->items[i]);
        }
        strbuf_char(out, ']');
        break;
    case JT_OBJECT:
        strbuf_char(out, '{');
        for (uint32_t i = 0; i < value->n; i++) {
            if (i)
                strbuf_char(out, ',');
            json_quote(out, value->object->members[i].name);
            strbuf_char(out, ':');
            jt_print(out, &value->object->members[i].value);
        }
        strbuf_char(out, '}');
        break;
    }
}

struct str jt_string(struct arena *arena, const struct jt *value)
{
    struct strbuf out = strbuf_in(arena, 128);
    jt_print(&out, value);
    return strbuf_view(&out);
}
