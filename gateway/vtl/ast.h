/* A parsed template: private to vtl/. */
#pragma once

#include "gateway/vtl/vtl.h"

struct vtl_node;
struct vtl_expr;

struct vtl_accessor {
    enum { ACCESS_PROPERTY, ACCESS_CALL, ACCESS_INDEX } kind;
    struct str name;
    struct vtl_expr **args; /* ACCESS_CALL; ACCESS_INDEX has one */
    size_t n_args;
    const void *prepared;   /* $input.path('…'), $input.json('…'): the struct jsonpath, when it compiles */
    struct vtl_accessor *next;
};

struct vtl_ref {
    struct str name;
    struct vtl_accessor *first;
    uint32_t offset;
};

enum vtl_op {
    OP_OR, OP_AND, OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_MOD,
};

struct vtl_expr {
    enum {
        EXPR_LITERAL, EXPR_REF, EXPR_TEXT /* "…$x…" */, EXPR_LIST, EXPR_RANGE, EXPR_MAP, EXPR_NOT, EXPR_MINUS,
        EXPR_BINARY,
    } kind;
    enum vtl_op op;
    uint32_t offset;
    struct vtl_value literal;
    struct vtl_ref *ref;
    struct vtl_node *text;
    struct vtl_expr **items; /* list; map: key, value, key, value …; range: from, to */
    size_t n;
    struct vtl_expr *left, *right;
};

struct vtl_branch {
    struct vtl_expr *condition; /* NULL: #else */
    struct vtl_node *body;
    struct vtl_branch *next;
};

struct vtl_macro {
    struct str name;
    struct str *parameters;
    size_t n;
    struct vtl_node *body;
    struct vtl_macro *next;
};

struct vtl_node {
    enum {
        NODE_TEXT, NODE_REF, NODE_SET, NODE_IF, NODE_FOREACH, NODE_DEFINE, NODE_CALL, NODE_STOP, NODE_BREAK,
    } kind;
    uint32_t offset;
    struct str text;            /* TEXT; FOREACH, DEFINE: the variable */
    struct vtl_ref *ref;        /* REF, SET */
    struct vtl_expr *expr;      /* SET, FOREACH */
    struct vtl_branch *branches;
    struct vtl_node *body;      /* FOREACH, DEFINE */
    const struct vtl_macro *macro;
    struct vtl_expr **args;
    size_t n_args;
    size_t levels;              /* BREAK: loops to leave */
    struct vtl_node *next;
};

struct vtl_template {
    struct str text;
    struct vtl_node *first;
};

/* The parser's place in the text. */
struct vtl_parser {
    struct arena *arena;
    struct str text;
    size_t at;
    uint32_t base;     /* offset of `text` in the whole template, for strings with references */
    int depth;
    struct vtl_macro *macros;
    bool failed;
    struct str message;
    uint32_t failed_at;
};

/* lex.c */
char vtl_peek(const struct vtl_parser *p, size_t ahead);
bool vtl_take(struct vtl_parser *p, char c);
void vtl_blanks(struct vtl_parser *p);
struct str vtl_word(struct vtl_parser *p);       /* letters, digits, '_' and '-' after a letter or '_' */
bool vtl_is_name_start(char c);
void vtl_eat_line_end(struct vtl_parser *p);     /* blanks and the newline behind a directive, if nothing else */
bool vtl_fail(struct vtl_parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct vtl_where vtl_locate(struct str text, uint32_t offset, struct str message);
/* Is there a reference or directive at the parser's place? */
bool vtl_at_reference(const struct vtl_parser *p, size_t at);

/* expr.c */
struct vtl_expr *vtl_parse_expr(struct vtl_parser *p);
struct vtl_ref *vtl_parse_ref(struct vtl_parser *p); /* at '$' */
bool vtl_parse_args(struct vtl_parser *p, char close, struct vtl_expr ***args, size_t *n);

/* parse.c */
struct vtl_node *vtl_parse_inner(struct vtl_parser *p, struct str text, uint32_t base);
