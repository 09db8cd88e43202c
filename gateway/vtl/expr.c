/* Expressions: what stands in parentheses, brackets and braces. */
#include <stdlib.h>

#include "core/jsonpath.h"
#include "gateway/vtl/ast.h"

#define MAX_DEPTH 100

static struct vtl_expr *expr_new(struct vtl_parser *p, int kind)
{
    struct vtl_expr *expr = ARENA_NEW(p->arena, struct vtl_expr);
    expr->kind = kind;
    expr->offset = p->base + (uint32_t)p->at;
    return expr;
}

static struct vtl_expr *literal(struct vtl_parser *p, struct vtl_value value)
{
    struct vtl_expr *expr = expr_new(p, EXPR_LITERAL);
    expr->literal = value;
    return expr;
}

static void append(struct vtl_parser *p, struct vtl_expr ***items, size_t *n, struct vtl_expr *item)
{
    size_t cap = *n < 4 ? 4 : *n;
    if (*n == 0)
        *items = ARENA_ARRAY(p->arena, struct vtl_expr *, 4);
    else if (*n >= 4 && (*n & (*n - 1)) == 0)
        *items = arena_grow(p->arena, *items, cap * sizeof **items, 2 * cap * sizeof **items);
    (*items)[(*n)++] = item;
}

bool vtl_parse_args(struct vtl_parser *p, char close, struct vtl_expr ***args, size_t *n)
{
    vtl_blanks(p);
    if (vtl_take(p, close))
        return true;
    for (;;) {
        struct vtl_expr *arg = vtl_parse_expr(p);
        if (!arg)
            return false;
        append(p, args, n, arg);
        vtl_blanks(p);
        if (vtl_take(p, close))
            return true;
        if (!vtl_take(p, ','))
            return vtl_fail(p, "',' or '%c' expected", close);
    }
}

static bool parse_accessors(struct vtl_parser *p, struct vtl_ref *ref)
{
    struct vtl_accessor **end = &ref->first;
    for (;;) {
        struct vtl_accessor *access = ARENA_NEW(p->arena, struct vtl_accessor);
        if (vtl_peek(p, 0) == '.' && vtl_is_name_start(vtl_peek(p, 1))) {
            p->at++;
            access->kind = ACCESS_PROPERTY;
            access->name = vtl_word(p);
            if (vtl_take(p, '(')) {
                access->kind = ACCESS_CALL;
                if (!vtl_parse_args(p, ')', &access->args, &access->n_args))
                    return false;
            }
        } else if (vtl_peek(p, 0) == '[') {
            p->at++;
            access->kind = ACCESS_INDEX;
            if (!vtl_parse_args(p, ']', &access->args, &access->n_args))
                return false;
            if (access->n_args != 1)
                return vtl_fail(p, "one index expected");
        } else {
            return true;
        }
        *end = access;
        end = &access->next;
    }
}

/* Paths that stand in the template are compiled once; a wrong one says so when it runs, as on AWS. */
static void prepare(struct vtl_parser *p, struct vtl_ref *ref)
{
    struct vtl_accessor *call = ref->first;
    if (str_is(ref->name, "input") && call && call->kind == ACCESS_CALL && call->n_args == 1 &&
        (str_is(call->name, "path") || str_is(call->name, "json")) && call->args[0]->kind == EXPR_LITERAL &&
        call->args[0]->literal.kind == VTL_STRING)
        call->prepared = jsonpath_compile(p->arena, call->args[0]->literal.text, NULL);
}

struct vtl_ref *vtl_parse_ref(struct vtl_parser *p)
{
    struct vtl_ref *ref = ARENA_NEW(p->arena, struct vtl_ref);
    ref->offset = p->base + (uint32_t)p->at;
    if (++p->depth > MAX_DEPTH) {
        vtl_fail(p, "nested too deeply");
        return NULL;
    }
    vtl_take(p, '$');
    vtl_take(p, '!');
    bool formal = vtl_take(p, '{');
    ref->name = vtl_word(p);
    if (!ref->name.ptr) {
        vtl_fail(p, "name of a reference expected");
        return NULL;
    }
    if (!parse_accessors(p, ref))
        return NULL;
    if (formal && !vtl_take(p, '}')) {
        vtl_fail(p, "'}' expected");
        return NULL;
    }
    prepare(p, ref);
    p->depth--;
    return ref;
}

static struct vtl_expr *parse_number(struct vtl_parser *p)
{
    size_t start = p->at;
    bool real = false;
    while (vtl_peek(p, 0) >= '0' && vtl_peek(p, 0) <= '9')
        p->at++;
    if (vtl_peek(p, 0) == '.' && vtl_peek(p, 1) >= '0' && vtl_peek(p, 1) <= '9') {
        real = true;
        p->at++;
        while (vtl_peek(p, 0) >= '0' && vtl_peek(p, 0) <= '9')
            p->at++;
    }
    struct str text = str_sub(p->text, start, p->at - start);
    int64_t integer;
    if (!real && str_i64(text, &integer))
        return literal(p, vtl_int(integer));
    return literal(p, vtl_double(strtod(str_c(p->arena, text), NULL)));
}

static struct vtl_expr *parse_string(struct vtl_parser *p)
{
    char quote = vtl_peek(p, 0);
    uint32_t base = p->base + (uint32_t)p->at + 1;
    p->at++;
    struct strbuf buf = strbuf_in(p->arena, 32);
    for (;;) {
        if (p->at >= p->text.len) {
            vtl_fail(p, "string without end");
            return NULL;
        }
        char c = vtl_peek(p, 0);
        p->at++;
        if (c == quote && vtl_peek(p, 0) != quote)
            break;
        if (c == quote) /* doubled: one */
            p->at++;
        strbuf_char(&buf, c);
    }
    struct str text = strbuf_view(&buf);
    if (quote == '\'' || (str_find(text, '$') < 0 && str_find(text, '#') < 0))
        return literal(p, vtl_text(text));
    struct vtl_expr *expr = expr_new(p, EXPR_TEXT);
    expr->text = vtl_parse_inner(p, text, base);
    return p->failed ? NULL : expr;
}

static struct vtl_expr *parse_list(struct vtl_parser *p)
{
    struct vtl_expr *expr = expr_new(p, EXPR_LIST);
    p->at++;
    vtl_blanks(p);
    if (vtl_take(p, ']'))
        return expr;
    struct vtl_expr *first = vtl_parse_expr(p);
    if (!first)
        return NULL;
    append(p, &expr->items, &expr->n, first);
    vtl_blanks(p);
    if (vtl_peek(p, 0) == '.' && vtl_peek(p, 1) == '.') {
        p->at += 2;
        expr->kind = EXPR_RANGE;
        struct vtl_expr *last = vtl_parse_expr(p);
        if (!last)
            return NULL;
        append(p, &expr->items, &expr->n, last);
        vtl_blanks(p);
        return vtl_take(p, ']') || vtl_fail(p, "']' expected") ? expr : NULL;
    }
    if (vtl_take(p, ']'))
        return expr;
    if (!vtl_take(p, ',')) {
        vtl_fail(p, "',' or ']' expected");
        return NULL;
    }
    return vtl_parse_args(p, ']', &expr->items, &expr->n) ? expr : NULL;
}

static struct vtl_expr *parse_map(struct vtl_parser *p)
{
    struct vtl_expr *expr = expr_new(p, EXPR_MAP);
    p->at++;
    vtl_blanks(p);
    while (!vtl_take(p, '}')) {
        struct vtl_expr *key = vtl_parse_expr(p);
        if (!key)
            return NULL;
        vtl_blanks(p);
        if (!vtl_take(p, ':')) {
            vtl_fail(p, "':' expected");
            return NULL;
        }
        struct vtl_expr *value = vtl_parse_expr(p);
        if (!value)
            return NULL;
        append(p, &expr->items, &expr->n, key);
        append(p, &expr->items, &expr->n, value);
        vtl_blanks(p);
        if (!vtl_take(p, ',') && vtl_peek(p, 0) != '}') {
            vtl_fail(p, "',' or '}' expected");
            return NULL;
        }
        vtl_blanks(p);
    }
    return expr;
}

static struct vtl_expr *parse_word(struct vtl_parser *p)
{
    struct str word = vtl_word(p);
    if (str_is(word, "true") || str_is(word, "false"))
        return literal(p, vtl_bool(word.len == 4));
    if (str_is(word, "null"))
        return literal(p, vtl_null());
    p->at -= word.len;
    vtl_fail(p, "unexpected '%.*s'", STR_FMT(word));
    return NULL;
}

static struct vtl_expr *parse_unary(struct vtl_parser *p);

static struct vtl_expr *parse_primary(struct vtl_parser *p)
{
    char c = vtl_peek(p, 0);
    if (c == '$') {
        struct vtl_expr *expr = expr_new(p, EXPR_REF);
        expr->ref = vtl_parse_ref(p);
        return expr->ref ? expr : NULL;
    }
    if (c == '"' || c == '\'')
        return parse_string(p);
    if ((c >= '0' && c <= '9') || (c == '.' && vtl_peek(p, 1) >= '0' && vtl_peek(p, 1) <= '9'))
        return parse_number(p);
    if (c == '[')
        return parse_list(p);
    if (c == '{')
        return parse_map(p);
    if (c == '(') {
        p->at++;
        struct vtl_expr *inner = vtl_parse_expr(p);
        if (!inner)
            return NULL;
        vtl_blanks(p);
        return vtl_take(p, ')') || vtl_fail(p, "')' expected") ? inner : NULL;
    }
    if (vtl_is_name_start(c))
        return parse_word(p);
    if (c)
        vtl_fail(p, "unexpected '%c'", c);
    else
        vtl_fail(p, "unexpected end of the template");
    return NULL;
}

static bool take_word(struct vtl_parser *p, const char *word)
{
    size_t len = strlen(word), before = p->at;
    struct str found = vtl_word(p);
    if (found.len == len && str_is(found, word))
        return true;
    p->at = before;
    return false;
}

static struct vtl_expr *parse_unary(struct vtl_parser *p)
{
    vtl_blanks(p);
    if (++p->depth > MAX_DEPTH) {
        vtl_fail(p, "nested too deeply");
        return NULL;
    }
    struct vtl_expr *expr;
    bool is_not = (vtl_peek(p, 0) == '!' && vtl_peek(p, 1) != '=' && vtl_take(p, '!')) || take_word(p, "not");
    if (is_not || (vtl_peek(p, 0) == '-' && vtl_take(p, '-'))) {
        expr = expr_new(p, is_not ? EXPR_NOT : EXPR_MINUS);
        expr->left = parse_unary(p);
        if (!expr->left)
            return NULL;
    } else {
        expr = parse_primary(p);
    }
    p->depth--;
    return expr;
}

/* Binary operators, loosest first; a level's rows are tried in order. */
static const struct {
    int level;
    const char *sign, *word;
    enum vtl_op op;
} operators[] = {
    { 0, "||", "or", OP_OR },  { 1, "&&", "and", OP_AND }, { 2, "==", "eq", OP_EQ }, { 2, "!=", "ne", OP_NE },
    { 3, "<=", "le", OP_LE },  { 3, ">=", "ge", OP_GE },   { 3, "<", "lt", OP_LT },  { 3, ">", "gt", OP_GT },
    { 4, "+", NULL, OP_ADD },  { 4, "-", NULL, OP_SUB },   { 5, "*", NULL, OP_MUL }, { 5, "/", NULL, OP_DIV },
    { 5, "%", NULL, OP_MOD },
};
#define TIGHTEST 5

static bool take_operator(struct vtl_parser *p, int level, enum vtl_op *op)
{
    vtl_blanks(p);
    for (size_t i = 0; i < COUNT(operators); i++) {
        if (operators[i].level != level)
            continue;
        *op = operators[i].op;
        if (str_starts(str_from(p->text, p->at), str_of(operators[i].sign))) {
            p->at += strlen(operators[i].sign);
            return true;
        }
        if (operators[i].word && take_word(p, operators[i].word))
            return true;
    }
    return false;
}

static struct vtl_expr *parse_level(struct vtl_parser *p, int level)
{
    if (level > TIGHTEST)
        return parse_unary(p);
    struct vtl_expr *left = parse_level(p, level + 1);
    enum vtl_op op;
    while (left && take_operator(p, level, &op)) {
        struct vtl_expr *both = expr_new(p, EXPR_BINARY);
        both->op = op;
        both->left = left;
        both->right = parse_level(p, level + 1);
        left = both->right ? both : NULL;
    }
    return left;
}

struct vtl_expr *vtl_parse_expr(struct vtl_parser *p)
{
    return parse_level(p, 0);
}
