/* The compiled form of a JSONPath: private to jsonpath.c (compile) and jsonpath_find.c. */
#pragma once

#include "core/jsonpath.h"
#include "core/regex.h"

struct filter;

struct segment {
    enum segment_kind { SEG_NAMES, SEG_INDEXES, SEG_WILD, SEG_SLICE, SEG_FILTER, SEG_FUNCTION } kind;
    bool deep;                 /* preceded by ".." */
    struct str *names;
    int64_t *indexes;
    size_t n;
    bool has_start, has_end;
    int64_t start, end, step;
    struct filter *filter;
    struct str function;
    struct segment *next;
};

struct operand {
    enum { OPERAND_LITERAL, OPERAND_PATH, OPERAND_REGEX } kind;
    const struct jt *literal;
    struct jsonpath *path;
    pcre2_code *regex;
};

enum filter_op {
    FILTER_OR, FILTER_AND, FILTER_NOT, FILTER_EXISTS,
    FILTER_EQ, FILTER_NE, FILTER_LT, FILTER_LE, FILTER_GT, FILTER_GE,
    FILTER_MATCH, FILTER_IN, FILTER_NIN, FILTER_CONTAINS, FILTER_SIZE, FILTER_EMPTY,
};

struct filter {
    enum filter_op op;
    struct filter *left, *right; /* OR, AND, NOT */
    struct operand a, b;         /* the others */
};

struct jsonpath {
    struct segment *first;
    bool definite;
    bool relative;               /* begins with '@' */
};
