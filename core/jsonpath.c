#include "core/jsonpath.h"

#include <stdlib.h>

#include "core/jsonpath_parts.h"

#define MAX_NESTING 32

struct reader {
    struct arena *arena;
    struct str text;
    size_t at;
    int depth;
    struct str why;
};

static struct jsonpath *read_path(struct reader *r, bool inside_filter);
static struct filter *read_or(struct reader *r);

static bool fail(struct reader *r, const char *what)
{
    if (!r->why.ptr)
        r->why = str_printf(r->arena, "%s at column %zu", what, r->at + 1);
    return false;
}

static char peek(const struct reader *r)
{
    return r->at < r->text.len ? r->text.ptr[r->at] : '\0';
}

static bool ended(const struct reader *r)
{
    return r->at >= r->text.len;
}

static void blanks(struct reader *r)
{
    while (!ended(r) && (peek(r) == ' ' || peek(r) == '\t' || peek(r) == '\n' || peek(r) == '\r'))
        r->at++;
}

static bool take(struct reader *r, const char *token)
{
    if (!str_starts(str_from(r->text, r->at), str_of(token)))
        return false;
    r->at += strlen(token);
    return true;
}

static void add_utf8(struct strbuf *buf, uint32_t c)
{
    if (c < 0x80) {
        strbuf_char(buf, (char)c);
    } else if (c < 0x800) {
        strbuf_char(buf, (char)(0xc0 | c >> 6));
        strbuf_char(buf, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        strbuf_char(buf, (char)(0xe0 | c >> 12));
        strbuf_char(buf, (char)(0x80 | (c >> 6 & 0x3f)));
        strbuf_char(buf, (char)(0x80 | (c & 0x3f)));
    } else {
        strbuf_char(buf, (char)(0xf0 | c >> 18));
        strbuf_char(buf, (char)(0x80 | (c >> 12 & 0x3f)));
        strbuf_char(buf, (char)(0x80 | (c >> 6 & 0x3f)));
        strbuf_char(buf, (char)(0x80 | (c & 0x3f)));
    }
}

static bool read_hex4(struct reader *r, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        char c = peek(r);
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16)
            return fail(r, "four hexadecimal digits expected");
        *out = *out * 16 + digit;
    }
    return true;
}

static bool read_escape(struct reader *r, struct strbuf *buf)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    char c = peek(r);
    r->at++;
    if (c != 'u') {
        const char *known = c ? strchr(from, c) : NULL;
        strbuf_char(buf, known ? to[known - from] : c);
        return true;
    }
    uint32_t code, low;
    if (!read_hex4(r, &code))
        return false;
    if (code >= 0xd800 && code < 0xdc00) {
        if (!take(r, "\\u") || !read_hex4(r, &low) || low < 0xdc00 || low > 0xdfff)
            return fail(r, "lone surrogate");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    add_utf8(buf, code);
    return true;
}

static bool read_quoted(struct reader *r, struct str *out)
{
    char quote = peek(r);
    r->at++;
    struct strbuf buf = strbuf_in(r->arena, 16);
    for (;;) {
        if (ended(r))
            return fail(r, "string without end");
        char c = peek(r);
        r->at++;
        if (c == quote)
            break;
        if (c != '\\')
            strbuf_char(&buf, c);
        else if (!read_escape(r, &buf))
            return false;
    }
    *out = strbuf_view(&buf);
    return true;
}

static bool read_integer(struct reader *r, int64_t *out)
{
    size_t start = r->at;
    if (peek(r) == '-')
        r->at++;
    while (peek(r) >= '0' && peek(r) <= '9')
        r->at++;
    if (!str_i64(str_sub(r->text, start, r->at - start), out))
        return fail(r, "integer expected");
    return true;
}

/* Ends a name written with a dot: what begins the next segment, or belongs to a filter around us. */
static bool ends_name(char c, bool inside_filter)
{
    if (c == '.' || c == '[' || c == '(' || c == '\0')
        return true;
    return inside_filter && strchr(" \t\n\r)=!<>&|,]", c) != NULL;
}

static bool read_dotted(struct reader *r, struct segment *seg, bool inside_filter)
{
    if (take(r, "*")) {
        seg->kind = SEG_WILD;
        return true;
    }
    size_t start = r->at;
    while (!ended(r) && !ends_name(peek(r), inside_filter))
        r->at++;
    struct str name = str_sub(r->text, start, r->at - start);
    if (name.len == 0)
        return fail(r, "name expected");
    if (take(r, "(")) {
        blanks(r);
        if (!take(r, ")"))
            return fail(r, "')' expected");
        seg->kind = SEG_FUNCTION;
        seg->function = name;
        return true;
    }
    seg->kind = SEG_NAMES;
    seg->names = ARENA_ARRAY(r->arena, struct str, 1);
    seg->names[0] = name;
    seg->n = 1;
    return true;
}

static bool read_names(struct reader *r, struct segment *seg)
{
    size_t cap = 4;
    seg->kind = SEG_NAMES;
    seg->names = ARENA_ARRAY(r->arena, struct str, cap);
    for (;;) {
        if (seg->n == cap) {
            seg->names = arena_grow(r->arena, seg->names, cap * sizeof(struct str), 2 * cap * sizeof(struct str));
            cap *= 2;
        }
        if (peek(r) != '\'' && peek(r) != '"')
            return fail(r, "quoted name expected");
        if (!read_quoted(r, &seg->names[seg->n++]))
            return false;
        blanks(r);
        if (!take(r, ","))
            return true;
        blanks(r);
    }
}

static bool read_slice_rest(struct reader *r, struct segment *seg)
{
    seg->kind = SEG_SLICE;
    seg->step = 1;
    blanks(r);
    if (peek(r) == '-' || (peek(r) >= '0' && peek(r) <= '9')) {
        seg->has_end = true;
        if (!read_integer(r, &seg->end))
            return false;
        blanks(r);
    }
    if (!take(r, ":"))
        return true;
    blanks(r);
    return peek(r) == ']' || read_integer(r, &seg->step);
}

static bool read_numbers(struct reader *r, struct segment *seg)
{
    if (take(r, ":"))
        return read_slice_rest(r, seg);
    int64_t first;
    if (!read_integer(r, &first))
        return false;
    blanks(r);
    if (take(r, ":")) {
        seg->has_start = true;
        seg->start = first;
        return read_slice_rest(r, seg);
    }
    size_t cap = 4;
    seg->kind = SEG_INDEXES;
    seg->indexes = ARENA_ARRAY(r->arena, int64_t, cap);
    seg->indexes[seg->n++] = first;
    while (take(r, ",")) {
        blanks(r);
        if (seg->n == cap) {
            seg->indexes = arena_grow(r->arena, seg->indexes, cap * sizeof(int64_t), 2 * cap * sizeof(int64_t));
            cap *= 2;
        }
        if (!read_integer(r, &seg->indexes[seg->n++]))
            return false;
        blanks(r);
    }
    return true;
}

static bool read_bracket(struct reader *r, struct segment *seg)
{
    blanks(r);
    bool good;
    if (take(r, "*")) {
        seg->kind = SEG_WILD;
        good = true;
    } else if (take(r, "?")) {
        seg->kind = SEG_FILTER;
        blanks(r);
        seg->filter = read_or(r);
        good = seg->filter != NULL;
    } else if (peek(r) == '\'' || peek(r) == '"') {
        good = read_names(r, seg);
    } else {
        good = read_numbers(r, seg);
    }
    if (!good)
        return false;
    blanks(r);
    return take(r, "]") || fail(r, "']' expected");
}

static bool narrows(const struct segment *seg)
{
    return !seg->deep && (seg->kind == SEG_FUNCTION ||
                          ((seg->kind == SEG_NAMES || seg->kind == SEG_INDEXES) && seg->n == 1));
}

static struct jsonpath *read_path(struct reader *r, bool inside_filter)
{
    if (++r->depth > MAX_NESTING) {
        fail(r, "nested too deeply");
        return NULL;
    }
    struct jsonpath *path = ARENA_NEW(r->arena, struct jsonpath);
    path->definite = true;
    path->relative = peek(r) == '@';
    r->at++;
    struct segment **end = &path->first;
    for (;;) {
        size_t before = r->at;
        if (inside_filter)
            blanks(r);
        struct segment *seg = ARENA_NEW(r->arena, struct segment);
        bool good;
        if (take(r, "..")) {
            seg->deep = true;
            good = take(r, "[") ? read_bracket(r, seg) : read_dotted(r, seg, inside_filter);
        } else if (take(r, ".")) {
            good = take(r, "[") ? read_bracket(r, seg) : read_dotted(r, seg, inside_filter);
        } else if (take(r, "[")) {
            good = read_bracket(r, seg);
        } else {
            r->at = before;
            r->depth--;
            return path;
        }
        if (!good)
            return NULL;
        path->definite = path->definite && narrows(seg);
        if (seg->kind == SEG_FUNCTION)
            path->definite = true;
        *end = seg;
        end = &seg->next;
    }
}

/* --- filters --- */

static void free_regex(void *code)
{
    pcre2_code_free(code);
}

static bool read_regex(struct reader *r, struct operand *out)
{
    r->at++;
    struct strbuf pattern = strbuf_in(r->arena, 32);
    while (!ended(r) && peek(r) != '/') {
        if (peek(r) == '\\' && r->at + 1 < r->text.len && r->text.ptr[r->at + 1] == '/')
            r->at++;
        else if (peek(r) == '\\')
            strbuf_char(&pattern, r->text.ptr[r->at++]);
        strbuf_char(&pattern, peek(r));
        r->at++;
    }
    if (!take(r, "/"))
        return fail(r, "'/' expected");
    uint32_t flags = PCRE2_UTF;
    while (peek(r) == 'i' || peek(r) == 'm' || peek(r) == 's')
        flags |= r->text.ptr[r->at] == 'i'   ? PCRE2_CASELESS
                 : r->text.ptr[r->at] == 'm' ? PCRE2_MULTILINE
                                             : PCRE2_DOTALL,
            r->at++;
    int code;
    PCRE2_SIZE offset;
    out->kind = OPERAND_REGEX;
    out->regex = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, flags, &code, &offset, NULL);
    if (!out->regex)
        return fail(r, "regular expression does not compile");
    arena_defer(r->arena, free_regex, out->regex);
    return true;
}

/* A number, word, list or object up to where JSON ends. */
static bool read_json_literal(struct reader *r, struct operand *out)
{
    struct str rest = str_from(r->text, r->at);
    size_t len = 0;
    int depth = 0;
    bool quoted = false;
    for (; len < rest.len; len++) {
        char c = rest.ptr[len];
        if (quoted) {
            if (c == '\\')
                len++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            depth++;
        } else if ((c == ']' || c == '}') && depth > 0) {
            if (--depth == 0) {
                len++;
                break;
            }
        } else if (depth == 0 && strchr(" \t\n\r)=!<>&|,]", c)) {
            break;
        }
    }
    struct str json = str_sub(rest, 0, len);
    if (json.len && (json.ptr[0] == '[') && str_find(json, '\'') >= 0) { /* ['a','b']: Jayway's quotes */
        char *copy = (char *)(uintptr_t)str_copy(r->arena, json).ptr;
        for (size_t i = 0; i < json.len; i++)
            if (copy[i] == '\'')
                copy[i] = '"';
        json.ptr = copy;
    }
    out->kind = OPERAND_LITERAL;
    out->literal = jt_parse(r->arena, json, NULL);
    if (!out->literal)
        return fail(r, "value expected");
    r->at += len;
    return true;
}

static bool read_operand(struct reader *r, struct operand *out)
{
    blanks(r);
    char c = peek(r);
    if (c == '@' || c == '$') {
        out->kind = OPERAND_PATH;
        out->path = read_path(r, true);
        return out->path != NULL;
    }
    if (c == '/')
        return read_regex(r, out);
    if (c == '\'' || c == '"') {
        struct str text;
        if (!read_quoted(r, &text))
            return false;
        out->kind = OPERAND_LITERAL;
        struct jt *literal = ARENA_NEW(r->arena, struct jt);
        *literal = (struct jt){ .kind = JT_STRING, .n = (uint32_t)text.len, .text = text.ptr };
        out->literal = literal;
        return true;
    }
    return read_json_literal(r, out);
}

static const struct {
    const char *token;
    enum filter_op op;
} comparisons[] = {
    { "==", FILTER_EQ },  { "!=", FILTER_NE },   { "<=", FILTER_LE },          { ">=", FILTER_GE },
    { "=~", FILTER_MATCH }, { "<", FILTER_LT },  { ">", FILTER_GT },           { "in ", FILTER_IN },
    { "nin ", FILTER_NIN }, { "contains ", FILTER_CONTAINS }, { "size ", FILTER_SIZE }, { "empty ", FILTER_EMPTY },
};

static struct filter *read_test(struct reader *r)
{
    blanks(r);
    struct filter *filter = ARENA_NEW(r->arena, struct filter);
    if (take(r, "!")) {
        filter->op = FILTER_NOT;
        filter->left = read_test(r);
        return filter->left ? filter : NULL;
    }
    if (take(r, "(")) {
        if (++r->depth > MAX_NESTING)
            return fail(r, "nested too deeply"), NULL;
        struct filter *inner = read_or(r);
        r->depth--;
        blanks(r);
        if (!inner || !(take(r, ")") || fail(r, "')' expected")))
            return NULL;
        return inner;
    }
    if (!read_operand(r, &filter->a))
        return NULL;
    blanks(r);
    for (size_t i = 0; i < COUNT(comparisons); i++) {
        if (!take(r, comparisons[i].token))
            continue;
        filter->op = comparisons[i].op;
        return read_operand(r, &filter->b) ? filter : NULL;
    }
    filter->op = FILTER_EXISTS;
    if (filter->a.kind != OPERAND_PATH)
        return fail(r, "comparison expected"), NULL;
    return filter;
}

static struct filter *read_chain(struct reader *r, const char *token, enum filter_op op,
                                 struct filter *(*next)(struct reader *))
{
    struct filter *left = next(r);
    while (left) {
        blanks(r);
        if (!take(r, token))
            break;
        struct filter *both = ARENA_NEW(r->arena, struct filter);
        both->op = op;
        both->left = left;
        both->right = next(r);
        left = both->right ? both : NULL;
    }
    return left;
}

static struct filter *read_and(struct reader *r)
{
    return read_chain(r, "&&", FILTER_AND, read_test);
}

static struct filter *read_or(struct reader *r)
{
    return read_chain(r, "||", FILTER_OR, read_and);
}

struct jsonpath *jsonpath_compile(struct arena *arena, struct str text, struct str *why)
{
    text = str_trim(text);
    if (!text.len || (text.ptr[0] != '$' && text.ptr[0] != '@'))
        text = str_concat(arena, STR("$."), text);
    struct reader r = { .arena = arena, .text = text };
    struct jsonpath *path = read_path(&r, false);
    if (path && !ended(&r)) {
        fail(&r, "'.' or '[' expected");
        path = NULL;
    }
    if (!path && why)
        *why = r.why;
    return path;
}

bool jsonpath_is_definite(const struct jsonpath *path)
{
    return path->definite;
}
